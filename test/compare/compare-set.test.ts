// SPDX-License-Identifier: Apache-2.0
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { compareSet, expandRules, type SetFile } from '../../src/compare/compare-set.js';
import { matches } from '../../src/compare/name-pattern.js';
import { decideVerdict } from '../../src/compare/verdict.js';
import { RULE_SETS } from '../../src/model.js';
import type { SetComparison } from '../../src/compare/types.js';
import { temporaryDirectory } from '../helpers/temp-directory.js';

function files(t: ExecutionContext, contents: Readonly<Record<string, string>>): SetFile[] {
  const directory = temporaryDirectory(t);
  return Object.entries(contents).map(([name, text]) => {
    const file = path.join(directory, name);
    writeFileSync(file, text);
    return { name, path: file };
  });
}

const verdictOf = (comparison: SetComparison): string =>
  decideVerdict({ comparison, unverifiable: [], notAuthentic: [] }).kind;

test('two single files are a pair whatever they are called', async (t) => {
  const set = await compareSet({
    published: files(t, { 'a.apk': 'x' }),
    rebuilt: files(t, { 'b.apk': 'x' }),
  });
  t.is(set.pairs.length, 1);
  t.is(verdictOf(set), 'reproducible');
});

test('a published file without a rebuilt twin is never covered by the others', async (t) => {
  const set = await compareSet({
    published: files(t, { a: 'x', b: 'y' }),
    rebuilt: files(t, { a: 'x', c: 'y' }),
  });
  t.deepEqual(
    set.unpairedPublished.map((file) => file.name),
    ['b'],
  );
  t.deepEqual(
    set.unpairedRebuilt.map((file) => file.name),
    ['c'],
  );
  t.is(verdictOf(set), 'unreproducible');
});

test('a rebuilt file that nobody declared unpublished leaves the set incomplete', async (t) => {
  const request = { published: files(t, { a: 'x' }), rebuilt: files(t, { a: 'x', 'a-dbgsym_1.deb': 'y' }) };
  t.is(verdictOf(await compareSet(request)), 'unverifiable');
  const notPublished = [{ pattern: '*-dbgsym_*.deb', reason: 'debug symbols are published elsewhere' }];
  t.is(verdictOf(await compareSet({ ...request, notPublished })), 'reproducible');
});

test('a plan pairs by output, and no rebuilt file is used twice', async (t) => {
  const rebuilt = files(t, { out: 'x' }).map((file) => ({ ...file, output: 'main' }));
  const pairs = [
    { published: 'a', output: 'main' },
    { published: 'b', output: 'main' },
  ];
  const set = await compareSet({ published: files(t, { a: 'x', b: 'x' }), rebuilt, pairs });
  t.is(set.pairs.length, 1);
  t.is(verdictOf(set), 'unreproducible');
});

test('what the plan publishes and nobody obtained leaves the set incomplete', async (t) => {
  const set = await compareSet({
    published: files(t, { a: 'x' }),
    rebuilt: files(t, { a: 'x' }),
    notObtained: ['b'],
  });
  t.is(verdictOf(set), 'unverifiable');
});

test('nothing obtained is not a match', async (t) => {
  t.is(verdictOf(await compareSet({ published: [], rebuilt: [] })), 'unverifiable');
  t.is(verdictOf(await compareSet({ published: [], rebuilt: files(t, { a: 'x' }) })), 'unverifiable');
});

test('patterns match in full, and a star stays within a directory', (t) => {
  t.true(matches('*.changes', 'a_1.changes'));
  t.false(matches('*.changes', 'a.changes.exe'));
  t.true(matches('*.changes', 'b/a.changes'));
  t.true(matches('b/*.changes', 'b/a.changes'));
  t.false(matches('b/*.changes', 'b/c/a.changes'));
  t.false(matches('b/*.changes', 'a.changes'));
  t.false(matches('a.c', 'abc'));
});

test('sets of rules become their rules, each once', (t) => {
  t.deepEqual(expandRules(['play', 'play-stamp-cert']), [...RULE_SETS.play].sort());
  t.true(RULE_SETS.play.includes('play-stamp-cert'));
});
