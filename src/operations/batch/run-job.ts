// SPDX-License-Identifier: Apache-2.0
/** Does a job in a process of its own; whatever becomes of that process is a result. */
import { fileURLToPath } from 'node:url';
import { FailedHere } from '../../errors.js';
import { run, type HowEnded } from '../../process.js';
import type { Job, JobFailure, JobResult } from './job.js';

export interface JobOptions {
  readonly signal: AbortSignal;
  readonly minutes: number;
  readonly onLine?: (line: string) => void;
}

export type RunJob = (job: Job, options: JobOptions) => Promise<JobResult>;

const WORKER = fileURLToPath(new URL('./batch-worker.js', import.meta.url));
const RESULT_BYTES = 64 << 20;
/** To end its containers and keep what is known; what it does not get done, its keeper does. */
const GRACE_MS = 60_000;

/** @throws FailedHere `interrupted` */
export async function runJob(job: Job, { signal, minutes, onLine }: JobOptions): Promise<JobResult> {
  const env = Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
  const { ended, stdout, stderr } = await run(process.execPath, [WORKER], {
    input: JSON.stringify(job),
    env,
    signal,
    timeoutMs: minutes * 60_000,
    graceMs: GRACE_MS,
    captureBytes: RESULT_BYTES,
    // the result is one line as well
    onLine: (line) => {
      if (!line.startsWith('{')) onLine?.(line);
    },
  });
  if (signal.aborted) throw new FailedHere('interrupted', 'interrupted');
  return timeLimit(ended, minutes) ?? resultIn(stdout) ?? crash(ended, stderr.toString().trim());
}

function timeLimit(ended: HowEnded, minutes: number): JobFailure | undefined {
  if (ended.kind !== 'timed-out') return undefined;
  return {
    kind: 'failed',
    failure: 'time-limit',
    message: `it was not done after ${minutes} minutes`,
    hint: 'more `minutes` in the list, or a faster machine',
  };
}

function resultIn(stdout: Buffer): JobResult | undefined {
  try {
    return JSON.parse(stdout.toString()) as JobResult;
  } catch {
    return undefined;
  }
}

function crash(ended: HowEnded, said: string): JobFailure {
  const last = said.split('\n').at(-1)?.slice(0, 500) ?? '';
  // V8 ends its process so
  if (/heap out of memory/i.test(said))
    return {
      kind: 'failed',
      failure: 'out-of-memory',
      message: 'its process needed more memory than Node allows',
    };
  const how =
    ended.kind === 'exited'
      ? `exit code ${ended.code}`
      : ended.kind === 'signalled'
        ? ended.signal
        : ended.kind;
  return {
    kind: 'failed',
    failure: 'crashed',
    message: `its process ended without a result (${how}): ${last}`,
  };
}
