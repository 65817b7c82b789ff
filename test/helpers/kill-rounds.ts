// SPDX-License-Identifier: Apache-2.0
/**
 * A batch on Docker, killed by the signal that nobody can catch at moments that a seed chooses, then started again. What is
 * lost, half there, there twice or left over afterwards is a problem.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';
import { addTinyImage, appRecipe, scratchPackage, type ScratchPackage } from './scratch-package.js';

/** What is killed: the batch; with the processes of its jobs; with those that were to tidy up after them. */
const WHOM = ['batch', 'jobs', 'keepers'] as const;
type Whom = (typeof WHOM)[number];

export interface Round {
  readonly whom: Whom;
  readonly afterMs: number;
  readonly problems: readonly string[];
}

const APPS = ['one', 'two'];
const PATIENCE_MS = 60_000;

/** mulberry32, public domain. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** `t`: only what it is told to do at the end is used. */
export async function* killRounds(
  t: Pick<ExecutionContext, 'teardown'>,
  { rounds, seed }: { readonly rounds: number; readonly seed: number },
): AsyncGenerator<Round> {
  const build = (text: string): string => `sleep 0.3; echo ${text} > result.txt`;
  const scratch = scratchPackage(t as ExecutionContext, {
    one: appRecipe({
      app: 'one',
      image: '{ kind: lock, name: tiny }',
      prepare: 'sleep 0.2',
      build: build('built'),
    }),
    // confirmed by a second build, under other conditions
    two: appRecipe({
      app: 'two',
      image: '{ kind: lock, name: tiny }',
      build: build('bilt'),
      vary: '[cpus, host-name, directory-order]',
    }),
  });
  addTinyImage(scratch);
  writeFileSync(path.join(scratch.work, 'same.txt'), 'built\n');
  writeFileSync(
    path.join(scratch.work, 'apps.yaml'),
    `apps:\n${APPS.map((app) => `  - { app: ${app}, published: same.txt, engine: docker }\n`).join('')}`,
  );
  const next = random(seed);
  const runs = new Set<string>();
  const watching = setInterval(() => {
    for (const run of runsIn(scratch)) runs.add(run);
  }, 20);
  t.teardown(() => clearInterval(watching));
  try {
    // also makes the base image, which stays
    const started = performance.now();
    await scratch.run(batchInto('first'));
    const span = performance.now() - started;
    for (let n = 0; n < rounds; n++) {
      const whom = WHOM[Math.floor(next() * WHOM.length)] ?? 'batch';
      const afterMs = Math.round(next() * span);
      const out = `round-${n}`;
      mkdirSync(path.join(scratch.work, out));
      const problems = await round(scratch, { out, whom, afterMs, runs });
      yield { whom, afterMs, problems };
    }
  } finally {
    clearInterval(watching);
  }
}

const batchInto = (out: string): readonly string[] => ['batch', 'apps.yaml', '-j', '2', '--out', out];

async function round(
  scratch: ScratchPackage,
  { out, whom, afterMs, runs }: { out: string; whom: Whom; afterMs: number; runs: ReadonlySet<string> },
): Promise<readonly string[]> {
  const running = scratch.start(batchInto(out));
  await Promise.race([sleep(afterMs), running.ended]);
  running.child.kill('SIGKILL');
  for (const pid of processesOf(scratch, whom)) kill(pid);
  await running.ended;
  const again = await scratch.run(batchInto(out));
  const problems: string[] = [];
  if (again.code !== 0) problems.push(`exit ${again.code}: ${again.stderr.slice(-1000)}`);
  const repaired = await scratch.run(['doctor', '--repair', '--out', out]);
  if (repaired.code !== 0) problems.push(`doctor: ${repaired.stdout}${repaired.stderr}`);
  problems.push(...written(path.join(scratch.work, out)));
  const until = Date.now() + PATIENCE_MS;
  let left = leftOf(scratch, runs);
  while (left.length > 0 && Date.now() < until) {
    await sleep(500);
    left = leftOf(scratch, runs);
  }
  return [...problems, ...left];
}

/** Each app has one report, all is whole. */
function written(out: string): readonly string[] {
  const problems: string[] = [];
  for (const app of APPS) {
    const place = path.join(out, 'reports', app, '1.0.0', 'own');
    const reports = list(place);
    if (reports.length !== 1) problems.push(`${app} has ${reports.length} reports: ${reports.join(' ')}`);
    for (const name of reports)
      if (!isWhole(path.join(place, name, 'report.json'))) problems.push(`a half report: ${app} ${name}`);
  }
  for (const name of list(path.join(out, 'attempts')))
    if (!isWhole(path.join(out, 'attempts', name, 'failure.json'))) problems.push(`a half attempt: ${name}`);
  const journal = list(path.join(out, 'batch'));
  if (journal.join(' ') !== 'apps.json') problems.push(`beside the journal: ${journal.join(' ')}`);
  return problems;
}

function isWhole(file: string): boolean {
  try {
    return typeof JSON.parse(readFileSync(file, 'utf8')) === 'object';
  } catch {
    return false;
  }
}

function list(directory: string): readonly string[] {
  try {
    return readdirSync(directory).sort();
  } catch {
    return [];
  }
}

const runsIn = ({ cacheHome }: ScratchPackage): readonly string[] =>
  list(path.join(cacheHome, 'samesource/runs'));

/** Directories, mounts, processes, and what Docker holds of these runs. */
function leftOf(scratch: ScratchPackage, runs: ReadonlySet<string>): readonly string[] {
  const docker = (...args: readonly string[]): readonly string[] =>
    execFileSync('docker', args, { encoding: 'utf8' }).split('\n');
  const label = ['--filter', 'label=org.samesource.run', '--format', '{{.Label "org.samesource.run"}}'];
  const held = [
    ...docker('ps', '--all', ...label),
    ...docker('network', 'ls', ...label),
    ...docker('volume', 'ls', ...label),
    ...docker('images', '--format', '{{.Repository}}'),
  ].filter((name) => [...runs].some((run) => name.includes(run)));
  const base = path.dirname(scratch.root);
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .filter((line) => line.includes(base));
  return [
    ...scratch.left(),
    ...held,
    ...mounts,
    ...processesOf(scratch, 'keepers').map((pid) => `process ${pid}`),
  ];
}

/** Of this package: its programs are named by where they lie. */
function processesOf({ root }: ScratchPackage, whom: Whom): readonly number[] {
  if (whom === 'batch') return [];
  return readdirSync('/proc').flatMap((pid) => {
    if (!/^\d+$/.test(pid)) return [];
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      const found = command.includes(
        whom === 'jobs' ? `${root}/dist/bin/batch-worker.js` : `${root}/dist/bin/`,
      );
      return found ? [Number(pid)] : [];
    } catch {
      return [];
    }
  });
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // gone meanwhile
  }
}
