// SPDX-License-Identifier: Apache-2.0
/** What is taken when something of a plan is gone, and when nothing is: the choice by itself, then with Docker and real servers. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, readFileSync, statSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { makeExecutor } from '../../src/build/executors.js';
import { AddressFallbacks } from '../../src/build/fallback.js';
import { FailedHere } from '../../src/errors.js';
import type { BuildPlan, FallbackPlan } from '../../src/model.js';
import { buildBase } from '../helpers/build-base.js';
import { leftovers, needEngine, requestFor, smallPlan, TEST_DEPENDENCIES } from '../helpers/build-request.js';

const address = (of: string, by: string): FallbackPlan => ({
  kind: 'address',
  of,
  by,
  reason: 'the suite went to the archive',
  canChangeOutput: 'unknown',
});

const SUITE = 'http://deb.example/debian';

test('an address in a text: the whole of it, in the plan’s order, each once', (t) => {
  const text = `curl -f ${SUITE}/pool/a.deb\necho "${SUITE}" ${SUITE}-security/x ${SUITE}.org`;
  const gone = { url: `${SUITE}/pool/a.deb`, status: 404 };
  const fallbacks = new AddressFallbacks([
    address('http://other.example', 'http://never'),
    address(SUITE, 'http://old.example/debian'),
    address('http://old.example/debian', 'http://older.example'),
  ]);
  const first = fallbacks.next(text, gone);
  t.is(
    first,
    `curl -f http://old.example/debian/pool/a.deb\necho "http://old.example/debian" ${SUITE}-security/x ${SUITE}.org`,
  );
  t.is(fallbacks.next(first ?? '', gone), undefined);
  t.regex(
    fallbacks.next(first ?? '', { url: 'http://old.example/debian/pool/a.deb', status: 410 }) ?? '',
    /^curl -f http:\/\/older\.example\/pool\/a\.deb\n/,
  );
  t.deepEqual(
    fallbacks.used.map(({ code }) => code),
    ['fallback-address', 'fallback-address'],
  );
  t.regex(fallbacks.used[0]?.what ?? '', /^http:\/\/old\.example\/debian was asked in the place of .* 404 /);
});

test('what is gone elsewhere, or is no part of the text, has no fallback', (t) => {
  const fallbacks = new AddressFallbacks([address(SUITE, 'http://old.example/debian')]);
  t.is(
    fallbacks.next(`curl ${SUITE}/a`, { url: 'http://deb.example/debian-security/a', status: 404 }),
    undefined,
  );
  t.is(
    fallbacks.next(`curl ${SUITE}/a`, {
      url: 'http://evil.example/http://deb.example/debian/a',
      status: 404,
    }),
    undefined,
  );
  t.is(fallbacks.next('make', { url: `${SUITE}/a`, status: 404 }), undefined);
  t.deepEqual(fallbacks.used, []);
});

// ---------------------------------------------------------------- with Docker

async function server(
  t: ExecutionContext,
  host: string,
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<string> {
  const listening = createServer(answer);
  await new Promise<void>((resolve) => listening.listen(0, host, resolve));
  t.teardown(() => {
    listening.closeAllConnections();
    listening.close();
  });
  const at = listening.address();
  if (at === null || typeof at === 'string') throw new Error('no port');
  return String(at.port);
}

const sha256 = (bytes: Buffer): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

/** An image of one layer, the root file system of the tests, as a registry serves it. */
async function imageOfBase(): Promise<{
  readonly digest: string;
  readonly blobs: ReadonlyMap<string, Buffer | string>;
}> {
  const base = await buildBase();
  const layer = `sha256:${base.sha256}`;
  const config = Buffer.from(
    JSON.stringify({
      architecture: process.arch === 'x64' ? 'amd64' : process.arch,
      os: 'linux',
      config: {},
      rootfs: { type: 'layers', diff_ids: [layer] },
    }),
  );
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: {
        mediaType: 'application/vnd.oci.image.config.v1+json',
        digest: sha256(config),
        size: config.length,
      },
      layers: [
        {
          mediaType: 'application/vnd.oci.image.layer.v1.tar',
          digest: layer,
          size: statSync(base.path).size,
        },
      ],
    }),
  );
  return {
    digest: sha256(manifest),
    blobs: new Map<string, Buffer | string>([
      [sha256(manifest), manifest],
      [sha256(config), config],
      [layer, base.path],
    ]),
  };
}

/** `has`: the repository whose image it serves; any other is gone, or `status`. */
async function registry(
  t: ExecutionContext,
  has: string,
  status = 404,
): Promise<{ host: string; digest: string }> {
  const { digest, blobs } = await imageOfBase();
  const port = await server(t, '127.0.0.1', (request, response) => {
    const url = request.url ?? '';
    if (url === '/v2/') return void response.writeHead(200).end('{}');
    const blob = url.startsWith(`/v2/${has}/`) ? blobs.get(path.posix.basename(url)) : undefined;
    if (blob === undefined)
      return void response
        .writeHead(status, { 'content-type': 'application/json' })
        .end(JSON.stringify({ errors: [{ code: 'MANIFEST_UNKNOWN', message: 'manifest unknown' }] }));
    const size = typeof blob === 'string' ? statSync(blob).size : blob.length;
    response.writeHead(200, {
      'content-type': 'application/vnd.oci.image.manifest.v1+json',
      'content-length': size,
      'docker-content-digest': path.posix.basename(url),
    });
    if (request.method === 'HEAD') response.end();
    else if (typeof blob === 'string') createReadStream(blob).pipe(response);
    else response.end(blob);
  });
  return { host: `127.0.0.1:${port}`, digest };
}

