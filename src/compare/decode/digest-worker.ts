// SPDX-License-Identifier: Apache-2.0
/** A thread that digests the contents of entries; see `digest-pool.ts`. */
import { parentPort, workerData } from 'node:worker_threads';
import { FileSource } from '../../bytes.js';
import { digestBatches, type DigestOrder } from './digest-order.js';

const port = parentPort;
if (port !== null) {
  const order = workerData as DigestOrder;
  for await (const results of digestBatches(order, FileSource.borrow(order.file))) port.postMessage(results);
  port.postMessage('done');
}
