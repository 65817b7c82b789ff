// SPDX-License-Identifier: Apache-2.0
/** A copy of the package with recipes of a test's own, and its command line as a process that can be watched and killed. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  cpSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';
import type { ImageLock } from '../../src/build/image-lock.js';
import { slotFor } from '../../src/build/root-file-system.js';
import { packageDirectory } from './cli.js';
import { temporaryDirectory } from './temp-directory.js';

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly child: ChildProcess;
  /** Until what it has said on standard error matches; an error when it ends before. */
  said(words: RegExp): Promise<void>;
  readonly ended: Promise<Ended>;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
}

export interface ScratchPackage {
  readonly root: string;
  readonly work: string;
  /** The value of XDG_CACHE_HOME. */
  readonly cacheHome: string;
  /** The value of TMPDIR. */
  readonly temporary: string;
  start(args: readonly string[], options?: RunOptions): Running;
  run(args: readonly string[], options?: RunOptions): Promise<Ended>;
  /** What runs left in the cache and in the directory for temporary files. */
  left(): readonly string[];
  /** Below the working directory, sorted: `attempts/…/failure.json`. */
  written(): readonly string[];
}

export function scratchPackage(
  t: ExecutionContext,
  recipes: Readonly<Record<string, string>>,
): ScratchPackage {
  const base = temporaryDirectory(t);
  const [root, work, cacheHome, temporary] = ['package', 'work', 'cache', 'tmp'].map((name) => {
    const directory = path.join(base, name);
    mkdirSync(directory);
    return directory;
  }) as [string, string, string, string];
  for (const part of ['demo', 'recipes', 'docker', 'package.json'])
    cpSync(path.join(packageDirectory, part), path.join(root, part), { recursive: true });
  link(path.join(packageDirectory, 'dist/bin'), path.join(root, 'dist/bin'));
  symlinkSync(path.join(packageDirectory, 'node_modules'), path.join(root, 'node_modules'));
  for (const [app, text] of Object.entries(recipes))
    writeFileSync(path.join(root, 'recipes', `${app}.yaml`), text);
  const start = (args: readonly string[], { env = {} }: RunOptions = {}): Running =>
    startProcess(t, [path.join(root, 'dist/bin/main.js'), ...args], work, {
      XDG_CACHE_HOME: cacheHome,
      TMPDIR: temporary,
      ...env,
    });
  return {
    root,
    work,
    cacheHome,
    temporary,
    start,
    run: (args, options) => inTurn(() => start(args, options).ended),
    left: () => [...filesIn(path.join(cacheHome, 'samesource/runs')), ...filesIn(temporary)],
    written: () =>
      readdirSync(work, { recursive: true, withFileTypes: true })
        .filter((entry) => !entry.isDirectory() || entry.name.startsWith('.'))
        .map((entry) => path.relative(work, path.join(entry.parentPath, entry.name)))
        .sort(),
  };
}

/** Files that nobody writes to, under another name: a process finds its package by where its code lies. */
function link(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [one, other] = [path.join(from, entry.name), path.join(to, entry.name)];
    if (entry.isDirectory()) link(one, other);
    else if (entry.name.endsWith('.js') || entry.name.endsWith('.json')) linkOrCopy(one, other);
  }
}

function linkOrCopy(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch {
    // on another file system
    copyFileSync(from, to);
  }
}

const waiting: (() => void)[] = [];
let free = availableParallelism();

/** As many at once as the machine has processors. */
async function inTurn<T>(work: () => Promise<T>): Promise<T> {
  if (free === 0) await new Promise<void>((resolve) => waiting.push(resolve));
  else free--;
  try {
    return await work();
  } finally {
    const next = waiting.shift();
    if (next === undefined) free++;
    else next();
  }
}

function filesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory).map((name) => path.join(path.basename(directory), name));
  } catch {
    return [];
  }
}

function startProcess(
  t: ExecutionContext,
  args: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>>,
): Running {
  const child = spawn(process.execPath, args, {
    cwd,
    env: { ...process.env, NO_COLOR: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  const text = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (chunk: string) => {
      text[name] += chunk;
    });
  let over = false;
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject).on('close', (code) => {
      over = true;
      resolve({ code, ...text });
    });
  });
  const said = async (words: RegExp): Promise<void> => {
    while (!words.test(text.stderr)) {
      if (over) throw new Error(`ended before ${String(words)}: ${text.stderr}`);
      await sleep(20);
    }
  };
  return { child, said, ended };
}

// ---------------------------------------------------------------- recipes

