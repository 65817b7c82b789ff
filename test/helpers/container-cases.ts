// SPDX-License-Identifier: Apache-2.0
/** What every container engine must do alike; `test/build/docker.test.ts` and `podman.test.ts` run it for theirs. */
import { createHash } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { makeExecutor } from '../../src/build/executors.js';
import type { Executor, PreparedBuild, PrepareRequest } from '../../src/build/executor.js';
import { FailedHere } from '../../src/errors.js';
import type { BuildPlan, BuildResult, Variation } from '../../src/model.js';
import {
  leftovers,
  needEngine,
  requestFor,
  smallPlan,
  TEST_DEPENDENCIES,
  type SmallPlan,
} from './build-request.js';
import { until } from './until.js';

type EngineName = 'docker' | 'podman';

/** An inventory of an export that nobody reads: most tests are about something else. */
const QUICK = {
  ...TEST_DEPENDENCIES,
  takeInventory: () => TEST_DEPENDENCIES.takeInventoryOfDirectory('', { temporaryDirectory: '' }),
};

const executors = new Map<EngineName, Executor>();

function quickExecutor(engine: EngineName): Executor {
  const executor = executors.get(engine) ?? makeExecutor(engine, QUICK);
  executors.set(engine, executor);
  return executor;
}

async function prepared(engine: EngineName, request: PrepareRequest): Promise<PreparedBuild> {
  const outcome = await quickExecutor(engine).prepare(request);
  if (outcome.kind !== 'prepared') throw new Error(`expected prepared, got ${JSON.stringify(outcome)}`);
  return outcome.prepared;
}

/** Prepares, builds once, closes; whatever happens, nothing of the run is there afterwards. */
async function buildOnce(
  t: ExecutionContext,
  engine: EngineName,
  plan: SmallPlan,
  signal?: AbortSignal,
  during?: (run: string) => Promise<void>,
): Promise<BuildResult> {
  const request = requestFor(t, smallPlan(plan));
  try {
    const build = await prepared(engine, request);
    try {
      const building = build.build(1, signal);
      await Promise.all([building, during?.(request.run)]);
      return await building;
    } finally {
      await build.close();
    }
  } finally {
    t.deepEqual(leftovers(engine, request.run), []);
  }
}

async function failure(t: ExecutionContext, work: Promise<unknown>): Promise<FailedHere> {
  const error = await t.throwsAsync(work, { instanceOf: FailedHere });
  if (error === undefined) throw new Error('nothing was thrown');
  return error;
}

/** Address of a server on this machine as a container sees it. */
async function serverFor(
  t: ExecutionContext,
  engine: EngineName,
  answer: (path: string) => { readonly status: number; readonly body?: string },
): Promise<string> {
  const server = createServer((request, response) => {
    const { status, body } = answer(request.url ?? '');
    response.writeHead(status, { 'content-type': 'application/json' }).end(body ?? '');
  });
  await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const about =
    engine === 'docker'
      ? ['network', 'inspect', 'bridge', '--format', '{{json .IPAM.Config}}']
      : ['network', 'inspect', 'podman', '--format', '{{json .Subnets}}'];
  const described = execFileSync(engine, about, { encoding: 'utf8' });
  // Docker does not always tell the gateway; it is the first address of the network
  const gateway = (/\b(\d+\.\d+\.\d+)\.0\/\d+/.exec(described)?.[1] ?? '') + '.1';
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return `http://${gateway}:${address.port}`;
}

/** Process ids of programs whose command line contains all words. */
function processes(...words: readonly string[]): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const line = readFileSync(path.join('/proc', pid, 'cmdline'), 'utf8')
          .split('\0')
          .join(' ');
        return words.every((word) => line.includes(word)) ? [Number(pid)] : [];
      } catch {
        return [];
      }
    });
}

const isRunning = (engine: EngineName, name: string): true | undefined =>
  execFileSync(engine, ['ps', '--format', '{{.Names}}'], { encoding: 'utf8' }).split('\n').includes(name)
    ? true
    : undefined;

/** Nothing is awaited of an engine that lists it. */
const seen = (engine: EngineName, name: string): Promise<true> => until(() => isRunning(engine, name));

