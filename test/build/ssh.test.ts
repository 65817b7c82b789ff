// SPDX-License-Identifier: Apache-2.0
/** Builds on another machine: against a real SSH server on this one. Nothing of a run stays there, whatever happens to it. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { noteRemote, sweepRemotes } from '../../src/build/ssh/abandoned-remote.js';
import { readAnswers } from '../../src/build/ssh/remote-machine.js';
import { SshExecutor } from '../../src/build/ssh/ssh.js';
import { parseSshHost, type HostKey, type SshHost } from '../../src/build/ssh/ssh-host.js';
import { remoteScript } from '../../src/build/ssh/remote-script.js';
import type { PreparedBuild } from '../../src/build/executor.js';
import { FailedHere, UsageError } from '../../src/errors.js';
import { requestFor, smallPlan, TEST_DEPENDENCIES, type SmallPlan } from '../helpers/build-request.js';
import { need } from '../helpers/need.js';
import { serverProgram, startSshd } from '../helpers/sshd.js';
import { temporaryDirectory } from '../helpers/temp-directory.js';
import { until } from '../helpers/until.js';

const TOOLS = ['ssh', 'sshd', 'ssh-keygen', 'ssh-keyscan'] as const;
const remoteHome = path.join(os.userInfo().homedir, '.samesource');
const onRemote = (run: string): boolean => existsSync(path.join(remoteHome, run));

const planned = (plan: SmallPlan) =>
  smallPlan({ ...plan, environment: { image: { kind: 'none' }, diskMiB: 16, ...plan.environment } });

async function prepare(t: ExecutionContext, host: SshHost, plan: SmallPlan, signal?: AbortSignal) {
  const request = requestFor(t, planned(plan), { 'hello.txt': 'hello\n', "it's a $(file)": 'x\n' });
  const notes: string[] = [];
  const outcome = await new SshExecutor(host, TEST_DEPENDENCIES).prepare({
    ...request,
    onProgress: (event) => {
      if (event.kind === 'note') notes.push(event.text);
    },
    ...(signal === undefined ? {} : { signal }),
  });
  if (outcome.kind !== 'prepared') throw new Error(outcome.kind);
  t.teardown(() => outcome.prepared.close());
  return { build: outcome.prepared, request, notes };
}

async function refused(t: ExecutionContext, host: SshHost, plan: SmallPlan = {}): Promise<FailedHere> {
  const request = requestFor(t, planned(plan));
  const error = await t.throwsAsync(new SshExecutor(host, TEST_DEPENDENCIES).prepare(request), {
    instanceOf: FailedHere,
  });
  t.false(onRemote(request.run), error?.message);
  return error;
}

const codeOf = async (t: ExecutionContext, build: PreparedBuild): Promise<string | undefined> =>
  (await t.throwsAsync(build.build(1), { instanceOf: FailedHere }))?.code;

const odd = (): string => `300.${process.pid}${Math.floor(Math.random() * 1e6)}`;

function sleeping(seconds: string): boolean {
  return readdirSync('/proc').some((pid) => {
    try {
      return readFileSync(path.join('/proc', pid, 'cmdline'), 'utf8')
        .split('\0')
        .includes(seconds);
    } catch {
      return false;
    }
  });
}

const begins = (seconds: string): Promise<true> => until(() => sleeping(seconds) || undefined);

async function endsSoon(t: ExecutionContext, seconds: string): Promise<void> {
  await until(() => !sleeping(seconds) || undefined);
  t.false(sleeping(seconds));
}

test.serial(
  'copies the source there, prepares, builds twice from the same state, and brings the outputs back',
  async (t) => {
    if (!need(t, ...TOOLS)) return;
    const { host } = await startSshd(t);
    const { build, request } = await prepare(t, host, {
      prepare: 'echo fetched > fetched.txt; touch "$HOME/left"; echo prepared',
      build: `
      test ! -e left; touch left; test -e fetched.txt; test ! -e "$HOME/left"
      mkdir -p out/site/js; cat hello.txt fetched.txt it*file* > out/app.bin; echo a > out/site/js/a
      env | cut -d= -f1 | sort > out/env; stat -c '%Y %a' hello.txt >> out/env; ln -s /etc/passwd out/link
      echo built`,
      outputs: ['out/app.bin', 'out/site/', 'out/env', 'out/link', 'out/none'],
    });
    const [one, two] = [await build.build(1), await build.build(2)];
    if (one.kind !== 'succeeded' || two.kind !== 'succeeded') throw new Error(JSON.stringify([one, two]));
    t.deepEqual(
      one.outputs.map(({ output, name, size }) => [output, name, size]),
      [
        ['app.bin', 'app.bin', 16],
        ['site', 'site/js/a', 2],
        ['env', 'env', one.outputs.find(({ output }) => output === 'env')?.size],
      ],
    );
    t.deepEqual(one.absent, ['link', 'none']);
    t.deepEqual(
      one.outputs.map(({ sha256 }) => sha256),
      two.outputs.map(({ sha256 }) => sha256),
    );
    t.is(readFileSync(path.join(request.directory, 'outputs/1/app.bin'), 'utf8'), 'hello\nfetched\nx\n');
    t.deepEqual(
      readFileSync(path.join(request.directory, 'outputs/1/env'), 'utf8')
        .split('\n')
        .filter((name) => name !== '_'),
      ['HOME', 'LANG', 'LC_ALL', 'PATH', 'PWD', 'SOURCE_DATE_EPOCH', 'TMPDIR', 'TZ', '1700000000 644', ''],
    );
    t.is(readFileSync(path.join(request.directory, 'logs/build-1.log'), 'utf8'), 'built\n');
    t.is(readFileSync(path.join(request.directory, 'logs/prepare.log'), 'utf8'), 'prepared\n');
    t.deepEqual(
      build.deviations.map(({ code }) => code),
      ['remote-machine', 'remote-network'],
    );
    t.like(build.environment, {
      executor: 'ssh',
      kernel: `${os.type()} ${os.release()}`,
      architecture: process.arch,
    });
    t.true(build.environment.tools?.some(({ name }) => name === 'os-release'));
    t.notRegex(JSON.stringify([build.environment, build.deviations]), /127\.0\.0\.1/);
    t.true(onRemote(request.run));
    await build.close();
    t.false(onRemote(request.run));
  },
);

test.serial('a build that fails, with its lines and without the places of the other machine', async (t) => {
  if (!need(t, ...TOOLS)) return;
  const { host } = await startSshd(t);
  const { build } = await prepare(t, host, { build: 'echo "$PWD/main.c:1:1: error: no, $HOME" >&2; exit 3' });
  t.like(await build.build(1), {
    kind: 'failed',
    exitCode: 3,
    firstError: ['/build/app/main.c:1:1: error: no, <temporary>/home'],
  });
});

test.serial(
  'a connection that breaks is no failed build: the log comes whole, once and in order',
  async (t) => {
    if (!need(t, ...TOOLS)) return;
    const { host, drop, directory } = await startSshd(t);
    const gate = (at: number): string => path.join(directory, `gate-${at}`);
    const lines = (from: number): string =>
      `for n in 1 2 3; do echo "line $((n + ${from}))"; sleep 0.1; done`;
    const wait = (at: number): string =>
      `echo > '${gate(at)}-reached'; until test -e '${gate(at)}'; do sleep 0.1; done`;
    const { build, request, notes } = await prepare(t, host, {
      build: `${[lines(0), wait(1), lines(3), wait(2), lines(6)].join('; ')}; echo done > out.txt`,
      outputs: ['out.txt'],
    });
    const broken = (): number => notes.filter((text) => text.includes('connection broke off')).length;
    const running = build.build(1);
    for (const at of [1, 2]) {
      await until(() => existsSync(`${gate(at)}-reached`) || undefined);
      // the log may not be followed yet
      await until(() => {
        drop();
        return broken() >= at || undefined;
      });
      writeFileSync(gate(at), '');
    }
    const result = await running;
    t.is(result.kind, 'succeeded');
    t.is(
      readFileSync(path.join(request.directory, 'logs/build-1.log'), 'utf8'),
      Array.from({ length: 9 }, (_, at) => `line ${at + 1}\n`).join(''),
    );
  },
);

test.serial(
  'the time limit and Ctrl-C reach grandchildren there, the end of the script what it left',
  async (t) => {
    if (!need(t, ...TOOLS)) return;
    const { host } = await startSshd(t);
    const seconds = odd();
    const limited = await prepare(t, host, {
      build: `echo begun; sh -c 'sleep ${seconds} & sleep ${seconds}'`,
      environment: { minutes: 0.03 },
    });
    t.is(await codeOf(t, limited.build), 'time-limit');
    await endsSoon(t, seconds);

    const stop = new AbortController();
    const stopped = await prepare(
      t,
      host,
      { build: `sh -c 'sleep ${seconds} & sleep ${seconds}'` },
      stop.signal,
    );
    const failing = codeOf(t, stopped.build);
    await begins(seconds);
    stop.abort();
    t.is(await failing, 'interrupted');
    await endsSoon(t, seconds);
    await stopped.build.close();
    t.false(onRemote(stopped.request.run));

    const left = await prepare(t, host, { build: `sleep ${seconds} >/dev/null 2>&1 &` });
    t.is((await left.build.build(1)).kind, 'succeeded');
    await endsSoon(t, seconds);
  },
);

test.serial(
  'no key of a machine is trusted that was not named, and no other one; nothing is copied there',
  async (t) => {
    if (!need(t, ...TOOLS)) return;
    const { host, directory } = await startSshd(t);
    const { key: _, ...unknown } = host;
    const file = (text: string): HostKey => {
      const name = path.join(directory, `known-${Math.random()}`);
      writeFileSync(name, text);
      return { kind: 'known-hosts', file: name };
    };
    const address = `[127.0.0.1]:${host.port}`;
    const other = readFileSync(path.join(directory, 'stranger.pub'), 'utf8');
    t.is(
      (await refused(t, { ...host, key: { kind: 'fingerprint', sha256: 'A'.repeat(43) } })).code,
      'host-key',
    );
    t.is((await refused(t, { ...host, key: file(`${address} ${other}`) })).code, 'host-key');
    t.is((await refused(t, { ...host, key: file('') })).code, 'host-key');
    t.is((await refused(t, unknown)).code, 'host-key');
    t.is(
      (await refused(t, { ...host, key: { kind: 'known-hosts', file: '/nonexistent/known' } })).code,
      'unreadable-input',
    );
    const known = {
      ...host,
      key: file(`${address} ${readFileSync(path.join(directory, 'host.pub'), 'utf8')}`),
    };
    const { build } = await prepare(t, known, { build: 'true' });
    t.is((await build.build(1)).kind, 'succeeded');
    const denied = await refused(t, { ...host, identity: path.join(directory, 'stranger') });
    t.is(denied.code, 'login-refused');
    t.notRegex(denied.message, /127\.0\.0\.1/);
    t.is((await refused(t, { ...known, port: 1 })).code, 'network');
  },
);

test.serial('what arrives with another digest is not used, on either side', async (t) => {
  if (!need(t, ...TOOLS)) return;
  const cutting = await startSshd(t, 'SetEnv PATH={directory}/bin:/usr/bin:/bin');
  serverProgram(cutting, 'dd', '#!/bin/sh\nhead -c 1000 > "${1#of=}"\ncat > /dev/null\n');
  t.is((await refused(t, cutting.host)).code, 'transfer-damaged');

  const lying = await startSshd(t, 'ForceCommand {directory}/bin/lie');
  serverProgram(
    lying,
    'lie',
    '#!/bin/sh\neval "$SSH_ORIGINAL_COMMAND" | sed "s/^is file 3 [0-9a-f]*/is file 3 $(printf %064d 0)/"\n',
  );
  const { build } = await prepare(t, lying.host, { build: 'echo hi > out.bin', outputs: ['out.bin'] });
  t.is(await codeOf(t, build), 'transfer-damaged');
});

