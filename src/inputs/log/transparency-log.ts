// SPDX-License-Identifier: Apache-2.0
/**
 * What one log says about one file: a checkpoint that its key signed, that continues the one seen before, and an entry
 * whose hash leads to the checkpoint's root. Everything else that the log serves is only believed as far as it does.
 */
import { FormatError } from '../../errors.js';
import { type LogCheckpoint, readCheckpoint } from '../../formats/log-checkpoint.js';
import {
  consistencyRanges,
  inclusionRanges,
  leafHash,
  rootByInclusion,
  rootsByConsistency,
} from '../../formats/merkle-tree.js';
import { assertSignedBy, type NoteKey, readNoteKey, readSignedNote } from '../../formats/signed-note.js';
import { recall, remember } from '../cache.js';
import type { ApkLog } from './known-logs.js';
import { LogFiles, type LogOptions } from './log-files.js';
import { entryOf, type LoggedFile, searchBundles, searchListing, type SearchResult } from './log-search.js';

export interface SeenCheckpoint {
  readonly size: number;
  /** In hex. */
  readonly root: string;
  /** As it was served, with its signatures: proof against the log where two contradict each other. */
  readonly note: string;
}

export type LogAnswer = {
  readonly log: ApkLog;
  readonly checkpoint?: SeenCheckpoint;
  readonly before?: SeenCheckpoint;
} & (
  | { readonly status: 'listed'; readonly index: number }
  /** Every entry was read; `proven`: they add up to the signed root, so that none was held back. */
  | {
      readonly status: 'not-listed';
      readonly proven: boolean;
      readonly otherFiles: number;
      readonly samePackage: number;
    }
  /** The log does not hold together, or contradicts itself. */
  | { readonly status: 'refused'; readonly code: string; readonly message: string }
);

function fail(code: string, message: string): never {
  throw new FormatError('transparency-log', code, 0, message);
}

/**
 * @throws UsageError `bad-url`
 * @throws FailedHere `network`, `rate-limited`, `mirror-incomplete`, `unreadable-input`
 */
export async function askLog(log: ApkLog, file: LoggedFile, options: LogOptions): Promise<LogAnswer> {
  const files = new LogFiles(log, options);
  let seen: { readonly checkpoint?: SeenCheckpoint; readonly before?: SeenCheckpoint } = {};
  try {
    const key = readNoteKey(log.key);
    const { checkpoint, note } = signedCheckpoint(await files.checkpoint(), key);
    seen = { checkpoint: shown(checkpoint, note) };
    const memory = `transparency log ${log.key}`;
    const earlier = await recall(options.cache, memory);
    if (earlier !== undefined) {
      const old = signedCheckpoint(Buffer.from(earlier, 'utf8'), key);
      seen = { ...seen, before: shown(old.checkpoint, old.note) };
      await assertContinues(files, old.checkpoint, checkpoint);
    }
    if (earlier !== note) await remember(options.cache, memory, note);
    return { log, ...seen, ...(await lookUp(log, files, checkpoint, file, options)) };
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return { log, ...seen, status: 'refused', code: error.code, message: error.detail };
  }
}

function signedCheckpoint(
  bytes: Buffer,
  key: NoteKey,
): { readonly checkpoint: LogCheckpoint; readonly note: string } {
  const note = readSignedNote(bytes);
  assertSignedBy(note, key);
  const checkpoint = readCheckpoint(note.text);
  if (checkpoint.origin !== key.name)
    fail('other-log', `the checkpoint is of ${JSON.stringify(checkpoint.origin)}, expected ${key.name}`);
  return { checkpoint, note: bytes.toString('utf8') };
}

const shown = ({ size, root }: LogCheckpoint, note: string): SeenCheckpoint => ({
  size,
  root: root.toString('hex'),
  note,
});

async function assertContinues(files: LogFiles, old: LogCheckpoint, now: LogCheckpoint): Promise<void> {
  if (now.size < old.size)
    fail('rolled-back', `the log has ${now.size} entries; with ${old.size} it has been seen before`);
  const forked = (): never =>
    fail(
      'forked',
      `the log of ${now.size} entries does not begin with the ${old.size} that were seen before`,
    );
  if (old.size === now.size) {
    if (!old.root.equals(now.root)) forked();
    return;
  }
  if (old.size === 0) return;
  const path = await Promise.all(
    consistencyRanges(old.size, now.size).map(async (range) => await files.hashOf(range, now.size)),
  );
  // a complete old tree is not in its proof: what the tiles hold of it is, so that a damaged tile is told from a fork
  const held = await files.hashOf({ from: 0, to: old.size }, now.size);
  const roots = rootsByConsistency({ size: old.size, root: held }, now.size, path);
  if (!roots.now.equals(now.root))
    fail('tiles-not-signed', 'the tiles lead to another root than the one that is signed');
  if (!roots.before.equals(old.root)) forked();
}

type Lookup =
  | { readonly status: 'listed'; readonly index: number }
  | {
      readonly status: 'not-listed';
      readonly proven: boolean;
      readonly otherFiles: number;
      readonly samePackage: number;
    };

async function lookUp(
  { layout }: ApkLog,
  files: LogFiles,
  { size, root }: LogCheckpoint,
  file: LoggedFile,
  options: LogOptions,
): Promise<Lookup> {
  const result: SearchResult =
    layout.kind === 'tiles'
      ? await searchBundles(files, size, file, options.onProgress)
      : await searchListing(files, layout.files, size, file);
  const { found, otherFiles, samePackage } = result;
  if (found === undefined) {
    const proven = result.root?.equals(root) === true;
    // bundles are the entries; a listing is only a help to find them
    if (!proven && layout.kind === 'tiles')
      fail('entries-not-signed', 'the entries lead to another root than the one that is signed');
    return { status: 'not-listed', proven, otherFiles, samePackage };
  }
  const { index, entry } = found;
  const path = await Promise.all(
    inclusionRanges(index, size).map(async (range) => await files.hashOf(range, size)),
  );
  if (!rootByInclusion(leafHash(entry), index, size, path).equals(root))
    fail('entry-not-signed', `entry ${index} and the tiles lead to another root than the one that is signed`);
  if (!entry.equals(entryOf(file)))
    fail(
      'listed-otherwise',
      `entry ${index} lists this file as ${JSON.stringify(entry.toString('latin1').slice(65, 400))}`,
    );
  return { status: 'listed', index };
}
