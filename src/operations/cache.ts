// SPDX-License-Identifier: Apache-2.0
/** The cache of fetched files: shown, made smaller, checked. */
import { UsageError } from '../errors.js';
import { cacheDirectory } from '../inputs/cache.js';
import {
  cacheEntries,
  cacheRooms,
  checkCache,
  pruneCache,
  type CacheEntry,
  type CacheRoom,
  type Checked,
  type Pruned,
  type PruneLimits,
} from '../inputs/cache-entries.js';
import type { OperationOptions } from './options.js';
import { inUseSince } from './run-directories.js';
import { stoppable } from './stoppable.js';

export type { CacheEntry, CacheRoom };

export interface CacheContents {
  readonly directory: string;
  /** Of all entries. */
  readonly bytes: number;
  readonly entries: readonly CacheEntry[];
  readonly rooms: readonly CacheRoom[];
}

export async function showCache(): Promise<CacheContents> {
  const directory = cacheDirectory();
  const entries = await cacheEntries(directory);
  const bytes = entries.reduce((sum, { size }) => sum + size, 0);
  return { directory, bytes, entries, rooms: await cacheRooms(directory) };
}

/** @throws UsageError `no-limit` */
export async function pruneCachedFiles(
  limits: PruneLimits,
): Promise<Pruned & { readonly directory: string }> {
  if (limits.olderThanMs === undefined && limits.maxBytes === undefined)
    throw new UsageError('no-limit', 'nothing says what may go', {
      hint: 'verify cache prune --older-than 30d, or --max-size 2G',
    });
  const directory = cacheDirectory();
  return { directory, ...(await pruneCache(directory, limits, await inUseSince(directory))) };
}

export async function checkCachedFiles(
  options: OperationOptions = {},
): Promise<Checked & { readonly directory: string }> {
  const directory = cacheDirectory();
  return await stoppable(options, async ({ signal, onProgress }) => {
    onProgress?.({ kind: 'phase-started', phase: 'cache', title: 'read the cached files again' });
    const started = performance.now();
    const checked = await checkCache(directory, {
      signal,
      onFile: (done, total) =>
        onProgress?.({ kind: 'phase-progress', phase: 'cache', done, total, unit: 'files' }),
    });
    onProgress?.({ kind: 'phase-finished', phase: 'cache', seconds: (performance.now() - started) / 1000 });
    return { directory, ...checked };
  });
}

const SIZES: Readonly<Record<string, number>> = { '': 1, k: 1e3, m: 1e6, g: 1e9, t: 1e12 };
const BINARY: Readonly<Record<string, number>> = { k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 };

/** `500M`, `2GB`, `1.5GiB`. @throws UsageError `bad-size` */
export function bytesOf(text: string): number {
  const [, number = '', unit = '', binary] =
    /^(\d{1,15}(?:\.\d{1,3})?)\s*([kmgt]?)(i)?b?$/i.exec(text.trim()) ?? [];
  const factor = (binary === undefined ? SIZES : BINARY)[unit.toLowerCase()];
  if (number === '' || factor === undefined)
    throw new UsageError('bad-size', `${JSON.stringify(text)} is no size`, {
      hint: 'write it as 500M, 2G or 1.5GiB',
    });
  return Math.floor(Number(number) * factor);
}

const HOUR = 60 * 60 * 1000;
const TIMES: Readonly<Record<string, number>> = { h: HOUR, d: 24 * HOUR, w: 7 * 24 * HOUR };

/** `12h`, `30d`, `8w`. @throws UsageError `bad-duration` */
export function durationOf(text: string): number {
  const [, number = '', unit = ''] = /^(\d{1,6})\s*([hdw])$/i.exec(text.trim()) ?? [];
  const factor = TIMES[unit.toLowerCase()];
  if (number === '' || factor === undefined)
    throw new UsageError('bad-duration', `${JSON.stringify(text)} is no span of time`, {
      hint: 'write it as 12h, 30d or 8w',
    });
  return Number(number) * factor;
}
