// SPDX-License-Identifier: Apache-2.0
/** What a packed run holds, that it is the same bytes each time, and that nothing of the published file is in it. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { buildKey } from '../../src/inputs/builds/build-key.js';
import { storeBuild } from '../../src/inputs/builds/store-build.js';
import { packageRoot } from '../../src/inputs/package-files.js';
import type { BuiltFile } from '../../src/model.js';
import { KeepRun } from '../../src/operations/keep-run.js';
import { pack, type PackResult } from '../../src/operations/pack.js';
import { renderJson } from '../../src/report/json.js';
import type { Report } from '../../src/report/types.js';
import { aPlan } from '../helpers/a-plan.js';
import { FULL, reportOf } from '../helpers/a-report.js';
import { aRun } from '../helpers/a-run.js';
import { buildZip } from '../helpers/build-zip.js';
import { localPlan, world } from '../helpers/local-plan.js';
import { temporaryDirectory } from '../helpers/temp-directory.js';

/** Long and of no pattern: found again wherever any 32 bytes of it are. */
const secret = (seed: string): Buffer =>
  Buffer.concat(Array.from({ length: 64 }, (_, at) => createHash('sha256').update(`${seed} ${at}`).digest()));
const zip = (seed: string, more = ''): Buffer =>
  buildZip([
    { name: 'classes.dex', data: secret(seed), method: 0 },
    { name: 'assets/text', data: `the same ${more}`, method: 0 },
  ]);

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

function unpacked(t: ExecutionContext, archive: string): Map<string, Buffer> {
  const into = temporaryDirectory(t);
  execFileSync('tar', ['xzf', archive, '-C', into]);
  const list = execFileSync('find', ['.', '-type', 'f', '-printf', '%P\\n'], { cwd: into, encoding: 'utf8' });
  const files = list
    .split('\n')
    .filter((line) => line !== '')
    .sort();
  const [root = ''] = new Set(files.map((file) => file.split('/')[0] ?? ''));
  execFileSync('sha256sum', ['-c', '--quiet', 'SHA256SUMS'], { cwd: path.join(into, root), stdio: 'pipe' });
  return new Map(files.map((file) => [file.slice(root.length + 1), readFileSync(path.join(into, file))]));
}

function stored(t: ExecutionContext, report: Report): string {
  const directory = path.join(temporaryDirectory(t), `${report.statementSha256.slice(0, 12)}-1`);
  mkdirSync(directory);
  writeFileSync(path.join(directory, 'report.json'), renderJson(report));
  return directory;
}

/** Every file of it, as it is and unpacked. */
function holds(files: ReadonlyMap<string, Buffer>, bytes: Buffer): string | undefined {
  for (const [name, content] of files)
    for (let at = 0; at + 128 <= bytes.length; at += 128)
      if (content.includes(bytes.subarray(at, at + 128))) return name;
  return undefined;
}

const packed = async (
  t: ExecutionContext,
  what: string,
): Promise<{ result: PackResult; archive: string }> => {
  const archive = path.join(temporaryDirectory(t), 'packed.tar.gz');
  return { result: await pack({ what, out: archive }), archive };
};

test.serial(
  'a report: its forms, its findings, what is not inside; twice the same bytes, nothing of the published file',
  async (t) => {
    process.env['XDG_CACHE_HOME'] = temporaryDirectory(t);
    const published = zip('theirs');
    const directory = stored(t, await reportOf(published, zip('ours'), FULL));
    const one = await packed(t, directory);
    const two = await packed(t, path.join(directory, 'report.json'));
    t.deepEqual(readFileSync(one.archive), readFileSync(two.archive));
    const files = unpacked(t, one.archive);
    t.deepEqual(
      [...files.keys()],
      ['README.txt', 'SHA256SUMS', 'brief.txt', 'differences.txt', 'plan.json', 'report.json', 'report.txt'],
    );
    t.is(holds(files, secret('theirs')), undefined);
    t.is(one.result.missing.length, 2);
    const readme = files.get('README.txt')?.toString() ?? '';
    for (const name of files.keys()) if (name !== 'README.txt') t.true(readme.includes(`  ${name} `), name);
    t.regex(readme, /Not inside\n\n {2}- the rebuilt files: no build that gave them is kept/);
    t.regex(files.get('differences.txt')?.toString() ?? '', /^app\.apk: classes\.dex: offset /m);
    await t.throwsAsync(pack({ what: directory, out: one.archive }), { code: 'out-exists' });
  },
);

