// SPDX-License-Identifier: Apache-2.0
/** A shell of a phase that reached the network through our proxy: the same way out and no other one. Real containers. */
import { execFileSync } from 'node:child_process';
import test, { type ExecutionContext } from 'ava';
import { Agent } from 'undici';
import { makeExecutor } from '../../src/build/executors.js';
import { openShell, type EndedPhase } from '../../src/build/phase-shell.js';
import type { OpenRecorder, RecorderOutcome } from '../../src/build/recorder.js';
import type { BegunPhase, RunJournal } from '../../src/build/run-journal.js';
import { shellContainer } from '../../src/build/run-names.js';
import { FailedHere } from '../../src/errors.js';
import { recordingProxy, type ProxyOptions } from '../../src/inputs/proxy/recording-proxy.js';
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

type EngineName = 'docker' | 'podman';

interface Kept {
  readonly run: string;
  readonly network: string;
  /** What is there of it afterwards. */
  readonly remove: () => readonly string[];
  /** What the command writes to `/tmp/said`, and what the recorder saw. */
  readonly shell: (command: string) => Promise<{ readonly said: string; readonly outcome?: RecorderOutcome }>;
}

/** A run whose prepare phase ended, with its container. */
async function kept(
  t: ExecutionContext,
  engine: EngineName,
  plan: SmallPlan,
  proxy: Partial<ProxyOptions> | undefined,
): Promise<Kept> {
  const open: OpenRecorder | undefined =
    proxy === undefined ? undefined : (asked) => recordingProxy({ ...asked, ...proxy });
  const { phases, ...small } = smallPlan(plan);
  const asked = requestFor(t, { ...small, phases });
  const { run, directory, cache } = asked;
  let begun: BegunPhase | undefined;
  const journal: RunJournal = {
    engine: () => Promise.resolve(),
    began: (phase) => {
      begun = phase;
      return Promise.resolve();
    },
    prepared: () => Promise.resolve(),
    built: () => Promise.resolve(),
  };
  const remove = (): void => {
    for (const kind of ['prepare', 'shell-prepare'])
      execFileSync(engine, ['rm', '-f', `samesource-${run}-${kind}`], { stdio: 'ignore' });
    for (const kind of ['shell-prepare', 'prepared'])
      execFileSync(engine, ['rmi', '-f', `localhost/samesource-${run}-${kind}`], { stdio: 'ignore' });
  };
  t.teardown(remove);
  const executor = makeExecutor(engine, {
    ...TEST_DEPENDENCIES,
    ...(open === undefined ? {} : { openRecorder: open }),
    takeInventory: () => Promise.reject(new Error('stop here')),
  });
  await t.throwsAsync(executor.prepare({ ...asked, journal }), { message: 'stop here' });
  if (begun === undefined) throw new Error('no phase began');
  const prepare = phases.find(({ name }) => name === 'prepare');
  const ended: EndedPhase = {
    kind: engine,
    run,
    phase: 'prepare',
    container: begun.container,
    arguments: begun.arguments,
    ...(open === undefined
      ? {}
      : {
          rule: {
            open,
            options: {
              phase: 'prepare',
              cache,
              directory,
              maxBytes: 0,
              ...(prepare?.hosts === undefined ? {} : { hosts: prepare.hosts }),
              ...(prepare?.certificate === undefined ? {} : { certificate: prepare.certificate }),
            },
          },
        }),
  };
  return {
    run,
    remove: () => {
      remove();
      return leftovers(engine, run);
    },
    network: `${shellContainer(run, 'prepare')}-network`,
    shell: async (command) => {
      let outcome: RecorderOutcome | undefined;
      const code = await openShell(ended, {
        command: `exec > /tmp/said 2>&1\n${command}`,
        terminal: false,
        directory,
        onFetched: (fetched) => {
          outcome = fetched;
        },
      });
      t.is(code, 0);
      const tar = execFileSync(engine, ['cp', `${shellContainer(run, 'prepare')}:/tmp/said`, '-']);
      return {
        said: tar.subarray(512).toString().replace(/\0+$/, ''),
        ...(outcome === undefined ? {} : { outcome }),
      };
    },
  };
}

