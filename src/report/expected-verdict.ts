// SPDX-License-Identifier: Apache-2.0
/** What somebody expects of a check: a verdict, or one statement exactly. `unreproducible@<digest>` is "in the same way as before". */
import type { Sha256, VerdictKind } from '../model.js';

export const VERDICTS = [
  'reproducible',
  'equivalent',
  'unreproducible',
  'unverifiable',
  'unbuildable',
  'not-authentic',
] as const satisfies readonly VerdictKind[];

export interface ExpectedVerdict {
  readonly verdict: VerdictKind;
  /** The whole digest: of a shorter one a publisher could make a second statement with the same beginning. */
  readonly statementSha256?: Sha256;
}

/** `<verdict>` or `<verdict>@<SHA-256 of the statement>`, which may begin with `sha256:`. */
export function parseExpectedVerdict(text: string): ExpectedVerdict | undefined {
  const [, word, digest] = /^([a-z-]+)(?:@(?:sha256:)?([0-9a-f]{64}))?$/.exec(text) ?? [];
  const verdict = VERDICTS.find((one) => one === word);
  if (verdict === undefined) return undefined;
  return digest === undefined ? { verdict } : { verdict, statementSha256: digest };
}

export const isExpected = (
  expected: ExpectedVerdict,
  found: { readonly verdict: VerdictKind; readonly statementSha256: Sha256 },
): boolean =>
  expected.verdict === found.verdict &&
  (expected.statementSha256 === undefined || expected.statementSha256 === found.statementSha256);
