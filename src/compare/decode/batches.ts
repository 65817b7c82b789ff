// SPDX-License-Identifier: Apache-2.0
/** Jobs for threads, cut into batches: a message each, and a bound on what is decoded at once. */

export interface BatchBound {
  /** A batch is closed by the job that reaches this. */
  readonly bytes: number;
  readonly jobs: number;
}

/** In their order; `weight` in bytes. */
export function cutBatches<Job>(
  jobs: readonly Job[],
  weight: (job: Job) => number,
  bound: BatchBound,
): Job[][] {
  const batches: Job[][] = [];
  let bytes = bound.bytes;
  for (const job of jobs) {
    const last = batches.at(-1);
    if (last === undefined || bytes >= bound.bytes || last.length >= bound.jobs) {
      batches.push([job]);
      bytes = 0;
    } else last.push(job);
    bytes += weight(job);
  }
  return batches;
}