test.serial(
  'a machine that is not what the plan asks for gets nothing; one that is builds at the path of the plan',
  async (t) => {
    if (!need(t, ...TOOLS)) return;
    const { host } = await startSshd(t);
    const directory = path.join(temporaryDirectory(t), 'place', 'app');
    const image = { kind: 'host', system: 'linux', tools: ['sh'] } as const;
    const on = (more: object, where = directory): SmallPlan => ({
      build: 'pwd > out.txt',
      outputs: ['out.txt'],
      environment: { image: { ...image, ...more }, directory: where },
    });
    for (const [more, says] of [
      [{ system: 'macos' }, /Darwin/],
      [{ architecture: 'pdp11' }, /pdp11/],
      [{ osVersion: '1' }, /version 1,/],
      [{ xcode: { version: '26.2', build: '17C52' } }, /Xcode 26\.2/],
      [{ tools: ['no-such-program'] }, /no-such-program/],
    ] as const) {
      const error = await refused(t, host, on(more));
      t.is(error.code, 'host-differs');
      t.regex(error.message, says);
    }
    t.is((await refused(t, host, { environment: { diskMiB: 1 << 30 } })).code, 'disk-full');
    t.is((await refused(t, host, on({}))).code, 'host-differs');
    mkdirSync(directory, { recursive: true });
    writeFileSync(path.join(directory, 'mine'), 'x');
    t.is((await refused(t, host, on({}))).code, 'host-differs');
    t.true(existsSync(path.join(directory, 'mine')));
    const free = path.join(path.dirname(directory), 'free');
    const { build, request } = await prepare(t, host, on({}, free));
    t.is((await build.build(1)).kind, 'succeeded');
    t.is(readFileSync(path.join(request.directory, 'outputs/1/out.txt'), 'utf8'), `${free}\n`);
    await build.close();
    t.false(existsSync(free));
  },
);

