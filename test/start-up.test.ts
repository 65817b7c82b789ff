// SPDX-License-Identifier: Apache-2.0
/** What a command waits for before it begins: the libraries of the others are not among it. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { packageRoot } from '../src/inputs/package-files.js';

const SOURCE = path.join(packageRoot(), 'src');
const STATIC = /^(?:import|export)\b(?!\s+type\b)[^'"();]*?\bfrom\s*'([^']+)'|^import\s+'([^']+)'/gm;

/** Packages and files of `src` that are loaded with this file, however many imports away. */
function loadedWith(...files: readonly string[]): ReadonlySet<string> {
  const loaded = new Set<string>();
  const visit = (file: string): void => {
    if (loaded.has(file)) return;
    loaded.add(file);
    for (const match of readFileSync(path.join(SOURCE, file), 'utf8').matchAll(STATIC)) {
      const from = match[1] ?? match[2] ?? '';
      if (from.startsWith('.')) visit(path.join(path.dirname(file), from.replace(/\.js$/, '.ts')));
      else if (!from.startsWith('node:')) loaded.add(from);
    }
  };
  for (const file of files) visit(file);
  return loaded;
}

test('the command line waits for yargs and for nothing else', (t) => {
  const packages = [...loadedWith('cli/main.ts')].filter((name) => !name.endsWith('.ts'));
  t.deepEqual(packages.sort(), ['yargs', 'yargs/helpers']);
});

test('a comparison loads one package and no recipes', (t) => {
  const loaded = loadedWith('operations/compare.ts', 'compare/compare-set.ts', 'report/assemble.ts');
  t.deepEqual(
    [...loaded].filter((name) => !name.endsWith('.ts')),
    ['node-stream-zip'],
  );
  t.deepEqual(
    [...loaded].filter((name) => name.startsWith('recipe/')),
    [],
  );
});
