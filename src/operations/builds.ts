// SPDX-License-Identifier: Apache-2.0
/** Builds that are kept: all of them, one of them, away with some. */
import {
  buildPlace,
  buildSize,
  keptBuilds,
  lastUse,
  unlessDamaged,
  type BuildSize,
  type FoundBuild,
} from '../inputs/builds/find-builds.js';
import { readBuild } from '../inputs/builds/load-build.js';
import { cacheDirectory } from '../inputs/cache.js';
import { FailedHere } from '../errors.js';
import type { KeptBuild, Sha256 } from '../model.js';
import type { OperationOptions } from './options.js';

export interface ListedBuild extends BuildSize {
  readonly id: Sha256;
  readonly build: KeptBuild;
  /** When a run last asked for it: ISO 8601, UTC. */
  readonly used: string;
}

/** The newest first. `app`: only of this one. */
export async function listBuilds(
  app: string | undefined,
  { onProgress }: OperationOptions = {},
): Promise<readonly ListedBuild[]> {
  const cache = cacheDirectory();
  const found = await keptBuilds(cache, ({ id }, why) =>
    onProgress?.({ kind: 'note', text: damagedText(id, why) }),
  );
  const listed: ListedBuild[] = [];
  for (const one of found)
    if (app === undefined || one.build.plan.app === app) listed.push(await listedBuild(cache, one));
  return listed;
}

/**
 * `prefix`: the beginning of its id.
 * @throws UsageError `unknown-build`, `ambiguous-build`; FailedHere `build-damaged`
 */
export async function showBuild(prefix: string): Promise<ListedBuild> {
  const cache = cacheDirectory();
  return await listedBuild(cache, await findBuild(cache, prefix));
}

/** @throws UsageError `unknown-build`, `ambiguous-build`; FailedHere `build-damaged` */
export async function findBuild(cache: string, prefix: string): Promise<FoundBuild> {
  const place = await buildPlace(cache, prefix);
  let damage = 'it is gone';
  const build = await unlessDamaged(
    cache,
    place,
    (_, why) => (damage = why),
    () => readBuild(cache, place),
  );
  if (build === undefined) throw damagedBuild(place.id, damage);
  return { place, build };
}

export function damagedBuild(id: Sha256, why: string): FailedHere {
  return new FailedHere('build-damaged', damagedText(id, why), {
    hint: '`verify build APP VERSION` makes it again',
  });
}

const damagedText = (id: Sha256, why: string): string =>
  `the kept build ${id.slice(0, 12)} is damaged and was removed: ${why}`;

async function listedBuild(cache: string, { place, build }: FoundBuild): Promise<ListedBuild> {
  return {
    id: place.id,
    build,
    used: new Date(await lastUse(cache, place)).toISOString(),
    ...(await buildSize(cache, place)),
  };
}
