// SPDX-License-Identifier: Apache-2.0
/** The recording proxy with good and bad clients and servers, recorded and then answered from the record. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import net from 'node:net';
import path from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import test, { type ExecutionContext } from 'ava';
import { slot } from '../../../src/inputs/cache.js';
import {
  recordingProxy,
  type ProxyOptions,
  type ProxyOutcome,
} from '../../../src/inputs/proxy/recording-proxy.js';
import { localServer } from '../../helpers/http-server.js';
import { localTlsServer } from '../../helpers/local-authority.js';
import { need } from '../../helpers/need.js';
import { temporaryDirectory } from '../../helpers/temp-directory.js';

const execute = promisify(execFile);
const BIG = Buffer.alloc(3 << 20, 'big ');
const sha256 = (bytes: string | Buffer): string => createHash('sha256').update(bytes).digest('hex');

interface Place {
  readonly cache: string;
  readonly directory: string;
}

function place(t: ExecutionContext): Place {
  const root = temporaryDirectory(t);
  return { cache: path.join(root, 'cache'), directory: path.join(root, 'run') };
}

interface Asked {
  readonly code: number;
  readonly text: string;
}

type Ask = (...args: readonly string[]) => Promise<Asked>;

/** `work` asks with curl, as a build script would. */
async function through(
  where: Place,
  options: Partial<ProxyOptions>,
  work: (ask: Ask, port: number, certificate: string) => Promise<void>,
): Promise<ProxyOutcome> {
  const proxy = await recordingProxy({ phase: 'prepare', maxBytes: 1 << 30, ...where, ...options });
  const port = await proxy.listen({ host: '127.0.0.1', port: 0 });
  const certificate = path.join(where.directory, 'trust.pem');
  if (proxy.certificate !== undefined) writeFileSync(certificate, proxy.certificate.pem);
  try {
    await work(
      async (...args) => {
        const all = ['-sS', '-m', '20', '--noproxy', '', '-x', `http://127.0.0.1:${port}`, ...args];
        return await execute('curl', all, { maxBuffer: 64 << 20 }).then(
          ({ stdout }) => ({ code: 0, text: stdout }),
          (error: { code: number; stdout: string }) => ({ code: error.code, text: error.stdout }),
        );
      },
      port,
      certificate,
    );
  } catch (error) {
    await proxy.close();
    throw error;
  }
  return await proxy.close();
}

const trusted = (url: string): readonly string[] => [new URL(url).host, `localhost:${new URL(url).port}`];

function answers(request: IncomingMessage, response: ServerResponse): void {
  const { url = '' } = request;
  if (url === '/cut') {
    response.writeHead(200, { 'content-length': 1000 }).write('x'.repeat(500));
    setTimeout(() => response.destroy(), 20);
  } else if (url === '/chunked-cut') {
    response.write('half');
    setTimeout(() => response.destroy(), 20);
  } else if (url === '/big') response.end(BIG);
  else if (url === '/chunked') {
    response.write('one, ');
    setTimeout(() => response.end('two'), 20);
  } else if (url === '/packed')
    response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('packed text'));
  else if (url === '/away')
    response.writeHead(302, { location: '/there?signature=secret', 'set-cookie': 'who=me' }).end();
  else if (url === '/part' && request.headers.range === 'bytes=2-3')
    response.writeHead(206, { 'content-range': 'bytes 2-3/6' }).end('cd');
  else if (url === '/part' && request.headers['if-none-match'] === '"1"') response.writeHead(304).end();
  else if (url === '/part') response.writeHead(200, { etag: '"1"' }).end('abcdef');
  else if (url === '/gone') response.writeHead(404).end('nothing here');
  else {
    const hash = createHash('sha256');
    request.on('data', (chunk: Buffer) => hash.update(chunk));
    request.on('end', () => response.end(`${request.method} ${url} ${hash.digest('hex').slice(0, 8)}`));
  }
}

