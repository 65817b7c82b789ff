// SPDX-License-Identifier: Apache-2.0
/** The published files of a version, from the channel of its plan, beside what is known of how they came. Nothing is built. */
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { UsageError } from '../errors.js';
import { obtainPublished, type PublishedFile } from '../inputs/published.js';
import { placeFor, putFile, putText } from '../inputs/put-file.js';
import type {
  AuthenticityReason,
  Fetched,
  FileIdentity,
  IndexRecord,
  PhoneRecord,
  PublishedFrom,
  Reason,
  Target,
} from '../model.js';
import {
  judgePublished,
  type FileSignature,
  type Judged,
  type NotTheVersion,
} from '../pipeline/judge-published.js';
import { assertWritable } from './assert-writable.js';
import { newestKnownText } from './newest-known.js';
import type { OperationOptions } from './options.js';
import { planAnything, type PlanRequest } from './plan.js';
import { stoppable } from './stoppable.js';
import { inWorkspace } from './workspace.js';

export interface FetchRequest extends PlanRequest {
  /** Where the files are put; default the current directory. */
  readonly directory?: string;
  /** Of the phone to take the app from; default `ANDROID_SERIAL`, else the only one that is connected. */
  readonly serial?: string;
}

export interface FetchedFile extends FileIdentity {
  /** Absent where the file was not put anywhere. */
  readonly path?: string;
  readonly from: PublishedFrom;
  readonly fetched?: Fetched;
  readonly digestFrom?: string;
  readonly digestExpected: boolean;
  /** The signed index that named it. */
  readonly index?: IndexRecord;
  /** What the phone said of it. */
  readonly phone?: PhoneRecord;
  /** Of the file, or of each APK in it. */
  readonly signatures: readonly Omit<FileSignature, 'published'>[];
}

export type FetchResult = { readonly target: Target; readonly notes: readonly string[] } & (
  | {
      readonly outcome: 'fetched';
      readonly files: readonly FetchedFile[];
      /** Published names of the plan that the channel did not give. */
      readonly missing: readonly string[];
    }
  /** Reason of the verdict `unverifiable`; `code` says why. */
  | {
      readonly outcome: 'no-published-artifact';
      readonly code: string;
      readonly detail: string;
      readonly hint: string;
    }
  /** Another package, another signer, or a signature that does not hold: the files were not put anywhere. */
  | {
      readonly outcome: 'not-authentic';
      readonly reasons: readonly (Reason<AuthenticityReason> & { readonly file: string })[];
      readonly files: readonly FetchedFile[];
    }
);

/**
 * @throws UsageError `file-exists`, and what `plan` throws
 * @throws FailedHere `network`, `rate-limited`, `unreadable-input`, …
 */
export async function fetchPublished(
  request: FetchRequest,
  options: OperationOptions = {},
): Promise<FetchResult> {
  const directory = path.resolve(request.directory ?? '.');
  await assertWritable(directory);
  const planned = await planAnything(request, options);
  const { target } = planned.plan;
  const older = newestKnownText(planned.plan);
  if (older !== undefined) options.onProgress?.({ kind: 'note', text: older });
  const compare =
    planned.kind === 'build'
      ? planned.plan.compare
      : {
          ...planned.plan.compare,
          pairs: planned.plan.files.map((published) => ({ published, output: published })),
        };
  return await inWorkspace({ compare }, (workspace) =>
    stoppable(options, async ({ signal, onProgress }): Promise<FetchResult> => {
      const started = performance.now();
      onProgress?.({ kind: 'phase-started', phase: 'published', title: 'fetch the published files' });
      const obtained = await obtainPublished(compare, {
        ...workspace,
        directory: path.join(workspace.directory, 'published'),
        serial: request.serial,
        signal,
        onProgress,
      });
      onProgress?.({
        kind: 'phase-finished',
        phase: 'published',
        seconds: (performance.now() - started) / 1000,
      });
      if (obtained.kind === 'no-published-artifact') {
        const { code, detail, hint } = obtained;
        return { outcome: obtained.kind, target, code, detail, hint, notes: [] };
      }
      return await judged(
        { target, compare },
        { ...obtained, missing: obtained.notObtained, notes: obtained.details },
        directory,
      );
    }),
  );
}

const HINTS = {
  'other-version':
    'the channel gives another version than the one that was asked for: ask for that one, or get the file elsewhere',
  'damaged-file': 'what the channel gives is no whole file: try again later, or get the file elsewhere',
} as const satisfies Readonly<Record<NotTheVersion['code'], string>>;

