// SPDX-License-Identifier: Apache-2.0
/** An error as the user sees it: what was found, what to do next, an exit code; a stack only for bugs that ask for one. */
import {
  explained,
  FailedHere,
  FormatError,
  printable,
  UNVERIFIABLE_REASONS,
  UsageError,
  VerifyError,
  type ExplainedLine,
} from '../index.js';
import { EXIT } from './exit-code.js';
import { knownText } from './known-text.js';
import { styled, type Output } from './output.js';

/** Their messages have a line for each problem; in any other one a line break would come from what was read. */
const LISTS: ReadonlySet<string> = new Set(['list-invalid', 'recipe-invalid']);

export interface Told {
  readonly exitCode: number;
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
  readonly known?: readonly ExplainedLine[];
}

export function tell(error: unknown): Told {
  if (error instanceof UsageError) return told(EXIT.usage, error.code, error.message, error.hint);
  if (error instanceof FailedHere) {
    const exitCode = error.code === 'interrupted' ? EXIT.interrupted : EXIT.failedHere;
    const known = explained(error.known);
    return {
      ...told(exitCode, error.code, error.message, error.hint),
      ...(known.length === 0 ? {} : { known }),
    };
  }
  if (isAbort(error)) return told(EXIT.interrupted, 'interrupted', 'interrupted');
  if (error instanceof FormatError) return told(EXIT.failedHere, error.code, error.message);
  if (error instanceof VerifyError && (UNVERIFIABLE_REASONS as readonly string[]).includes(error.code))
    return told(EXIT.unverifiable, error.code, error.message);
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return told(EXIT.failedHere, 'disk-full', 'no space left on the disk');
  return told(
    EXIT.bug,
    'bug',
    `a bug of samesource: ${error instanceof Error ? error.message : String(error)}`,
    'please report it with the command and its output; SAMESOURCE_DEBUG=1 shows where it happened',
  );
}

function told(exitCode: number, code: string, message: string, hint?: string): Told {
  return {
    exitCode,
    code,
    message: (LISTS.has(code) ? message.split('\n').map(printable).join('\n  ') : printable(message)).slice(
      0,
      4000,
    ),
    ...(hint === undefined ? {} : { hint: printable(hint) }),
  };
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && (error.name === 'AbortError' || error.name === 'CancelError');
}

export function printFailure(error: unknown, output: Output): number {
  const { exitCode, ...failure } = tell(error);
  const { code, message, hint, known = [] } = failure;
  output.data({ error: failure });
  process.stderr.write(`${styled('red', exitCode === EXIT.bug ? 'bug' : 'error')} [${code}] ${message}\n`);
  if (hint !== undefined) process.stderr.write(`  ${hint}\n`);
  for (const line of knownText(known)) process.stderr.write(`${line}\n`);
  if (exitCode === EXIT.bug && process.env['SAMESOURCE_DEBUG'] === '1' && error instanceof Error)
    process.stderr.write(`${error.stack ?? ''}\n`);
  return exitCode;
}