async function keep(
  t: ExecutionContext,
  cache: string,
  report: Report,
  files: Readonly<Record<string, Buffer>>,
) {
  const directory = temporaryDirectory(t);
  const plan = report.statement.plan?.build;
  const digest = report.statement.plan?.buildDigest;
  if (plan === undefined || digest === undefined) throw new Error('a plan');
  const log = path.join(directory, 'build-1.log');
  writeFileSync(log, 'compiling\n');
  const outputs = Object.entries(files).map(([name, bytes]): BuiltFile => {
    const file = path.join(directory, path.basename(name));
    writeFileSync(file, bytes);
    return { name, output: 'apk', size: bytes.length, sha256: sha256(bytes), path: file };
  });
  const logs = [
    { phase: 'build', path: log, sha256: sha256(Buffer.from('compiling\n')), truncatedBytes: 0 },
  ] as const;
  await storeBuild(
    cache,
    {
      key: await buildKey(plan, digest, packageRoot()),
      plan,
      run: 'run',
      attempt: 1,
      prepared: {
        inventory: {
          treeSha256: '2'.repeat(64),
          files: 0,
          bySha256: new Map(),
          byAllocatedSections: new Map(),
          linkable: [],
          linkableInto: new Map(),
          unopened: { count: 0, shown: [] },
        },
        environment: {
          executor: 'local',
          packages: [],
          kernel: 'Linux',
          cpuCount: 1,
          architecture: 'x64',
          commands: [],
        },
        deviations: [],
        logs: [],
        seconds: 1,
      },
      result: { kind: 'succeeded', outputs, absent: [], extra: [], logs, seconds: 1 },
    },
    (file) => Promise.resolve(readFileSync(file, 'utf8')),
  );
}

test.serial(
  'with the kept build: its logs and the rebuilt files, but none that is the published file itself',
  async (t) => {
    const home = temporaryDirectory(t);
    process.env['XDG_CACHE_HOME'] = home;
    const cache = path.join(home, 'samesource');
    const [published, rebuilt] = [zip('theirs'), zip('ours')];
    const report = await reportOf(published, rebuilt, FULL);
    await keep(t, cache, report, { 'app-unsigned.apk': rebuilt });
    const { archive, result } = await packed(t, stored(t, report));
    const files = unpacked(t, archive);
    t.deepEqual(files.get('rebuilt/app-unsigned.apk'), rebuilt);
    t.is(files.get('logs/build-1.log')?.toString(), 'compiling\n');
    t.is(holds(files, secret('theirs')), undefined);
    t.deepEqual(result.missing, []);

    const same = await reportOf(published, published, {
      ...FULL,
      plan: aPlan({ build: { outputs: [{ id: 'apk', path: 'build/other.apk' }] } }),
      run: aRun({ builds: 1, matchingBuilds: 1 }),
    });
    await keep(t, cache, same, { 'app-unsigned.apk': published });
    const equal = await packed(t, stored(t, same));
    t.deepEqual(equal.result.missing, [
      'app-unsigned.apk: the rebuilt file is the published one, byte for byte',
    ]);
    t.is(holds(unpacked(t, equal.archive), secret('theirs')), undefined);
  },
);

