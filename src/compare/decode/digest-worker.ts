// SPDX-License-Identifier: Apache-2.0
/** A thread that digests the contents of entries; see `digest-pool.ts`. */
import { parentPort, workerData } from 'node:worker_threads';
import { FileSource, ForwardReader } from '../../bytes.js';
import { digestEntry } from './digest-entry.js';
import { claim, nextBatch, type DigestOrder, type DigestResult } from './digest-order.js';
import { prepareRelease } from './release.js';

const port = parentPort;
if (port !== null) {
  const { file, batches, state } = workerData as DigestOrder;
  const source = FileSource.borrow(file);
  const reader = new ForwardReader(source);
  await prepareRelease();
  for (let batch = batches[nextBatch(state)]; batch !== undefined; batch = batches[nextBatch(state)]) {
    const results: DigestResult[] = [];
    for (const job of batch) {
      if (!claim(state, job.number)) continue;
      const found = digestEntry(source, reader, job);
      results.push([job.entry, found instanceof Promise ? await found : found]);
    }
    port.postMessage(results);
  }
  port.postMessage('done');
}