export function containerCases(engine: EngineName): void {
  const when = (title: string, body: (t: ExecutionContext) => Promise<void>): void => {
    test.serial(`${engine}: ${title}`, async (t) => {
      if (needEngine(t, engine)) await body(t);
    });
  };

  when('a directory is an output of all its files; a link in it is refused', async (t) => {
    const result = await buildOnce(t, engine, {
      build: 'mkdir -p dist/js; echo a > dist/a; echo b > dist/js/b; ln -s /etc link; touch file',
      outputs: ['dist/', 'link/', 'file/', 'none/'],
    });
    if (result.kind !== 'succeeded') throw new Error(JSON.stringify(result));
    t.deepEqual(
      result.outputs.map(({ name, member, size }) => [name, member, size]),
      [
        ['dist/a', 'a', 2],
        ['dist/js/b', 'js/b', 2],
      ],
    );
    t.deepEqual(result.absent, ['link', 'file', 'none']);
    const plan = { build: 'mkdir dist; ln -s /etc/passwd dist/x', outputs: ['dist/'] };
    t.is((await failure(t, buildOnce(t, engine, plan))).code, 'output-refused');
  });

  when('two attempts start from the same state, without network, as the planned user', async (t) => {
    const plan = smallPlan({
      user: 'builder',
      prepare: `
        useradd --create-home --shell /bin/sh builder
        echo fetched > fetched.txt
        chown -R builder: .`,
      build: `
        test ! -e left-behind
        echo mine > left-behind
        id -un > out/who
        { env | sort; hostname; umask; cat /etc/hosts; ls -ln hello.txt; pwd; } > out/world
        if curl -sS --max-time 5 http://192.0.2.1/ 2>>out/network; then exit 9; fi
        cat fetched.txt hello.txt > out/result
        ln -s /etc/passwd out/a-link`,
      outputs: ['out/result', 'out/who', 'out/a-link', 'out/never-made'],
      environment: { variables: { CHAT: 'yes' } },
    });
    const request = requestFor(t, plan, { 'hello.txt': 'hello\n', 'out/readme': 'was there before\n' });
    const events: string[] = [];
    const outcome = await makeExecutor(engine, TEST_DEPENDENCIES).prepare({
      ...request,
      onProgress: (event) => events.push(event.kind),
    });
    if (outcome.kind !== 'prepared') throw new Error(outcome.kind);
    const build = outcome.prepared;
    t.true(build.inventory.files > 1e8, 'the whole file system was handed to the inventory');
    t.true(build.environment.packages.some(({ name }) => name === 'libc6'));
    t.deepEqual(
      build.environment.commands,
      plan.phases.map(({ script }) => script),
    );
    const [one, two] = [await build.build(1), await build.build(2)];
    await build.close();
    t.deepEqual(leftovers(engine, request.run), []);
    if (one.kind !== 'succeeded' || two.kind !== 'succeeded') throw new Error(JSON.stringify([one, two]));
    t.deepEqual(
      one.outputs.map(({ name }) => name),
      ['result', 'who'],
    );
    t.deepEqual(one.absent, ['a-link', 'never-made']);
    t.deepEqual(
      one.extra.map(({ name }) => name),
      ['network', 'world'],
    );
    const digests = (result: typeof one) => [...result.outputs, ...result.extra].map(({ sha256 }) => sha256);
    t.deepEqual(digests(one), digests(two));
    const text = (name: string): string =>
      readFileSync(path.join(request.directory, 'outputs/2', name), 'utf8');
    t.is(text('result'), 'fetched\nhello\n');
    t.is(text('who'), 'builder\n');
    t.is(
      text('world'),
      `CHAT=yes
HOME=/home/builder
LANG=C.UTF-8
LC_ALL=C.UTF-8
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
PWD=/build/app
SOURCE_DATE_EPOCH=1700000000
TZ=UTC
build
0022
127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::0\tip6-localnet
ff00::0\tip6-mcastprefix
ff02::1\tip6-allnodes
ff02::2\tip6-allrouters
127.0.0.1\tbuild
-rw-r--r-- 1 1000 1000 6 Nov 14  2023 hello.txt
/build/app
`,
    );
    t.true(events.includes('phase-started') && events.includes('phase-finished'));
    const [log] = one.logs;
    const bytes = readFileSync(path.join(request.directory, 'logs/build-1.log'));
    t.is(createHash('sha256').update(bytes).digest('hex'), log?.sha256 ?? '');
  });

  when('a real compile error is the publisher’s, with its lines', async (t) => {
    const result = await buildOnce(t, engine, { build: 'echo before\necho "if then" > x.sh\nsh x.sh' });
    if (result.kind !== 'failed') throw new Error(result.kind);
    t.is(result.exitCode, 2);
    t.deepEqual(result.firstError, ['before', 'x.sh: 1: Syntax error: "then" unexpected']);
    t.deepEqual(result.tail, ['before', 'x.sh: 1: Syntax error: "then" unexpected']);
    const missing = await buildOnce(t, engine, { build: 'no-such-compiler main.c' });
    t.like(missing, { kind: 'failed', exitCode: 127, firstError: ['sh: 1: no-such-compiler: not found'] });
  });

  when('out of memory', async (t) => {
    const build = buildOnce(t, engine, {
      // the killed program is hidden by what follows it: the engine's flag counts
      build: 'head -c 400M /dev/zero | tail > /dev/shm/x || true\necho done',
      environment: { memoryMiB: 48 },
    });
    t.is((await failure(t, build)).code, 'out-of-memory');
    t.false(existsSync('oom'), 'nothing is left where we were started');
  });

  when('disk full', async (t) => {
    const build = buildOnce(t, engine, { build: 'head -c 100M /dev/zero > /dev/shm/x' });
    t.is((await failure(t, build)).code, 'disk-full');
  });

  when('time limit', async (t) => {
    const started = Date.now();
    const build = buildOnce(t, engine, { build: 'sleep 300 & sleep 300', environment: { minutes: 0.03 } });
    t.is((await failure(t, build)).code, 'time-limit');
    t.true(Date.now() - started < 120_000);
  });

  when('a host that does not resolve', async (t) => {
    const build = buildOnce(t, engine, { prepare: 'curl -fsS http://nothing.invalid/' });
    t.is((await failure(t, build)).code, 'network');
    // the same in a build phase that has no network: our plan is not the publisher's way
    const offline = buildOnce(t, engine, { build: 'curl -fsS http://nothing.invalid/' });
    t.is((await failure(t, offline)).code, 'network');
  });

  when('a server that is busy, has a problem, or says that it is gone', async (t) => {
    const url = await serverFor(t, engine, (asked) => ({ status: Number(asked.slice(1, 4)) }));
    const busy = buildOnce(t, engine, { prepare: `curl -fsS ${url}/429` });
    t.is((await failure(t, busy)).code, 'rate-limited');
    const broken = buildOnce(t, engine, { prepare: `curl -fsS ${url}/503` });
    t.is((await failure(t, broken)).code, 'network');
    for (const status of [404, 410] as const) {
      const request = requestFor(t, smallPlan({ prepare: `curl -fsS ${url}/${status}/dependency.jar` }));
      const outcome = await quickExecutor(engine).prepare(request);
      t.deepEqual(outcome, { kind: 'environment-gone', url: `${url}/${status}/dependency.jar`, status });
      t.deepEqual(leftovers(engine, request.run), []);
    }
    const late = await buildOnce(t, engine, { build: `curl -fsS ${url}/404/late.jar`, buildNetwork: true });
    t.deepEqual(late, { kind: 'environment-gone', url: `${url}/404/late.jar`, status: 404 });
  });

  when('a prepare phase that fails is ours', async (t) => {
    const error = await failure(t, buildOnce(t, engine, { prepare: 'echo "E: no such package"; exit 100' }));
    t.is(error.code, 'prepare-failed');
    t.regex(error.message, /exit code 100: E: no such package/);
  });

  when('what the runtime cannot start is not the publisher’s', async (t) => {
    const build = buildOnce(t, engine, { build: 'true', user: 'nobody-made-this-user' });
    t.is((await failure(t, build)).code, 'engine-died');
  });

  when('a container that is ended from outside', async (t) => {
    const build = buildOnce(t, engine, { build: 'sleep 300' }, undefined, async (run) => {
      const name = `samesource-${run}-build-1`;
      await until(() => isRunning(engine, name));
      execFileSync(engine, ['kill', name], { stdio: 'pipe' });
    });
    t.is((await failure(t, build)).code, 'engine-died');
  });

  when('a client that is killed: its container dies with it', async (t) => {
    const build = buildOnce(t, engine, { build: 'sleep 300' }, undefined, async (run) => {
      const name = `samesource-${run}-build-1`;
      await until(() => isRunning(engine, name));
      const clients = processes(engine, 'start', '--attach', name);
      t.true(clients.length > 0);
      for (const pid of clients) process.kill(pid, 'SIGKILL');
    });
    t.is((await failure(t, build)).code, 'engine-died');
  });

  when('Ctrl-C, in the build phase and before it', async (t) => {
    const stop = new AbortController();
    const started = Date.now();
    const build = buildOnce(t, engine, { build: 'sleep 300 & sleep 300' }, stop.signal, async (run) => {
      await until(() => isRunning(engine, `samesource-${run}-build-1`));
      stop.abort();
    });
    t.is((await failure(t, build)).code, 'interrupted');
    t.true(Date.now() - started < 120_000);
    const request = requestFor(t, smallPlan({ prepare: 'sleep 300' }));
    const early = new AbortController();
    const preparing = quickExecutor(engine).prepare({ ...request, signal: early.signal });
    const check = failure(t, preparing);
    await until(() => isRunning(engine, `samesource-${request.run}-prepare`));
    early.abort();
    t.is((await check).code, 'interrupted');
    t.deepEqual(leftovers(engine, request.run), []);
  });

  when('sources other than those of the plan are not trusted', async (t) => {
    const dsc = 'Format: 3.0 (native)\n';
    const digest = createHash('sha256').update(dsc).digest('hex');
    const source: BuildPlan['source'] = {
      kind: 'debian',
      suite: 'bookworm',
      component: 'main',
      package: 'chat',
      version: '1.0',
      directory: 'pool/main/c/chat',
      files: [{ name: 'chat_1.0.dsc', size: dsc.length, sha256: digest }],
      release: { sha256: '0'.repeat(64), date: '', signedBy: [] },
    };
    const tree = 'mkdir -p app/debian; echo chat > app/debian/changelog';
    const prepare = async (script: string) => {
      const request = requestFor(t, smallPlan({ source, prepare: `${script}\n${tree}` }));
      const outcome = await quickExecutor(engine).prepare(request);
      if (outcome.kind === 'prepared') await outcome.prepared.close();
      t.deepEqual(leftovers(engine, request.run), []);
      return outcome.kind === 'untrusted' ? outcome.reasons.map(({ detail }) => detail) : outcome.kind;
    };
    t.is(await prepare(`printf '${dsc.trim()}\\n' > chat_1.0.dsc`), 'prepared');
    t.deepEqual(await prepare('echo other > chat_1.0.dsc; echo more > chat_1.0.tar.xz'), [
      `source-file-other: chat_1.0.dsc has 6 bytes with SHA-256 ${createHash('sha256').update('other\n').digest('hex')}, the index lists ${dsc.length} with ${digest}`,
      'source-file-unknown: chat_1.0.tar.xz is not in the index',
    ]);
    t.deepEqual(await prepare('ln -s /etc/passwd chat_1.0.dsc'), [
      `source-file-other: chat_1.0.dsc: a link to "passwd" instead of ${dsc.length} bytes`,
    ]);
    const none = requestFor(t, smallPlan({ source, prepare: `printf '${dsc.trim()}\\n' > chat_1.0.dsc` }));
    t.is((await failure(t, quickExecutor(engine).prepare(none))).code, 'prepare-failed');
  });

  when('apt sees the plan’s archive only, and the build phase nothing of it', async (t) => {
    const source: BuildPlan['source'] = {
      kind: 'debian',
      suite: 'bookworm',
      component: 'main',
      package: 'chat',
      version: '1.0',
      directory: 'pool/main/c/chat',
      files: [],
      release: { sha256: '0'.repeat(64), date: '', signedBy: [] },
    };
    const debianMirror = await serverFor(t, engine, () => ({ status: 404 }));
    const lacking = { ...requestFor(t, smallPlan({ source, prepare: 'apt-get update' })), debianMirror };
    const error = await failure(t, quickExecutor(engine).prepare(lacking));
    t.is(error.code, 'mirror-incomplete');
    t.false(error.message.includes(debianMirror));
    const request = requestFor(
      t,
      smallPlan({
        source,
        prepare: `
          apt-get update --print-uris | cut -d"'" -f2 | cut -d/ -f1-5 | sort -u > /sites
          mkdir -p app/debian out && echo chat > app/debian/changelog`,
        build: 'cp /sites sites; if grep -r "$(cut -d/ -f3 /sites)" /etc/apt /var/lib/apt; then exit 3; fi',
        outputs: ['sites'],
      }),
    );
    const build = await prepared(engine, { ...request, debianMirror });
    const result = await build.build(1);
    await build.close();
    if (result.kind === 'failed') t.log(result.tail);
    t.like(result, { kind: 'succeeded' });
    t.is(
      readFileSync(path.join(request.directory, 'outputs/1/sites'), 'utf8'),
      `${debianMirror}/dists/bookworm\n`,
    );
  });

  when(
    'a varied build sees other CPUs, another host and another time zone, and the next one does not',
    async (t) => {
      const plan = smallPlan({
        build: 'nproc > world; { hostname; date +%Z; cat /etc/hosts; } >> world',
        outputs: ['world'],
      });
      const request = requestFor(t, plan);
      const build = await prepared(engine, request);
      const asked = ['cpus', 'host-name', 'time-zone'] as const;
      const { possible = [], why } = (await build.variable?.(asked)) ?? {};
      const world = async (attempt: number, varied?: readonly Variation[]): Promise<readonly string[]> => {
        const result = await build.build(attempt, undefined, varied);
        if (result.kind !== 'succeeded') throw new Error(JSON.stringify(result));
        return readFileSync(result.outputs[0]?.path ?? '', 'utf8').split('\n');
      };
      const planned = await world(1);
      const varied = await world(1, possible);
      const zone = await world(2, ['time-zone']);
      t.deepEqual(await world(2), planned);
      await build.close();
      const cpus = Number(planned[0]);
      // a machine with one CPU has no other number of them
      if (cpus === 1) t.regex(why ?? '', /has one CPU here$/);
      else t.deepEqual(possible, asked);
      t.deepEqual(varied.slice(0, 3), [String(Math.max(1, cpus - 1)), 'varied-host', '+14']);
      t.deepEqual(planned.slice(1, 3), ['build', 'UTC']);
      t.deepEqual(zone, [planned[0], 'build', '+14', ...planned.slice(3)]);
      t.true(varied.some((line) => /^127\.0\.0\.1\s+varied-host$/.test(line)));
      t.false(varied.some((line) => /\sbuild$/.test(line)));
      t.deepEqual(leftovers(engine, request.run), []);
    },
  );

  when('a directory is listed in another order, and nothing else of the tree is another', async (t) => {
    const odd = `"$(printf 'odd\\nname \\303\\266\\377')"`;
    const long = `long/$(printf 'l%.0s' $(seq 120))/$(printf 'm%.0s' $(seq 120))`;
    const plan = smallPlan({
      user: 'builder',
      prepare: `
        useradd --create-home --shell /bin/sh builder
        for i in $(seq 200); do echo $i > many/$i; done
        echo x > ${odd}; ln -s many/1 link; ln many/3 1-hard; ln many/5 z-hard; mkfifo fifo
        mkdir -p "${long}" empty; echo y > "${long}/y"; : > none
        chown builder: . out many/7; chown 33:44 many/9; chown -h 7 link
        chmod 4711 many/7; chmod 2755 empty; chmod 1777 out; chmod 000 many/8; chmod 777 ..
        touch -d 2001-02-03 many/* long; touch -h -d 2002-03-04 link; touch -d 2003-04-05 many
        touch -d 2004-05-06 .`,
      build: `
        find . ! -path './out*' -printf '%P %y %m %U:%G %T@ %l\\n' | sort > out/facts
        find . ! -path './out*' ! -type d -printf '%P %n %s\\n' | sort >> out/facts
        find . -type f -perm -u+r ! -path './out/*' -exec cksum {} + | sort > out/sums
        find many -printf '%f ' > out/listed
        find many -printf '%f\\n' | sort > out/sorted
        test many/3 -ef 1-hard; test many/5 -ef z-hard
        echo beside > out/beside; mkdir out/inner; echo more > "out/odd name"; echo above > ../above`,
      outputs: ['out/facts', 'out/sums', 'out/listed', 'out/sorted', '../above'],
    });
    const request = requestFor(t, plan, { 'many/0': '0\n', 'out/there': 'before\n' });
    const build = await prepared(engine, request);
    t.deepEqual(await build.variable?.(['directory-order']), { possible: ['directory-order'] });
    const built = async (attempt: number, varied?: readonly Variation[]) => {
      const result = await build.build(attempt, undefined, varied);
      if (result.kind !== 'succeeded') throw new Error(JSON.stringify(result));
      const text = ({ path: file }: { readonly path: string }): string => readFileSync(file, 'utf8');
      return {
        outputs: Object.fromEntries(result.outputs.map((one) => [one.output, text(one)])),
        extra: result.extra.map(({ name }) => name),
      };
    };
    const planned = await built(1);
    const [varied, again] = [await built(1, ['directory-order']), await built(2, ['directory-order'])];
    t.deepEqual(await built(2), planned);
    await build.close();
    t.deepEqual(leftovers(engine, request.run), []);
    t.false(readdirSync(request.directory).some((name) => name.startsWith('tree-')));
    t.deepEqual(again, varied);
    t.deepEqual(varied.extra, planned.extra);
    t.deepEqual(varied.extra, ['beside', 'odd name']);
    const { listed: plannedOrder, ...same } = planned.outputs;
    const { listed: variedOrder, ...sameVaried } = varied.outputs;
    t.deepEqual(sameVaried, same);
    t.regex(same['facts'] ?? '', /^many\/7 f 4711 /m);
    t.not(variedOrder, plannedOrder);
    const names = (listed = ''): readonly string[] => listed.trim().split(' ').sort();
    t.deepEqual(names(variedOrder), names(plannedOrder));
  });

  when(
    'a directory in another order: nothing is left of a build that fails, or is interrupted',
    async (t) => {
      const failing = requestFor(t, smallPlan({ build: 'echo started; sleep 2; exit 3' }));
      const build = await prepared(engine, failing);
      t.like(await build.build(1, undefined, ['directory-order']), { kind: 'failed', exitCode: 3 });
      t.deepEqual(
        leftovers(engine, failing.run).filter((name) => !name.includes('-prepared')),
        [],
      );
      for (const stage of ['tree-2', 'build-varied-2']) {
        const stop = new AbortController();
        const work = failure(t, build.build(2, stop.signal, ['directory-order']));
        await seen(engine, `samesource-${failing.run}-${stage}`);
        stop.abort();
        t.is((await work).code, 'interrupted');
        t.deepEqual(
          leftovers(engine, failing.run).filter((name) => !name.includes('-prepared')),
          [],
        );
      }
      await build.close();
      t.deepEqual(leftovers(engine, failing.run), []);
    },
  );

  when('nothing is left of what was asked before a varied build, whenever that is interrupted', async (t) => {
    for (const [stage, asked] of [
      ['-cpus', 'cpus'],
      ['-tree-export', 'directory-order'],
      ['-room-trial', 'directory-order'],
    ] as const) {
      const request = requestFor(t, smallPlan({}));
      const build = await prepared(engine, request);
      const stop = new AbortController();
      const asking = failure(t, build.variable?.([asked], stop.signal) ?? Promise.resolve());
      await until(() => leftovers(engine, request.run).some((name) => name.endsWith(stage)) || undefined);
      stop.abort();
      t.is((await asking).code, 'interrupted', stage);
      t.deepEqual(
        leftovers(engine, request.run).filter((name) => !name.includes('-prepared')),
        [],
        stage,
      );
      await build.close();
      t.deepEqual(leftovers(engine, request.run), []);
    }
  });

  when('a directory in another order: why it is not possible', async (t) => {
    for (const [environment, why] of [
      [{ memoryMiB: 10_000_000 }, /\(out-of-memory: a tree of 1 MiB, .* free\)$/],
      [{ directory: '/run' }, /^the tree is \/run of the system$/],
    ] as const) {
      const request = requestFor(t, smallPlan({ environment }));
      const build = await prepared(engine, request);
      const variable = await build.variable?.(['time-zone', 'directory-order']);
      await build.close();
      t.deepEqual(variable?.possible, ['time-zone']);
      t.regex(variable?.why ?? '', why);
      t.deepEqual(leftovers(engine, request.run), []);
    }
    const full = requestFor(t, smallPlan({}));
    symlinkSync('/dev/full', path.join(full.directory, 'tree-ordered.tar'));
    const unmoved = await prepared(engine, full);
    t.regex((await unmoved.variable?.(['directory-order']))?.why ?? '', /disk-full/);
    await unmoved.close();
    t.false(readdirSync(full.directory).some((name) => name.startsWith('tree-')));
    const linked = requestFor(t, smallPlan({ prepare: 'ln hello.txt ../outside' }));
    const build = await prepared(engine, linked);
    t.regex(
      (await build.variable?.(['directory-order']))?.why ?? '',
      /unreadable-input: ".*" is a hard link into or out of the tree/,
    );
    await build.close();
    t.deepEqual(leftovers(engine, linked.run), []);
  });

  for (const [where, output, build] of [
    [
      'out of the tree',
      'linked/out',
      'ln -s /home linked; echo new > linked/out; echo beside > /home/beside',
    ],
    ['into the tree', '../in', 'echo new > in; ln -s app/in ../in'],
    [
      'into the tree, of what lay there before',
      '../hello.txt',
      'echo new > hello.txt; ln -s app/hello.txt ..',
    ],
    ['of the same name in the tree', 'home/x', 'ln -s /home home; echo new > home/x; cp -r /home deep'],
  ] as const) {
    // Docker follows all of them by the same code
    if (engine === 'docker' && ['../in', 'home/x'].includes(output)) continue;
    when(`a directory in another order: an output behind a link ${where}`, async (t) => {
      const prepare = 'mkdir /home/there';
      const request = requestFor(t, smallPlan({ prepare, build, outputs: [output] }));
      const container = await prepared(engine, request);
      const planned = await container.build(1);
      const varied = container.build(1, undefined, ['directory-order']);
      if (engine === 'docker' || output === '../hello.txt') {
        const result = await varied;
        if (planned.kind !== 'succeeded' || result.kind !== 'succeeded') throw new Error(result.kind);
        t.deepEqual(
          result.outputs.map(({ sha256 }) => sha256),
          planned.outputs.map(({ sha256 }) => sha256),
        );
        t.is(result.outputs.length, 1);
        t.deepEqual(result.extra, planned.extra);
      } else t.is((await failure(t, varied)).code, 'output-refused');
      await container.close();
      t.deepEqual(leftovers(engine, request.run), []);
    });
  }

  for (const write of ['head -c 700M /dev/zero > big', 'fallocate -l 700M big'])
    when(`what a build writes into a tree in memory is counted, and never hidden: ${write}`, async (t) => {
      const plan = smallPlan({
        build: `${write} || true\nrm -f big\necho done > out.txt`,
        outputs: ['out.txt'],
        environment: { memoryMiB: 64, diskMiB: 300 },
      });
      const request = requestFor(t, plan);
      const build = await prepared(engine, request);
      const { code } = await failure(t, build.build(1, undefined, ['directory-order']));
      // with all that the tree holds the kernel ends the first process too, which Podman does not always tell
      t.true(['out-of-memory', 'engine-died'].includes(code), code);
      t.is((await build.build(1)).kind, 'succeeded');
      await build.close();
      t.deepEqual(leftovers(engine, request.run), []);
    });

  when('an image on top of the pinned base', async (t) => {
    const plan = smallPlan({
      build: 'cat /made-here "$ADDED" > out.txt; test ! -e /again',
      outputs: ['out.txt'],
      environment: { dockerfile: { from: 'source', path: 'image/Dockerfile' } },
    });
    const dockerfile =
      'FROM nobody/knows:this\nENV ADDED=/added\nCOPY added.txt /added\nRUN echo made > /made-here\n';
    const request = requestFor(t, plan, { 'image/Dockerfile': dockerfile, 'image/added.txt': 'added\n' });
    const build = await prepared(engine, request);
    const result = await build.build(1);
    await build.close();
    t.is(result.kind, 'succeeded');
    t.is(readFileSync(path.join(request.directory, 'outputs/1/out.txt'), 'utf8'), 'made\nadded\n');
    t.deepEqual(leftovers(engine, request.run), []);
    writeFileSync(
      path.join(request.directory, 'tree/image/Dockerfile'),
      'FROM x\nRUN echo "E: broken"; exit 7\n',
    );
    const broken = await failure(t, quickExecutor(engine).prepare(request));
    t.is(broken.code, 'prepare-failed');
    t.deepEqual(leftovers(engine, request.run), []);
  });

  when('a plan whose image is not known does not run', async (t) => {
    const image = { kind: 'unresolved', reference: 'gradle:7' } as const;
    const request = requestFor(t, smallPlan({ environment: { image } }));
    t.is((await failure(t, quickExecutor(engine).prepare(request))).code, 'plan-unresolved');
  });
}
