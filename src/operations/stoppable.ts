// SPDX-License-Identifier: Apache-2.0
/** Whatever notices an abort first, and however it says so: to a caller it is one class of failure. */
import { FailedHere } from '../errors.js';
import type { OperationOptions } from './options.js';

/**
 * The work always gets a signal: what is started with one may be ended when this process is killed (`startKeeper`).
 * @throws FailedHere `interrupted`
 */
export async function stoppable<T>(
  options: OperationOptions,
  work: (options: OperationOptions & { readonly signal: AbortSignal }) => Promise<T>,
): Promise<T> {
  const signal = options.signal ?? new AbortController().signal;
  try {
    signal.throwIfAborted();
    return await work({ ...options, signal });
  } catch (error) {
    if (!signal.aborted || !isAbort(error, signal)) throw error;
    throw new FailedHere('interrupted', 'interrupted', { cause: error });
  }
}

function isAbort(error: unknown, signal: AbortSignal): boolean {
  if (error instanceof FailedHere) return false;
  return error === signal.reason || (error instanceof Error && /^(?:Abort|Cancel)Error$/.test(error.name));
}
