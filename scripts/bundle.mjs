// SPDX-License-Identifier: Apache-2.0
/**
 * Puts the command line into a few files: `dist/bin`. A run of half a second would spend a third of it on finding and
 * reading two hundred, and a run that finds its build kept two thirds on the five hundred of the libraries that each run
 * waits for. Those are put in with it; the licences of what was put in lie beside it.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { build } from 'esbuild';

const manifest = JSON.parse(readFileSync('package.json', 'utf8'));
const MAIN = 'dist/src/cli/main.js';

/** What is started by its path: threads, and the sweeper. */
function startedFiles() {
  const found = new Set();
  for (const name of readdirSync('dist/src', { recursive: true })) {
    if (!name.endsWith('.js')) continue;
    const file = path.join('dist/src', name);
    for (const [, started] of readFileSync(file, 'utf8').matchAll(
      /new URL\('(\.\/[^']+\.js)', import\.meta\.url\)/g,
    ))
      found.add(path.join(path.dirname(file), started));
  }
  return [...found].sort();
}

const INSIDE = ['yargs', 'zod', 'yaml', 'execa', 'pako', 'node-stream-zip'];

const options = {
  outdir: 'dist/bin',
  entryNames: '[name]',
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  external: Object.keys(manifest.dependencies).filter((name) => !INSIDE.includes(name)),
  legalComments: 'inline',
  // libraries of the older kind ask for Node's own modules in this way
  banner: {
    js: "import { createRequire as requireFor } from 'node:module';const require = requireFor(import.meta.url);",
  },
  metafile: true,
};
const commands = await build({ ...options, entryPoints: [MAIN], splitting: true });
// a thread is one file; sharing with the commands would cut these into more
const started = await build({ ...options, entryPoints: startedFiles() });

const packages = new Set();
for (const file of [commands, started].flatMap(({ metafile }) => Object.keys(metafile.inputs))) {
  const inside = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1];
  if (inside !== undefined) packages.add(inside);
}
const licences = [...packages].sort().map((directory) => {
  const { name, version } = JSON.parse(readFileSync(path.join(directory, 'package.json'), 'utf8'));
  const file = readdirSync(directory).find((entry) => /^licen[cs]e/i.test(entry));
  if (file === undefined) throw new Error(`${name} has no licence file to go with it`);
  return `${name} ${version}\n\n${readFileSync(path.join(directory, file), 'utf8').trim()}\n`;
});
mkdirSync('dist/bin', { recursive: true });
writeFileSync('dist/bin/LICENSES.txt', licences.join(`\n${'-'.repeat(72)}\n\n`));
