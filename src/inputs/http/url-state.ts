// SPDX-License-Identifier: Apache-2.0
/** Whether an address still answers with something; what it is nobody reads. */
import { FailedHere } from '../../errors.js';
import { AttemptFailed, exchange } from './http-exchange.js';

export interface UrlState {
  readonly status: 'there' | 'gone' | 'unknown';
  readonly why?: string;
}

const LONGEST_MS = 30_000;

/** @throws FailedHere `interrupted` */
export async function urlState(url: string, signal?: AbortSignal): Promise<UrlState> {
  const timeout = AbortSignal.timeout(LONGEST_MS);
  try {
    const answer = await exchange({
      url,
      what: 'an address',
      // of a large file, no more than its beginning is sent
      headers: { range: 'bytes=0-0' },
      signal: signal === undefined ? timeout : AbortSignal.any([timeout, signal]),
    });
    answer.discard();
    const { status } = answer;
    if (status === 404 || status === 410) return { status: 'gone', why: `status ${status}` };
    // an empty file has no first byte
    if ((status >= 200 && status < 300) || status === 416) return { status: 'there' };
    return { status: 'unknown', why: `status ${status}` };
  } catch (error) {
    if (signal?.aborted === true) throw new FailedHere('interrupted', 'interrupted', { cause: error });
    if (error instanceof AttemptFailed) return { status: 'unknown', why: error.failure.error.message };
    if (error instanceof FailedHere) return { status: 'unknown', why: error.message };
    throw error;
  }
}
