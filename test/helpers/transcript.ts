// SPDX-License-Identifier: Apache-2.0
/** The command line as its user runs it: a process of its own. */
import path from 'node:path';
import type { ExecutionContext } from 'ava';
import { packageRoot } from '../../src/inputs/package-files.js';
import { runCli } from './run-cli.js';

export interface Transcript {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export const MAIN = path.join(packageRoot(), 'dist/bin/main.js');

export async function verify(args: readonly string[], options: CliOptions = {}): Promise<Transcript> {
  const { exitCode, stdout, stderr } = await runCli(args, options);
  return { code: exitCode, stdout, stderr };
}

/** Standard output is one JSON document, whatever happened. */
export function document(t: ExecutionContext, { stdout }: Transcript): unknown {
  let parsed: unknown;
  t.notThrows(
    () => {
      parsed = JSON.parse(stdout);
    },
    stdout.slice(0, 200),
  );
  return parsed;
}

/** What `--json` gives in place of a result. */
export function errorOf(t: ExecutionContext, transcript: Transcript): string {
  const { error } = document(t, transcript) as { readonly error?: { readonly code: string } };
  t.regex(transcript.stderr, /^error \[/);
  t.notRegex(transcript.stderr, /\n\s+at /);
  return error?.code ?? '';
}
