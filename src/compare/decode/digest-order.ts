// SPDX-License-Identifier: Apache-2.0
/** What the threads that digest contents share: the jobs, and who has begun with which. */
import type { OpenFile } from '../../bytes.js';
import type { DigestJob, EntryDigests } from './digest-entry.js';

/** With its place in the list of all, which is that of its mark. */
export interface NumberedJob extends DigestJob {
  readonly number: number;
}

/** What a thread starts with. `state`: the next batch, then a mark for each job. */
export interface DigestOrder {
  readonly file: OpenFile;
  readonly batches: readonly (readonly NumberedJob[])[];
  readonly state: Int32Array<SharedArrayBuffer>;
}

export type DigestResult = readonly [entry: number, digests: EntryDigests];

export function nextBatch(state: DigestOrder['state']): number {
  return Atomics.add(state, 0, 1);
}

/** True for the first who asks. */
export function claim(state: DigestOrder['state'], job: number): boolean {
  return Atomics.compareExchange(state, job + 1, 0, 1) === 0;
}
