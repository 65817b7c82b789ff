// SPDX-License-Identifier: Apache-2.0
/** The system's tools that this room needs: a clean environment, a missing one told with the command that installs it. */
import { spawn } from 'node:child_process';
import { FailedHere } from '../errors.js';

export const INPUT_TOOLS = {
  git: { enables: 'fetching sources', install: 'apt-get install git' },
  gpgv: { enables: 'checking signatures of archives and tags', install: 'apt-get install gpgv' },
  xz: { enables: 'reading the indexes of a Debian archive', install: 'apt-get install xz-utils' },
} as const satisfies Record<string, { readonly enables: string; readonly install: string }>;
export type InputTool = keyof typeof INPUT_TOOLS;

export interface ToolOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: Buffer | string;
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number;
  /** Most that may be collected; with `onStdout` most that may be passed on. */
  readonly maxBytes?: number;
  readonly onStdout?: (chunk: Buffer) => void;
}

export interface ToolResult {
  readonly exitCode: number;
  /** Empty with `onStdout`. */
  readonly stdout: Buffer;
  /** Attacker-controlled in part: a remote server's words are in it. */
  readonly stderr: string;
}

export function missingTool(tool: InputTool, cause?: unknown): FailedHere {
  const { enables, install } = INPUT_TOOLS[tool];
  return new FailedHere('missing-tool', `${tool} is not installed; it is needed for ${enables}`, {
    cause,
    hint: `install it: ${install}`,
  });
}

export async function runTool(
  tool: InputTool,
  args: readonly string[],
  options: ToolOptions = {},
): Promise<ToolResult> {
  const env = {
    PATH: process.env['PATH'] ?? '/usr/bin:/bin',
    LC_ALL: 'C',
    HOME: '/nonexistent',
    ...options.env,
  };
  return await new Promise<ToolResult>((resolve, reject) => {
    const child = spawn(tool, args, {
      env,
      ...(options.cwd ? { cwd: options.cwd } : {}),
      ...(options.signal ? { signal: options.signal } : {}),
    });
    const out: Buffer[] = [];
    let err = '';
    child.stdout.on('data', (c: Buffer) => (options.onStdout ? options.onStdout(c) : out.push(c)));
    child.stderr.on('data', (c: Buffer) => (err += c.toString('utf8')));
    child.on('error', (e) => reject('code' in e && e.code === 'ENOENT' ? missingTool(tool, e) : e));
    child.on('close', (code) => resolve({ exitCode: code ?? -1, stdout: Buffer.concat(out), stderr: err }));
    child.stdin.on('error', () => undefined);
    child.stdin.end(options.input ?? '');
  });
}
