// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:net';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { FailedHere, UsageError, type FailureClass } from '../../../src/errors.js';
import { storageFailure } from '../../../src/inputs/atomic-file.js';
import { download, type DownloadRequest } from '../../../src/inputs/http/download.js';
import { retryAfterMs } from '../../../src/inputs/http/http-failure.js';
import type { ProgressEvent } from '../../../src/model.js';
import { localServer } from '../../helpers/http-server.js';
import { temporaryDirectory } from '../../helpers/temp-directory.js';

const body = Buffer.from('a file of some bytes\n'.repeat(1000));
const digest = createHash('sha256').update(body).digest('hex');

type Answer = (request: IncomingMessage, response: ServerResponse, before: number) => void;
const send: Answer = (_request, response) => void response.end(body);
const status =
  (code: number, headers: Record<string, string> = {}): Answer =>
  (_request, response) =>
    void response.writeHead(code, headers).end('no');

const endless: Answer = (_request, response) => {
  const more = (): void => {
    while (response.write(body));
  };
  response.on('drain', more);
  more();
};

async function setUp(
  t: ExecutionContext,
  answer: Answer,
  more: Partial<DownloadRequest> = {},
): Promise<{ request: DownloadRequest; requests: readonly string[]; directory: string }> {
  const directory = temporaryDirectory(t);
  const { url, requests } = await localServer(t, answer);
  const target = path.join(directory, 'file');
  const request = { url: `${url}/file`, what: 'the test file', target, backoffMs: 1, ...more };
  return { request, requests, directory };
}

test('a file arrives complete under its name, with size and digest', async (t) => {
  const { request, directory } = await setUp(t, send, { expected: { size: body.length, sha256: digest } });
  const outcome = await download(request);
  t.like(outcome, { kind: 'done', path: request.target, size: body.length, sha256: digest });
  if (outcome.kind !== 'done') throw new Error(outcome.kind);
  const { time, ...fetched } = outcome.fetched;
  t.deepEqual(fetched, {
    url: request.url,
    hops: [],
    size: body.length,
    sha256: digest,
    digestExpected: true,
  });
  t.true(Math.abs(Date.now() - Date.parse(time)) < 60_000);
  t.deepEqual(readFileSync(request.target), body);
  t.deepEqual(readdirSync(directory), ['file']);
});

for (const code of [404, 410] as const)
  test(`status ${code} is an outcome with the address, not an error, and is not asked for again`, async (t) => {
    const { request, requests, directory } = await setUp(t, status(code));
    t.deepEqual(await download(request), { kind: 'gone', url: request.url, status: code });
    t.is(requests.length, 1);
    t.deepEqual(readdirSync(directory), []);
  });

const recovers = test.macro({
  async exec(t, first: Answer) {
    const { request, requests } = await setUp(t, (incoming, response, before) =>
      (before === 0 ? first : send)(incoming, response, before),
    );
    t.like(await download(request), { kind: 'done', sha256: digest });
    t.is(requests.length, 2);
  },
  title: (given) => `the second attempt succeeds after ${given}`,
});
test('status 429 with Retry-After', recovers, status(429, { 'retry-after': '0' }));
test('status 503', recovers, status(503));
test('a truncated body', recovers, (_request, response) => {
  response.writeHead(200, { 'content-length': String(body.length) });
  response.write(body.subarray(0, 100), () => response.destroy());
});
test('a chunked body without its end', recovers, (_request, response) => {
  response.write(body.subarray(0, 100), () => response.destroy());
});
test('a connection that is reset', recovers, (incoming) => void incoming.socket.resetAndDestroy());

const fails = test.macro({
  async exec(
    t,
    answer: Answer,
    code: FailureClass,
    requestsSeen: number,
    more: Partial<DownloadRequest> = {},
  ) {
    const { request, requests, directory } = await setUp(t, answer, { attempts: 2, ...more });
    const error = await t.throwsAsync(download(request), { instanceOf: FailedHere, code });
    t.true(error.message.includes('the test file'), 'says what was wanted');
    t.true(error.message.includes(request.url), 'says from where');
    t.is(requests.length, requestsSeen);
    t.deepEqual(readdirSync(directory), [], 'nothing is left');
  },
  title: (given) => `${given} is our failure, with a class, and leaves nothing behind`,
});
test('status 429 again and again', fails, status(429), 'rate-limited', 2);
test('a Retry-After longer than we wait', fails, status(429, { 'retry-after': '3600' }), 'rate-limited', 1);
test('status 503 again and again', fails, status(503), 'network', 2);
test('status 403', fails, status(403), 'network', 1);
test(
  'a server that stops sending',
  fails,
  (_request, response) => void response.write(body.subarray(0, 100)),
  'network',
  2,
  {
    pace: { idleMs: 800 },
  },
);
test('a server that never answers', fails, () => undefined, 'network', 2, { pace: { idleMs: 800 } });
test('a body over the limit', fails, send, 'unreadable-input', 1, { maxBytes: 1000 });