const OUTPUT = { build: 'mkdir -p out; cat hello.txt /etc/debian_version > out/app', outputs: ['out/app'] };

async function built(t: ExecutionContext, plan: BuildPlan) {
  const request = requestFor(t, plan);
  const outcome = await makeExecutor('docker', TEST_DEPENDENCIES).prepare(request);
  if (outcome.kind !== 'prepared') return { outcome, deviations: [] };
  try {
    const { deviations, environment } = outcome.prepared;
    const result = await outcome.prepared.build(1);
    t.is(result.kind, 'succeeded');
    const [file] = result.kind === 'succeeded' ? result.outputs : [];
    t.regex(readFileSync(file?.path ?? '', 'utf8'), /^hello\n12/);
    return { outcome, deviations, environment };
  } finally {
    await outcome.prepared.close();
    t.deepEqual(leftovers('docker', request.run), []);
  }
}

test.serial(
  'docker: an image that is gone, from a mirror with the same digest: nothing can change',
  async (t) => {
    if (!needEngine(t, 'docker')) return;
    const { host, digest } = await registry(t, 'mirror/base');
    t.teardown(() =>
      execFileSync('docker', ['rmi', '-f', `${host}/mirror/base@${digest}`], { stdio: 'ignore' }),
    );
    const image = (reference: string) =>
      ({ kind: 'registry', reference: `${host}/${reference}`, digest }) as const;
    const mirror = (reference: string): FallbackPlan => ({
      kind: 'image',
      image: image(reference),
      reason: 'a copy',
      canChangeOutput: 'no',
    });
    const plan = {
      ...smallPlan({ ...OUTPUT, environment: { image: image('gone/base:1') } }),
      fallbacks: [mirror('also-gone/base'), mirror('mirror/base')],
    };
    const { deviations, environment } = await built(t, plan);
    t.like(deviations, [{ code: 'fallback-image', canChangeOutput: 'no', reason: 'a copy' }]);
    t.is(deviations.length, 1);
    t.regex(deviations[0]?.what ?? '', /mirror\/base@sha256:.*status 404/);
    t.is(environment?.image?.digest, digest);
    const without = await built(t, { ...plan, fallbacks: [mirror('also-gone/base')] });
    t.is(without.outcome.kind, 'environment-gone');
    t.regex(without.outcome.kind === 'environment-gone' ? without.outcome.url : '', /gone\/base/);
  },
);

test.serial(
  'docker: an image that is gone, and our own lock in its place; not where a server has a problem',
  async (t) => {
    if (!needEngine(t, 'docker')) return;
    const digest = `sha256:${'1'.repeat(64)}`;
    const lock: FallbackPlan = {
      kind: 'image',
      image: { kind: 'lock', name: 'test', sha256: '0'.repeat(64), packages: 1 },
      reason: 'put together from packages',
      canChangeOutput: 'unknown',
    };
    const planAt = (host: string) => ({
      ...smallPlan({
        ...OUTPUT,
        environment: { image: { kind: 'registry', reference: `${host}/gone/base`, digest } },
      }),
      fallbacks: [lock],
    });
    const { host } = await registry(t, 'nothing');
    const { deviations } = await built(t, planAt(host));
    t.like(deviations, [{ code: 'fallback-image', canChangeOutput: 'unknown' }]);
    const broken = await registry(t, 'nothing', 503);
    const error = await t.throwsAsync(built(t, planAt(broken.host)), { instanceOf: FailedHere });
    t.is(error?.code, 'network');
    const silent = await t.throwsAsync(built(t, planAt('127.0.0.1:1')), { instanceOf: FailedHere });
    t.is(silent?.code, 'network');
  },
);

test.serial(
  'docker: an address of the prepare phase that is gone is asked for elsewhere, from a clean start',
  async (t) => {
    if (!needEngine(t, 'docker')) return;
    const asked: string[] = [];
    const port = await server(t, '0.0.0.0', (request, response) => {
      const url = request.url ?? '';
      asked.push(url);
      response
        .writeHead(url.startsWith('/old/') ? 200 : url.startsWith('/busy/') ? 503 : 404)
        .end('the dependency\n');
    });
    const described = execFileSync(
      'docker',
      ['network', 'inspect', 'bridge', '--format', '{{json .IPAM.Config}}'],
      {
        encoding: 'utf8',
      },
    );
    const host = `http://${/\b(\d+\.\d+\.\d+)\.0\/\d+/.exec(described)?.[1] ?? ''}.1:${port}`;
    const prepare = (where: string) =>
      `test ! -e seen; touch seen; curl -fsS -o dependency ${host}/${where}/lib.jar`;
    const plan = (where: string) => ({
      ...smallPlan({ ...OUTPUT, build: `test -e dependency; ${OUTPUT.build}`, prepare: prepare(where) }),
      fallbacks: [address(`${host}/${where}`, `${host}/older`), address(`${host}/older`, `${host}/old`)],
    });
    const { deviations, environment } = await built(t, plan('suite'));
    t.deepEqual(asked, ['/suite/lib.jar', '/older/lib.jar', '/old/lib.jar']);
    t.deepEqual(
      deviations.map(({ code }) => code),
      ['fallback-address', 'fallback-address'],
    );
    // what was run is what is recorded
    t.true(environment?.commands[0]?.includes(`${host}/old/lib.jar`));
    const busy = await t.throwsAsync(built(t, plan('busy')), { instanceOf: FailedHere });
    t.is(busy?.code, 'network');
  },
);