for (const engine of ['docker', 'podman'] as const) {
  const when = (title: string, body: (t: ExecutionContext) => Promise<void>): void => {
    test.serial(`${engine}: ${title}`, async (t) => {
      t.timeout(5 * 60_000);
      if (needEngine(t, engine) && need(t, 'openssl', 'nsenter')) await body(t);
    });
  };

  when('a listed host answers, another one is refused, and there is no way around', async (t) => {
    const secure = await localTlsServer(t, (request, response) => response.end(`secure ${request.url}`));
    const plain = await localServer(t, (_, response) => response.end('plain'));
    const listed = `localhost:${secure.port}`;
    const { run, shell, network, remove } = await kept(
      t,
      engine,
      { hosts: ['localhost'], certificate: true, prepare: 'true' },
      {
        trusted: [listed, new URL(plain.url).host],
        dispatcher: new Agent({ connect: { ca: secure.pem } }),
      },
    );
    const one = await shell(`
      curl -sS --noproxy '' https://${listed}/one; echo
      curl -sS --noproxy '' ${plain.url}/two
      curl -sS --noproxy '*' -m 5 http://192.0.2.2/ || true
      curl -sS --noproxy '*' -m 5 ${plain.url}/three || true
      getent hosts example.org || echo no name
      head -c 27 "$CURL_CA_BUNDLE"; echo
      env | grep -c -i '^https*_proxy=http://'`);
    t.regex(one.said, /^secure \/one$/m);
    t.regex(one.said, /^samesource: the recipe does not list 127\.0\.0\.1/m);
    t.is(one.said.match(/^curl: \((?:7|28)\)/gm)?.length, 2, one.said);
    t.regex(one.said, /^no name\n-----BEGIN CERTIFICATE-----\n4$/m);
    t.deepEqual(plain.requests, []);
    t.deepEqual(one.outcome?.refused, ['127.0.0.1']);
    t.is(one.outcome?.world.count, 1);
    t.is(one.outcome?.world.bytes, 'secure /one'.length);
    // nothing of it is kept, neither in the cache nor in the container
    t.is(one.outcome?.world.requests[0]?.sha256, undefined);
    const container = shellContainer(run, 'prepare');
    const left = execFileSync(engine, ['diff', container], { encoding: 'utf8' });
    t.notRegex(left, /samesource-proxy/);

    // again, and after a shell that was killed: its network is still there, or gone without a word to the container
    if (engine === 'docker')
      execFileSync(engine, ['network', 'create', '--internal', network], { stdio: 'ignore' });
    for (const path of ['/four', '/five']) {
      const next = await shell(
        `cat /tmp/said.before; curl -sS --noproxy '' https://${listed}${path}; cp /tmp/said /tmp/said.before`,
      );
      t.regex(next.said, new RegExp(`secure ${path}`));
      if (path === '/five') t.regex(next.said, /secure \/four/, 'the copy is as it was left');
      if (engine === 'docker') {
        execFileSync(engine, ['network', 'create', '--internal', network], { stdio: 'ignore' });
        execFileSync(engine, ['network', 'connect', network, container]);
        execFileSync(engine, ['network', 'rm', network], { stdio: 'ignore' });
      }
    }
    t.deepEqual(remove(), []);
  });

  when('a copy that an older version made loses its network, or is not entered', async (t) => {
    const { run, shell, network, remove } = await kept(t, engine, { prepare: 'true' }, {});
    const container = shellContainer(run, 'prepare');
    const image = execFileSync(engine, ['inspect', '--format', '{{.Image}}', `samesource-${run}-prepare`], {
      encoding: 'utf8',
    }).trim();
    const make = (...own: readonly string[]): void => {
      const limits = ['--ulimit', 'nofile=1024:1024', '--ulimit', 'nproc=4096:4096', '--entrypoint', 'sh'];
      const idle = [image, '-c', 'while :; do sleep 3600; done'];
      execFileSync(engine, ['create', '--name', container, ...limits, ...own, ...idle], { stdio: 'ignore' });
    };
    make();
    // of Docker the one that leads to the proxy
    const { said } = await shell("grep -v '^ *lo:' /proc/net/dev | grep -c : || true");
    t.is(said, engine === 'docker' ? '1\n' : '0\n');
    execFileSync(engine, ['rm', '-f', container], { stdio: 'ignore' });
    make('--network', 'host');
    const error = await t.throwsAsync(shell('true'), { instanceOf: FailedHere });
    t.is(error?.code, engine === 'podman' ? 'no-recording' : error?.code);
    t.false(
      execFileSync(engine, ['network', 'ls', '--format', '{{.Name}}'], { encoding: 'utf8' }).includes(
        network,
      ),
    );
    t.deepEqual(remove(), []);
  });

  when("a phase that had the engine's network gives its shell the same", async (t) => {
    const { shell, remove } = await kept(t, engine, { prepare: 'true' }, undefined);
    const { said, outcome } = await shell('env | grep -c CURL_CA_BUNDLE; cat /proc/net/route');
    t.is(outcome, undefined);
    t.regex(said, /^0\n/);
    t.regex(said, /^\S+\t00000000\t/m, 'a way out');
    t.deepEqual(remove(), []);
  });
}