test('what is recorded is answered in the same way later, by nobody else', async (t) => {
  if (!need(t, 'curl')) return;
  const where = place(t);
  const { url, requests } = await localServer(t, answers);
  const script = async (ask: Ask): Promise<readonly Asked[]> => [
    await ask(`${url}/plain`),
    await ask('-I', `${url}/plain`),
    await ask('-d', 'some words', `${url}/post`),
    await ask('-d', 'other words', `${url}/post`),
    await ask(`${url}/chunked`),
    await ask('--compressed', `${url}/packed`),
    await ask('-L', `${url}/away`),
    await ask('-r', '2-3', `${url}/part`),
    await ask('-H', 'If-None-Match: "1"', '-w', '%{http_code}', `${url}/part`),
    await ask(`${url}/part`),
    await ask('-w', '%{http_code}', `${url}/gone`),
    await ask('-u', 'me:password', `${url}/private?token=secret`),
    await ask(`${url}/big`),
    await ask(`${url}/cut`).then(({ code }) => ({ code, text: '' })),
  ];
  let first: readonly Asked[] = [];
  const recorded = await through(where, { trusted: trusted(url) }, async (ask) => {
    first = await script(ask);
  });
  t.is(first[0]?.text, 'GET /plain e3b0c442');
  t.is(first[5]?.text, 'packed text');
  t.is(first[7]?.text, 'cd');
  t.is(first[13]?.code, 18);
  const { world } = recorded;
  t.deepEqual([recorded.refused, recorded.missing, world.unrecorded], [[], [], []]);
  t.deepEqual(
    world.requests.map(({ method, url: asked, status, problem }) =>
      [method, asked.slice(url.length), status, problem].filter((part) => part !== undefined).join(' '),
    ),
    [
      'GET /plain 200',
      'HEAD /plain 200',
      'POST /post 200',
      'POST /post 200',
      'GET /chunked 200',
      'GET /packed 200',
      'GET /away 302',
      'GET /there?… 200',
      'GET /part 206',
      'GET /part 304',
      'GET /part 200',
      'GET /gone 404',
      'GET /private?… 200',
      'GET /big 200',
      'GET /cut 200 cut',
    ],
  );
  const of = (name: string) => world.requests.find(({ url: asked }) => asked === url + name);
  t.is(of('/big')?.sha256, sha256(BIG));
  t.is(of('/packed')?.sha256, sha256(gzipSync('packed text')), 'as it was transferred');
  t.is(of('/cut')?.sha256, undefined);
  const record = readFileSync(slot(where.cache, world.record ?? ''), 'utf8');
  t.notRegex(record + JSON.stringify(world), /secret|password|who=me/);
  t.deepEqual(readdirSync(path.join(where.cache, 'incoming')), []);

  const before = requests.length;
  let second: readonly Asked[] = [];
  const replayed = await through(where, { replay: world.record ?? '' }, async (ask) => {
    second = await script(ask);
  });
  t.is(requests.length, before, 'nobody was asked');
  t.deepEqual(replayed.missing, []);
  t.deepEqual(second.slice(0, 6), first.slice(0, 6));
  t.true(second[6]?.text.startsWith('GET /there'));
  t.deepEqual(second.slice(7, 13), first.slice(7, 13));

  const other = await through(where, { replay: world.record ?? '' }, async (ask) => {
    t.is((await ask('-w', '%{http_code}', '-o', '/dev/null', '-d', 'new words', `${url}/post`)).text, '504');
    await ask('-r', '0-1', `${url}/part`);
    await ask(`${url}/plain?more`);
    rmSync(slot(where.cache, sha256(BIG)));
    await ask(`${url}/big`);
    writeFileSync(slot(where.cache, sha256('abcdef')), 'abcdeX');
    await ask(`${url}/part`);
  });
  t.deepEqual(other.missing, [`GET ${url}/big`, `GET ${url}/part`, `GET ${url}/plain?…`, `POST ${url}/post`]);
});

