// SPDX-License-Identifier: Apache-2.0
/** Connections that break: what arrived is used, and only where it must be part of the same file. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { cachedDownload } from '../../../src/inputs/cache.js';
import { download } from '../../../src/inputs/http/download.js';
import { sweepKept } from '../../../src/inputs/http/partial-file.js';
import { localServer } from '../../helpers/http-server.js';
import { rangedServer } from '../../helpers/ranged-server.js';
import { temporaryDirectory } from '../../helpers/temp-directory.js';

const bytes = Buffer.concat(Array.from({ length: 4000 }, (_, i) => Buffer.from(`line ${i} of a file\n`)));
const other = Buffer.from(bytes).fill('x', bytes.length - 50);
const sha256Of = (data: Buffer): string => createHash('sha256').update(data).digest('hex');
const sha256 = sha256Of(bytes);
const etag = '"first"';
const once =
  (at: number) =>
  (request: number): number | undefined =>
    request === 0 ? at : undefined;

for (let tenth = 1; tenth < 10; tenth++) {
  const at = Math.floor((bytes.length * tenth) / 10);
  test(`cut at ${tenth * 10} %: with an ETag the rest is asked for`, async (t) => {
    const { url, ranges } = await rangedServer(t, () => ({ bytes, etag }), once(at));
    const target = path.join(temporaryDirectory(t), 'file');
    const outcome = await download({ url, what: 'x', target, backoffMs: 1 });
    t.like(outcome, { kind: 'done', size: bytes.length, sha256, fetched: { etag, digestExpected: false } });
    t.deepEqual(ranges, [undefined, `bytes=${at}-`]);
    t.deepEqual(readFileSync(target), bytes);
  });
  test(`cut at ${tenth * 10} %: a known digest is enough to ask for the rest`, async (t) => {
    const { url, ranges } = await rangedServer(t, () => ({ bytes }), once(at));
    const target = path.join(temporaryDirectory(t), 'file');
    const expected = { sha256 };
    t.like(await download({ url, what: 'x', target, expected, backoffMs: 1 }), { kind: 'done', sha256 });
    t.deepEqual(ranges, [undefined, `bytes=${at}-`]);
  });
  test(`cut at ${tenth * 10} %: without either it begins anew`, async (t) => {
    const { url, ranges } = await rangedServer(t, () => ({ bytes, etag: 'W/"weak"' }), once(at));
    const target = path.join(temporaryDirectory(t), 'file');
    t.like(await download({ url, what: 'x', target, backoffMs: 1 }), { kind: 'done', sha256 });
    t.deepEqual(ranges, [undefined, undefined]);
  });
}

test('a server that breaks off every time gives the file in the end, more often than it may fail', async (t) => {
  const step = Math.ceil(bytes.length / 10);
  const { url, ranges } = await rangedServer(
    t,
    () => ({ bytes, etag }),
    (request) => (request < 9 ? step : undefined),
  );
  const target = path.join(temporaryDirectory(t), 'file');
  t.like(await download({ url, what: 'x', target, backoffMs: 1, attempts: 2 }), { kind: 'done', sha256 });
  t.is(ranges.length, 10);
});

test('a file that changed in between is fetched whole: no half of each', async (t) => {
  const { url, ranges } = await rangedServer(
    t,
    (request) => (request === 0 ? { bytes, etag } : { bytes: other, etag: '"second"' }),
    once(30_000),
  );
  const target = path.join(temporaryDirectory(t), 'file');
  t.like(await download({ url, what: 'x', target, backoffMs: 1 }), { kind: 'done', sha256: sha256Of(other) });
  t.deepEqual(ranges, [undefined, 'bytes=30000-']);
  t.deepEqual(readFileSync(target), other);
});

/** The first answer breaks off at byte 30000; what comes then is for each test to say. */
const liars: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'of another file': { 'content-range': `bytes 30000-${bytes.length - 1}/${bytes.length}`, etag: '"second"' },
  'that begins elsewhere': { 'content-range': `bytes 29999-${bytes.length - 1}/${bytes.length}`, etag },
  'without a range': { etag },
  'of unknown length': { 'content-range': `bytes 30000-${bytes.length - 1}/*`, etag },
  'in another unit': { 'content-range': `lines 30000-${bytes.length - 1}/${bytes.length}`, etag },
};
for (const [what, headers] of Object.entries(liars))
  test(`a part ${what} is not put together: the whole is asked for`, async (t) => {
    const asked: (string | undefined)[] = [];
    const { url } = await localServer(t, ({ headers: { range } }, response) => {
      asked.push(range);
      if (asked.length === 1) {
        response.writeHead(200, { etag, 'content-length': bytes.length });
        response.write(bytes.subarray(0, 30_000), () => setTimeout(() => response.destroy(), 150));
      } else if (range !== undefined) response.writeHead(206, headers).end(other.subarray(30_000));
      else response.writeHead(200, { etag }).end(bytes);
    });
    const target = path.join(temporaryDirectory(t), 'file');
    t.like(await download({ url, what: 'x', target, backoffMs: 1 }), { kind: 'done', sha256 });
    t.deepEqual(asked, [undefined, 'bytes=30000-', undefined]);
  });