test('a body that is not the expected one is told with both digests and not kept', async (t) => {
  const expected = { size: body.length, sha256: '0'.repeat(64) };
  const { request, directory } = await setUp(t, send, { expected });
  t.deepEqual(await download(request), {
    kind: 'wrong-content',
    url: request.url,
    expected,
    size: body.length,
    sha256: digest,
  });
  t.deepEqual(readdirSync(directory), []);
});

test('reading stops where the body is longer than expected', async (t) => {
  const { request } = await setUp(t, endless, { expected: { size: 10_000 } });
  const outcome = await download(request);
  t.is(outcome.kind, 'wrong-content');
  t.true(outcome.kind === 'wrong-content' && outcome.size > 10_000 && outcome.size < 10_000_000);
});

test('an existing file keeps its content when a download of the same name fails', async (t) => {
  const { request } = await setUp(t, (incoming, response, before) =>
    (before === 0 ? send : status(503))(incoming, response, before),
  );
  await download(request);
  await t.throwsAsync(download({ ...request, attempts: 1 }), { code: 'network' });
  t.deepEqual(readFileSync(request.target), body);
});

test('a refused connection is told at once', async (t) => {
  const server = createServer();
  const port = await new Promise<number>((resolve) =>
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    }),
  );
  await new Promise((resolve) => server.close(resolve));
  const target = path.join(temporaryDirectory(t), 'file');
  const request = { url: `http://127.0.0.1:${port}/file`, what: 'the test file', target };
  const error = await t.throwsAsync(download(request), { instanceOf: FailedHere, code: 'network' });
  t.regex(error.message, /refused/);
  t.regex(error.hint ?? '', /can be reached/);
});

test('a host name that does not resolve is told at once', async (t) => {
  const target = path.join(temporaryDirectory(t), 'file');
  const request = { url: 'http://no-such-host.invalid/file', what: 'the test file', target, attempts: 1 };
  await t.throwsAsync(download(request), { instanceOf: FailedHere, code: 'network' });
});

test('an answer without TLS on a TLS port is a network failure', async (t) => {
  const { request } = await setUp(t, send, { attempts: 1 });
  await t.throwsAsync(download({ ...request, url: request.url.replace('http:', 'https:') }), {
    code: 'network',
  });
});

test('Ctrl-C while a body arrives is `interrupted` and leaves nothing behind', async (t) => {
  const controller = new AbortController();
  const { request, directory } = await setUp(
    t,
    (_request, response) => {
      response.write(body.subarray(0, 100), () => setTimeout(() => controller.abort(), 20));
    },
    { signal: controller.signal },
  );
  await t.throwsAsync(download(request), { code: 'interrupted' });
  t.deepEqual(readdirSync(directory), []);
});

test('Ctrl-C while waiting for the next attempt is `interrupted`', async (t) => {
  const controller = new AbortController();
  const { request } = await setUp(t, status(503), {
    signal: controller.signal,
    backoffMs: 20_000,
    onProgress: () => controller.abort(),
  });
  await t.throwsAsync(download(request), { code: 'interrupted' });
});

test('progress tells bytes and the total that was announced', async (t) => {
  const big = Buffer.alloc(3 << 20);
  const events: ProgressEvent[] = [];
  const { request } = await setUp(
    t,
    (_request, response) => void response.writeHead(200, { 'content-length': String(big.length) }).end(big),
    { onProgress: (event) => events.push(event), phase: 'source' },
  );
  await download(request);
  t.true(events.length >= 2);
  t.like(events[0], { kind: 'phase-progress', phase: 'source', total: big.length, unit: 'bytes' });
});

test('a full disk is its own class', (t) => {
  // a file system that is full cannot be made without privileges: the mapping of its error is what is held here
  const error = storageFailure(
    Object.assign(new Error('ENOSPC'), { code: 'ENOSPC', syscall: 'write' }),
    'the test file',
    '/x/y',
  );
  t.true(error instanceof FailedHere);
  t.like(error, { code: 'disk-full' });
  const bug = new TypeError('x is not a function');
  t.is(storageFailure(bug, 'the test file', '/x/y'), bug);
});

for (const url of [
  'ftp://example.org/x',
  'file:///etc/passwd',
  'not an address',
  'http://user:secret@example.org/',
])
  test(`the address ${url} is refused`, async (t) => {
    const target = path.join(temporaryDirectory(t), 'file');
    const error = await t.throwsAsync(download({ url, what: 'the test file', target }), {
      instanceOf: UsageError,
    });
    t.is(error.code, 'bad-url');
    t.false(existsSync(target));
  });

test('Retry-After is read as seconds or as a date', (t) => {
  const now = Date.parse('2026-01-01T00:00:00Z');
  t.is(retryAfterMs('120', now), 120_000);
  t.is(retryAfterMs('Thu, 01 Jan 2026 00:00:30 GMT', now), 30_000);
  t.is(retryAfterMs('Thu, 01 Jan 2015 00:00:30 GMT', now), 0);
  t.is(retryAfterMs('soon', now), undefined);
  t.is(retryAfterMs(undefined, now), undefined);
});

test('the directory of the target is made', async (t) => {
  const { request, directory } = await setUp(t, send);
  mkdirSync(path.join(directory, 'one'));
  const target = path.join(directory, 'one/two/file');
  t.like(await download({ ...request, target }), { kind: 'done', path: target });
});
