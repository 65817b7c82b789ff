// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { cacheEntries, cacheRooms, checkCache, pruneCache } from '../../src/inputs/cache-entries.js';
import { cachedDownload, fromCache, originsOf } from '../../src/inputs/cache.js';
import { bytesOf, durationOf } from '../../src/operations/cache.js';
import { localServer } from '../helpers/http-server.js';
import { temporaryDirectory } from '../helpers/temp-directory.js';

const HOUR = 60 * 60 * 1000;
const sha256Of = (text: string): string => createHash('sha256').update(text).digest('hex');
const place = (cache: string, sha256: string): string =>
  path.join(cache, 'sha256', sha256.slice(0, 2), sha256);

/** A file that a run used so many hours ago. */
function put(cache: string, text: string, hours: number, sha256 = sha256Of(text)): string {
  const file = place(cache, sha256);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
  const then = new Date(Date.now() - hours * HOUR);
  utimesSync(file, then, then);
  return sha256;
}
const texts = (cache: string): Promise<string[]> =>
  cacheEntries(cache).then((entries) =>
    entries.map(({ sha256 }) => readFileSync(place(cache, sha256), 'utf8')),
  );

async function fetched(t: ExecutionContext, cache: string, text: string): Promise<string> {
  const { url } = await localServer(t, (_request, response) => void response.end(text));
  await cachedDownload(cache, { url: `${url}/file`, what: 'x' });
  return url;
}

test('what lies there: size, last use, and where each came from; nothing in a cache that is not there', async (t) => {
  const cache = temporaryDirectory(t);
  t.deepEqual(await cacheEntries(path.join(cache, 'none')), []);
  t.deepEqual(await cacheRooms(path.join(cache, 'none')), []);
  const url = await fetched(t, cache, 'from a server');
  put(cache, 'older', 5);
  const [first, second, more] = await cacheEntries(cache);
  t.like(first, { sha256: sha256Of('from a server'), size: 13, origins: [{ url: `${url}/file`, size: 13 }] });
  t.like(second, { sha256: sha256Of('older'), size: 5, origins: [] });
  t.is(more, undefined);
});

test('two addresses of one file are both told, the newest first', async (t) => {
  const cache = temporaryDirectory(t);
  const [one, two] = [await fetched(t, cache, 'content'), await fetched(t, cache, 'content')];
  t.deepEqual(
    (await originsOf(cache, sha256Of('content'))).map(({ url }) => url),
    [`${two}/file`, `${one}/file`],
  );
});

test('what is no file under its digest is not counted', async (t) => {
  const cache = temporaryDirectory(t);
  put(cache, 'good', 1);
  const shelf = path.join(cache, 'sha256/ab');
  mkdirSync(shelf, { recursive: true });
  writeFileSync(path.join(shelf, '.x.part-1'), 'x');
  mkdirSync(path.join(shelf, 'ab'.repeat(32)));
  symlinkSync('/etc/passwd', path.join(shelf, `ab${'0'.repeat(62)}`));
  t.deepEqual(await texts(cache), ['good']);
});

test('old ones go by their last use, which asking for a file is', async (t) => {
  const cache = temporaryDirectory(t);
  const asked = put(cache, 'asked for', 100);
  put(cache, 'old', 100);
  put(cache, 'new', 2);
  t.not(await fromCache(cache, asked), undefined);
  const { removed, left } = await pruneCache(cache, { olderThanMs: 50 * HOUR }, Date.now() - HOUR);
  t.deepEqual(
    removed.map(({ sha256 }) => sha256),
    [sha256Of('old')],
  );
  t.deepEqual(left, { files: 2, bytes: 12 });
  t.deepEqual((await texts(cache)).sort(), ['asked for', 'new']);
});

test('by size, those that were not used for longest go, and no more than must', async (t) => {
  const cache = temporaryDirectory(t);
  for (const [i, text] of ['aaaa', 'bbbb', 'cccc', 'dddd'].entries()) put(cache, text, 10 - i);
  t.deepEqual((await pruneCache(cache, { maxBytes: 16 }, Date.now() - HOUR)).removed, []);
  const { removed } = await pruneCache(cache, { maxBytes: 9 }, Date.now() - HOUR);
  t.is(removed.length, 2);
  t.deepEqual((await texts(cache)).sort(), ['cccc', 'dddd']);
  t.is((await pruneCache(cache, { maxBytes: 0 }, Date.now() - HOUR)).left.files, 0);
});

