// SPDX-License-Identifier: Apache-2.0
/** Kept builds from the command line: built once for several channels, listed, compared with days later, cleaned up. */
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { packageDirectory } from '../helpers/cli.js';
import { runCli, type Ran } from '../helpers/run-cli.js';
import { temporaryDirectory } from '../helpers/temp-directory.js';
import type { Report } from '../../src/report/types.js';

interface Cli {
  readonly directory: string;
  (...args: readonly string[]): Promise<Ran>;
}

function commandLine(t: ExecutionContext): Cli {
  const root = temporaryDirectory(t);
  const directory = path.join(root, 'work');
  mkdirSync(directory);
  const env = { XDG_CACHE_HOME: path.join(root, 'cache') };
  return Object.assign((...args: readonly string[]) => runCli(args, { cwd: directory, env }), { directory });
}

/** The demo as an app of two channels: what was published, and a file that somebody changed. */
function twoChannels(cli: Cli): string {
  const directory = path.join(cli.directory, 'recipes');
  mkdirSync(directory);
  const demo = readFileSync(path.join(packageDirectory, 'recipes/demo.yaml'), 'utf8');
  const [head = '', rest = ''] = demo.split('  demo:\n');
  const [channel = '', tail = ''] = rest.split('\nbuilds:\n');
  const other = channel
    .replaceAll('published/app.apk', 'published/tampered-dex.apk')
    .replace('published: app.apk', 'published: tampered-dex.apk');
  writeFileSync(
    path.join(directory, 'chat.yaml'),
    `${head.replace('app: demo', 'app: chat')}  demo:\n${channel}\n  other:\n${other}\nbuilds:\n${tail}`,
  );
  return directory;
}

const published = (name: string): string => path.join(packageDirectory, 'demo/published', name);

// oxlint-disable-next-line no-unnecessary-type-parameters
function json<T>(
  t: ExecutionContext,
  { stdout, stderr }: { readonly stdout: string; readonly stderr: string },
): T {
  try {
    return JSON.parse(stdout) as T;
  } catch {
    t.fail(`no JSON: ${stdout}${stderr}`);
    throw new Error('no JSON');
  }
}

interface Listed {
  readonly id: string;
  readonly app: string;
  readonly version: string;
  readonly buildDigest: string;
  readonly made: string;
  readonly bytes: number;
  readonly environment: { readonly executor: string };
  readonly outputs: readonly { readonly name: string; readonly sha256: string }[];
}

test('several channels: built once, a report for each that names the same build, the exit code of the worst', async (t) => {
  const cli = commandLine(t);
  const recipes = twoChannels(cli);
  const run = await cli(
    'chat',
    'latest',
    '--channel',
    'demo,other',
    '--recipes',
    recipes,
    '--json',
    '--no-confirm',
  );
  t.is(run.exitCode, 1, run.stderr);
  const reports = json<readonly Report[]>(t, run);
  t.deepEqual(
    reports.map(({ statement }) => [statement.subject.target?.channel, statement.verdict.kind]),
    [
      ['demo', 'reproducible'],
      ['other', 'unreproducible'],
    ],
  );
  t.deepEqual(
    reports.map((report) => report.run.usedBuilds?.map(({ reused }) => reused)),
    [[false], [true]],
  );
  const ids = reports.map((report) => report.run.usedBuilds?.[0]?.id);
  t.is(ids[0], ids[1]);
  t.deepEqual(readdirSync(path.join(cli.directory, 'reports/chat/1.0.0')).sort(), ['demo', 'other']);
  const text = await cli(
    'chat',
    'latest',
    '--channel',
    'other, demo',
    '--recipes',
    recipes,
    '--fresh',
    '--no-confirm',
  );
  t.is(text.exitCode, 1);
  t.is([...text.stdout.matchAll(/^statement sha256:/gm)].length, 2);
  t.regex(text.stderr, /is used again; --fresh builds anew/);
  const good = await cli('chat', 'latest', '--channel', 'demo', '--recipes', recipes);
  t.is(good.exitCode, 0);
});

test('channels that cannot be asked for together are refused before anything is done', async (t) => {
  const cli = commandLine(t);
  const recipes = twoChannels(cli);
  for (const [args, code] of [
    [['--channel', 'demo,nowhere'], 'unknown-channel'],
    [['--channel', 'demo,'], 'unknown-channel'],
    [['--channel', 'demo,demo'], 'same-channel'],
    [['--channel', 'demo,other', '--published', published('app.apk')], 'one-channel-only'],
    [['--channel', 'demo,other', '--evidence', 'all.zip'], 'one-channel-only'],
  ] as const) {
    const { exitCode, stderr } = await cli('chat', 'latest', '--recipes', recipes, ...args);
    t.is(exitCode, 64, stderr);
    t.regex(stderr, new RegExp(`^error \\[${code}\\]`, 'm'));
  }
  t.deepEqual(readdirSync(cli.directory), ['recipes']);
});

