// SPDX-License-Identifier: Apache-2.0
/** Whether the source says the version that its tag or commit subject says. */
import { promises as fs } from 'node:fs';
import path from 'node:path';
import type { VersionAssertion } from '../../model.js';

const MAX_FILE = 4 << 20;

/** The first assertion that does not hold, in one line. Files are hostile: links are not followed. */
export async function failedAssertion(
  assertions: readonly VersionAssertion[],
  directory: string,
): Promise<string | undefined> {
  for (const { file, pattern, expected, what } of assertions) {
    const place = path.join(directory, file);
    const real = await fs.realpath(place).catch(() => undefined);
    const root = await fs.realpath(directory);
    const stat = real === path.join(root, file) ? await fs.lstat(place) : undefined;
    if (stat?.isFile() !== true || stat.size > MAX_FILE) return `${file} (${what}) is not there`;
    const found = new RegExp(pattern, 'm').exec(await fs.readFile(place, 'utf8'))?.[1];
    if (found !== expected) return `${file} says ${what} ${found ?? 'nothing'}, expected ${expected}`;
  }
  return undefined;
}