test('a part that ends before the file does is no file', async (t) => {
  const { url } = await localServer(t, ({ headers: { range } }, response, before) => {
    if (before === 0) {
      response.writeHead(200, { etag, 'content-length': bytes.length });
      response.write(bytes.subarray(0, 30_000), () => setTimeout(() => response.destroy(), 150));
      return;
    }
    const start = Number(/\d+/.exec(range ?? '')?.[0] ?? 0);
    const end = Math.min(bytes.length, start + 20_000);
    response
      .writeHead(206, { etag, 'content-range': `bytes ${start}-${end - 1}/${bytes.length}` })
      .end(bytes.subarray(start, end));
  });
  const target = path.join(temporaryDirectory(t), 'file');
  t.like(await download({ url, what: 'x', target, backoffMs: 1 }), { kind: 'done', sha256 });
});

test('a rest with other bytes than the digest says is thrown away, and the whole is asked for once', async (t) => {
  const { url, ranges } = await rangedServer(
    t,
    (request) => (request === 1 ? { bytes: other, etag } : { bytes, etag }),
    once(30_000),
  );
  const target = path.join(temporaryDirectory(t), 'file');
  const request = { url, what: 'x', target, backoffMs: 1 };
  t.like(await download({ ...request, expected: { sha256 } }), { kind: 'done', sha256 });
  t.deepEqual(ranges, [undefined, 'bytes=30000-', undefined]);
});

test('a file that is shorter than what arrived of it is fetched whole', async (t) => {
  const short = bytes.subarray(0, 1000);
  const { url, ranges } = await rangedServer(t, (n) => ({ bytes: n === 0 ? bytes : short }), once(30_000));
  const target = path.join(temporaryDirectory(t), 'file');
  const outcome = await download({ url, what: 'x', target, expected: { sha256 }, backoffMs: 1 });
  t.like(outcome, { kind: 'wrong-content', size: 1000, sha256: sha256Of(short) });
  t.deepEqual(ranges.slice(0, 3), [undefined, 'bytes=30000-', undefined]);
  t.false(existsSync(target));
});

// ---------------------------------------------------------------- over several runs

const files = (directory: string): string[] =>
  readdirSync(directory, { recursive: true, withFileTypes: true, encoding: 'utf8' })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(directory, path.join(entry.parentPath, entry.name)))
    .sort();

test('a run that failed leaves its part aside, outside of the cache’s files, and the next one goes on', async (t) => {
  const cache = temporaryDirectory(t);
  const { url, ranges } = await rangedServer(t, () => ({ bytes, etag }), once(30_000));
  const request = { url, what: 'x', backoffMs: 1 };
  await t.throwsAsync(cachedDownload(cache, { ...request, attempts: 1 }), { code: 'network' });
  t.deepEqual(
    files(cache).map((name) => name.replace(/[0-9a-f]{64}/, 'KEY')),
    ['partial/KEY/data', 'partial/KEY/meta.json'],
  );
  t.like(await cachedDownload(cache, request), { kind: 'done', sha256 });
  t.deepEqual(ranges, [undefined, 'bytes=30000-']);
  t.deepEqual(files(cache), [`origins/${sha256}.json`, `sha256/${sha256.slice(0, 2)}/${sha256}`]);
});

test('a part that was changed meanwhile is not gone on with', async (t) => {
  const cache = temporaryDirectory(t);
  const { url, ranges } = await rangedServer(t, () => ({ bytes, etag }), once(30_000));
  const request = { url, what: 'x', backoffMs: 1 };
  await t.throwsAsync(cachedDownload(cache, { ...request, attempts: 1 }), { code: 'network' });
  const [data = ''] = files(cache);
  writeFileSync(path.join(cache, data), bytes.subarray(0, 29_999));
  t.like(await cachedDownload(cache, request), { kind: 'done', sha256 });
  t.deepEqual(ranges, [undefined, undefined]);
});

test('nobody goes on with a part of what has another digest', async (t) => {
  const cache = temporaryDirectory(t);
  const { url, ranges } = await rangedServer(t, () => ({ bytes, etag }), once(30_000));
  const request = { url, what: 'x', backoffMs: 1 };
  await t.throwsAsync(
    cachedDownload(cache, { ...request, expected: { sha256: sha256Of(other) }, attempts: 1 }),
    {
      code: 'network',
    },
  );
  t.like(await cachedDownload(cache, { ...request, expected: { sha256 } }), { kind: 'done' });
  t.deepEqual(ranges, [undefined, undefined]);
});

test('of several runs at once one goes on with the part, and all get the file', async (t) => {
  const cache = temporaryDirectory(t);
  const { url, ranges } = await rangedServer(t, () => ({ bytes, etag }), once(30_000));
  const request = { url, what: 'x', backoffMs: 1 };
  await t.throwsAsync(cachedDownload(cache, { ...request, attempts: 1 }), { code: 'network' });
  const outcomes = await Promise.all(Array.from({ length: 6 }, () => cachedDownload(cache, request)));
  for (const outcome of outcomes) t.like(outcome, { kind: 'done', sha256, size: bytes.length });
  t.is(ranges.filter((range) => range !== undefined).length, 1);
  t.deepEqual(files(cache), [`origins/${sha256}.json`, `sha256/${sha256.slice(0, 2)}/${sha256}`]);
});

test('parts that nobody came back for are removed after a week', async (t) => {
  const directory = temporaryDirectory(t);
  for (const name of ['old', 'new']) mkdirSync(path.join(directory, name));
  const then = new Date(Date.now() - 8 * 24 * 60 * 60 * 1000);
  utimesSync(path.join(directory, 'old'), then, then);
  await sweepKept(directory);
  t.deepEqual(readdirSync(directory), ['new']);
});