export interface AppRecipe {
  readonly app: string;
  readonly image?: string;
  readonly prepare?: string;
  readonly build: string;
  /** Lines of the channel `own`, in place of a file that is handed over. */
  readonly channel?: string;
  readonly source?: string;
  readonly resolve?: string;
  readonly assertions?: string;
  readonly memoryMiB?: number;
  readonly diskMiB?: number;
  readonly vary?: string;
}

const BUNDLED = 'kind: bundled, directory: demo/source';

/** Output `result.txt`; the source is the demo's unless it says otherwise. */
export function appRecipe(app: AppRecipe): string {
  const script = (text: string): string => text.trim().split('\n').join('\n          ');
  return `schemaVersion: 1
app: ${app.app}
title: An app of a test
platform: android
status: { kind: demonstration, evidence: [{ url: https://example.org/ }] }
source: { ${app.source ?? BUNDLED} }
versions:
  resolve:
    - ${app.resolve ?? "{ kind: bundled, tag: 'v{version}', versions: [{ version: '1.0.0', build: 1 }] }"}
  assertions: ${app.assertions ?? '[]'}
channels:
  own:
    title: Of a test
    builtBy: publisher
    ${app.channel ?? 'acquisition: { kind: handed-over, how: make it }'}
    pairs: [{ published: result.txt, output: result }]
builds:
  - versions: '*'
    environment:
      image: ${app.image ?? '{ kind: none }'}
      user: root
      directory: /build/app
      locale: C.UTF-8
      timeZone: UTC
      sourceDateEpoch: commit
      memoryMiB: ${app.memoryMiB ?? 256}
      diskMiB: ${app.diskMiB ?? 16}
      minutes: 2
      expectedMinutes: 1
      cpus: 1
    phases:
${app.prepare === undefined ? '' : `      - name: prepare\n        network: true\n        script: |\n          ${script(app.prepare)}\n`}      - name: build
        network: false
        script: |
          ${script(app.build)}
${app.vary === undefined ? '' : `    vary: ${app.vary}\n`}    outputs:
      - { id: result, path: result.txt }
`;
}

// ---------------------------------------------------------------- an image of a few megabytes

const LOCK: ImageLock = {
  schemaVersion: 1,
  suite: 'test',
  component: 'main',
  architecture: 'amd64',
  keyring: 'nobody',
  release: { sha256: '0'.repeat(64), date: '2026-01-01T00:00:00Z', signedBy: [] },
  sourceDateEpoch: 0,
  include: [],
  packages: [
    {
      name: 'tiny',
      version: '1',
      architecture: 'all',
      path: 'pool/tiny.deb',
      size: 1,
      sha256: '1'.repeat(64),
    },
  ],
};
const PROGRAMS = ['sh', 'sleep', 'cat', 'ls', 'mkdir', 'rm'];

/** The image `tiny`: a lock in the package, and in the cache what it stands for, made of this machine's own shell. */
export function addTinyImage({ root, cacheHome, temporary }: ScratchPackage): void {
  const directory = path.join(root, 'docker/tiny');
  mkdirSync(directory);
  writeFileSync(path.join(directory, 'lock.json'), JSON.stringify(LOCK));
  const tree = path.join(path.dirname(temporary), 'tiny');
  const slot = slotFor(path.join(cacheHome, 'samesource'), LOCK, LOCK.packages);
  mkdirSync(path.dirname(slot.tar), { recursive: true });
  for (const name of ['bin', 'etc', 'tmp', 'root', 'build'])
    mkdirSync(path.join(tree, name), { recursive: true });
  writeFileSync(path.join(tree, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\n');
  for (const program of PROGRAMS) {
    const file = execFileSync('sh', ['-c', 'command -v "$1"', 'sh', program], { encoding: 'utf8' }).trim();
    copyFileSync(file, path.join(tree, 'bin', program));
    for (const [library] of execFileSync('ldd', [file], { encoding: 'utf8' }).matchAll(/\/[^\s()]+/g)) {
      mkdirSync(path.join(tree, path.dirname(library)), { recursive: true });
      copyFileSync(library, path.join(tree, library));
    }
  }
  execFileSync('tar', [
    '--sort=name',
    '--owner=0',
    '--group=0',
    '--mtime=@0',
    '-cf',
    slot.tar,
    '-C',
    tree,
    '.',
  ]);
  const bytes = readFileSync(slot.tar);
  const made = { sha256: createHash('sha256').update(bytes).digest('hex'), size: bytes.length };
  writeFileSync(slot.record, JSON.stringify(made));
}
