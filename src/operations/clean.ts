// SPDX-License-Identifier: Apache-2.0
/** What samesource keeps on this machine, by kind; and away with it, or with what is too much of it. */
import { baseImages, removeBaseImage, type EngineImage } from '../build/base-images.js';
import { UsageError } from '../errors.js';
import { cacheDirectory } from '../inputs/cache.js';
import { bytesBelow, storeItems, type StoreItem } from '../inputs/store-rooms.js';
import type { StoreKind } from '../model.js';
import { bytesOf } from './cache.js';
import { listKeptRuns, removeKeptRun } from './kept-runs.js';
import type { OperationOptions } from './options.js';
import { inUseSince, startsOfRuns } from './run-directories.js';
import { sweep } from './sweep.js';

export type { StoreItem };

export interface StoreContents {
  readonly directory: string;
  /** Of everything in it, each file once. */
  readonly bytes: number;
  readonly items: readonly StoreItem[];
  readonly engineImages: readonly EngineImage[];
}

/** What killed runs left goes first. */
export async function showStore(options: OperationOptions = {}): Promise<StoreContents> {
  await sweep();
  const directory = cacheDirectory();
  return {
    directory,
    bytes: await bytesBelow(directory),
    items: await itemsIn(directory, options),
    engineImages: await baseImages(),
  };
}

export interface CleanRequest {
  /** Of these kinds everything that is not in use. */
  readonly kinds?: readonly StoreKind[];
  /** Of them only what was not used for so long. */
  readonly olderThanMs?: number;
  /** Of all kinds what was not used for longest, until the rest is no more than this. */
  readonly maxBytes?: number;
  /** Nothing goes; what would go is told. */
  readonly dryRun?: boolean;
}

export interface Cleaned {
  readonly removed: readonly Pick<StoreItem, 'kind' | 'name' | 'bytes'>[];
  readonly inUse: readonly StoreItem[];
  readonly removedImages: readonly EngineImage[];
  /** Of everything that is left. */
  readonly bytes: number;
}

/** @throws UsageError `nothing-named`; FailedHere for what the file system refuses */
export async function cleanStore(request: CleanRequest, options: OperationOptions = {}): Promise<Cleaned> {
  const { kinds = [], olderThanMs, maxBytes, dryRun = false } = request;
  if (kinds.length === 0 && maxBytes === undefined)
    throw new UsageError('nothing-named', 'nothing says what may go', {
      hint: `verify clean builds --yes, or verify clean --disk 40G --yes`,
    });
  await sweep();
  const cache = cacheDirectory();
  const items = await itemsIn(cache, options);
  const before = Date.now() - (olderThanMs ?? 0);
  const named = items.filter(({ kind, usedMs }) => kinds.includes(kind) && usedMs <= before);
  const removed: Pick<StoreItem, 'kind' | 'name' | 'bytes'>[] = [];
  const take = async (item: StoreItem): Promise<number> => {
    if (item.inUse !== undefined) return 0;
    const bytes = dryRun ? item.bytes : await item.remove();
    removed.push({ kind: item.kind, name: item.name, bytes });
    return bytes;
  };
  let freed = 0;
  for (const item of named) freed += await take(item);
  let bytes = (await bytesBelow(cache)) - (dryRun ? freed : 0);
  for (const item of items) {
    if (bytes <= (maxBytes ?? Number.POSITIVE_INFINITY)) break;
    // somebody asked for a run to be kept, and most of it is in the engine
    if (!named.includes(item) && item.kind !== 'runs') bytes -= await take(item);
  }
  const tooMuch = bytes > (maxBytes ?? Number.POSITIVE_INFINITY);
  return {
    removed,
    inUse: items.filter(({ inUse, kind }) => inUse !== undefined && (tooMuch || kinds.includes(kind))),
    removedImages:
      kinds.includes('images') && olderThanMs === undefined ? await cleanImages(cache, dryRun) : [],
    bytes,
  };
}

/** An engine keeps those of containers that are there. */
async function cleanImages(cache: string, dryRun: boolean): Promise<readonly EngineImage[]> {
  // one may be about to start its container
  if ((await startsOfRuns(cache)).length > 0) return [];
  if (dryRun) return await baseImages();
  const removed: EngineImage[] = [];
  for (const image of await baseImages()) if (await removeBaseImage(image)) removed.push(image);
  return removed;
}

/**
 * Does the work with the store below a limit before and after it. What is in use stays, and that is said.
 * `limit`: as 40G; default `SAMESOURCE_DISK`; without either nothing is looked at.
 * @throws UsageError `bad-size`
 */
export async function withinDisk<T>(
  limit: string | undefined,
  options: OperationOptions,
  work: () => Promise<T>,
): Promise<T> {
  const text = limit ?? process.env['SAMESOURCE_DISK'] ?? '';
  if (text === '') return await work();
  const maxBytes = bytesOf(text);
  await makeRoom(maxBytes, options);
  try {
    return await work();
  } finally {
    // what came of the work counts more than the room
    await makeRoom(maxBytes, options).catch((error: unknown) =>
      options.onProgress?.({ kind: 'note', text: `the store could not be made smaller: ${String(error)}` }),
    );
  }
}

async function makeRoom(maxBytes: number, options: OperationOptions): Promise<void> {
  const note = (text: string): void => options.onProgress?.({ kind: 'note', text });
  const { removed, bytes, inUse } = await cleanStore({ maxBytes }, options);
  if (removed.length > 0)
    note(
      `${removed.length} things of the store that were not used for longest are gone, for a limit of ${maxBytes} bytes`,
    );
  if (bytes > maxBytes)
    note(
      `the store holds ${bytes} bytes, more than the limit of ${maxBytes}: ${inUse.length} things are in use`,
    );
}

async function itemsIn(cache: string, { onProgress }: OperationOptions): Promise<readonly StoreItem[]> {
  const items = await storeItems(
    cache,
    ({ id }, why) =>
      onProgress?.({
        kind: 'note',
        text: `the kept build ${id.slice(0, 12)} is damaged and was removed: ${why}`,
      }),
    await inUseSince(cache),
  );
  return [...items, ...(await keptRunItems())].toSorted((a, b) => a.usedMs - b.usedMs);
}

/** With what an engine holds of them, which is not counted. */
async function keptRunItems(): Promise<readonly StoreItem[]> {
  return (await listKeptRuns()).map(({ run, bytes, usedMs, inUse, state }) => ({
    kind: 'runs',
    name:
      state.kind === 'readable'
        ? `${run} ${state.kept.target.app} ${state.kept.target.version}, ${state.kept.end?.outcome ?? 'not ended'}`
        : `${run}, damaged`,
    bytes,
    usedMs,
    ...(inUse ? { inUse: 'a process works with it' } : {}),
    remove: async () => {
      await removeKeptRun(run);
      return bytes;
    },
  }));
}
