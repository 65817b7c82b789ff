// SPDX-License-Identifier: Apache-2.0
/** Servers that mean harm, or mean well and are slow: redirects, bombs, drops of bytes, TLS that does not hold. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import path from 'node:path';
import { gzipSync, brotliCompressSync } from 'node:zlib';
import test, { type ExecutionContext } from 'ava';
import { FailedHere } from '../../../src/errors.js';
import { download, type DownloadRequest } from '../../../src/inputs/http/download.js';
import { localServer } from '../../helpers/http-server.js';
import { need } from '../../helpers/need.js';
import { temporaryDirectory } from '../../helpers/temp-directory.js';

const body = Buffer.from('a file of some bytes\n'.repeat(1000));
const sha256 = createHash('sha256').update(body).digest('hex');

function requestFor(
  t: ExecutionContext,
  url: string,
  more: Partial<DownloadRequest> = {},
): DownloadRequest & { readonly directory: string } {
  const directory = temporaryDirectory(t);
  return {
    url,
    what: 'the test file',
    target: path.join(directory, 'file'),
    backoffMs: 1,
    directory,
    ...more,
  };
}

async function refused(t: ExecutionContext, request: DownloadRequest, code: string): Promise<FailedHere> {
  const error = await t.throwsAsync(download(request), { instanceOf: FailedHere, code });
  t.deepEqual(readdirSync(path.dirname(request.target)), [], 'nothing is left');
  return error;
}

// ---------------------------------------------------------------- redirects

test('redirects are followed and told, without what a query may let in', async (t) => {
  const { url } = await localServer(t, ({ url: asked = '' }, response) => {
    if (asked === '/file') response.writeHead(302, { location: '/two' }).end('moved');
    else if (asked === '/two') response.writeHead(307, { location: `${url}/three?signature=secret` }).end();
    else response.end(body);
  });
  const outcome = await download(requestFor(t, `${url}/file`));
  t.like(outcome, {
    kind: 'done',
    sha256,
    fetched: {
      url: `${url}/file`,
      hops: [
        { to: `${url}/two`, status: 302 },
        { to: `${url}/three?…`, status: 307 },
      ],
    },
  });
});

test('a credential goes to the address that was named and to no other, on the same host either', async (t) => {
  const seen: (string | undefined)[] = [];
  const elsewhere = await localServer(t, (incoming, response) => {
    seen.push(incoming.headers.authorization);
    response.end(body);
  });
  const { url } = await localServer(t, (incoming, response) => {
    seen.push(incoming.headers.authorization);
    const location = incoming.url === '/file' ? '/two' : `${elsewhere.url}/three`;
    response.writeHead(302, { location }).end();
  });
  const outcome = await download(requestFor(t, `${url}/file`, { authorization: 'Bearer secret' }));
  t.deepEqual(seen, ['Bearer secret', undefined, undefined]);
  t.false(JSON.stringify(outcome).includes('secret'));
});

const leads: Readonly<Record<string, readonly [string | undefined, RegExp, number]>> = {
  'in a circle': ['/file', /more than 10 times/, 11],
  nowhere: [undefined, /redirects nowhere/, 1],
  'to what is no address': ['http://[', /redirects nowhere/, 1],
  'to a file of this machine': ['file:///etc/passwd', /neither http nor https/, 1],
  'to an address with a password': ['http://a:b@127.0.0.1/', /user name or password/, 1],
};
for (const [where, [location, message, asked]] of Object.entries(leads))
  test(`a redirect ${where} is our failure and is not tried again`, async (t) => {
    const { url, requests } = await localServer(
      t,
      (_request, response) => void response.writeHead(302, location === undefined ? {} : { location }).end(),
    );
    t.regex((await refused(t, requestFor(t, `${url}/file`), 'network')).message, message);
    t.is(requests.length, asked);
  });

// ---------------------------------------------------------------- TLS

/** Of a certificate that nobody trusts but who is told to. */
async function tlsServer(
  t: ExecutionContext,
  location: string,
): Promise<{ readonly url: string; readonly certificate: string; readonly connections: () => number }> {
  const directory = temporaryDirectory(t);
  const [key, certificate] = [path.join(directory, 'key.pem'), path.join(directory, 'cert.pem')];
  execFileSync(
    'openssl',
    `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost -keyout ${key} -out ${certificate}`.split(
      ' ',
    ),
    { stdio: 'ignore' },
  );
  let connections = 0;
  const server = createServer(
    { key: readFileSync(key), cert: readFileSync(certificate) },
    (_request, response) => void response.writeHead(302, { location }).end(),
  ).on('connection', () => connections++);
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { url: `https://localhost:${address.port}`, certificate, connections: () => connections };
}

