// SPDX-License-Identifier: Apache-2.0
/** What the exit code says (README, "Exit codes"). */
import type { Report, Verdict, VerdictKind } from '../index.js';

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

export const VERDICTS = Object.keys(BY_VERDICT) as VerdictKind[];

export interface Demands {
  /** `equivalent` is not enough. */
  readonly strict?: boolean;
  /** Carried or possibly linked-in code is a failure. */
  readonly requireBuilt?: boolean;
  /** Success is this verdict and no other. */
  readonly expect?: string;
}

export function exitCodeFor(verdict: Verdict, demands: Demands = {}): number {
  if (demands.expect !== undefined) return verdict.kind === demands.expect ? EXIT.ok : EXIT.unreproducible;
  if (demands.strict === true && verdict.kind === 'equivalent') return EXIT.unreproducible;
  return BY_VERDICT[verdict.kind];
}

export function exitCodeOf({ statement }: Report, demands: Demands = {}): number {
  const code = exitCodeFor(statement.verdict, demands);
  const unbuilt =
    statement.origins.some((origin) => origin.kind === 'carried' || origin.mayContain.length > 0) ||
    // nobody knows what is in there
    (statement.unopened?.outputs.count ?? 0) > 0;
  return code === EXIT.ok && demands.requireBuilt === true && unbuilt ? EXIT.unreproducible : code;
}
