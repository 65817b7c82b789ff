// SPDX-License-Identifier: Apache-2.0
/** `docs/zip.md` names every code that the program can give, and no other. */
import { readFileSync } from 'node:fs';
import test from 'ava';
import { AMBIGUITIES, CONTESTED, REFUSALS } from '../../src/formats/zip-code.js';

const page = readFileSync(new URL('../../../docs/zip.md', import.meta.url), 'utf8');
const rows = page.split('\n').flatMap((line) => {
  const match = /^\| `(zip\/[a-z0-9-]+)`( ●)? \|/.exec(line);
  return match === null ? [] : [{ code: match[1] ?? '', contested: match[2] !== undefined, line }];
});

test('docs/zip.md has one row for each code, in both directions', (t) => {
  const known = [...AMBIGUITIES, ...REFUSALS.map((code) => `zip/${code}`)];
  t.deepEqual(rows.map(({ code }) => code).sort(), known.sort());
});

test('docs/zip.md marks what is contested', (t) => {
  const marked = rows.filter(({ contested }) => contested).map(({ code }) => code);
  // contested by where they lie, not by an entry of their own
  const elsewhere = ['zip/orphan-entry', 'zip/directory-gap'];
  t.deepEqual(marked.sort(), [...CONTESTED, ...elsewhere].sort());
});

test('every row says where, what Android does, and what comes of it', (t) => {
  const refusals: readonly string[] = REFUSALS.map((code) => `zip/${code}`);
  for (const { code, line } of rows) {
    const cells = line.split(' | ').map((cell) => cell.replaceAll('|', '').trim());
    t.is(cells.length, refusals.includes(code) ? 3 : 4, code);
    t.true(
      cells.every((cell) => cell.length > 0),
      code,
    );
  }
});
