// SPDX-License-Identifier: Apache-2.0
/** The command line in a process of its own, a few at a time. */
import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const MAIN = path.join(path.dirname(fileURLToPath(import.meta.url)), '../../bin/main.js');

export interface Ran {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Both, as a terminal shows them. */
  readonly output: string;
  readonly seconds: number;
}

export interface RunOptions {
  readonly cwd?: string;
  /** As this user: for what root may do and others may not. */
  readonly uid?: number;
  /** In front of node, e.g. `/usr/bin/time`. */
  readonly wrapper?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

const waiting: (() => void)[] = [];
let free = Math.max(1, availableParallelism());

export async function runCli(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  if (free === 0) await new Promise<void>((resolve) => waiting.push(resolve));
  else free--;
  try {
    return await run(args, options);
  } finally {
    const next = waiting.shift();
    if (next === undefined) free++;
    else next();
  }
}

function run(args: readonly string[], { cwd, uid, wrapper = [], env }: RunOptions): Promise<Ran> {
  const [command = process.execPath, ...rest] = [...wrapper, process.execPath, MAIN, ...args];
  const started = performance.now();
  const child = spawn(command, rest, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NO_COLOR: '1', ...env },
    ...(cwd === undefined ? {} : { cwd }),
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
  const text = { stdout: '', stderr: '', output: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (chunk: string) => {
      text[name] += chunk;
      text.output += chunk;
    });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (exitCode) =>
      resolve({ exitCode, ...text, seconds: (performance.now() - started) / 1000 }),
    );
  });
}
