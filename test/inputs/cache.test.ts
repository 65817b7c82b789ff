// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'ava';
import {
  cacheDirectory,
  cachedDownload,
  copyOut,
  fromCache,
  recall,
  remember,
} from '../../src/inputs/cache.js';
import { localServer } from '../helpers/http-server.js';
import { temporaryDirectory } from '../helpers/temp-directory.js';

const body = Buffer.from('some content');
const sha256 = createHash('sha256').update(body).digest('hex');

test('a file whose digest is known is fetched once', async (t) => {
  const cache = temporaryDirectory(t);
  const { url, requests } = await localServer(t, (_request, response) => void response.end(body));
  const request = { url: `${url}/x`, what: 'x', expected: { sha256 } };
  const first = await cachedDownload(cache, request);
  t.like(first, { kind: 'done', sha256, size: body.length });
  t.deepEqual(await cachedDownload(cache, request), { ...first, cached: true });
  t.is(requests.length, 1);
});

test('a damaged file of the cache is fetched again', async (t) => {
  const cache = temporaryDirectory(t);
  const { url, requests } = await localServer(t, (_request, response) => void response.end(body));
  const request = { url: `${url}/x`, what: 'x', expected: { sha256 } };
  const first = await cachedDownload(cache, request);
  if (first.kind !== 'done') throw new Error(first.kind);
  truncateSync(first.path, 3);
  t.is(await fromCache(cache, sha256), undefined);
  t.false(existsSync(first.path), 'the damaged file is gone');
  await cachedDownload(cache, request);
  t.is(requests.length, 2);
  t.deepEqual(readFileSync(first.path), body);
});

test('a file of another content never enters the cache', async (t) => {
  const cache = temporaryDirectory(t);
  const { url } = await localServer(t, (_request, response) => void response.end('tampered'));
  const outcome = await cachedDownload(cache, { url: `${url}/x`, what: 'x', expected: { sha256 } });
  t.is(outcome.kind, 'wrong-content');
  t.is(await fromCache(cache, sha256), undefined);
  t.deepEqual(readdirSync(path.join(cache, 'incoming')), []);
});

test('two runs at once both get the file', async (t) => {
  const cache = temporaryDirectory(t);
  const { url } = await localServer(t, (_request, response) => void setTimeout(() => response.end(body), 20));
  const request = { url: `${url}/x`, what: 'x', expected: { sha256 } };
  const outcomes = await Promise.all([cachedDownload(cache, request), cachedDownload(cache, request)]);
  t.deepEqual(
    outcomes.map(({ kind }) => kind),
    ['done', 'done'],
  );
  t.deepEqual(readFileSync((await fromCache(cache, sha256)) ?? ''), body);
});

test('what a killed run left is swept after a day, what runs now is not', async (t) => {
  const cache = temporaryDirectory(t);
  mkdirSync(path.join(cache, 'incoming'));
  const old = path.join(cache, 'incoming', '.download.part-1-aa');
  const young = path.join(cache, 'incoming', '.download.part-1-bb');
  writeFileSync(old, '');
  writeFileSync(young, '');
  utimesSync(old, 1, 1);
  const { url } = await localServer(t, (_request, response) => void response.end(body));
  await cachedDownload(cache, { url: `${url}/x`, what: 'x' });
  t.false(existsSync(old));
  t.true(existsSync(young));
});

test('a copy that is changed leaves the cached file as it is', async (t) => {
  const cache = temporaryDirectory(t);
  const { url } = await localServer(t, (_request, response) => void response.end(body));
  const outcome = await cachedDownload(cache, { url: `${url}/x`, what: 'x' });
  if (outcome.kind !== 'done') throw new Error(outcome.kind);
  const copy = path.join(cache, 'out/deep/copy');
  await copyOut(outcome.path, copy);
  writeFileSync(copy, 'changed');
  t.is(await fromCache(cache, sha256), outcome.path);
});

test('a text is recalled under its key only, and not when it is damaged', async (t) => {
  const cache = temporaryDirectory(t);
  await remember(cache, 'key', 'one\ntwo\n');
  t.is(await recall(cache, 'key'), 'one\ntwo\n');
  t.is(await recall(cache, 'other'), undefined);
  const directory = path.join(cache, 'texts');
  const file = path.join(directory, readdirSync(directory)[0] ?? '');
  writeFileSync(file, readFileSync(file, 'utf8').replace('two', 'tow'));
  t.is(await recall(cache, 'key'), undefined);
});

test('the directory follows the base directory specification', (t) => {
  t.is(cacheDirectory({ XDG_CACHE_HOME: '/var/c' }), '/var/c/samesource');
  t.is(cacheDirectory({ XDG_CACHE_HOME: 'relative' }), path.join(os.homedir(), '.cache/samesource'));
  t.is(cacheDirectory({}), path.join(os.homedir(), '.cache/samesource'));
});
