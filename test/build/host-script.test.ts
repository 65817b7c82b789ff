// SPDX-License-Identifier: Apache-2.0
/** A plan as a shell script: it checks, fetches, builds and gathers; nothing that a recipe says is more than a word to it. */
import { createHash } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { hostScript } from '../../src/build/host-script.js';
import { FailedHere, UsageError } from '../../src/errors.js';
import type { Fact, Plan } from '../../src/model.js';
import { hostPlanOf, HERE, type OnHost } from '../helpers/host-plan.js';
import { world, type World } from '../helpers/local-plan.js';
import { need } from '../helpers/need.js';
import { planOf, readRecipe } from '../helpers/recipes.js';

interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly out: string;
}

const planned = (at: World, more: Partial<OnHost> = {}): Plan =>
  hostPlanOf(at, { directory: path.join(at.directory, 'tree'), ...more });

let count = 0;

function runScript(at: World, script: string, ...args: readonly string[]): Ran {
  const file = path.join(at.directory, 'build.sh');
  writeFileSync(file, script);
  const out = path.join(at.directory, `out-${++count}`);
  const given = args.length === 0 ? [out] : args;
  const { status, stdout, stderr } = spawnSync('sh', [file, ...given], {
    cwd: at.directory,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'] ?? '', HOME: at.directory, SECRET: 'leaks' },
  });
  return { code: status, stdout, stderr, out };
}

const stopped = (t: ExecutionContext, ran: Ran, code: number, reason: string): void => {
  t.is(ran.code, code, ran.stderr);
  t.regex(ran.stderr, new RegExp(`^stop \\[${reason}\\] `, 'm'));
};

/** As our own plans of real recipes are, without looking anything up but what `facts` say. */
const SIGNAL_FACTS: readonly Fact[] = [
  {
    kind: 'git-refs',
    repository: 'https://github.com/signalapp/Signal-iOS',
    refs: [{ name: 'refs/tags/8.15.0.1200', commit: 'ab'.repeat(20) }],
  },
  {
    kind: 'source-files',
    repository: 'https://github.com/signalapp/Signal-iOS',
    commit: 'ab'.repeat(20),
    files: [{ path: '.xcode-version', text: 'Xcode 26.2\n' }],
  },
];
const real = (): readonly (readonly [string, string])[] => [
  ['telegram-ios', hostScript(planOf(readRecipe('telegram-ios'), '12.x', { onHost: true }))],
  ['signal-ios', hostScript(planOf(readRecipe('signal-ios'), '8.15', { onHost: true, facts: SIGNAL_FACTS }))],
];

test('the scripts of real recipes are ones that shells and shellcheck have nothing against', (t) => {
  if (!need(t, 'sh', 'bash', 'shellcheck')) return;
  for (const [app, script] of real())
    for (const [command, ...args] of [
      ['sh', '-n'],
      ['bash', '-n'],
      ['bash', '--posix', '-n'],
      ['shellcheck', '--shell=sh', '--severity=style', '-'],
    ] as const) {
      const { status, stdout, stderr } = spawnSync(command, args, { input: script, encoding: 'utf8' });
      t.is(status, 0, `${command} on ${app}: ${stdout}${stderr}`);
    }
});

test('each step of a real recipe is a script by itself that shellcheck has nothing against', (t) => {
  if (!need(t, 'shellcheck')) return;
  for (const [app, facts] of [
    ['telegram-ios', []],
    ['signal-ios', SIGNAL_FACTS],
  ] as const)
    for (const { name, script } of planOf(readRecipe(app), app === 'signal-ios' ? '8.15' : '12.x', {
      onHost: true,
      facts,
    }).build.phases) {
      const { status, stdout } = spawnSync('shellcheck', ['--shell=sh', '-'], {
        input: script,
        encoding: 'utf8',
      });
      t.is(status, 0, `${name} of ${app}: ${stdout}`);
    }
});

test('what a Mac needs is asked first, and the source is checked against what the plan takes its files to say', (t) => {
  const [[, script] = ['', '']] = real();
  const called = (command: string): number => script.indexOf(`\n${command} '`);
  t.true(called('need_xcode') > 0 && called('need_xcode') < called('fetch_source'));
  t.true(called('fetch_source') < called('source_says') && called('source_says') < called('step'));
  t.regex(script, /^need_xcode '26\.2' '17C52'$/m);
  t.regex(
    script,
    /^fetch_source 'https:\/\/github\.com\/TelegramMessenger\/Telegram-iOS' '[0-9a-f]{40}' 'release-12\.9\.2'$/m,
  );
  t.regex(script, /^source_says 'versions\.json' '.*' '26\.2' 'toolchain'$/m);
  t.regex(script, /^source_says 'versions\.json' '.*' '8\.4\.2:[0-9a-f]{64}' 'toolchain'$/m);
});