test.serial(
  'what a killed run left there goes with the next one, and nothing of a run that lives',
  async (t) => {
    if (!need(t, ...TOOLS)) return;
    const { host } = await startSshd(t);
    const seconds = odd();
    const { build, request } = await prepare(t, host, { build: `sleep ${seconds}` });
    const running = build.build(1).catch((error: unknown) => error);
    await begins(seconds);
    const cache = temporaryDirectory(t);
    const note = { run: request.run, cache, directory: request.directory };
    await noteRemote(note, { host, pinned: [], outside: '' });
    // its directory is there and says nothing of an owner that is gone
    await sweepRemotes(cache);
    t.true(sleeping(seconds));
    const file = path.join(cache, 'known');
    writeFileSync(
      file,
      `[127.0.0.1]:${host.port} ${execFileSync(
        'ssh-keyscan',
        ['-t', 'ed25519', '-p', String(host.port), '127.0.0.1'],
        { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
      )
        .split('\n')
        .find((line) => !line.startsWith('#'))
        ?.split(' ')
        .slice(1)
        .join(' ')}\n`,
    );
    await noteRemote(
      { ...note, directory: '/nonexistent/run' },
      {
        host: { user: host.user, host: host.host, port: host.port, identity: host.identity ?? '' },
        pinned: ['-o', `UserKnownHostsFile=${file}`],
        outside: '',
      },
    );
    await sweepRemotes(cache);
    t.false(onRemote(request.run));
    t.false(sleeping(seconds));
    t.deepEqual(readdirSync(path.join(cache, 'remotes')), []);
    await running;
  },
);

