// SPDX-License-Identifier: Apache-2.0
/** What a store did to a published file, as far as it is told by a finding. */
import type { Difference, PairComparison } from '../compare/types.js';
import { where } from './describe-difference.js';
import { clause, quoted, say } from './say.js';
import type { Statement } from './types.js';

const SHOWN = 5;

export function storeStatements({ published, differences }: PairComparison, base: string): Statement[] {
  const protectedFiles: Statement[] = [];
  const stamps: Statement[] = [];
  for (const [index, difference] of differences.entries()) {
    const basis = [`${base}/differences/${index}`];
    const cause = causeOf(difference);
    if (cause?.kind === 'store-protection' && protectedFiles.length < SHOWN)
      protectedFiles.push(
        say(
          'store-protected',
          `${where(difference.path)} of ${published.name}: ${clause(cause.evidence)}; Google Play can rewrite an app's code so after its makers built it, and what this file runs is then not what the source says.`,
          basis,
          `unzip -p ${quoted(published.name)} 'classes*.dex' | grep -ac Lcom/pairip/   # lines with such a name`,
        ),
      );
    if (difference.kind === 'unread' && difference.code === 'stamp-unchecked')
      stamps.push(
        say(
          'stamp-unchecked',
          `The 32 bytes of stamp-cert-sha256 in ${published.name} were left out unseen: ${clause(difference.detail)}.`,
          basis,
          `unzip -p ${quoted(published.name)} stamp-cert-sha256 | xxd -p -c 32`,
        ),
      );
  }
  return [...protectedFiles, ...stamps];
}

function causeOf(difference: Difference): Extract<Difference, { cause?: unknown }>['cause'] {
  return 'cause' in difference ? difference.cause : undefined;
}
