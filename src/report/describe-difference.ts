// SPDX-License-Identifier: Apache-2.0
/** A finding in one line. */
import type { Difference } from '../compare/types.js';
import { count } from './say.js';

export function where(path: readonly string[]): string {
  return path.length === 0 ? 'the file itself' : path.join(' > ');
}

/** One line for a finding. */
export function describeDifference(difference: Difference): string {
  const place = where(difference.path);
  const cause =
    'cause' in difference && difference.cause !== undefined
      ? ` (${difference.cause.kind}: ${difference.cause.evidence})`
      : '';
  switch (difference.kind) {
    case 'only-published':
      return `${place}: ${count(difference.size, 'byte')} in the published file only${cause}`;
    case 'only-rebuilt':
      return `${place}: ${count(difference.size, 'byte')} in the rebuilt file only${cause}`;
    case 'field':
      return `${place}: ${difference.field}: published ${difference.published}, rebuilt ${difference.rebuilt}${cause}`;
    case 'bytes':
      return `${place}: offset ${difference.publishedOffset}, ${difference.publishedLength} published against ${difference.rebuiltLength} rebuilt bytes${cause}`;
    case 'text':
      return `${place}: text differs${cause}`;
    case 'section':
      return `${place}: section ${difference.section}: ${count(difference.differentBytes, 'byte')} ${difference.differentBytes === 1 ? 'differs' : 'differ'} (published ${difference.publishedSize ?? 'absent'}, rebuilt ${difference.rebuiltSize ?? 'absent'})${cause}`;
    case 'hidden':
      return `${place}: ${count(difference.length, 'byte')} at offset ${difference.offset} of the ${difference.side} file that no structure owns (${difference.region})`;
    case 'unread':
      return `${place}: ${difference.code}: ${difference.detail}`;
    case 'malformed':
      return `${place}: the ${difference.side} side does not parse: ${difference.code} at offset ${difference.offset}: ${difference.detail}`;
    case 'order':
      return `${place}: ${difference.detail}`;
  }
}

/** Content says more than a record about it; what did not decide the verdict is no example of a difference. */
export function telling(difference: Difference): number {
  const derived = 'cause' in difference && difference.cause?.kind === 'derived-from-other-difference';
  return derived ? Math.max(DERIVED, byKind(difference)) : byKind(difference);
}

/** What only repeats that something else differs. */
const DERIVED = 2;

function byKind(difference: Difference): number {
  switch (difference.kind) {
    case 'bytes':
    case 'text':
    case 'section':
      return 0;
    case 'only-published':
    case 'only-rebuilt':
    case 'hidden':
      return 1;
    case 'field':
      return difference.owner === 'different' || difference.owner === 'missing' ? 2 : UNTELLING;
    case 'malformed':
    case 'order':
    case 'unread':
      return UNTELLING;
  }
}

/** Findings of this rank and behind it decided nothing. */
export const UNTELLING = 3;
