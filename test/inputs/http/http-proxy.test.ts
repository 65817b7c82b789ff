// SPDX-License-Identifier: Apache-2.0
/** HTTP_PROXY, HTTPS_PROXY and NO_PROXY: one test after the other, for the environment is one. */
import { createServer, request as ask } from 'node:http';
import { connect } from 'node:net';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { UsageError } from '../../../src/errors.js';
import { download } from '../../../src/inputs/http/download.js';
import { localServer } from '../../helpers/http-server.js';
import { temporaryDirectory } from '../../helpers/temp-directory.js';

const NAMES = ['http_proxy', 'HTTP_PROXY', 'https_proxy', 'HTTPS_PROXY', 'no_proxy', 'NO_PROXY'];

function environment(t: ExecutionContext, set: Readonly<Record<string, string>>): void {
  const before = NAMES.map((name) => [name, process.env[name]] as const);
  for (const name of NAMES) delete process.env[name];
  Object.assign(process.env, set);
  t.teardown(() => {
    for (const [name, value] of before)
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
  });
}

interface Proxy {
  readonly port: number;
  readonly asked: string[];
  readonly authorizations: (string | undefined)[];
}

/** Passes on what it is asked for, as RFC 9112, sections 3.2.2 and 3.2.3 have it; `status` refuses tunnels. */
async function proxy(t: ExecutionContext, status = 200): Promise<Proxy> {
  const asked: string[] = [];
  const authorizations: (string | undefined)[] = [];
  const server = createServer((incoming, response) => {
    asked.push(`GET ${incoming.url ?? ''}`);
    authorizations.push(incoming.headers['proxy-authorization']);
    ask(incoming.url ?? '', (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    }).end();
  });
  server.on('connect', ({ url = '' }, socket) => {
    asked.push(`CONNECT ${url}`);
    if (status !== 200) {
      socket.end(`HTTP/1.1 ${status} No\r\n\r\n`);
      return;
    }
    const [host, port] = url.split(':');
    const far = connect(Number(port), host, () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      far.pipe(socket).pipe(far);
    });
    far.on('error', () => socket.destroy());
    socket.on('error', () => far.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { port: address.port, asked, authorizations };
}

const requestFor = (t: ExecutionContext, url: string): Parameters<typeof download>[0] => ({
  url,
  what: 'x',
  target: path.join(temporaryDirectory(t), 'file'),
  attempts: 1,
});
const plain = (t: ExecutionContext): ReturnType<typeof localServer> =>
  localServer(t, (_request, response) => void response.end('content'));

test.serial('without the variables nothing goes through a proxy', async (t) => {
  environment(t, {});
  const { asked } = await proxy(t);
  const { url } = await plain(t);
  t.like(await download(requestFor(t, `${url}/x`)), { kind: 'done', size: 7 });
  t.deepEqual(asked, []);
});

for (const name of ['HTTP_PROXY', 'http_proxy'])
  test.serial(`${name} is asked for addresses with http, also when it has no scheme`, async (t) => {
    const { port, asked } = await proxy(t);
    const { url } = await plain(t);
    for (const value of [`http://127.0.0.1:${port}`, `127.0.0.1:${port}`]) {
      environment(t, { [name]: value });
      t.like(await download(requestFor(t, `${url}/x`)), { kind: 'done', size: 7 });
    }
    t.deepEqual(asked, [`GET ${url}/x`, `GET ${url}/x`]);
  });

test.serial('a name and a password of the proxy go to the proxy, and into no message', async (t) => {
  const { port, authorizations } = await proxy(t);
  const { url } = await localServer(t, (_request, response) => void response.writeHead(403).end());
  environment(t, { HTTP_PROXY: `http://user:pa%20ss@127.0.0.1:${port}` });
  const error = await t.throwsAsync(download(requestFor(t, `${url}/x`)), { code: 'network' });
  t.deepEqual(authorizations, [`Basic ${Buffer.from('user:pa ss').toString('base64')}`]);
  t.false(error.message.includes('pa'.concat('%20ss')));
});

test.serial('NO_PROXY names hosts that are asked directly', async (t) => {
  const { port, asked } = await proxy(t);
  const { url } = await plain(t);
  for (const value of ['127.0.0.1', 'example.org, 127.0.0.1', '*']) {
    environment(t, { HTTP_PROXY: `http://127.0.0.1:${port}`, NO_PROXY: value });
    t.like(await download(requestFor(t, `${url}/x`)), { kind: 'done' });
  }
  t.deepEqual(asked, []);
  environment(t, { HTTP_PROXY: `http://127.0.0.1:${port}`, NO_PROXY: 'example.org' });
  await download(requestFor(t, `${url}/x`));
  t.is(asked.length, 1);
});

test.serial(
  'HTTPS_PROXY gets a tunnel; one that is refused is a failure of the network that names the proxy',
  async (t) => {
    const { port, asked } = await proxy(t, 403);
    environment(t, { HTTPS_PROXY: `http://127.0.0.1:${port}` });
    const error = await t.throwsAsync(download(requestFor(t, 'https://example.invalid/x')), {
      code: 'network',
    });
    t.deepEqual(asked, ['CONNECT example.invalid:443']);
    t.regex((error as { hint?: string }).hint ?? '', /HTTPS_PROXY is set/);
  },
);

for (const value of ['ftp://127.0.0.1:1', 'http://', 'a b', 'socks5://127.0.0.1:1'])
  test.serial(`a proxy called ${value} is the user's mistake, told without its value`, async (t) => {
    environment(t, { HTTPS_PROXY: value });
    const error = await t.throwsAsync(download(requestFor(t, 'https://example.invalid/x')), {
      instanceOf: UsageError,
    });
    t.is(error.code, 'bad-proxy');
    t.regex(error.message, /^HTTPS_PROXY is not/);
    t.false(error.message.includes(value));
  });
