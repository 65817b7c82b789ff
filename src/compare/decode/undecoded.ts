// SPDX-License-Identifier: Apache-2.0
/** The owner of unequal encoded bytes that one side or both do not decode (ARCHITECTURE.md, "The ledger"). */
import type { Owner } from '../types.js';
import type { Walk } from '../walk.js';

/** Per side: decoded, or the code of why not. */
export interface DecodeOutcome {
  readonly kind: string;
  readonly code?: string;
}

/** One side that does not decode is `different`; where neither does, nothing was read. `undefined` when both do. */
export function undecoded(
  walk: Walk,
  path: readonly string[],
  published: DecodeOutcome,
  rebuilt: DecodeOutcome,
): Owner | undefined {
  const failed = [published, rebuilt].filter((side) => side.kind === 'failed');
  if (failed.length === 0) return undefined;
  const codes = failed.map((side) => side.code ?? 'unknown').join(', ');
  walk.report({
    kind: 'unread',
    path,
    code: codes,
    detail:
      failed.length === 2
        ? 'neither side decodes'
        : `only the ${published.kind === 'failed' ? 'rebuilt' : 'published'} side decodes`,
  });
  if (failed.length === 1) return 'different';
  walk.cannotVerify('unread', `${path.join(' > ')}: neither side decodes (${codes})`);
  return 'unread';
}
