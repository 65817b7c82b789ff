// SPDX-License-Identifier: Apache-2.0
/**
 * How kept builds lie on disk: `builds/<build digest>/<id>/` holds `build.json`, whose SHA-256 is the id, and `objects/`,
 * whose files are called by theirs. A directory gets its name when all of it is there, and loses its name before any of it
 * goes; until then and from then on it lies in `builds/.partial`.
 */
import { promises as fs } from 'node:fs';
import path from 'node:path';
import type { Sha256 } from '../../model.js';
import { isAbandoned, makeOwnedDirectory, removeOwned } from '../../owned-directory.js';

export const BUILD_FILE = 'build.json';
export const OBJECTS = 'objects';
const PARTIAL = '.partial';
const SHA256 = /^[0-9a-f]{64}$/;

export const buildsDirectory = (cache: string): string => path.join(cache, 'builds');

export const directoryOf = (cache: string, { digest, id }: BuildPlace): string =>
  path.join(buildsDirectory(cache), digest, id);

export interface BuildPlace {
  /** Of the plan. */
  readonly digest: Sha256;
  readonly id: Sha256;
}

/** Of one plan, or all; sorted by name. */
export async function buildPlaces(cache: string, digest?: Sha256): Promise<readonly BuildPlace[]> {
  const root = buildsDirectory(cache);
  const digests = digest === undefined ? await namesIn(root) : [digest];
  const places: BuildPlace[] = [];
  for (const one of digests)
    for (const id of await namesIn(path.join(root, one))) places.push({ digest: one, id });
  return places;
}

async function namesIn(directory: string): Promise<readonly string[]> {
  const names = await fs.readdir(directory).catch(() => []);
  return names.filter((name) => SHA256.test(name)).sort();
}

/** A directory of this process's own, on the file system of the store. What killed processes left there goes. */
export async function partialDirectory(cache: string): Promise<string> {
  const parent = path.join(buildsDirectory(cache), PARTIAL);
  await fs.mkdir(parent, { recursive: true });
  for (const name of await fs.readdir(parent).catch(() => [])) {
    const left = path.join(parent, name);
    if (await isAbandoned(left)) await removeOwned(left).catch(() => undefined);
  }
  return await makeOwnedDirectory(parent, 'build-');
}

/** False when somebody else has removed it already. What a running job has taken of it stays with that job. */
export async function removeBuild(cache: string, place: BuildPlace): Promise<boolean> {
  const aside = await partialDirectory(cache);
  try {
    await fs.rename(directoryOf(cache, place), path.join(aside, place.id));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return false;
  } finally {
    await removeOwned(aside);
    // fails while another build of the plan is kept
    await fs.rmdir(path.join(buildsDirectory(cache), place.digest)).catch(() => undefined);
  }
  return true;
}
