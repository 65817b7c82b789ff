// SPDX-License-Identifier: Apache-2.0
/** What the threads that digest contents share: the jobs, who has begun with which, and how they are done. */
import { ForwardReader, type FileSource, type OpenFile } from '../../bytes.js';
import { digestEntry, type DigestJob, type EntryDigests } from './digest-entry.js';
import { prepareRelease } from './release.js';

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

/** Takes batch after batch, until there is none left that another thread has not taken. */
export async function* digestBatches(
  { batches, state }: DigestOrder,
  source: FileSource,
): AsyncGenerator<readonly DigestResult[]> {
  const reader = new ForwardReader(source);
  await prepareRelease();
  for (let batch = batches[nextBatch(state)]; batch !== undefined; batch = batches[nextBatch(state)]) {
    const results: DigestResult[] = [];
    for (const job of batch) {
      if (!claim(state, job.number)) continue;
      const found = digestEntry(source, reader, job);
      results.push([job.entry, found instanceof Promise ? await found : found]);
    }
    yield results;
  }
}

function nextBatch(state: DigestOrder['state']): number {
  return Atomics.add(state, 0, 1);
}

/** True for the first who asks. */
export function claim(state: DigestOrder['state'], job: number): boolean {
  return Atomics.compareExchange(state, job + 1, 0, 1) === 0;
}
