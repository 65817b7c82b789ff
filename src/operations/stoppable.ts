// SPDX-License-Identifier: Apache-2.0
/** Whatever notices an abort first, and however it says so: to a caller it is one class of failure. */
import { FailedHere } from '../errors.js';
import type { OperationOptions } from './options.js';

/** @throws FailedHere `interrupted` */
export async function stoppable<T>({ signal }: OperationOptions, work: () => Promise<T>): Promise<T> {
  try {
    signal?.throwIfAborted();
    return await work();
  } catch (error) {
    if (signal?.aborted !== true || !isAbort(error, signal)) throw error;
    throw new FailedHere('interrupted', 'interrupted', { cause: error });
  }
}

function isAbort(error: unknown, signal: AbortSignal): boolean {
  if (error instanceof FailedHere) return false;
  return error === signal.reason || (error instanceof Error && /^(?:Abort|Cancel)Error$/.test(error.name));
}
