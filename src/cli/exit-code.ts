// SPDX-License-Identifier: Apache-2.0
/** What the exit code says (README, "Exit codes"). */
import {
  isExpected,
  parseExpectedVerdict,
  VERDICTS,
  type ExpectedVerdict,
  type Report,
  type Verdict,
  type VerdictKind,
} from '../index.js';

export const EXIT = {
  ok: 0,
  unreproducible: 1,
  unverifiable: 2,
  notAuthentic: 3,
  unknownFile: 4,
  usage: 64,
  bug: 70,
  failedHere: 75,
  interrupted: 130,
} as const;

const BY_VERDICT: Readonly<Record<VerdictKind, number>> = {
  reproducible: EXIT.ok,
  equivalent: EXIT.ok,
  unreproducible: EXIT.unreproducible,
  unverifiable: EXIT.unverifiable,
  unbuildable: EXIT.unverifiable,
  'not-authentic': EXIT.notAuthentic,
};

/** What yargs says of one that is none. */
export function expectedVerdict(value: string | undefined): ExpectedVerdict | undefined {
  if (value === undefined) return undefined;
  const expected = parseExpectedVerdict(value);
  if (expected === undefined)
    throw new Error(
      `not a verdict: ${value} (${VERDICTS.join(', ')}, or one of them with @ and the SHA-256 of the statement)`,
    );
  return expected;
}

export const EXPECT_OPTION = {
  type: 'string',
  coerce: expectedVerdict,
  describe:
    'exit 0 for this verdict and 1 for any other; VERDICT@SHA-256: for this very statement and 1 for any other',
} as const;

/** From bad to good; what only failed here says nothing, and stands before what is as it should be. */
const WORST = [EXIT.notAuthentic, EXIT.unreproducible, EXIT.unverifiable, EXIT.failedHere, EXIT.ok];

/** Of several verdicts, as they precede each other. */
export function worstOf(codes: readonly number[]): number {
  return WORST.find((code) => codes.includes(code)) ?? EXIT.bug;
}

export interface Demands {
  /** `equivalent` is not enough. */
  readonly strict?: boolean;
  /** Carried or possibly linked-in code is a failure. */
  readonly requireBuilt?: boolean;
  /** Success is this verdict and no other, or this statement and no other. */
  readonly expect?: ExpectedVerdict;
}

export function exitCodeFor(verdict: Verdict, { strict }: Pick<Demands, 'strict'> = {}): number {
  if (strict === true && verdict.kind === 'equivalent') return EXIT.unreproducible;
  return BY_VERDICT[verdict.kind];
}

export function exitCodeOf(report: Report, demands: Demands = {}): number {
  const { statement, statementSha256 } = report;
  const { verdict } = statement;
  const code =
    demands.expect === undefined
      ? exitCodeFor(verdict, demands)
      : isExpected(demands.expect, { verdict: verdict.kind, statementSha256 })
        ? EXIT.ok
        : EXIT.unreproducible;
  const unbuilt =
    statement.origins.some((origin) => origin.kind === 'carried' || origin.mayContain.length > 0) ||
    // nobody knows what is in there
    (statement.unopened?.outputs.count ?? 0) > 0;
  return code === EXIT.ok && demands.requireBuilt === true && unbuilt ? EXIT.unreproducible : code;
}