test('what a run used within the hour stays, and is told; its record goes with a file that does not', async (t) => {
  const cache = temporaryDirectory(t);
  await fetched(t, cache, 'just fetched');
  const sha256 = sha256Of('just fetched');
  const { removed, inUse } = await pruneCache(cache, { maxBytes: 0 }, Date.now() - HOUR);
  t.deepEqual([removed.length, inUse.length], [0, 1]);
  await pruneCache(cache, { maxBytes: 0 }, Date.now() + HOUR);
  t.false(existsSync(place(cache, sha256)));
  t.deepEqual(readdirSync(path.join(cache, 'origins')), []);
});

test('every file is read again; one that is not what it is called goes, and is fetched again', async (t) => {
  const cache = temporaryDirectory(t);
  const { url, requests } = await localServer(t, (_request, response) => void response.end('right'));
  const request = { url: `${url}/x`, what: 'x', expected: { sha256: sha256Of('right') } };
  await cachedDownload(cache, request);
  put(cache, 'good', 1);
  writeFileSync(place(cache, sha256Of('right')), 'wrong');
  const done: number[] = [];
  t.deepEqual(await checkCache(cache, { onFile: (n) => done.push(n) }), {
    files: 1,
    bytes: 4,
    damaged: [{ sha256: sha256Of('right'), found: sha256Of('wrong') }],
  });
  t.deepEqual(done, [1, 2]);
  t.deepEqual(await texts(cache), ['good']);
  t.deepEqual(await checkCache(cache), { files: 1, bytes: 4, damaged: [] });
  await cachedDownload(cache, request);
  t.is(requests.length, 2);
});

test('a file that nobody can read is told as that, and goes', async (t) => {
  if (process.getuid?.() === 0) {
    t.log('skipped: the superuser can read every file');
    t.pass();
    return;
  }
  const cache = temporaryDirectory(t);
  const sha256 = put(cache, 'x', 1);
  chmodSync(place(cache, sha256), 0);
  t.like(await checkCache(cache), { damaged: [{ sha256, found: 'not readable: EACCES' }] });
});

test('many runs that fetch, check and make room at once: each gets its file, and nothing else is left', async (t) => {
  const cache = temporaryDirectory(t);
  const names = Array.from({ length: 8 }, (_, i) => `file ${i}`);
  const { url } = await localServer(t, (request, response) => {
    response.end(`file ${(request.url ?? '').slice(1)}`);
  });
  const fetch = (text: string): Promise<unknown> =>
    cachedDownload(cache, {
      url: `${url}/${text.slice(5)}`,
      what: text,
      expected: { sha256: sha256Of(text) },
    });
  const outcomes = await Promise.all([
    ...names.flatMap((text) => [fetch(text), fetch(text)]),
    ...Array.from({ length: 4 }, () => checkCache(cache)),
    ...Array.from({ length: 4 }, () => pruneCache(cache, { maxBytes: 0 }, Date.now() - HOUR)),
  ]);
  for (const outcome of outcomes.slice(0, 16)) t.like(outcome, { kind: 'done' });
  t.deepEqual((await texts(cache)).sort(), names);
  t.deepEqual(readdirSync(path.join(cache, 'incoming')), []);
  t.true(statSync(cache).isDirectory());
});

test('sizes and spans of time', (t) => {
  t.is(bytesOf('500M'), 500_000_000);
  t.is(bytesOf('2 GB'), 2_000_000_000);
  t.is(bytesOf('1.5GiB'), 1.5 * 2 ** 30);
  t.is(bytesOf('0'), 0);
  for (const text of ['', '-1', 'many', '1X', '1e9', 'iB', '5i'])
    t.throws(() => bytesOf(text), { code: 'bad-size' }, text);
  t.is(durationOf('12h'), 12 * HOUR);
  t.is(durationOf('30d'), 30 * 24 * HOUR);
  t.is(durationOf('2w'), 14 * 24 * HOUR);
  for (const text of ['', '30', '-1d', '1m', 'd'])
    t.throws(() => durationOf(text), { code: 'bad-duration' }, text);
});
