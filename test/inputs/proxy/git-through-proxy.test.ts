// SPDX-License-Identifier: Apache-2.0
/** A clone over HTTPS through the recording proxy, and the same from its record, when the server is gone. */
import { execFile, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import path from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import { Agent } from 'undici';
import { recordingProxy, type ProxyOptions } from '../../../src/inputs/proxy/recording-proxy.js';
import type { FetchedWorld } from '../../../src/model.js';
import { localTlsServer } from '../../helpers/local-authority.js';
import { need } from '../../helpers/need.js';
import { temporaryDirectory } from '../../helpers/temp-directory.js';

const execute = promisify(execFile);
const PATH = process.env['PATH'] ?? '';

/** git-http-backend(1) as a CGI program. */
function backend(root: string, request: IncomingMessage, response: ServerResponse): void {
  const { pathname, search } = new URL(request.url ?? '', 'https://localhost');
  const { headers, method = 'GET' } = request;
  const child = spawn('git', ['http-backend'], {
    env: {
      PATH,
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: '1',
      PATH_INFO: pathname,
      QUERY_STRING: search.slice(1),
      REQUEST_METHOD: method,
      CONTENT_TYPE: headers['content-type'] ?? '',
      HTTP_CONTENT_ENCODING: headers['content-encoding'] ?? '',
      GIT_PROTOCOL: String(headers['git-protocol'] ?? ''),
    },
  });
  request.pipe(child.stdin);
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.on('close', () => {
    const answer = Buffer.concat(chunks);
    const end = answer.indexOf('\r\n\r\n');
    for (const line of answer.subarray(0, end).toString().split('\r\n')) {
      const [name = '', value = ''] = line.split(': ');
      if (name === 'Status') response.statusCode = Number.parseInt(value, 10);
      else response.setHeader(name, value);
    }
    response.end(answer.subarray(end + 4));
  });
}

test('a clone over HTTPS is recorded, and made again from the record', async (t) => {
  if (!need(t, 'git', 'openssl')) return;
  const root = temporaryDirectory(t);
  const git = async (
    args: readonly string[],
    more: Readonly<Record<string, string>> = {},
  ): Promise<string> => {
    const env = { PATH, HOME: root, GIT_CONFIG_NOSYSTEM: '1', ...more };
    return (await execute('git', [...args], { cwd: root, env })).stdout.trim();
  };
  await git(['init', '-q', 'work']);
  const author = ['-c', 'user.name=a', '-c', 'user.email=a@example.org'];
  await git(['-C', 'work', ...author, 'commit', '-q', '--allow-empty', '-m', 'first']);
  await git(['clone', '-q', '--bare', 'work', 'served.git']);
  const server = await localTlsServer(t, (request, response) => backend(root, request, response));
  const at = `localhost:${server.port}`;

  const cloned = async (into: string, options: Partial<ProxyOptions>): Promise<FetchedWorld> => {
    const proxy = await recordingProxy({
      phase: 'prepare',
      cache: path.join(root, 'cache'),
      directory: path.join(root, `run-${into}`),
      certificate: true,
      maxBytes: 1 << 30,
      ...options,
    });
    const port = await proxy.listen({ host: '127.0.0.1', port: 0 });
    const trust = path.join(root, `${into}.pem`);
    writeFileSync(trust, proxy.certificate?.pem ?? '');
    try {
      await git(['clone', '-q', `https://${at}/served.git`, into], {
        https_proxy: `http://127.0.0.1:${port}`,
        no_proxy: '',
        GIT_SSL_CAINFO: trust,
      });
    } finally {
      await proxy.close().then(({ world, missing }) => {
        t.deepEqual(missing, []);
        worlds.push(world);
      });
    }
    t.is(await git(['-C', into, 'log', '--format=%s']), 'first');
    const world = worlds.at(-1);
    if (world === undefined) throw new Error('nothing was recorded');
    return world;
  };
  const worlds: FetchedWorld[] = [];
  const dispatcher = new Agent({ connect: { ca: server.pem } });
  const first = await cloned('one', { trusted: [at], dispatcher });
  t.deepEqual(
    first.requests.slice(0, 2).map(({ method, url, status }) => [method, url, status]),
    [
      ['GET', `https://${at}/served.git/info/refs?…`, 200],
      ['POST', `https://${at}/served.git/git-upload-pack`, 200],
    ],
  );
  const again = await cloned('two', { replay: first.record ?? '' });
  const digests = ({ requests }: FetchedWorld) => requests.map(({ url, sha256 }) => [url, sha256]);
  t.deepEqual(digests(again), digests(first));
});