test('HTTPS is read with a certificate that the client trusts, and only host and bytes are known without', async (t) => {
  if (!need(t, 'curl', 'openssl')) return;
  const where = place(t);
  const server = await localTlsServer(t, answers);
  const at = `localhost:${server.port}`;
  const dispatcher = new (await import('undici')).Agent({ connect: { ca: server.pem } });
  const opened = await through(
    where,
    { certificate: true, trusted: [at], dispatcher },
    async (ask, port, certificate) => {
      t.is((await ask('--cacert', certificate, `https://${at}/plain`)).text, 'GET /plain e3b0c442');
      t.is((await ask('--cacert', certificate, `https://${at}/big`)).text.length, BIG.length);
      t.is((await ask(`https://${at}/other`)).code, 60, 'a client that does not trust it');
      // through an opened tunnel, but no TLS
      await new Promise<void>((resolve) => {
        const socket = net.connect(port, '127.0.0.1');
        socket.on('data', (data) => {
          if (data.includes('200')) socket.end('SSH-2.0-none\r\n');
        });
        socket.on('close', () => resolve()).on('error', () => undefined);
        socket.write(`CONNECT ${at} HTTP/1.1\r\n\r\n`);
      });
    },
  );
  t.deepEqual(
    opened.world.requests.map(({ url, sha256: digest }) => [url, digest]),
    [
      [`https://${at}/plain`, sha256('GET /plain e3b0c442')],
      [`https://${at}/big`, sha256(BIG)],
    ],
  );
  t.deepEqual(
    opened.world.unrecorded.map(({ code, what }) => [code, what]),
    [
      ['certificate-refused', at],
      ['other-protocol', at],
    ],
  );
  const replayed = await through(
    where,
    { certificate: true, replay: opened.world.record ?? '' },
    async (ask, _, certificate) => {
      t.is((await ask('--cacert', certificate, `https://${at}/plain`)).text, 'GET /plain e3b0c442');
    },
  );
  t.deepEqual(replayed.missing, []);

  const trust = path.join(where.directory, 'server.pem');
  writeFileSync(trust, server.pem);
  const closed = await through(where, { trusted: [at] }, async (ask) => {
    t.is((await ask('--cacert', trust, `https://${at}/plain`)).text, 'GET /plain e3b0c442');
  });
  t.is(closed.world.count, 0);
  const [tunnel] = closed.world.unrecorded;
  t.deepEqual([tunnel?.code, tunnel?.what, tunnel?.count], ['tunnel', at, 1]);
  t.true((tunnel?.bytes ?? 0) > 500);
});

test('hosts that are not listed, and this machine itself, are not asked', async (t) => {
  if (!need(t, 'curl')) return;
  const { url, requests } = await localServer(t, answers);
  const { port } = new URL(url);
  const outcome = await through(
    place(t),
    { hosts: ['example.org', '*.example.org', 'localhost'], debianMirror: `${url}/debian` },
    async (ask) => {
      const status = async (...args: readonly string[]): Promise<string> =>
        (await ask('-w', '%{http_code}', '-o', '/dev/null', ...args)).text;
      t.is(await status('http://other.example.net/'), '403');
      t.is(await status('http://notexample.org/'), '403');
      t.is((await ask('https://other.example.net/')).code, 56);
      t.regex((await ask('http://other.example.net/')).text, /^samesource: the recipe does not list other/);
      t.is(await status(`${url}/debian/dists`), '200', 'the mirror is always asked');
      t.is(await status(`http://localhost:${port}/`), '403', 'listed, but of this machine');
      t.is(await status('http://127.0.0.1:1/'), '403');
      t.is((await ask(`https://localhost:${port}/`)).code, 56);
    },
  );
  t.deepEqual(outcome.refused, ['127.0.0.1', 'notexample.org', 'other.example.net']);
  t.deepEqual(requests, ['/debian/dists']);
  t.is(outcome.world.requests[0]?.url, '<archive>/dists');
  t.notRegex(JSON.stringify(outcome), new RegExp(`127.0.0.1:${port}`));
});

