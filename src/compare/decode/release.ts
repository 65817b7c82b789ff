// SPDX-License-Identifier: Apache-2.0
/** Gives the memory of large buffers back at once, instead of when they happen to be collected. */
import { MessageChannel, type MessagePort } from 'node:worker_threads';

/** Smaller ones share their memory with others, or are not worth it. */
const LARGE = 16 << 10;

let nowhere: MessagePort | undefined;

/** The buffer is the whole of its memory, so that this can be handed over. */
export function isAlone(bytes: Buffer): bytes is Buffer<ArrayBuffer> {
  return (
    bytes.buffer instanceof ArrayBuffer &&
    bytes.byteOffset === 0 &&
    bytes.byteLength === bytes.buffer.byteLength
  );
}

/** The buffer is empty afterwards: its memory was handed over to a port that leads nowhere. */
export function release(bytes: Buffer): void {
  if (bytes.buffer.byteLength < LARGE || !(bytes.buffer instanceof ArrayBuffer) || bytes.byteOffset !== 0)
    return;
  if (nowhere === undefined) {
    const { port1, port2 } = new MessageChannel();
    port2.close();
    nowhere = port1;
  }
  nowhere.postMessage(null, [bytes.buffer]);
}
