// SPDX-License-Identifier: Apache-2.0
/** Files of this package: recipes, locks of images, its own version. */
import { existsSync, promises as fs } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export interface NamedText {
  /** As messages call it, e.g. `recipes/weechat.yaml`. */
  readonly file: string;
  readonly text: string;
}

/** The directory of package.json, wherever this file was compiled to. */
export function packageRoot(): string {
  let directory = path.dirname(fileURLToPath(import.meta.url));
  while (!existsSync(path.join(directory, 'package.json'))) {
    const parent = path.dirname(directory);
    if (parent === directory) throw new Error('package.json of samesource is gone');
    directory = parent;
  }
  return directory;
}

interface Manifest {
  readonly version: string;
  readonly engines: { readonly node: string };
}

async function manifest(root: string): Promise<Manifest> {
  return JSON.parse(await fs.readFile(path.join(root, 'package.json'), 'utf8')) as Manifest;
}

export async function packageVersion(root = packageRoot()): Promise<string> {
  return (await manifest(root)).version;
}

/** As npm writes it, e.g. `>=20.19`. */
export async function nodeRequirement(root = packageRoot()): Promise<string> {
  return (await manifest(root)).engines.node;
}

/** Every recipe, sorted by name. */
export async function readRecipes(root = packageRoot()): Promise<readonly NamedText[]> {
  const names = (await fs.readdir(path.join(root, 'recipes')))
    .filter((name) => name.endsWith('.yaml'))
    .sort();
  return await Promise.all(
    names.map(async (name) => ({
      file: `recipes/${name}`,
      text: await fs.readFile(path.join(root, 'recipes', name), 'utf8'),
    })),
  );
}

/** `docker/<image>/lock.json` of every image that has one. */
export async function readLocks(
  root = packageRoot(),
): Promise<readonly { readonly image: string; readonly text: string }[]> {
  const images = (await fs.readdir(path.join(root, 'docker'))).sort();
  const locks = images.map((image) => ({ image, file: path.join(root, 'docker', image, 'lock.json') }));
  return await Promise.all(
    locks
      .filter(({ file }) => existsSync(file))
      .map(async ({ image, file }) => ({ image, text: await fs.readFile(file, 'utf8') })),
  );
}
