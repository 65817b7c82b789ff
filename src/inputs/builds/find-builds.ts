// SPDX-License-Identifier: Apache-2.0
/** Which builds are kept: all of them, those of a plan, the one that somebody names. */
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { UsageError } from '../../errors.js';
import type { BuildKey, KeptBuild, Sha256 } from '../../model.js';
import {
  BUILD_FILE,
  buildPlaces,
  directoryOf,
  OBJECTS,
  removeBuild,
  type BuildPlace,
} from './build-directory.js';
import { sameKey } from './build-key.js';
import { DamagedBuild, readBuild } from './load-build.js';

export interface FoundBuild {
  readonly place: BuildPlace;
  readonly build: KeptBuild;
}

export type OnDamaged = (place: BuildPlace, why: string) => void;

/** The newest first. One that is damaged is told and removed. */
export async function keptBuilds(
  cache: string,
  onDamaged: OnDamaged,
  digest?: Sha256,
): Promise<readonly FoundBuild[]> {
  const found: FoundBuild[] = [];
  for (const place of await buildPlaces(cache, digest)) {
    const build = await unlessDamaged(cache, place, onDamaged, () => readBuild(cache, place));
    if (build !== undefined) found.push({ place, build });
  }
  return found.sort((a, b) => (a.build.made > b.build.made ? -1 : 1));
}

export async function buildsFor(
  cache: string,
  key: BuildKey,
  onDamaged: OnDamaged,
): Promise<readonly FoundBuild[]> {
  const all = await keptBuilds(cache, onDamaged, key.buildDigest);
  return all.filter(({ build }) => sameKey(build.key, key));
}

/** Runs `work` on a build; where that finds it damaged, it is told, removed, and there is nothing. */
export async function unlessDamaged<T>(
  cache: string,
  place: BuildPlace,
  onDamaged: OnDamaged,
  work: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof DamagedBuild)) throw error;
    // one that somebody else removed meanwhile is not damaged
    if (await removeBuild(cache, place)) onDamaged(place, error.message);
    return undefined;
  }
}

const LEAST = 4;

/**
 * `prefix`: the beginning of an id.
 * @throws UsageError `unknown-build`, `ambiguous-build`
 */
export async function buildPlace(cache: string, prefix: string): Promise<BuildPlace> {
  const places = await buildPlaces(cache);
  const hint = '`verify builds` lists those that are kept';
  if (!/^[0-9a-f]{1,64}$/.test(prefix) || prefix.length < LEAST)
    throw new UsageError(
      'unknown-build',
      `${JSON.stringify(prefix)} is no id of a build: ${LEAST} to 64 of its hexadecimal digits`,
      { hint },
    );
  const found = places.filter(({ id }) => id.startsWith(prefix));
  const [first, second] = found;
  if (first === undefined)
    throw new UsageError('unknown-build', `no build is kept whose id begins with ${prefix}`, { hint });
  if (second !== undefined)
    throw new UsageError(
      'ambiguous-build',
      `${found.length} builds have ids that begin with ${prefix}: ${found.map(({ id }) => id.slice(0, 16)).join(', ')}`,
      { hint: 'write more of it' },
    );
  return first;
}

/** When a run last asked for it, in milliseconds since 1970. */
export async function lastUse(cache: string, place: BuildPlace): Promise<number> {
  return (
    (await fs.stat(path.join(directoryOf(cache, place), BUILD_FILE)).catch(() => undefined))?.mtimeMs ?? 0
  );
}

/** Before it is read: whoever makes room now sees that it is used. */
export async function noteUse(cache: string, place: BuildPlace): Promise<void> {
  const now = new Date();
  await fs.utimes(path.join(directoryOf(cache, place), BUILD_FILE), now, now).catch(() => undefined);
}

export interface BuildSize {
  /** Of everything in its directory. */
  readonly bytes: number;
  /** Of what no other kept build shares: what its removal frees. */
  readonly ownBytes: number;
}

export async function buildSize(cache: string, place: BuildPlace): Promise<BuildSize> {
  const directory = directoryOf(cache, place);
  const objects = path.join(directory, OBJECTS);
  const files = [
    path.join(directory, BUILD_FILE),
    ...(await fs.readdir(objects).catch(() => [])).map((name) => path.join(objects, name)),
  ];
  let [bytes, ownBytes] = [0, 0];
  for (const file of files) {
    const stat = await fs.stat(file).catch(() => undefined);
    bytes += stat?.size ?? 0;
    ownBytes += stat?.nlink === 1 ? stat.size : 0;
  }
  return { bytes, ownBytes };
}
