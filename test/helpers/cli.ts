// SPDX-License-Identifier: Apache-2.0
/** The command line as a user runs it: a process of its own, with a cache and a working directory of its own. */
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import type { ExecutionContext } from 'ava';
import { temporaryDirectory } from './temp-directory.js';

/** The package: sources, recipes, demo. */
export const packageDirectory = path.resolve(import.meta.dirname, '../../..');

export interface CliResult {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Cli {
  readonly directory: string;
  (...args: readonly string[]): CliResult;
}

/** `main`: the compiled command line; default this package's. */
export function commandLine(
  t: ExecutionContext,
  main = path.join(packageDirectory, 'dist/bin/main.js'),
): Cli {
  const root = temporaryDirectory(t);
  const directory = path.join(root, 'work');
  mkdirSync(directory);
  const run = (...args: readonly string[]): CliResult => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], {
      cwd: directory,
      encoding: 'utf8',
      maxBuffer: 64 << 20,
      env: { ...process.env, XDG_CACHE_HOME: path.join(root, 'cache'), NO_COLOR: '1' },
    });
    return { exitCode: status, stdout, stderr };
  };
  return Object.assign(run, { directory });
}