test('it builds: the source by its commit, each phase, the outputs with their digests, how to compare', (t) => {
  if (!need(t, 'sh', 'git', 'perl')) return;
  const at = world(t);
  const plan = planned(at, {
    phases: [
      { name: 'prepare', user: 'x', network: true, script: 'echo one > prepared.txt\necho fetched' },
      {
        name: 'build',
        user: 'x',
        network: false,
        script:
          'mkdir -p out/site/js; cat text.txt prepared.txt > out/chat.bin; env | cut -d= -f1 | sort > out/site/js/env; test ! -e .git',
      },
    ],
    outputs: [
      { id: 'chat', path: 'out/chat.bin' },
      { id: 'site', path: 'out/site/' },
    ],
    compare: { rules: [{ rule: 'play', reason: 'r', reference: 'https://example.org' }] },
  });
  const ran = runScript(at, hostScript(plan));
  t.is(ran.code, 0, ran.stderr);
  t.is(readFileSync(path.join(ran.out, 'chat.bin'), 'utf8'), 'hello\none\n');
  t.is(readFileSync(path.join(ran.out, 'prepare.log'), 'utf8'), 'fetched\n');
  const names = readFileSync(path.join(ran.out, 'site/js/env'), 'utf8').split('\n');
  t.true(['SOURCE_DATE_EPOCH', 'TZ', 'LANG', 'HOME'].every((name) => names.includes(name)));
  t.false(names.includes('SECRET'));
  const digest = createHash('sha256').update('hello\none\n').digest('hex');
  t.true(ran.stdout.includes(`${digest}  ${ran.out}/chat.bin\n`));
  t.regex(ran.stdout, /^[0-9a-f]{64} {2}.*\/site\/js\/env$/m);
  t.regex(ran.stdout, /^verify compare chat\.bin chat\.bin --rule play$/m);
  // a second run finds what the first one left
  stopped(t, runScript(at, hostScript(plan)), 75, 'host-differs');
});

test('only asked whether it fits, it touches nothing', (t) => {
  if (!need(t, 'sh', 'git', 'perl')) return;
  const at = world(t);
  const before = readdirSync(at.directory);
  const ran = runScript(at, hostScript(planned(at)), 'check');
  t.is(ran.code, 0, ran.stderr);
  t.deepEqual(
    readdirSync(at.directory).filter((name) => name !== 'build.sh'),
    before,
  );
});

for (const [what, more] of [
  ['another system', { image: { ...HERE, system: 'macos' } }],
  ['another architecture', { image: { ...HERE, architecture: 'pdp11' } }],
  ['another version of the system', { image: { ...HERE, osVersion: '1' } }],
  ['a program that is not there', { image: { ...HERE, tools: ['no-such-program'] } }],
  ['no Xcode', { image: { ...HERE, xcode: { version: '26.2', build: '17C52' } } }],
  ['no room', { environment: { diskMiB: 1 << 30 } }],
  ['a place that is not there', { directory: '/nonexistent/place/tree' }],
] as const satisfies readonly (readonly [string, Partial<OnHost>])[])
  test(`it stops before the source is fetched: ${what}`, (t) => {
    if (!need(t, 'sh', 'git', 'perl')) return;
    const at = world(t);
    const ran = runScript(at, hostScript(planned(at, more)));
    stopped(t, ran, 75, 'host-differs');
    t.false(existsSync(ran.out));
    t.false(existsSync(path.join(at.directory, 'tree')));
  });

test('a source that is not what the plan says is not built', (t) => {
  if (!need(t, 'sh', 'git', 'perl')) return;
  const says = (file: string, pattern: string, expected: string) =>
    [{ file, pattern, expected, what: 'toolchain' }] as const;
  const cases: readonly (readonly [string, string, Partial<OnHost>, ((at: World) => void)?])[] = [
    ['source-missing', 'a commit that is not there', { source: { commit: 'ab'.repeat(20) } }],
    [
      'source-untrusted',
      'a moved tag',
      {},
      (at) => at.upstream.git('tag', '--force', 'v1.0', at.upstream.commit('more', { 'more.txt': 'x' })),
    ],
    [
      'source-untrusted',
      'another toolchain',
      { source: { assertions: says('version.txt', '^name=(.*)$', '2.0') } },
    ],
    ['source-untrusted', 'no such file', { source: { assertions: says('none.txt', '(.*)', 'x') } }],
  ];
  for (const [reason, what, more, change] of cases) {
    const at = world(t);
    const script = hostScript(planned(at, { script: 'touch built', ...more }));
    change?.(at);
    const ran = runScript(at, script);
    stopped(t, ran, 2, reason);
    t.false(existsSync(path.join(at.directory, 'tree/built')), what);
  }
});

