// SPDX-License-Identifier: Apache-2.0
/** What of the cache may go at any time, as it can be made or fetched again: each thing by itself, with its last use. */
import { promises as fs, type Stats } from 'node:fs';
import path from 'node:path';
import { partialDirectory, removeBuild } from './builds/build-directory.js';
import { buildSize, keptBuilds, lastUse, type OnDamaged } from './builds/find-builds.js';
import type { StoreKind } from '../model.js';
import { cacheEntries, removeEntry } from './cache-entries.js';

export interface StoreItem {
  readonly kind: StoreKind;
  /** As people know it. */
  readonly name: string;
  /** What its removal frees. */
  readonly bytes: number;
  /** In milliseconds since 1970. */
  readonly usedMs: number;
  /** Why it stays now. */
  readonly inUse?: string;
  /** What it freed. */
  readonly remove: () => Promise<number>;
}

/** Of everything but runs; the one that was not used for longest first. What was used after `sinceMs` is in use. */
export async function storeItems(
  cache: string,
  onDamaged: OnDamaged,
  sinceMs: number,
): Promise<readonly StoreItem[]> {
  const items = [
    ...(await buildItems(cache, onDamaged)),
    ...(await downloadItems(cache, sinceMs)),
    ...(await roomItems(cache, 'partial', 'downloads', sinceMs)),
    ...(await roomItems(cache, 'incoming', 'downloads', sinceMs)),
    ...(await roomItems(cache, 'git', 'repositories', sinceMs)),
    ...(await roomItems(cache, 'images', 'images', sinceMs)),
    ...(await roomItems(cache, 'texts', 'texts', sinceMs)),
  ];
  return items.sort((a, b) => a.usedMs - b.usedMs);
}

/** A run takes what it needs of a build into its own directory: a build may always go. */
async function buildItems(cache: string, onDamaged: OnDamaged): Promise<readonly StoreItem[]> {
  const items: StoreItem[] = [];
  for (const { place, build } of await keptBuilds(cache, onDamaged))
    items.push({
      kind: 'builds',
      name: `${place.id.slice(0, 12)} ${build.plan.app} ${build.plan.version} of ${build.made.slice(0, 10)}`,
      bytes: (await buildSize(cache, place)).ownBytes,
      usedMs: await lastUse(cache, place),
      remove: async () => {
        // what it shared with one that went meanwhile is its own by now
        const { ownBytes } = await buildSize(cache, place);
        return (await removeBuild(cache, place)) ? ownBytes : 0;
      },
    });
  return items;
}

async function downloadItems(cache: string, sinceMs: number): Promise<readonly StoreItem[]> {
  return (await cacheEntries(cache)).map((entry) => ({
    kind: 'downloads',
    name: `${entry.sha256.slice(0, 12)} ${entry.origins[0]?.url ?? 'from where is not known'}`,
    bytes: entry.size,
    usedMs: entry.usedMs,
    ...recent(entry.usedMs, sinceMs),
    remove: async () => ((await removeEntry(cache, entry, sinceMs)) ? entry.size : 0),
  }));
}

/** One item of all files that share a name up to its first dot. */
async function roomItems(
  cache: string,
  room: string,
  kind: StoreKind,
  sinceMs: number,
): Promise<readonly StoreItem[]> {
  const root = path.join(cache, room);
  const groups = new Map<string, string[]>();
  for (const name of await fs.readdir(root).catch(() => [])) {
    const stem = name.replace(/^\.*([^.]*).*$/, '$1');
    // a lock is held or stale, and nothing by itself
    if (!/\.(?:lock|taking)$/.test(name))
      groups.set(stem, [...(groups.get(stem) ?? []), path.join(root, name)]);
  }
  const items: StoreItem[] = [];
  for (const [stem, files] of groups) {
    let [bytes, usedMs] = [0, 0];
    for (const file of files) {
      bytes += await bytesBelow(file);
      usedMs = Math.max(usedMs, await usedAt(file));
    }
    items.push({
      kind,
      name: `${room}/${stem}`,
      bytes,
      usedMs,
      ...recent(usedMs, sinceMs),
      remove: async () => {
        for (const file of files) await away(cache, file);
        return bytes;
      },
    });
  }
  return items;
}

const recent = (usedMs: number, sinceMs: number): { readonly inUse?: string } =>
  usedMs > sinceMs ? { inUse: 'a run may be reading it' } : {};

/** Git tells in FETCH_HEAD when it was asked for something. */
async function usedAt(file: string): Promise<number> {
  const times = await Promise.all(
    [file, path.join(file, 'FETCH_HEAD')].map((one) => fs.stat(one).catch(() => undefined)),
  );
  return Math.max(0, ...times.map((stat) => stat?.mtimeMs ?? 0));
}

/** Out of reach at once, whole; then its files. */
async function away(cache: string, file: string): Promise<void> {
  const aside = await partialDirectory(cache);
  try {
    await fs.rename(file, path.join(aside, path.basename(file)));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  } finally {
    await fs.rm(aside, { recursive: true, force: true });
  }
}

/** Each file once, whatever it is called. */
export async function bytesBelow(file: string): Promise<number> {
  const seen = new Set<string>();
  let bytes = 0;
  const count = (stat: Stats | undefined): void => {
    if (stat?.isFile() !== true || seen.has(`${stat.dev}:${stat.ino}`)) return;
    if (stat.nlink > 1) seen.add(`${stat.dev}:${stat.ino}`);
    bytes += stat.size;
  };
  const first = await fs.lstat(file).catch(() => undefined);
  count(first);
  if (first?.isDirectory() !== true) return bytes;
  for (const entry of await fs.readdir(file, { recursive: true, withFileTypes: true }).catch(() => []))
    if (entry.isFile()) count(await fs.lstat(path.join(entry.parentPath, entry.name)).catch(() => undefined));
  return bytes;
}