/** A run in its folder, whose build gave `rebuilt`. */
async function keptRun(t: ExecutionContext, rebuilt: Buffer, report?: Report): Promise<string> {
  const home = temporaryDirectory(t);
  process.env['XDG_CACHE_HOME'] = home;
  const run = '20261129t160000-abcdef';
  const directory = path.join(home, 'samesource/kept', run);
  mkdirSync(path.join(directory, 'logs'), { recursive: true });
  mkdirSync(path.join(directory, 'outputs/1'), { recursive: true });
  const request = { app: 'demo', version: '1.0', published: '/home/somebody/secret.apk' };
  const planned = { plan: localPlan(world(t)), facts: [] };
  const journal = new KeepRun({ policy: 'always', operation: 'verify', planned, request }, {});
  await journal.begin(directory);
  await journal.engine('docker');
  await journal.began({ phase: 'build', attempt: 1, container: 'c', arguments: ['--name', 'c'] });
  const name = 'app-unsigned.apk';
  const file = path.join(directory, 'outputs/1', name);
  writeFileSync(file, rebuilt);
  const output = { name, output: 'apk', size: rebuilt.length, sha256: sha256(rebuilt), path: file };
  const made = { absent: [], extra: [], logs: [], seconds: 1 };
  await journal.built(1, { kind: 'succeeded', outputs: [output], ...made });
  writeFileSync(path.join(directory, 'logs/build-1.log'), `compiling in ${directory}\n`);
  symlinkSync('/etc/passwd', path.join(directory, 'logs/passwd.log'));
  const more = report === undefined ? {} : { report };
  t.true(
    await journal.end({ good: false, outcome: report === undefined ? 'killed' : 'unreproducible', ...more }),
  );
  return run;
}

test.serial('a kept run with a verdict: its report, and what its folder has', async (t) => {
  const [published, rebuilt] = [zip('theirs'), zip('ours')];
  const run = await keptRun(t, rebuilt, await reportOf(published, rebuilt, FULL));
  const { archive, result } = await packed(t, run);
  const files = unpacked(t, archive);
  t.deepEqual(files.get('rebuilt/app-unsigned.apk'), rebuilt);
  t.is(files.get('logs/build-1.log')?.toString(), 'compiling in <private>\n');
  t.true(files.has('report.json'));
  t.false(files.has('logs/passwd.log'), 'a link is no log');
  t.is(holds(files, secret('theirs')), undefined);
  t.deepEqual(result.missing, []);

  const same = await keptRun(t, published, await reportOf(published, rebuilt, FULL));
  const without = await packed(t, same);
  t.is(holds(unpacked(t, without.archive), secret('theirs')), undefined);
  t.is(without.result.missing.length, 1);
});

test.serial('a kept run without a verdict: plan, phases and logs, no file that was built', async (t) => {
  const bytes = zip('whoever made this');
  const { archive, result } = await packed(t, await keptRun(t, bytes));
  const files = unpacked(t, archive);
  t.deepEqual([...files.keys()], ['README.txt', 'SHA256SUMS', 'logs/build-1.log', 'plan.json', 'run.json']);
  t.is(holds(files, secret('whoever made this')), undefined);
  t.false(files.get('run.json')?.includes('somebody'));
  t.is(result.missing.length, 2);
});

test('an attempt: why it failed, its plan, its logs', async (t) => {
  const directory = path.join(temporaryDirectory(t), '20261129t160000-abcdef');
  mkdirSync(path.join(directory, 'logs'), { recursive: true });
  const failure = { class: 'prepare-failed', message: 'it ended' };
  writeFileSync(
    path.join(directory, 'failure.json'),
    JSON.stringify({ schemaVersion: 1, failure, plan: { build: 1 } }),
  );
  writeFileSync(path.join(directory, 'logs/1-prepare.log'), 'E: no\n');
  const { archive, result } = await packed(t, directory);
  const files = unpacked(t, archive);
  t.deepEqual(
    [...files.keys()],
    ['README.txt', 'SHA256SUMS', 'failure.json', 'logs/1-prepare.log', 'plan.json'],
  );
  t.regex(
    files.get('README.txt')?.toString() ?? '',
    /^an attempt that ended without a verdict \(prepare-failed\)\n/,
  );
  t.is(result.missing.length, 1);
});

test('what is neither is refused', async (t) => {
  const directory = temporaryDirectory(t);
  await t.throwsAsync(pack({ what: directory }), { code: 'nothing-to-pack' });
  await t.throwsAsync(pack({ what: 'no-such-run' }), { code: 'nothing-to-pack' });
  writeFileSync(path.join(directory, 'failure.json'), '[]');
  await t.throwsAsync(pack({ what: directory }), { code: 'not-an-attempt' });
  const forged = { ...(await reportOf(zip('a'), zip('b'), FULL)), statementSha256: '0'.repeat(64) };
  const file = path.join(directory, 'forged.json');
  writeFileSync(file, renderJson(forged));
  await t.throwsAsync(pack({ what: file }), { code: 'report-inconsistent' });
});
