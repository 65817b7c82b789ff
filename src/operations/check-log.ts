// SPDX-License-Identifier: Apache-2.0
/** Whether transparency logs list an APK. What that shows, and what it does not, is part of the result. */
import { stat } from 'node:fs/promises';
import { FileSource } from '../bytes.js';
import { identityOf } from '../compare/identity.js';
import { FailedHere, UsageError, VerifyError } from '../errors.js';
import { readNoteKey } from '../formats/signed-note.js';
import { cacheDirectory, sha256OfFile } from '../inputs/cache.js';
import { APK_LOGS, type ApkLog } from '../inputs/log/known-logs.js';
import type { LogOptions } from '../inputs/log/log-files.js';
import type { LoggedFile } from '../inputs/log/log-search.js';
import { askLog, type LogAnswer } from '../inputs/log/transparency-log.js';
import type { OperationOptions } from './options.js';
import { stoppable } from './stoppable.js';

export interface LogRequest {
  /** One APK: a log lists each file of a set by itself. */
  readonly file: string;
  /** Address of a log or of a copy of one; default every log that is known. */
  readonly log?: string;
  /** Note key of a log that is not known. */
  readonly key?: string;
}

/** A log that could not be asked. */
export interface UnansweredLog {
  readonly log: ApkLog;
  readonly status: 'failed';
  readonly code: string;
  readonly message: string;
}

export interface LogResult {
  /** `refused`: a log does not hold together, whatever another one lists. */
  readonly status: 'listed' | 'not-listed' | 'refused';
  readonly file: LoggedFile;
  readonly logs: readonly (LogAnswer | UnansweredLog)[];
  readonly shows: string;
  readonly doesNotShow: string;
}

const DOES_NOT_SHOW =
  'It does not show from which source the file was built, what the file does, or that others are served the same file or shown the same log.';

/**
 * @throws UsageError `not-an-apk`, `log-key`, `bad-url`
 * @throws FailedHere where no log could be asked
 */
export async function checkLog(request: LogRequest, options: OperationOptions = {}): Promise<LogResult> {
  return await stoppable(options, async (given) => {
    const logs = logsFor(request);
    const file = await loggedFile(request.file);
    const answers: (LogAnswer | UnansweredLog)[] = [];
    let failure: FailedHere | undefined;
    for (const log of logs) {
      const answer = await askOrFail(log, file, { cache: cacheDirectory(), ...given });
      if (answer instanceof FailedHere) {
        failure ??= answer;
        answers.push({ log, status: 'failed', code: answer.code, message: answer.message });
      } else answers.push(answer);
      if (answers.at(-1)?.status === 'listed') break;
    }
    const has = (status: string): boolean => answers.some((answer) => answer.status === status);
    const status = has('refused') ? 'refused' : has('listed') ? 'listed' : 'not-listed';
    // a log that did not answer may list it
    if (status === 'not-listed' && failure !== undefined) throw failure;
    return { status, file, logs: answers, shows: shows(status, answers), doesNotShow: DOES_NOT_SHOW };
  });
}

async function askOrFail(
  log: ApkLog,
  file: LoggedFile,
  options: LogOptions,
): Promise<LogAnswer | FailedHere> {
  try {
    return await askLog(log, file, options);
  } catch (error) {
    if (error instanceof FailedHere && error.code !== 'interrupted') return error;
    throw error;
  }
}

function logsFor({ log, key }: LogRequest): readonly ApkLog[] {
  if (log === undefined) {
    if (key !== undefined) throw new UsageError('log-key', 'a key without the address of its log');
    return APK_LOGS;
  }
  const address = log.replace(/\/+$/, '');
  const known = APK_LOGS.find(({ url, key: itsKey }) =>
    key === undefined ? url === address : itsKey === key,
  );
  if (known !== undefined) return [{ ...known, url: address }];
  if (key === undefined)
    throw new UsageError('log-key', `no key is known for the log at ${address}`, {
      hint: 'give its note key, <name>+<id>+<base64>, with --key; a log without a key shows nothing',
    });
  try {
    const { name } = readNoteKey(key);
    return [
      { name, operator: name, url: address, key, layout: { kind: 'tiles' }, source: 'the command line' },
    ];
  } catch (cause) {
    if (!(cause instanceof VerifyError)) throw cause;
    throw new UsageError('log-key', `not a note key: ${cause.message}`, { cause });
  }
}

async function loggedFile(file: string): Promise<LoggedFile> {
  const place = await stat(file).catch((cause: unknown) => {
    throw new FailedHere('unreadable-input', `cannot open ${file}: ${(cause as Error).message}`, { cause });
  });
  if (!place.isFile())
    throw new UsageError('not-an-apk', `${file} is no file`, {
      hint: 'a log lists each APK of a set by itself: ask for one of them',
    });
  const { sha256 } = await sha256OfFile(file);
  const source = FileSource.open(file);
  try {
    const { identity, issues } = await identityOf(source);
    const { package: name, versionCode } = identity;
    if (name === undefined || versionCode === undefined)
      throw new UsageError(
        'not-an-apk',
        `${file} does not say which package and version it is: ${issues[0]?.message ?? 'no APK'}`,
        { hint: 'a log lists APKs by package and version code' },
      );
    return { sha256, package: name, versionCode };
  } finally {
    source.close();
  }
}

function shows(status: LogResult['status'], answers: readonly (LogAnswer | UnansweredLog)[]): string {
  const listed = answers.find((answer) => answer.status === 'listed');
  if (status === 'refused')
    return 'Nothing about the file: a log does not hold together or contradicts itself, which its operator has to explain.';
  if (listed !== undefined)
    return `${listed.log.operator} listed exactly this file as this package and version; whoever keeps the log's checkpoints would notice if the entry were taken back.`;
  return answers.every((answer) => answer.status === 'not-listed' && answer.proven)
    ? 'No log that was asked lists this file; every entry was read, and together they give the signed root.'
    : 'This file was not found in the lists that the logs serve; that nothing was left out of them is not shown.';
}
