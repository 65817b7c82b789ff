// SPDX-License-Identifier: Apache-2.0
/** Whether a server answers an address as it answers that of a file; what it would send is not read. */
import { FailedHere } from '../../errors.js';
import { AttemptFailed, exchange } from './http-exchange.js';
import { statusFailure } from './http-failure.js';
import { Pace, PACE } from './http-pace.js';
import { dispatcher } from './http-proxy.js';

export interface AnsweredRequest {
  readonly url: string;
  readonly what: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * That it is refused (403) is no file either: some stores of files answer so for each name that they do not have.
 * @throws FailedHere `network`, `rate-limited`, `interrupted`
 */
export async function isAnswered({ url, what, signal }: AnsweredRequest): Promise<boolean> {
  await dispatcher();
  const pace = new Pace(PACE);
  try {
    const answer = await exchange({
      url,
      what,
      signal: AbortSignal.any([pace.signal, ...(signal === undefined ? [] : [signal])]),
    });
    answer.discard();
    const { status } = answer;
    if (status === 429 || status >= 500) throw statusFailure(what, url, answer).error;
    return status < 400;
  } catch (error) {
    if (signal?.aborted === true)
      throw new FailedHere('interrupted', `interrupted while fetching ${what}`, { cause: error });
    throw error instanceof AttemptFailed ? error.failure.error : error;
  } finally {
    pace.stop();
  }
}
