// SPDX-License-Identifier: Apache-2.0
/** A published APK made again from a rebuilt one plus the published signature, as a file that anybody can digest. */
import { promises as fs, writeSync } from 'node:fs';
import { FileSource } from '../bytes.js';
import { expandRules } from '../compare/compare-set.js';
import { transplantFiles, type TransplantOutcome } from '../compare/transplant-files.js';
import { FormatError, UsageError } from '../errors.js';
import type { RuleName } from '../model.js';
import { assertTwoSides } from '../inputs/local-files.js';
import { storageFailure, writeAside } from '../inputs/atomic-file.js';
import { knownRules } from './compare.js';
import type { OperationOptions } from './options.js';
import { stoppable } from './stoppable.js';

export interface TransplantRequest {
  readonly published: string;
  readonly rebuilt: string;
  /** Where the file goes that was made; it is written only if it is the published one byte for byte. */
  readonly output?: string;
  /** In place of a file that is there. */
  readonly replace?: boolean;
  /** Rules over whole entries, which are then taken as well. */
  readonly rules?: readonly string[];
}

export type TransplantResult =
  | (Omit<Extract<TransplantOutcome, { kind: 'equal' }>, 'each'> & { readonly output?: string })
  | Exclude<TransplantOutcome, { kind: 'equal' }>;

const PIECE = 1 << 20;

/**
 * @throws UsageError `same-file`, `unknown-rule`, `out-exists`, `out-is-input`, `out-no-file`; `damaged-file` for no ZIP archive
 * @throws FailedHere `unreadable-input`, `disk-full`
 */
export async function transplant(
  request: TransplantRequest,
  options: OperationOptions = {},
): Promise<TransplantResult> {
  return await stoppable(options, async ({ signal }) => {
    const rules = expandRules(knownRules(request.rules ?? []));
    await assertTwoSides(request.published, request.rebuilt);
    const { output } = request;
    if (output !== undefined) await assertOutput(output, request);
    const published = FileSource.open(request.published);
    try {
      const rebuilt = FileSource.open(request.rebuilt);
      try {
        const outcome = attempt(published, rebuilt, rules);
        if (outcome.kind !== 'equal') return outcome;
        const { each, ...result } = outcome;
        if (output === undefined) return result;
        await store(output, each, signal);
        return { ...result, output };
      } finally {
        rebuilt.close();
      }
    } finally {
      published.close();
    }
  });
}

/** A file that is renamed takes the place of whatever is there, an input and a device too. */
async function assertOutput(
  output: string,
  { published, rebuilt, replace }: TransplantRequest,
): Promise<void> {
  const hint = 'choose another name';
  if (output === '') throw new UsageError('out-no-file', 'the name of the output is empty', { hint });
  const there = await fs.lstat(output).catch(() => undefined);
  if (there === undefined) return;
  if (!there.isFile() && !there.isSymbolicLink())
    throw new UsageError('out-no-file', `${output} is there already, and is no regular file`, { hint });
  const target = await fs.stat(output).catch(() => undefined);
  for (const input of [published, rebuilt]) {
    const { dev, ino } = await fs.stat(input);
    if (target?.dev === dev && target.ino === ino)
      throw new UsageError('out-is-input', `${output} is ${input}, which would be gone`, { hint });
  }
  if (replace !== true)
    throw new UsageError('out-exists', `${output} is there already`, {
      hint: 'choose another name, or replace it with --force',
    });
}

/** What is no archive is no file that a transplant is asked for. */
function attempt(published: FileSource, rebuilt: FileSource, rules: readonly RuleName[]): TransplantOutcome {
  try {
    return transplantFiles(published, rebuilt, rules);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new UsageError('damaged-file', error.message, {
      cause: error,
      hint: 'hand over two APKs; `compare` says what else differs',
    });
  }
}

async function store(
  output: string,
  each: (take: (bytes: Uint8Array) => void) => void,
  signal: AbortSignal,
): Promise<void> {
  try {
    await writeAside(output, async (handle) => {
      each((bytes) => {
        signal.throwIfAborted();
        for (let at = 0; at < bytes.length;)
          at += writeSync(handle.fd, bytes, at, Math.min(PIECE, bytes.length - at));
      });
    });
  } catch (error) {
    throw storageFailure(error, 'the file that was made', output);
  }
}
