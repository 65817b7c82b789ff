// SPDX-License-Identifier: Apache-2.0
/** An app that is built in the tiny image, and its runs that were kept. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import type { ExecutionContext } from 'ava';
import { addTinyImage, appRecipe, scratchPackage, type ScratchPackage } from './scratch-package.js';

export interface Listed {
  readonly run: string;
  readonly assisted: boolean;
  readonly damaged?: string;
  readonly phases: readonly {
    readonly phase: string;
    readonly outcome?: string;
    readonly container: string;
  }[];
  readonly end?: { readonly outcome: string };
}

export async function runs(scratch: ScratchPackage): Promise<readonly Listed[]> {
  return JSON.parse((await scratch.run(['runs', '--json', '--quiet'])).stdout) as readonly Listed[];
}

export const keptIn = (scratch: ScratchPackage): readonly string[] => {
  const directory = path.join(scratch.cacheHome, 'samesource/kept');
  return existsSync(directory) ? readdirSync(directory) : [];
};

export const folder = (scratch: ScratchPackage, run: string): string =>
  path.join(scratch.cacheHome, 'samesource/kept', run);

export function contained(
  t: ExecutionContext,
  scripts: { readonly prepare?: string; readonly build: string },
): ScratchPackage {
  const recipe = appRecipe({ app: 'contained', image: '{ kind: lock, name: tiny }', ...scripts });
  const scratch = scratchPackage(t, { contained: recipe });
  addTinyImage(scratch);
  // a teardown may start no process that needs one of its own
  t.teardown(() => {
    const main = path.join(scratch.root, 'dist/bin/main.js');
    const env = { ...process.env, XDG_CACHE_HOME: scratch.cacheHome, TMPDIR: scratch.temporary };
    for (const run of keptIn(scratch))
      execFileSync(process.execPath, [main, 'runs', '--remove', run], { env, stdio: 'ignore' });
  });
  return scratch;
}
