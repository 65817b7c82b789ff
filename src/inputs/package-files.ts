// SPDX-License-Identifier: Apache-2.0
/** Files of this package: recipes, locks of images, its own version. */
import { existsSync, promises as fs } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { FailedHere } from '../errors.js';

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

/** Every recipe of this package, sorted by name; one of the same name in `own` takes its place. */
export async function readRecipes(own?: string): Promise<readonly NamedText[]> {
  const texts = new Map<string, NamedText>();
  for (const directory of [path.join(packageRoot(), 'recipes'), ...(own === undefined ? [] : [own])])
    for (const name of await recipeNames(directory))
      texts.set(name, {
        file: directory === own ? path.join(own, name) : `recipes/${name}`,
        text: await fs.readFile(path.join(directory, name), 'utf8'),
      });
  return [...texts].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, text]) => text);
}

async function recipeNames(directory: string): Promise<readonly string[]> {
  try {
    return (await fs.readdir(directory)).filter((name) => name.endsWith('.yaml'));
  } catch (cause) {
    throw new FailedHere('unreadable-input', `cannot read the recipes in ${directory}`, {
      cause,
      hint: 'check the path and its permissions',
    });
  }
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
