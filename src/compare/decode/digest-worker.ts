// SPDX-License-Identifier: Apache-2.0
/** A thread that digests the contents of entries; see `digest-pool.ts`. */
import { parentPort, workerData } from 'node:worker_threads';
import { FileSource, ForwardReader, type OpenFile } from '../../bytes.js';
import { digestEntry, type DigestJob, type EntryDigests } from './digest-entry.js';
import { prepareRelease } from './release.js';

const port = parentPort;
if (port !== null) {
  const source = FileSource.borrow(workerData as OpenFile);
  const reader = new ForwardReader(source);
  await prepareRelease();
  port.on('message', (jobs: readonly DigestJob[]) => {
    void (async (): Promise<void> => {
      const results: (readonly [number, EntryDigests])[] = [];
      for (const job of jobs) {
        const found = digestEntry(source, reader, job);
        results.push([job.entry, found instanceof Promise ? await found : found]);
      }
      port.postMessage(results);
    })();
  });
}
