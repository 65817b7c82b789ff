// SPDX-License-Identifier: Apache-2.0
/**
 * Turns every bit of a small APK of each set of schemes and of small apps of Apple's platforms, and makes 20,000 mutations of real APKs: `npm run bench:sweep`.
 * Prints what refused them, and what was accepted by which rule, as markdown. Exit 1 when anything was accepted that
 * must not be. `-- --share 64` takes one bit in 64, `-- --mutations 400` fewer mutations, `-- --only app` the cases whose
 * names begin so.
 */
import { fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { hasTool } from '../test/helpers/need.js';
import { mutate, subjectOf, type MutationKind, type Subject } from '../test/attacks/real-mutations.js';
import {
  compareFor,
  mixed,
  sumOf,
  sweep,
  type Mutated,
  type SweepCase,
  type SweepCount,
} from '../test/attacks/sweep.js';
import { appSweepCase } from '../test/attacks/app-sweep-cases.js';
import { sweepCases, withSourceStamp } from '../test/attacks/sweep-cases.js';

const SEED = 20261125;

type Job =
  | { readonly kind: 'bits'; readonly scheme: string; readonly mutated: Mutated; readonly share: number }
  | { readonly kind: 'mutations'; readonly apk: RealApk; readonly from: number; readonly to: number };

interface MutationCount {
  readonly made: Readonly<Partial<Record<MutationKind, number>>>;
  readonly accepted: readonly {
    readonly seed: number;
    readonly kind: MutationKind;
    readonly worst: string;
  }[];
}

type Done =
  | { readonly job: Job & { readonly kind: 'bits' }; readonly count: SweepCount }
  | { readonly job: Job & { readonly kind: 'mutations' }; readonly count: MutationCount };

const apps = (): readonly SweepCase[] => [appSweepCase(0), appSweepCase(8)];
const require = createRequire(import.meta.url);
const apks = (name: string): string =>
  path.join(path.dirname(require.resolve(`${name}/package.json`)), 'apks');
const REAL = {
  'settings-apk': () => path.join(apks('settings-apk'), 'settings_apk-debug.apk'),
  'appium-uiautomator2-server': () => {
    const { version } = require('appium-uiautomator2-server/package.json') as { version: string };
    return path.join(apks('appium-uiautomator2-server'), `appium-uiautomator2-server-v${version}.apk`);
  },
} as const;
type RealApk = keyof typeof REAL;
/** Of every hundred mutations: the other one is six times as large. */
const PERCENT: Readonly<Record<RealApk, number>> = { 'settings-apk': 94, 'appium-uiautomator2-server': 6 };

// ---------------------------------------------------------------- in a worker

const subjects = new Map<RealApk, Subject>();

async function work(job: Job): Promise<Done> {
  if (job.kind === 'bits') {
    const one =
      job.scheme === 'source stamp'
        ? withSourceStamp()
        : [...sweepCases(), ...apps()].find(({ name }) => name === job.scheme);
    if (one === undefined) throw new Error(`no case ${job.scheme}`);
    return { job, count: await sweep(one, job.mutated, (bit) => mixed(SEED, bit) % job.share === 0) };
  }
  const subject = subjects.get(job.apk) ?? subjectOf(readFileSync(REAL[job.apk]()));
  subjects.set(job.apk, subject);
  const made: Partial<Record<MutationKind, number>> = {};
  const accepted: { seed: number; kind: MutationKind; worst: string }[] = [];
  for (let seed = job.from; seed < job.to; seed++) {
    const { kind, published } = mutate(subject, seed);
    made[kind] = (made[kind] ?? 0) + 1;
    if (published.equals(subject.published)) continue;
    const { pair, exit } = await compareFor(published, subject.rebuilt, undefined);
    if (exit === 0) accepted.push({ seed, kind, worst: pair.worst });
  }
  return { job, count: { made, accepted } };
}

// ---------------------------------------------------------------- the whole

async function inProcesses(jobs: readonly Job[]): Promise<Done[]> {
  const waiting = [...jobs];
  const done: Done[] = [];
  const one = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const child = fork(fileURLToPath(import.meta.url), ['--worker']);
      const next = (): void => {
        const job = waiting.shift();
        if (job === undefined) child.disconnect();
        else child.send(job);
      };
      child.on('message', (message) => {
        done.push(message as Done);
        if (process.stderr.isTTY) process.stderr.write(`\r${done.length} of ${jobs.length} parts`);
        next();
      });
      child.on('error', reject);
      child.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`a worker ended with ${code}`))));
      next();
    });
  await Promise.all(Array.from({ length: Math.min(availableParallelism(), jobs.length) }, one));
  if (process.stderr.isTTY) process.stderr.write('\n');
  return done;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      share: { type: 'string', default: '1' },
      mutations: { type: 'string', default: '20000' },
      only: { type: 'string', default: '' },
    },
  });
  const share = Number(values.share);
  const mutations = Number(values.mutations);
  const cases = [...sweepCases(), ...apps(), ...(hasTool('apksigner') ? [withSourceStamp()] : [])].filter(
    ({ name }) => name.startsWith(values.only),
  );
  const bits = cases.flatMap(({ name, resign }): Job[] => [
    { kind: 'bits', scheme: name, mutated: 'published', share },
    { kind: 'bits', scheme: name, mutated: 'rebuilt', share },
    ...(resign === undefined ? [] : [{ kind: 'bits', scheme: name, mutated: 're-signed', share } as const]),
  ]);
  const PART = 200;
  const real = (Object.keys(REAL) as RealApk[]).flatMap((apk, index): Job[] => {
    const count = Math.round((mutations * PERCENT[apk]) / 100);
    const first = index * 1e6;
    return Array.from({ length: Math.ceil(count / PART) }, (_, part) => ({
      kind: 'mutations',
      apk,
      from: first + part * PART,
      to: first + Math.min(count, (part + 1) * PART),
    }));
  });
  const done = await inProcesses([...bits, ...real]);
  const said = [...bitTable(cases, done), '', ...mutationTable(done)];
  console.log(said.join('\n'));
  const bad = done.flatMap(({ count }): readonly unknown[] =>
    'violations' in count ? count.violations : count.accepted,
  );
  for (const one of bad.slice(0, 50)) console.error(JSON.stringify(one));
  process.exitCode = bad.length === 0 ? 0 : 1;
}

