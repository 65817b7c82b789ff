// SPDX-License-Identifier: Apache-2.0
/** A phase that reaches the network through our recording proxy and in no other way: real containers, real apt. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { Agent } from 'undici';
import { makeExecutor } from '../../src/build/executors.js';
import type { PreparedBuild } from '../../src/build/executor.js';
import type { OpenRecorder } from '../../src/build/recorder.js';
import { FailedHere } from '../../src/errors.js';
import { recordingProxy, type ProxyOptions } from '../../src/inputs/proxy/recording-proxy.js';
import type { FetchedWorld } from '../../src/model.js';
import {
  leftovers,
  needEngine,
  requestFor,
  smallPlan,
  TEST_DEPENDENCIES,
  type SmallPlan,
} from '../helpers/build-request.js';
import { localServer } from '../helpers/http-server.js';
import { localTlsServer } from '../helpers/local-authority.js';
import { need } from '../helpers/need.js';
import { temporaryDirectory } from '../helpers/temp-directory.js';

type EngineName = 'docker' | 'podman';

interface Run {
  readonly fetched: readonly FetchedWorld[];
  readonly text: (output: string) => string;
}

/** Prepares and builds; nothing of the run is left. */
async function run(
  t: ExecutionContext,
  engine: EngineName,
  plan: SmallPlan,
  options: Partial<ProxyOptions> & { readonly cache: string },
): Promise<Run> {
  const open: OpenRecorder = (asked) => recordingProxy({ ...asked, ...options });
  const executor = makeExecutor(engine, {
    ...TEST_DEPENDENCIES,
    openRecorder: open,
    takeInventory: () => TEST_DEPENDENCIES.takeInventoryOfDirectory('', { temporaryDirectory: '' }),
  });
  const request = { ...requestFor(t, smallPlan(plan)), cache: options.cache };
  let prepared: PreparedBuild | undefined;
  try {
    const outcome = await executor.prepare(request);
    if (outcome.kind !== 'prepared') throw new Error(JSON.stringify(outcome));
    prepared = outcome.prepared;
    const built = await prepared.build(1);
    if (built.kind !== 'succeeded') throw new Error(JSON.stringify(built));
    return {
      fetched: [...(prepared.fetched ?? []), ...(built.fetched ?? [])],
      text: (output) => readFileSync(path.join(request.directory, 'outputs/1', output), 'utf8'),
    };
  } finally {
    await prepared?.close();
    t.deepEqual(leftovers(engine, request.run), []);
  }
}

for (const engine of ['docker', 'podman'] as const) {
  const when = (title: string, body: (t: ExecutionContext) => Promise<void>): void => {
    test.serial(`${engine}: ${title}`, async (t) => {
      t.timeout(5 * 60_000);
      if (needEngine(t, engine) && need(t, 'openssl', 'nsenter')) await body(t);
    });
  };

  when('what apt and curl fetch is recorded, and a replay needs no network', async (t) => {
    const server = await localTlsServer(t, (request, response) => response.end(`secure ${request.url}`));
    const at = `localhost:${server.port}`;
    const plan: SmallPlan = {
      certificate: true,
      prepare: `
        exec 3>&1
        apt-get update -q >&3
        apt-get install -q -y --no-install-recommends hello >&3
        curl -fsS --noproxy '' https://${at}/one > one
        curl -sS --noproxy '*' -m 5 http://192.0.2.2/ 2>&1 | head -c 300 > direct || true
        getent hosts example.org > names || true
        hello > said`,
      build: `
        { env | grep -i -E 'proxy|cert|CA_|JAVA' || true; ls -d /tmp/* 2>/dev/null || true; cat /etc/hosts; } > world`,
      outputs: ['one', 'said', 'direct', 'names', 'world'],
    };
    const cache = temporaryDirectory(t);
    const dispatcher = new Agent({ connect: { ca: server.pem } });
    const first = await run(t, engine, plan, { cache, trusted: [at], dispatcher });
    t.is(first.text('said'), 'Hello, world!\n');
    t.is(first.text('one'), 'secure /one');
    t.regex(first.text('direct'), /^curl: \(7|^curl: \(28/, 'there is no other way out');
    t.is(first.text('names'), '');
    t.notRegex(first.text('world'), /proxy|samesource|pem/i, 'nothing of it reaches the build');
    const [world] = first.fetched;
    if (world === undefined) throw new Error('nothing was recorded');
    t.is(first.fetched.length, 1);
    t.deepEqual([world.phase, world.from, world.unrecorded], ['prepare', 'network', []]);
    const named = (pattern: RegExp) => world.requests.find(({ url }) => pattern.test(url));
    for (const part of [/InRelease$/, /\/hello_[^/]*\.deb$/, /\/one$/])
      t.regex(named(part)?.sha256 ?? '', /^[0-9a-f]{64}$/, String(part));
    t.is(named(/\/one$/)?.url, `https://${at}/one`);

    const again = await run(t, engine, plan, { cache, replay: world.record ?? '' });
    t.is(again.text('said'), 'Hello, world!\n');
    t.is(again.text('one'), 'secure /one');
    t.is(again.fetched[0]?.from, 'record');
    const digests = (list: FetchedWorld | undefined) =>
      new Set(list?.requests.map(({ url, sha256 }) => `${url} ${sha256}`));
    t.deepEqual(digests(again.fetched[0]), digests(world));

    const more = { ...plan, prepare: `curl -fsS --noproxy '' https://${at}/two` };
    const error = await t.throwsAsync(run(t, engine, more, { cache, replay: world.record ?? '' }), {
      instanceOf: FailedHere,
    });
    t.is(error?.code, 'not-recorded');
    t.regex(error?.message ?? '', /\/two/);
  });

  when(
    'a host that the recipe does not list ends the run; without a certificate a tunnel is named',
    async (t) => {
      const server = await localTlsServer(t, (_, response) => response.end('secure'));
      const plain = await localServer(t, (_, response) => response.end('plain'));
      const at = `localhost:${server.port}`;
      const options = { cache: temporaryDirectory(t), trusted: [at, new URL(plain.url).host] };
      const tunnelled = await run(
        t,
        engine,
        {
          hosts: ['localhost'],
          prepare: `curl -ksS --noproxy '' https://${at}/ > one`,
          build: `curl -sS --noproxy '' ${plain.url}/ > two`,
          buildNetwork: true,
          outputs: ['one', 'two'],
        },
        options,
      );
      t.is(tunnelled.text('one'), 'secure');
      t.is(tunnelled.text('two'), 'plain');
      const [prepare, build] = tunnelled.fetched;
      t.deepEqual(
        prepare?.unrecorded.map(({ code, what }) => [code, what]),
        [['tunnel', at]],
      );
      t.deepEqual([build?.phase, build?.requests[0]?.url], ['build', `${plain.url}/`]);
      const refused = await t.throwsAsync(
        run(
          t,
          engine,
          { hosts: ['example.org'], prepare: `curl -sS --noproxy '' ${plain.url}/ || true` },
          options,
        ),
        { instanceOf: FailedHere },
      );
      t.is(refused?.code, 'host-refused');
      t.regex(refused?.message ?? '', /127\.0\.0\.1/);
    },
  );
}
