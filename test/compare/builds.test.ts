// SPDX-License-Identifier: Apache-2.0
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { bestBuild, matchesPublished, stabilityOf } from '../../src/compare/builds.js';
import { compareSet, type SetFile } from '../../src/compare/compare-set.js';
import { buildTar } from '../helpers/build-tar.js';
import { temporaryDirectory } from '../helpers/temp-directory.js';

type Contents = Readonly<Record<string, string | Buffer>>;

function files(t: ExecutionContext, contents: Contents): SetFile[] {
  const directory = temporaryDirectory(t);
  return Object.entries(contents).map(([name, content]) => {
    const file = path.join(directory, name);
    writeFileSync(file, content);
    return { name, path: file };
  });
}

const compared = async (t: ExecutionContext, published: Contents, rebuilt: Contents) =>
  await compareSet({ published: files(t, published), rebuilt: files(t, rebuilt) });

const tar = (members: Readonly<Record<string, string>>): Buffer =>
  buildTar(Object.entries(members).map(([name, data]) => ({ name, data: Buffer.from(data) })));

test('the best build is reported, the earliest of equals', async (t) => {
  const good = await compared(t, { a: 'x' }, { a: 'x' });
  const bad = await compared(t, { a: 'x' }, { a: 'y' });
  t.is(bestBuild([bad, good, good]), 1);
  t.is(bestBuild([bad, bad]), 0);
  t.true(matchesPublished(good));
  t.false(matchesPublished(bad));
});

test('one build alone is single', async (t) => {
  t.deepEqual(stabilityOf(await compared(t, { a: 'x' }, { a: 'y' }), []), {
    standing: 'single',
    unstable: [],
  });
});

test('two builds that agree where they differ from the published file confirm the mismatch', async (t) => {
  const published = { 'a.tar': tar({ code: 'published', date: 'd0' }) };
  const one = { 'a.tar': tar({ code: 'rebuilt!!', date: 'd0' }) };
  // they disagree elsewhere: in a member that the published file has like the first build
  const other = { 'a.tar': tar({ code: 'rebuilt!!', date: 'd1' }) };
  t.deepEqual(stabilityOf(await compared(t, published, one), [await compared(t, one, one)]), {
    standing: 'confirmed',
    unstable: [],
  });
  t.is(stabilityOf(await compared(t, published, one), [await compared(t, one, other)]).standing, 'confirmed');
});

test('two builds that disagree where they differ from the published file are unstable, and named', async (t) => {
  const published = { 'a.tar': tar({ code: 'published', date: 'd0' }) };
  const one = { 'a.tar': tar({ code: 'rebuilt-1', date: 'd0' }) };
  const other = { 'a.tar': tar({ code: 'rebuilt-2', date: 'd0' }) };
  t.deepEqual(stabilityOf(await compared(t, published, one), [await compared(t, one, other)]), {
    standing: 'unstable',
    unstable: ['a.tar > code'],
  });
});

test('a file that only one of our builds makes is unstable', async (t) => {
  const mismatch = await compared(t, { a: 'x', b: 'y' }, { a: 'x' });
  t.deepEqual(stabilityOf(mismatch, [await compared(t, { a: 'x' }, { a: 'x', b: 'z' })]), {
    standing: 'unstable',
    unstable: ['b'],
  });
});