test('what is kept is listed, shown, compared with, and removed', async (t) => {
  const cli = commandLine(t);
  t.regex((await cli('builds')).stdout, /^no build is kept/);
  t.is((await cli('build', 'demo', 'latest')).exitCode, 0);
  const [build, ...more] = json<readonly Listed[]>(t, await cli('builds', '--json'));
  if (build === undefined) return t.fail();
  t.deepEqual(more, []);
  t.like(build, { app: 'demo', version: '1.0.0', environment: { executor: 'local' } });
  t.true(build.bytes > 0);
  const text = (await cli('builds')).stdout;
  for (const part of [
    build.id.slice(0, 12),
    'demo 1.0.0',
    build.buildDigest.slice(0, 12),
    build.made.slice(0, 10),
    'local',
    'kB',
  ])
    t.true(text.includes(part), part);
  t.is((await cli('builds', 'demo')).stdout, text);
  const shown = (await cli('builds', build.id.slice(0, 6))).stdout;
  t.true(shown.includes(build.id) && shown.includes(build.outputs[0]?.sha256 ?? '?'));

  const same = await cli('compare', '--build', build.id.slice(0, 6), published('app.apk'), '--json');
  t.is(same.exitCode, 0, same.stderr);
  const report = json<Report>(t, same);
  t.is(report.statement.verdict.kind, 'reproducible');
  t.like(report.run.usedBuilds?.[0], {
    id: build.id,
    reused: true,
    of: { app: 'demo', version: '1.0.0', buildDigest: build.buildDigest },
  });
  t.true(
    report.run.statements.some(
      ({ code, sentence }) => code === 'build-reused' && sentence.includes('demo 1.0.0'),
    ),
  );
  t.deepEqual(
    report.statement.origins.map(({ kind }) => kind),
    ['built', 'carried'],
  );
  const stored = await cli(
    'compare',
    '--build',
    build.id,
    published('app.apk'),
    '--channel',
    'demo',
    '--out',
    'kept',
  );
  t.is(stored.exitCode, 0, stored.stderr);
  t.is((await cli('compare', '--build', build.id, published('tampered-dex.apk'))).exitCode, 1);

  t.regex((await cli('clean')).stdout, /^builds {13}1 .*\n(?:.*\n)*all .* in /);
  t.regex((await cli('clean', 'builds')).stdout, /1 would go/);
  t.is(json<readonly Listed[]>(t, await cli('builds', '--json')).length, 1);
  t.is((await cli('clean', 'builds', '--older-than', '1d', '--yes')).exitCode, 0);
  t.is(json<readonly Listed[]>(t, await cli('builds', '--json')).length, 1);
  t.regex((await cli('clean', '--disk', '1k', '--yes')).stdout, /^removed {3}builds {2}/);
  t.regex((await cli('builds')).stdout, /^no build is kept/);
});

test('ids, files and options that make no sense are refused', async (t) => {
  const cli = commandLine(t);
  await cli('build', 'demo', 'latest');
  const [build] = json<readonly Listed[]>(t, await cli('builds', '--json'));
  if (build === undefined) return t.fail();
  cpSync(published('app.apk'), path.join(cli.directory, 'app.txt'));
  for (const [args, exit, code] of [
    [['builds', 'nobody'], 64, 'unknown-build'],
    [['builds', build.id.slice(0, 3)], 64, 'unknown-build'],
    [['compare', '--build', '0123456789', published('app.apk')], 64, 'unknown-build'],
    [['compare', '--build', build.id, 'app.txt'], 64, 'no-twin'],
    [['compare', '--build', build.id, 'gone.apk'], 75, 'unreadable-input'],
    [['compare', '--build', build.id, published('app.apk'), '--pull', 'x'], 64, 'build-and-sides'],
    [['compare', published('app.apk')], 64, 'usage'],
    [['clean', 'everything'], 64, 'usage'],
    [['clean', '--disk', 'much'], 64, 'bad-size'],
    [['clean', '--older-than', '1d'], 64, 'nothing-named'],
    [['clean', '--yes'], 64, 'nothing-named'],
    [['build', 'demo', 'latest', '--disk', 'much'], 64, 'bad-size'],
  ] as const) {
    const { exitCode, stderr } = await cli(...args);
    t.is(exitCode, exit, `${args.join(' ')}: ${stderr}`);
    t.regex(stderr, new RegExp(`^error \\[${code}\\]`, 'm'));
  }
});

test('a damaged build is told and is no side of a comparison', async (t) => {
  const cli = commandLine(t);
  await cli('build', 'demo', 'latest');
  const [build] = json<readonly Listed[]>(t, await cli('builds', '--json'));
  if (build === undefined) return t.fail();
  const object = path.join(
    cli.directory,
    '../cache/samesource/builds',
    build.buildDigest,
    build.id,
    'objects',
    build.outputs[0]?.sha256 ?? '',
  );
  writeFileSync(object, readFileSync(object).fill(0, 100, 110), { flag: 'r+' });
  const { exitCode, stderr } = await cli('compare', '--build', build.id, published('app.apk'));
  t.is(exitCode, 75);
  t.regex(stderr, /^error \[build-damaged\] the kept build .* is damaged and was removed: /);
  t.regex((await cli('builds')).stdout, /^no build is kept/);
});

test('builds and clean explain themselves', async (t) => {
  const cli = commandLine(t);
  for (const command of ['builds', 'clean']) {
    const { exitCode, stdout } = await cli(command, '--help');
    t.is(exitCode, 0);
    t.regex(stdout, /Examples:/);
  }
});