test('clients that are none, and servers that are not there', async (t) => {
  if (!need(t, 'curl')) return;
  const gone = createServer();
  await new Promise<void>((resolve) => gone.listen(0, '127.0.0.1', resolve));
  const { port: closed } = gone.address() as net.AddressInfo;
  gone.close();
  const at = `127.0.0.1:${closed}`;
  const outcome = await through(place(t), { trusted: [at] }, async (ask, port) => {
    const raw = async (text: string | Buffer): Promise<string> =>
      await new Promise((resolve) => {
        let said = '';
        const socket = net.connect(port, '127.0.0.1');
        socket.on('data', (data) => (said += data.toString()));
        socket.on('close', () => resolve(said.split('\r\n')[0] ?? '')).on('error', () => undefined);
        socket.write(text);
      });
    t.is(await raw(Buffer.from([0x16, 3, 1, 0, 200, 1, 0, 0])), 'HTTP/1.1 400 Bad Request');
    t.is(await raw('rubbish\r\n\r\n'), 'HTTP/1.1 400 Bad Request');
    t.is(
      await raw(`GET http://${at}/ HTTP/1.1\r\nx: ${'y'.repeat(1 << 17)}\r\n\r\n`),
      'HTTP/1.1 400 Bad Request',
    );
    t.is(await raw('GET / HTTP/1.1\r\nhost: proxy\r\n\r\n'), 'HTTP/1.1 400 Bad Request');
    t.is(await raw('GET ftp://example.org/ HTTP/1.1\r\nhost: x\r\n\r\n'), 'HTTP/1.1 400 Bad Request');
    t.is(await raw('CONNECT example.org HTTP/1.1\r\n\r\n'), 'HTTP/1.1 400 Bad Request');
    t.is(await raw(`CONNECT ${at} HTTP/1.1\r\n\r\n`), 'HTTP/1.1 502 Bad Gateway');
    t.is(
      await raw(`GET http://${at}/ HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n`),
      'HTTP/1.1 501 Not Implemented',
    );
    t.is((await ask('-w', '%{http_code}', '-o', '/dev/null', `http://${at}/`)).text, '502');
  });
  t.deepEqual(
    outcome.world.requests.map(({ problem }) => problem),
    ['no-answer'],
  );
  t.deepEqual([...new Set(outcome.world.unrecorded.map(({ code }) => code))], ['not-http', 'other-protocol']);
  for (const what of [/^CONNECT .*: no-answer$/, /^GET .*: no-answer$/, /: not-http$/, /: other-protocol$/])
    t.true(
      outcome.unserved.some((one) => what.test(one)),
      outcome.unserved.join('; '),
    );
});

test('a body without an end is let go of with its client; more than the limit is passed on and not kept', async (t) => {
  if (!need(t, 'curl')) return;
  const where = place(t);
  let written = 0;
  const state = { over: false };
  const { url } = await localServer(t, (request, response) => {
    if (request.url !== '/endless') return void response.end(BIG);
    const more = (): void => {
      while (!state.over && response.write(BIG.subarray(0, 1 << 16))) written += 1 << 16;
    };
    response.on('drain', more).on('close', () => (state.over = true));
    more();
  });
  const outcome = await through(where, { trusted: trusted(url), maxBytes: 4 << 20 }, async (ask) => {
    t.is((await ask(`${url}/big`)).text.length, BIG.length);
    t.is((await ask(`${url}/big`)).text.length, BIG.length, 'beyond the limit, but all of it');
    t.is((await ask('--limit-rate', '100k', '-m', '1', '-o', '/dev/null', `${url}/endless`)).code, 28);
    for (let count = 0; count < 100 && !state.over; count++)
      await new Promise((resolve) => setTimeout(resolve, 20));
  });
  t.true(state.over);
  t.true(written < 64 << 20, `no more is read than is taken: ${written}`);
  t.deepEqual(
    outcome.world.requests.map(({ problem, sha256: digest }) => [problem, digest !== undefined]),
    [
      [undefined, true],
      ['too-large', false],
      [outcome.world.requests[2]?.problem, false],
    ],
  );
  t.deepEqual(readdirSync(path.join(where.cache, 'incoming')), []);
});

test('what a server owes is told apart from what a client did not wait for', async (t) => {
  if (!need(t, 'curl')) return;
  const { url } = await localServer(t, (request, response) => {
    if (request.url === '/busy') response.writeHead(503).end('later');
    else if (request.url === '/slow') response.write('first');
    else answers(request, response);
  });
  const outcome = await through(place(t), { trusted: trusted(url) }, async (ask) => {
    await ask(`${url}/plain`);
    await ask(`${url}/gone`);
    t.is((await ask('-m', '0.5', `${url}/slow`)).code, 28);
    t.is((await ask(`${url}/cut`)).code, 18);
    t.not((await ask(`${url}/chunked-cut`)).code, 0);
    await ask(`${url}/busy`);
  });
  t.deepEqual(
    outcome.unserved.map((one) => one.replace(url, '')),
    ['GET /busy: status 503', 'GET /chunked-cut: cut', 'GET /cut: cut'],
  );
});

test('a record that is not there, or is none, is said', async (t) => {
  const where = place(t);
  const open = (replay: string) => recordingProxy({ phase: 'prepare', maxBytes: 1, ...where, replay });
  t.is((await t.throwsAsync<Error & { code: string }>(open('0'.repeat(64))))?.code, 'not-recorded');
});