test('an address is an account on a machine, and one word to ssh', (t) => {
  t.deepEqual(parseSshHost('me@mac.example:2222'), { user: 'me', host: 'mac.example', port: 2222 });
  t.deepEqual(parseSshHost('me@[::1]:22'), { user: 'me', host: '::1', port: 22 });
  t.is(parseSshHost('me@mac').port, 22);
  for (const bad of [
    'mac',
    '@mac',
    'me@',
    '-oProxyCommand=x@mac',
    'me@-oProxyCommand=x',
    'me@mac:0',
    'me@mac:99999',
    'me@mac x',
    "me'@mac",
    'me@mac;x',
    'ssh://me@mac',
  ])
    t.throws(() => parseSshHost(bad), { instanceOf: UsageError, code: 'bad-host' }, bad);
  t.deepEqual(parseSshHost('me@mac', { key: `SHA256:${'A'.repeat(43)}` }).key, {
    kind: 'fingerprint',
    sha256: 'A'.repeat(43),
  });
  t.throws(() => parseSshHost('me@mac', { key: 'MD5:00:11' }), { code: 'bad-host-key' });
});

test('what a machine says of itself has a form, or is nothing', (t) => {
  const said = (more: string): string =>
    `system Linux\nrelease 6.1\narchitecture x86_64\ncpus 2\nfree 100\nhome /root\n${more}`;
  t.like(readAnswers(said('missing perl\nmissing evil\nxcode 26.2 17C52\ntool x \u001b[2Jy\n'), ['perl']), {
    facts: { missing: ['perl'], xcode: { version: '26.2', build: '17C52' } },
    tools: [{ name: 'x', version: '\\x1b[2Jy' }],
  });
  for (const bad of [
    '',
    'system \u001b[2J\n',
    said('').replace('free 100', 'free -1'),
    said('').replace('home /root', 'home x'),
  ])
    t.throws(() => readAnswers(bad, []), { instanceOf: FailedHere, code: 'engine-died' });
});

test('a script that arrives cut runs nothing; what it is given is a word', (t) => {
  const at = temporaryDirectory(t);
  const hostile = `'; touch ${at}/owned; '$(touch ${at}/owned)`;
  const script = remoteScript('run-1', { said: hostile }, `touch ${at}/ran\nprintf '%s' "$said"`);
  const ran = (text: string): string => {
    try {
      return execFileSync('/bin/sh', {
        input: text,
        encoding: 'utf8',
        stdio: ['pipe', 'pipe', 'ignore'],
        env: { HOME: at, PATH: process.env['PATH'] },
      });
    } catch {
      return '';
    }
  };
  for (let cut = 0; cut < script.trimEnd().length; cut += 7) ran(script.slice(0, cut));
  t.deepEqual(readdirSync(at), []);
  t.is(ran(script), hostile);
  t.deepEqual(readdirSync(at), ['ran']);
  t.is(ran(remoteScript('../evil', {}, `touch ${at}/evil`)), '');
  t.deepEqual(readdirSync(at), ['ran']);
});
