// SPDX-License-Identifier: Apache-2.0
/** What a repository with a signed index gives for one version. */
import type { Fetched, IndexRecord } from '../../model.js';
import { BY_HAND, type NotThere } from './located.js';

export type RepositoryOutcome =
  /** `path`: in the cache. */
  | {
      readonly kind: 'done';
      readonly path: string;
      readonly fetched?: Fetched;
      readonly index: IndexRecord;
      readonly notes: readonly string[];
    }
  | NotThere;

export const notThere = (code: 'index-gone' | 'version-not-in-index', detail: string): NotThere => ({
  kind: 'not-there',
  code,
  detail,
  hint: BY_HAND,
});

const SHOWN = 10;

/** The first of what an index lists, the rest counted. */
export function listing(items: readonly string[], of: string): string {
  if (items.length === 0) return `nothing of ${of}`;
  const more = items.length > SHOWN ? ` and ${items.length - SHOWN} more` : '';
  return items.slice(0, SHOWN).join(', ') + more;
}
