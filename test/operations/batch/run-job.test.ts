// SPDX-License-Identifier: Apache-2.0
/** A job in a process of its own: its answer, its time limit, its end without an answer. */
import test from 'ava';
import type { Job } from '../../../src/operations/batch/job.js';
import { runJob } from '../../../src/operations/batch/run-job.js';
import { temporaryDirectory } from '../../helpers/temp-directory.js';

const signal = new AbortController().signal;
const job = (out: string, app: string): Job => ({
  kind: 'plan',
  target: { app, version: 'latest', channel: app },
  out,
});

test('a plan, what cannot be, and what is a bug are answers', async (t) => {
  const out = temporaryDirectory(t);
  const lines: string[] = [];
  const onLine = (line: string): void => void lines.push(line);
  const planned = await runJob(job(out, 'demo'), { signal, minutes: 2, onLine });
  t.like(planned, {
    kind: 'planned',
    what: 'build',
    version: '1.0.0',
    local: true,
    samePlan: false,
    newer: [],
  });
  t.like(await runJob(job(out, 'nobody'), { signal, minutes: 2 }), { kind: 'refused', code: 'unknown-app' });
  const broken = { kind: 'plan', out } as unknown as Job;
  t.like(await runJob(broken, { signal, minutes: 2 }), { kind: 'failed', failure: 'crashed' });
  t.deepEqual(
    lines.filter((line) => line.startsWith('{')),
    [],
  );
});

test('a time limit, an abort, and a process that says nothing', async (t) => {
  const out = temporaryDirectory(t);
  t.like(await runJob(job(out, 'demo'), { signal, minutes: 0.00001 }), {
    kind: 'failed',
    failure: 'time-limit',
  });
  const controller = new AbortController();
  setTimeout(() => controller.abort(), 20);
  await t.throwsAsync(runJob(job(out, 'demo'), { signal: controller.signal, minutes: 2 }), {
    code: 'interrupted',
  });
  const silent = 'no object' as unknown as Job;
  t.like(await runJob(silent, { signal, minutes: 2 }), { kind: 'failed', failure: 'crashed' });
});
