// SPDX-License-Identifier: Apache-2.0
/** The cache as a whole: what lies in it, what goes, what is still what its name says. Other runs may use it meanwhile. */
import { promises as fs } from 'node:fs';
import path from 'node:path';
import type { Fetched, Sha256 } from '../model.js';
import { partName, storageFailure } from './atomic-file.js';
import { forgetOrigins, originsOf, sha256OfFile } from './cache.js';
import { sweepKept } from './http/partial-file.js';

export interface CacheEntry {
  readonly sha256: Sha256;
  readonly size: number;
  /** When a run last asked for it, in milliseconds since 1970. */
  readonly usedMs: number;
  /** Where it came from, the newest first; none where nobody noted it. */
  readonly origins: readonly Fetched[];
}

/** A part of the cache whose files are not called by their digest: images, clones, texts. */
export interface CacheRoom {
  readonly name: string;
  readonly files: number;
  readonly bytes: number;
}

const SHA256 = /^[0-9a-f]{64}$/;
const PARTIAL = 'partial';
const fileOf = (cache: string, sha256: Sha256): string =>
  path.join(cache, 'sha256', sha256.slice(0, 2), sha256);

/** The one that was used last comes first. */
export async function cacheEntries(cache: string): Promise<readonly CacheEntry[]> {
  const entries: CacheEntry[] = [];
  const root = path.join(cache, 'sha256');
  for (const shelf of await fs.readdir(root).catch(() => []))
    for (const sha256 of await fs.readdir(path.join(root, shelf)).catch(() => [])) {
      if (!SHA256.test(sha256) || sha256.slice(0, 2) !== shelf) continue;
      const stat = await fs.lstat(fileOf(cache, sha256)).catch(() => undefined);
      if (stat?.isFile() !== true) continue;
      entries.push({
        sha256,
        size: stat.size,
        usedMs: stat.mtimeMs,
        origins: await originsOf(cache, sha256),
      });
    }
  return entries.sort((a, b) => b.usedMs - a.usedMs || (a.sha256 < b.sha256 ? -1 : 1));
}

export async function cacheRooms(cache: string): Promise<readonly CacheRoom[]> {
  const rooms: CacheRoom[] = [];
  for (const name of (await fs.readdir(cache).catch(() => [])).sort()) {
    if (name === 'sha256' || name === 'origins') continue;
    const found = await fs
      .readdir(path.join(cache, name), { recursive: true, withFileTypes: true })
      .catch(() => []);
    let [files, bytes] = [0, 0];
    for (const entry of found) {
      if (!entry.isFile()) continue;
      files++;
      bytes += (await fs.lstat(path.join(entry.parentPath, entry.name)).catch(() => undefined))?.size ?? 0;
    }
    rooms.push({ name, files, bytes });
  }
  return rooms;
}

export interface PruneLimits {
  /** What nobody asked for since then goes. */
  readonly olderThanMs?: number;
  /** What was not used for longest goes, until the rest fits. */
  readonly maxBytes?: number;
}

export interface Pruned {
  readonly removed: readonly CacheEntry[];
  /** Would have gone, but a run may need them. */
  readonly inUse: readonly CacheEntry[];
  readonly left: { readonly files: number; readonly bytes: number };
}

/** `sinceMs`: what was used after it stays. */
export async function pruneCache(
  cache: string,
  { olderThanMs, maxBytes }: PruneLimits,
  sinceMs: number,
  now = Date.now(),
): Promise<Pruned> {
  const entries = await cacheEntries(cache);
  let bytes = entries.reduce((sum, { size }) => sum + size, 0);
  const removed: CacheEntry[] = [];
  const inUse: CacheEntry[] = [];
  for (const entry of entries.toReversed()) {
    const old = olderThanMs !== undefined && now - entry.usedMs > olderThanMs;
    if (!old && bytes <= (maxBytes ?? Number.POSITIVE_INFINITY)) continue;
    if (!(await removeEntry(cache, entry, sinceMs))) {
      inUse.push(entry);
      continue;
    }
    bytes -= entry.size;
    removed.push(entry);
  }
  if (olderThanMs !== undefined)
    await sweepKept(path.join(cache, PARTIAL), Math.max(olderThanMs, now - sinceMs));
  return { removed, inUse, left: { files: entries.length - removed.length, bytes } };
}

/** False when somebody used it since then: asked again, as a run may have come for it since it was listed. */
export async function removeEntry(cache: string, entry: CacheEntry, sinceMs: number): Promise<boolean> {
  const file = fileOf(cache, entry.sha256);
  const usedMs = (await fs.stat(file).catch(() => undefined))?.mtimeMs ?? entry.usedMs;
  if (usedMs > sinceMs) return false;
  await remove(file);
  await forgetOrigins(cache, entry.sha256);
  return true;
}

export interface Checked {
  readonly files: number;
  readonly bytes: number;
  /** Not what their names say; they were removed and will be fetched again. */
  readonly damaged: readonly { readonly sha256: Sha256; readonly found: string }[];
}

/** Reads every file again. `onFile`: how many are done, of how many. */
export async function checkCache(
  cache: string,
  options: {
    readonly signal?: AbortSignal | undefined;
    readonly onFile?: (done: number, of: number) => void;
  } = {},
): Promise<Checked> {
  const entries = await cacheEntries(cache);
  const damaged: { readonly sha256: Sha256; readonly found: string }[] = [];
  let bytes = 0;
  for (const [at, { sha256, size }] of entries.entries()) {
    options.signal?.throwIfAborted();
    const found = await damageOf(fileOf(cache, sha256), sha256);
    if (found === undefined) bytes += size;
    else {
      damaged.push({ sha256, found });
      await forgetOrigins(cache, sha256);
    }
    options.onFile?.(at + 1, entries.length);
  }
  return { files: entries.length - damaged.length, bytes, damaged };
}

/** What a file is instead of what it is called; it is gone then. Nothing for one that another run removed. */
async function damageOf(file: string, sha256: Sha256): Promise<string | undefined> {
  if ((await contentOf(file)) === sha256) return undefined;
  // another run may have put the right one there meanwhile: out of reach first, then looked at again
  const aside = partName(file);
  try {
    await fs.rename(file, aside);
  } catch {
    return undefined;
  }
  const found = await contentOf(aside);
  if (found === sha256) {
    await fs.rename(aside, file);
    return undefined;
  }
  await remove(aside);
  return found;
}

/** Its SHA-256, or why it cannot be read. */
async function contentOf(file: string): Promise<string> {
  try {
    return (await sha256OfFile(file)).sha256;
  } catch (error) {
    return `not readable: ${(error as NodeJS.ErrnoException).code ?? 'unknown'}`;
  }
}

async function remove(file: string): Promise<void> {
  try {
    await fs.rm(file, { force: true });
  } catch (error) {
    throw storageFailure(error, 'a change of the cache', file);
  }
}
