// SPDX-License-Identifier: Apache-2.0
/**
 * Beside a kept build: that a build under other conditions gave the same bytes. There is nothing else to keep of it, and a
 * later run need not build to confirm a mismatch. It is no part of the build; one that cannot be read is as none.
 */
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { VARIATIONS } from '../../model.js';
import { partName } from '../atomic-file.js';
import { directoryOf, type BuildPlace } from './build-directory.js';

const FILE = 'varied.json';
const variations = z.array(z.enum(VARIATIONS));
const schema = z.strictObject({
  schemaVersion: z.literal(1),
  /** Of the recipe. */
  asked: variations,
  /** Those of them that the build was made with. */
  varied: variations.min(1),
  /** Why not with the others. */
  why: z.string().max(1000).optional(),
  made: z.iso.datetime(),
  executor: z.enum(['docker', 'podman', 'local', 'ssh']),
  engineVersion: z.string().max(200).optional(),
});
export type VariedNote = Readonly<z.infer<typeof schema>>;

export async function readVariedNote(cache: string, place: BuildPlace): Promise<VariedNote | undefined> {
  const text = await fs.readFile(path.join(directoryOf(cache, place), FILE), 'utf8').catch(() => '');
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** What cannot be kept costs a later run a build. */
export async function writeVariedNote(cache: string, place: BuildPlace, note: VariedNote): Promise<void> {
  const file = path.join(directoryOf(cache, place), FILE);
  const part = partName(file);
  try {
    // not through a directory that is made anew: the build may be gone by now
    await fs.writeFile(part, JSON.stringify(note), { flag: 'wx' });
    await fs.rename(part, file);
  } catch {
    await fs.rm(part, { force: true }).catch(() => undefined);
  }
}