const number = (value: number): string => value.toLocaleString('en-US');

function bitTable(
  cases: readonly { readonly name: string; readonly published: Buffer }[],
  done: readonly Done[],
): string[] {
  const rows = cases.flatMap(({ name, published }) =>
    (['published', 'rebuilt', 're-signed'] as const).flatMap((mutated) => {
      const counts = done.flatMap((one) =>
        one.job.kind === 'bits' &&
        one.job.scheme === name &&
        one.job.mutated === mutated &&
        'bits' in one.count
          ? [one.count]
          : [],
      );
      if (counts.length === 0) return [];
      const { bits, byLedger, bySignature, repacked, accepted, violations } = sumOf(counts);
      const left = Object.entries(accepted)
        .map(([rule, count]) => `${number(count)} \`${rule}\``)
        .join(', ');
      return [
        `| ${name} (${number(published.length)} bytes) | ${mutated} | ${number(bits)} | ${number(byLedger)} | ${number(bySignature)} | ${number(repacked)} | ${left === '' ? '0' : left} | ${violations.length} |`,
      ];
    }),
  );
  return [
    '| file | turned in | bits | refused by the ledgers alone | refused in the signature | same content, packed otherwise | exit 0, by rule | violations |',
    '|---|---|--:|--:|--:|--:|---|--:|',
    ...rows,
  ];
}

function mutationTable(done: readonly Done[]): string[] {
  const made = new Map<string, number>();
  const accepted = new Map<string, number>();
  for (const { count } of done) {
    if (!('made' in count)) continue;
    for (const [kind, times] of Object.entries(count.made)) made.set(kind, (made.get(kind) ?? 0) + times);
    for (const { kind } of count.accepted) accepted.set(kind, (accepted.get(kind) ?? 0) + 1);
  }
  const rows = [...made]
    .sort()
    .map(([kind, times]) => `| ${kind} | ${number(times)} | ${accepted.get(kind) ?? 0} |`);
  const total = [...made.values()].reduce((sum, times) => sum + times, 0);
  return [
    '| mutation of a real APK | made | exit 0 |',
    '|---|--:|--:|',
    ...rows,
    `| all | ${number(total)} | ${[...accepted.values()].reduce((sum, times) => sum + times, 0)} |`,
  ];
}

if (process.argv.includes('--worker'))
  process.on('message', (job) => {
    void work(job as Job).then(
      (done) => process.send?.(done),
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
  });
else await main();
