// SPDX-License-Identifier: Apache-2.0
/** A thread that decodes pairs of entries of two files; see `inflate-pool.ts`. */
import { parentPort, workerData } from 'node:worker_threads';
import { FileSource, ForwardReader } from '../../bytes.js';
import { inflatePair, type InflatedPair } from './inflate.js';
import { isAlone, prepareRelease } from './release.js';
import type { EntryJob, PoolFiles } from './inflate-pool.js';

const port = parentPort;
if (port !== null) {
  const files = workerData as PoolFiles;
  const published = new ForwardReader(FileSource.borrow(files.published));
  const rebuilt = new ForwardReader(FileSource.borrow(files.rebuilt));
  await prepareRelease();
  port.on('message', ({ batch, jobs }: { batch: number; jobs: readonly EntryJob[] }) => {
    const transfer = new Set<ArrayBuffer>();
    const results = jobs.map(({ p, r, algorithms }): InflatedPair => {
      const pair = inflatePair(
        { raw: published.read(p.offset, p.length), size: p.size, algorithms },
        { raw: rebuilt.read(r.offset, r.length), size: r.size },
      );
      for (const side of [pair.published, pair.rebuilt])
        if (side.kind === 'decoded' && side.bytes.length > 0 && isAlone(side.bytes))
          transfer.add(side.bytes.buffer);
      return pair;
    });
    port.postMessage({ batch, results }, [...transfer]);
  });
}
