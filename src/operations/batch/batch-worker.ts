// SPDX-License-Identifier: Apache-2.0
/** A program: does one job of a batch, so that what becomes of it (a crash, memory, a leak) is that of one app alone. */
import { appendFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { doJob } from './do-job.js';
import type { Job } from './job.js';

const controller = new AbortController();
const stop = (): void => controller.abort();
process.on('SIGTERM', stop).on('SIGINT', stop);

// nobody would take the answer of an orphan, and the next batch does its work anew
const parent = process.ppid;
setInterval(() => {
  if (process.ppid !== parent) controller.abort();
}, 500).unref();

const job = JSON.parse(await text(process.stdin)) as Job;
const result = await doJob(job, {
  signal: controller.signal,
  onProgress: (event) => {
    if (event.kind === 'phase-started') process.stderr.write(`… ${event.title}\n`);
    else if (event.kind === 'note') process.stderr.write(`  ${event.text}\n`);
  },
});
// written whole before the process ends, also into a pipe
appendFileSync(1, JSON.stringify(result));
