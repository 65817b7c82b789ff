// SPDX-License-Identifier: Apache-2.0
/** The newest state of a signed index that this cache has seen: whoever delivers an older one hides what came since. */
import { FailedHere } from '../../errors.js';
import type { Sha256 } from '../../model.js';
import { recall, remember } from '../cache.js';

export interface IndexState {
  /** As messages call it. */
  readonly what: string;
  /** Address and key: another key's index is another one. */
  readonly id: string;
  /** Milliseconds since the epoch, as the index says itself. */
  readonly time: number;
  readonly sha256: Sha256;
}

/** A clock may be a little wrong, an index of tomorrow would make all others old. */
const AHEAD_MS = 24 * 3_600_000;

const shown = (time: number): string => new Date(time).toISOString().replace('.000Z', 'Z');

/**
 * Of an index whose signature was checked.
 * @throws FailedHere `index-stale`
 */
export async function assertNotOlder(
  cache: string,
  { what, id, time, sha256 }: IndexState,
  now = Date.now(),
): Promise<void> {
  if (time > now + AHEAD_MS)
    throw new FailedHere(
      'index-stale',
      `${what} is of ${shown(time)}, which is ahead of this machine’s clock`,
      {
        hint: 'check the clock of this machine',
      },
    );
  const key = `seen-index/${id}`;
  const text = await recall(cache, key);
  const seen = text === undefined ? undefined : (JSON.parse(text) as Pick<IndexState, 'time' | 'sha256'>);
  if (seen !== undefined && seen.time > time)
    throw new FailedHere(
      'index-stale',
      `${what} is of ${shown(time)} (SHA-256 ${sha256}), and one of ${shown(seen.time)} (SHA-256 ${seen.sha256}) was there before`,
      { hint: 'the server delivers an old state: try again later, or from another network' },
    );
  if (seen === undefined || seen.time < time) await remember(cache, key, JSON.stringify({ time, sha256 }));
}
