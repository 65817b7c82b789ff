// SPDX-License-Identifier: Apache-2.0
/** An error as the user sees it: what was found, what to do next, an exit code; a stack only for bugs that ask for one. */
import {
  FailedHere,
  FormatError,
  printable,
  UNVERIFIABLE_REASONS,
  UsageError,
  VerifyError,
} from '../index.js';
import { EXIT } from './exit-code.js';
import { styled, type Output } from './output.js';

export interface Told {
  readonly exitCode: number;
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
}

export function tell(error: unknown): Told {
  if (error instanceof UsageError) return told(EXIT.usage, error.code, error.message, error.hint);
  if (error instanceof FailedHere)
    return told(
      error.code === 'interrupted' ? EXIT.interrupted : EXIT.failedHere,
      error.code,
      error.message,
      error.hint,
    );
  if (isAbort(error)) return told(EXIT.interrupted, 'interrupted', 'interrupted');
  if (error instanceof FormatError) return told(EXIT.failedHere, error.code, error.message);
  if (error instanceof VerifyError && (UNVERIFIABLE_REASONS as readonly string[]).includes(error.code))
    return told(EXIT.unverifiable, error.code, error.message);
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  if (code === 'ENOSPC') return told(EXIT.failedHere, 'disk-full', 'no space left on the disk');
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
    message: printable(message).slice(0, 4000),
    ...(hint === undefined ? {} : { hint: printable(hint) }),
  };
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && (error.name === 'AbortError' || error.name === 'CancelError');
}

export function printFailure(error: unknown, output: Output): number {
  const { exitCode, code, message, hint } = tell(error);
  output.data({ error: { code, message, ...(hint === undefined ? {} : { hint }) } });
  process.stderr.write(`${styled('red', exitCode === EXIT.bug ? 'bug' : 'error')} [${code}] ${message}\n`);
  if (hint !== undefined) process.stderr.write(`  ${hint}\n`);
  if (exitCode === EXIT.bug && process.env['SAMESOURCE_DEBUG'] === '1' && error instanceof Error)
    process.stderr.write(`${error.stack ?? ''}\n`);
  return exitCode;
}
