// SPDX-License-Identifier: Apache-2.0
/** The store below a limit: what was not used for longest goes, and never what somebody reads. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  promises as fs,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'ava';
import { UsageError } from '../../src/errors.js';
import { storeItems } from '../../src/inputs/store-rooms.js';
import { pruneCachedFiles } from '../../src/operations/cache.js';
import { cleanStore, withinDisk } from '../../src/operations/clean.js';
import { runsDirectory } from '../../src/operations/run-directories.js';
import { makeOwned } from '../../src/owned-directory.js';

const DAY = 24 * 60 * 60 * 1000;

const root = mkdtempSync(path.join(realpathSync(tmpdir()), 'samesource-test-'));
process.env['XDG_CACHE_HOME'] = root;
test.after.always(() => rmSync(root, { recursive: true, force: true }));
const cache = path.join(root, 'samesource');

/** Each with 1,000 bytes, used that many days ago. */
async function fill(files: Readonly<Record<string, number>>): Promise<void> {
  rmSync(cache, { recursive: true, force: true });
  for (const [name, days] of Object.entries(files)) {
    const file = path.join(cache, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, 'x'.repeat(1000));
    const used = new Date(Date.now() - days * DAY);
    await fs.utimes(file, used, used);
  }
}

const DOWNLOAD = `sha256/aa/${'a'.repeat(64)}`;

test.serial('the oldest goes first, whatever it is, until the rest fits', async (t) => {
  await fill({
    [DOWNLOAD]: 5,
    'images/one.tar': 9,
    'images/one.json': 3,
    'images/two.tar': 6,
    'texts/abc': 1,
    'git/x.git/HEAD': 8,
  });
  const old = new Date(Date.now() - 8 * DAY);
  await fs.utimes(path.join(cache, 'git/x.git'), old, old);
  const dry = await cleanStore({ maxBytes: 4000, dryRun: true });
  t.deepEqual(
    dry.removed.map(({ name }) => name),
    ['git/x', 'images/two'],
  );
  t.true(existsSync(path.join(cache, 'images/two.tar')));
  const { removed, bytes } = await cleanStore({ maxBytes: 4000 });
  t.deepEqual(removed, dry.removed);
  t.is(bytes, 4000);
  t.false(existsSync(path.join(cache, 'images/two.tar')) || existsSync(path.join(cache, 'git/x.git')));
  // the last use of any part counts
  t.true(existsSync(path.join(cache, 'images/one.tar')));
  t.deepEqual(
    (await cleanStore({ maxBytes: 1000 })).removed.map(({ kind }) => kind),
    ['downloads', 'images'],
  );
  t.false(existsSync(path.join(cache, 'images/one.json')));
});

test.serial('what was used within the hour, or since a living run began, stays', async (t) => {
  await fill({ [DOWNLOAD]: 0, 'texts/old': 3, 'texts/older': 5 });
  const run = path.join(runsDirectory(cache), '20260101t000000-abcdef');
  mkdirSync(path.dirname(run), { recursive: true });
  await makeOwned(run);
  const began = new Date(Date.now() - 4 * DAY);
  await fs.utimes(path.join(run, 'owner.json'), began, began);
  const sinceThen = `sha256/bb/${'b'.repeat(64)}`;
  mkdirSync(path.join(cache, 'sha256/bb'));
  writeFileSync(path.join(cache, sinceThen), 'x');
  await fs.utimes(path.join(cache, sinceThen), new Date(), new Date(Date.now() - 3 * DAY));
  const pruned = await pruneCachedFiles({ maxBytes: 0 });
  t.deepEqual([pruned.removed.length, pruned.inUse.length], [0, 2], 'also where only downloads go');
  const { removed, inUse } = await cleanStore({ maxBytes: 0 });
  t.deepEqual(
    removed.map(({ name }) => name),
    ['texts/older'],
  );
  t.deepEqual(inUse.map(({ kind }) => kind).sort(), ['downloads', 'downloads', 'texts']);
  t.true(existsSync(path.join(cache, DOWNLOAD)));
  rmSync(run, { recursive: true });
  t.deepEqual((await cleanStore({ maxBytes: 0 })).removed.map(({ kind }) => kind).sort(), [
    'downloads',
    'texts',
  ]);
});

test.serial('only the kinds that are named, and of them what is old enough', async (t) => {
  await fill({ [DOWNLOAD]: 5, 'texts/a': 5, 'texts/b': 1 });
  t.deepEqual(
    (await cleanStore({ kinds: ['texts'], olderThanMs: 2 * DAY })).removed.map(({ name }) => name),
    ['texts/a'],
  );
  t.deepEqual(
    (await cleanStore({ kinds: ['texts'] })).removed.map(({ name }) => name),
    ['texts/b'],
  );
  t.true(existsSync(path.join(cache, DOWNLOAD)));
  t.is((await t.throwsAsync(() => cleanStore({}), { instanceOf: UsageError }))?.code, 'nothing-named');
});

test.serial('locks are nobody’s thing, and what nobody knows stays', async (t) => {
  await fill({ 'images/one.tar.lock': 9, 'unknown/thing': 9, 'locks/demo.lock': 9 });
  t.deepEqual(await storeItems(cache, () => undefined, Date.now()), []);
  await cleanStore({ maxBytes: 0 });
  t.true(existsSync(path.join(cache, 'unknown/thing')));
});

test.serial('a run keeps the limit before and after its work, and what it says is not lost', async (t) => {
  await fill({ 'texts/a': 5, 'texts/b': 4 });
  const notes: string[] = [];
  const options = {
    onProgress: (event: { readonly kind: string; readonly text?: string }) =>
      void notes.push(event.text ?? ''),
  };
  const result = await withinDisk('1k', options, async () => {
    t.false(existsSync(path.join(cache, 'texts/a')));
    t.true(existsSync(path.join(cache, 'texts/b')));
    await fs.writeFile(path.join(cache, 'texts/new'), 'y'.repeat(5000));
    return 'verdict';
  });
  t.is(result, 'verdict');
  t.false(existsSync(path.join(cache, 'texts/b')));
  t.true(existsSync(path.join(cache, 'texts/new')));
  t.true(
    notes.some((note) => /more than the limit of 1000: 1 thing/.test(note)),
    notes.join('\n'),
  );
  await t.throwsAsync(() => withinDisk('much', options, () => Promise.resolve(1)), { code: 'bad-size' });
  process.env['SAMESOURCE_DISK'] = '9T';
  t.is(await withinDisk(undefined, options, () => Promise.resolve(1)), 1);
  delete process.env['SAMESOURCE_DISK'];
});