async function judged(
  plan: Judged,
  found: {
    readonly files: readonly PublishedFile[];
    readonly missing: readonly string[];
    readonly notes: readonly string[];
  },
  directory: string,
): Promise<FetchResult> {
  const { target } = plan;
  const judgement = await judgePublished(plan, found.files);
  if (judgement.kind === 'not-the-version')
    return {
      outcome: 'no-published-artifact',
      target,
      code: judgement.code,
      detail: judgement.detail,
      hint: HINTS[judgement.code],
      notes: found.notes,
    };
  const { signatures, notAuthentic, unverifiable } = judgement;
  const files = found.files.map((file) => told(file, signatures));
  if (notAuthentic.length > 0)
    return { outcome: 'not-authentic', target, reasons: notAuthentic, files, notes: found.notes };
  const notes = [...found.notes, ...unverifiable.map(({ file, detail }) => `${file}: ${detail}`)];
  return {
    outcome: 'fetched',
    target,
    files: await put(found.files, files, target, directory),
    missing: found.missing,
    notes,
  };
}

function told(
  { name, size, sha256, from, fetched, digestFrom, index, phone }: PublishedFile,
  signatures: readonly FileSignature[],
): FetchedFile {
  return {
    name,
    size,
    sha256,
    from,
    ...(fetched === undefined ? {} : { fetched }),
    ...(digestFrom === undefined ? {} : { digestFrom }),
    ...(index === undefined ? {} : { index }),
    ...(phone === undefined ? {} : { phone }),
    // the signed index of an archive names each of its files by digest
    digestExpected: digestFrom !== undefined || from === 'debian-archive',
    signatures: signatures
      .filter(({ published }) => published === name)
      .map(({ published: _of, ...rest }) => rest),
  };
}

/** All of them, or none where one cannot be put. */
async function put(
  sources: readonly PublishedFile[],
  files: readonly FetchedFile[],
  target: Target,
  directory: string,
): Promise<readonly FetchedFile[]> {
  if (files.some(({ from }) => from === 'site-files'))
    return await putSite(sources, files, target, directory);
  const targets = files.map(({ name }) => path.join(directory, name));
  const places = await Promise.all(files.map(({ sha256 }, at) => placeFor(targets[at] ?? '', sha256)));
  const records = await Promise.all(
    files.map((file, at) => recordFor(`${targets[at] ?? ''}.fetched.json`, file, target)),
  );
  const done: FetchedFile[] = [];
  for (const [at, file] of files.entries()) {
    const [source, place] = [sources[at], targets[at]];
    if (source === undefined || place === undefined) throw new TypeError('as many files as sources');
    if (places[at] === 'free') await putFile(source.path, place, file.sha256);
    const record = records[at];
    if (record !== undefined) await putText(record, `${place}.fetched.json`);
    done.push({ ...file, path: place });
  }
  return done;
}

const SITE = 'site';

/** A folder that can be compared as it is, and one list beside it. */
async function putSite(
  sources: readonly PublishedFile[],
  files: readonly FetchedFile[],
  target: Target,
  directory: string,
): Promise<readonly FetchedFile[]> {
  const list = path.join(directory, `${SITE}.fetched.json`);
  const root = path.join(directory, SITE);
  for (const taken of [list, root])
    if ((await fs.lstat(taken).catch(() => undefined)) !== undefined)
      throw new UsageError(
        'file-exists',
        `${taken} is there: what a site serves is kept as it was at one time`,
        {
          hint: 'nothing is ever overwritten: name another directory with --out',
        },
      );
  const done: FetchedFile[] = [];
  for (const [at, file] of files.entries()) {
    const source = sources[at];
    if (source === undefined) throw new TypeError('as many files as sources');
    const place = path.join(root, file.name);
    await putFile(source.path, place, file.sha256);
    done.push({ ...file, path: place });
  }
  const records = files.map(({ signatures: _told, ...fetched }) => fetched);
  await putText(`${JSON.stringify({ schemaVersion: 1, ...target, files: records }, undefined, 2)}\n`, list);
  return done;
}

/**
 * What is to be written; nothing where an earlier run got the same file: its record was first.
 * @throws UsageError `file-exists`
 */
async function recordFor(
  file: string,
  { signatures: _told, ...fetched }: FetchedFile,
  target: Target,
): Promise<string | undefined> {
  const known = await fs.readFile(file, 'utf8').catch(() => undefined);
  if (known !== undefined && isRecordOf(known, fetched.sha256)) return undefined;
  if (known !== undefined || (await fs.lstat(file).catch(() => undefined)) !== undefined)
    throw new UsageError('file-exists', `${file} is there and tells of another file than ${fetched.sha256}`, {
      hint: 'nothing is ever overwritten: name another directory with --out, or move that file away',
    });
  return `${JSON.stringify({ schemaVersion: 1, ...target, ...fetched }, undefined, 2)}\n`;
}

function isRecordOf(text: string, sha256: string): boolean {
  try {
    const record = JSON.parse(text) as {
      readonly schemaVersion?: unknown;
      readonly sha256?: unknown;
    } | null;
    return record?.schemaVersion === 1 && record.sha256 === sha256;
  } catch {
    return false;
  }
}