test('a certificate that is not trusted is final: one connection, and a message that says so', async (t) => {
  if (!need(t, 'openssl')) return;
  const { url, connections } = await tlsServer(t, '/');
  const error = await refused(t, requestFor(t, `${url}/file`), 'network');
  t.regex(
    error.message,
    /certificate or TLS answer of localhost:\d+ was not accepted \(DEPTH_ZERO_SELF_SIGNED/,
  );
  t.regex(error.hint ?? '', /clock.*NODE_EXTRA_CA_CERTS/);
  t.is(connections(), 1);
});

test('a redirect from https to http is refused', async (t) => {
  if (!need(t, 'openssl')) return;
  const plain = await localServer(t, (_request, response) => void response.end(body));
  const { url, certificate } = await tlsServer(t, `${plain.url}/file?token=secret`);
  const { target } = requestFor(t, url);
  // a process of its own, which trusts the certificate from its start
  const script = `const { download } = await import(${JSON.stringify(new URL('../../../src/inputs/http/download.js', import.meta.url).href)});
    await download({ url: ${JSON.stringify(url)}, what: 'x', target: ${JSON.stringify(target)} }).then(
      () => console.log('fetched'), (error) => console.log(error.code, error.message));`;
  const said = await new Promise<string>((resolve, reject) => {
    import('node:child_process')
      .then(({ execFile }) =>
        execFile(
          process.execPath,
          ['--input-type=module', '-e', script],
          { env: { ...process.env, NODE_EXTRA_CA_CERTS: certificate } },
          (error, stdout) => (error === null ? resolve(stdout) : reject(error)),
        ),
      )
      .catch(reject);
  });
  t.regex(said, /^network .*redirects to an address without TLS/);
  t.false(said.includes('secret'));
  t.deepEqual(plain.requests, []);
});

// ---------------------------------------------------------------- bodies

for (const [coding, packed] of [
  ['gzip', gzipSync(body)],
  ['br', brotliCompressSync(body)],
] as const)
  test(`a body that is sent as ${coding} although nobody asked is unpacked`, async (t) => {
    const { url } = await localServer(
      t,
      (_request, response) =>
        void response
          .writeHead(200, { 'content-encoding': coding, 'content-length': packed.length })
          .end(packed),
    );
    t.like(await download(requestFor(t, `${url}/file`)), { kind: 'done', sha256, size: body.length });
  });

test('a compressed bomb is left at its bound', async (t) => {
  const packed = gzipSync(Buffer.alloc(64 << 20));
  const { url, requests } = await localServer(
    t,
    (_request, response) => void response.writeHead(200, { 'content-encoding': 'gzip' }).end(packed),
  );
  const error = await refused(t, requestFor(t, `${url}/file`), 'unreadable-input');
  t.regex(error.message, /limit of 100 to one/);
  t.is(requests.length, 1);
});

for (const [what, coding, sent] of [
  ['is not what it is called', 'gzip', body],
  ['ends before its end', 'gzip', gzipSync(body).subarray(0, 40)],
  ['has a name that nobody asked for', 'zstd', body],
] as const)
  test(`a packed body that ${what} is our failure`, async (t) => {
    const { url } = await localServer(
      t,
      (_request, response) => void response.writeHead(200, { 'content-encoding': coding }).end(sent),
    );
    await refused(t, requestFor(t, `${url}/file`, { attempts: 1 }), 'network');
  });

test('a body that says at once that it is over the limit is not begun', async (t) => {
  const { url } = await localServer(t, (_request, response) => {
    response.writeHead(200, { 'content-length': '1000000000' });
    response.flushHeaders();
  });
  await refused(t, requestFor(t, `${url}/file`, { maxBytes: 1000 }), 'unreadable-input');
});

for (const [what, size, sent] of [
  ['shorter', body.length + 1, body],
  ['longer', body.length - 1, body],
] as const)
  test(`a file that is ${what} than its index says is told with both sizes`, async (t) => {
    const { url } = await localServer(t, (_request, response) => void response.end(sent));
    const request = requestFor(t, `${url}/file`, { expected: { size } });
    t.like(await download(request), { kind: 'wrong-content', expected: { size } });
    t.deepEqual(readdirSync(request.directory), []);
  });

// ---------------------------------------------------------------- pace

/** A byte now and then: never silent for long. */
const drip = (t: ExecutionContext): ReturnType<typeof localServer> =>
  localServer(t, (_request, response) => {
    response.writeHead(200, { 'content-length': '100000000' });
    const timer = setInterval(() => response.write('x'), 20);
    response.on('close', () => clearInterval(timer));
  });

test('a server that sends drop by drop is too slow, and is given up', async (t) => {
  const { url, requests } = await drip(t);
  const pace = { idleMs: 5000, minBytes: 10_000, windowMs: 500 };
  const error = await refused(t, requestFor(t, `${url}/file`, { pace, attempts: 2 }), 'network');
  t.regex(error.message, /sends too slowly/);
  t.is(requests.length, 2);
});

test('all attempts together have a time', async (t) => {
  const { url } = await drip(t);
  const error = await refused(t, requestFor(t, `${url}/file`, { totalMs: 700 }), 'time-limit');
  t.regex(error.message, /within 1 seconds: \d+ bytes arrived/);
});

test('the time also ends a wait for the next attempt', async (t) => {
  const { url } = await localServer(t, (_request, response) => void response.writeHead(503).end());
  const started = performance.now();
  await refused(t, requestFor(t, `${url}/file`, { totalMs: 500, backoffMs: 9000 }), 'time-limit');
  t.true(performance.now() - started < 8000);
});

// ---------------------------------------------------------------- allowances

test('an allowance that is used up is told as one, with the time of the next', async (t) => {
  const reset = String(Math.ceil(Date.now() / 1000) + 1000);
  const { url, requests } = await localServer(
    t,
    (_request, response) =>
      void response.writeHead(403, { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': reset }).end(),
  );
  const error = await refused(t, requestFor(t, `${url}/file`), 'rate-limited');
  t.regex(error.hint ?? '', /try again in (?:999|1000|1001) seconds/);
  t.is(requests.length, 1);
});

test('a refusal with an allowance left is a refusal', async (t) => {
  const { url } = await localServer(
    t,
    (_request, response) => void response.writeHead(403, { 'x-ratelimit-remaining': '10' }).end(),
  );
  await refused(t, requestFor(t, `${url}/file`), 'network');
});
