// SPDX-License-Identifier: Apache-2.0
/** What a kept build saves: the demo built, the demo again, and a file compared with its kept build and with the file itself. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { interleaved, runOnce, type Sample } from './measure.js';

const MAIN = fileURLToPath(new URL('../bin/main.js', import.meta.url));
const PUBLISHED = fileURLToPath(new URL('../../demo/published/app.apk', import.meta.url));

export type KeptSamples = Readonly<
  Partial<Record<'first' | 'second' | 'withBuild' | 'withFile', readonly Sample[]>>
>;

export async function keptBuildSamples(rounds: number): Promise<KeptSamples> {
  const root = mkdtempSync(path.join(tmpdir(), 'samesource-bench-'));
  const cache = path.join(root, 'cache');
  const out = path.join(root, 'out');
  const run =
    (label: string, ...args: readonly string[]) =>
    (): Sample =>
      runOnce({
        label,
        argv: ['env', `XDG_CACHE_HOME=${cache}`, process.execPath, MAIN, ...args, '--quiet'],
      });
  try {
    const build = run(
      'build',
      'build',
      'demo',
      'latest',
      '--fresh',
      '--out',
      out,
      '-o',
      path.join(root, 'rebuilt'),
    );
    build();
    const id = onlyBuild(path.join(cache, 'samesource/builds'));
    return await interleaved(
      {
        first: run('first', 'build', 'demo', 'latest', '--fresh', '--out', out),
        second: run('second', 'demo', '--out', out),
        withBuild: run('with a kept build', 'compare', '--build', id, PUBLISHED),
        withFile: run('with the file', 'compare', PUBLISHED, path.join(root, 'rebuilt/app-unsigned.apk')),
      },
      rounds,
    );
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

function onlyBuild(builds: string): string {
  const [digest = ''] = readdirSync(builds).filter((name) => !name.startsWith('.'));
  const [id = ''] = readdirSync(path.join(builds, digest));
  return id;
}
