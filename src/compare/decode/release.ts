// SPDX-License-Identifier: Apache-2.0
/** Gives the memory of large buffers back at once, instead of when they happen to be collected. */
import { MessageChannel, type MessagePort } from 'node:worker_threads';

/** Smaller ones share their memory with others, or are not worth it. */
const LARGE = 16 << 10;

let nowhere: MessagePort | undefined;
let preparing: Promise<void> | undefined;

/** Until this is done nothing is released: a port that is not closed yet would keep what it is given. */
export function prepareRelease(): Promise<void> {
  return (preparing ??= new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.once('close', () => {
      nowhere = port1;
      resolve();
    });
    // what waits for it must not end before it
    port1.ref();
    port2.close();
  }));
}

/** The buffer is the whole of its memory, so that this can be handed over. */
export function isAlone(bytes: Buffer): bytes is Buffer<ArrayBuffer> {
  return (
    bytes.buffer instanceof ArrayBuffer &&
    bytes.byteOffset === 0 &&
    bytes.byteLength === bytes.buffer.byteLength
  );
}

/** Once prepared, the buffer is empty afterwards: its memory was handed over to a port that leads nowhere. */
export function release(bytes: Buffer): void {
  if (bytes.buffer.byteLength < LARGE || !(bytes.buffer instanceof ArrayBuffer) || bytes.byteOffset !== 0)
    return;
  nowhere?.postMessage(null, [bytes.buffer]);
}