test('a commit that no branch leads to is not the publisher’s', (t) => {
  if (!need(t, 'sh', 'git', 'perl')) return;
  const at = world(t);
  at.upstream.git('tag', 'keeps-it');
  at.upstream.git('checkout', '--quiet', '--orphan', 'other');
  const commit = at.upstream.commit('stray', { 'stray.txt': 'x' });
  at.upstream.git('update-ref', 'refs/strays/one', commit);
  at.upstream.git('checkout', '--quiet', 'main');
  at.upstream.git('branch', '-D', 'other');
  const ran = runScript(at, hostScript(planned(at, { source: { commit, ref: 'v1.0' } })));
  // a clone over a path takes no more than what branches and tags lead to
  t.is(ran.code, 2, ran.stderr);
  t.regex(ran.stderr, /^stop \[source-(?:missing|untrusted)\] /m);
});

test('a step that fails, and an output that was not made or is a link', (t) => {
  if (!need(t, 'sh', 'git', 'perl')) return;
  for (const [script, reason] of [
    ['echo why; exit 3', 'step-failed'],
    ['true', 'output-missing'],
    ['mkdir out; ln -s /etc/passwd out/chat.bin', 'output-missing'],
  ] as const) {
    const at = world(t);
    stopped(t, runScript(at, hostScript(planned(at, { script }))), 1, reason);
  }
});

test('what a recipe says is a word, whatever is in it', (t) => {
  if (!need(t, 'sh', 'git', 'perl', 'shellcheck')) return;
  const hostile = `'; touch "$HOME/owned"; '$(touch "$HOME/owned")\`touch "$HOME/owned"\`\\ "" \${HOME} !! %s`;
  const at = world(t, { [`it's $(x).txt`]: `say ${hostile}\n` });
  const plan = planned(at, {
    directory: path.join(at.directory, `tree of 'it' $(touch owned)`),
    environment: { variables: { SAID: hostile }, timeZone: hostile },
    script: `mkdir "it's out"; printf '%s' "$SAID" > "it's out/"'-n \`x\`'`,
    outputs: [{ id: `chat`, path: `it's out/-n \`x\`` }],
    source: {
      assertions: [{ file: `it's $(x).txt`, pattern: `^say (.*)$`, expected: hostile, what: 'version-name' }],
    },
    compare: { pairs: [{ published: hostile, output: 'chat' }] },
  });
  const script = hostScript({ ...plan, target: { ...plan.target, app: hostile, version: hostile } });
  const checked = spawnSync('shellcheck', ['--shell=sh', '-'], { input: script, encoding: 'utf8' });
  t.is(checked.status, 0, checked.stdout);
  const ran = runScript(at, script);
  t.is(ran.code, 0, ran.stderr);
  t.is(readFileSync(path.join(ran.out, '-n `x`'), 'utf8'), hostile);
  t.deepEqual(
    readdirSync(at.directory, { recursive: true }).filter((name) => String(name).endsWith('owned')),
    [],
  );
});

test('a file that was cut runs nothing', (t) => {
  if (!need(t, 'sh', 'git', 'perl')) return;
  const at = world(t);
  const script = hostScript(planned(at));
  for (let part = 1; part <= 32; part++) {
    const ran = runScript(at, script.slice(0, Math.floor((script.trimEnd().length * part) / 33)));
    t.false(existsSync(ran.out), `${part}/33`);
    t.false(existsSync(path.join(at.directory, 'tree')), `${part}/33`);
  }
});

test('no script of what is not for another machine, not known, or not to be shown', (t) => {
  const at = world(t);
  const codeOf = (plan: Plan): string | undefined =>
    t.throws(() => hostScript(plan), { instanceOf: UsageError })?.code;
  const plan = planned(at);
  const { build } = plan;
  t.is(
    codeOf({ ...plan, build: { ...build, environment: { ...build.environment, image: { kind: 'none' } } } }),
    'script-not-for-this',
  );
  const unknown = planned(at, { source: { commit: 'unresolved' } });
  t.throws(() => hostScript(unknown), { instanceOf: FailedHere, code: 'plan-unresolved' });
  for (const hidden of ['\u001b[2K', '\u202e', '\u0000', '\u200b', '\r'])
    t.is(codeOf(planned(at, { script: `echo ${hidden}` })), 'recipe-invalid');
});
