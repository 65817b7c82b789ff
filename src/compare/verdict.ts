// SPDX-License-Identifier: Apache-2.0
/** The verdict: a pure, total function of both ledgers, the pairing of the set and the signature check. */
import { excludingRules } from './excluding-rules.js';
import type {
  AuthenticityReason,
  FileIdentity,
  Reason,
  RuleName,
  UnverifiableReason,
  Verdict,
} from '../model.js';
import type { LedgerNode, Owner, PairComparison, SetComparison, Side, VerdictInput } from './types.js';

/** First match wins; a set takes its worst member. */
export function decideVerdict(input: VerdictInput): Verdict {
  const pairs = input.comparison?.pairs ?? [];
  const notAuthentic = [
    ...input.notAuthentic,
    ...pairs.flatMap((pair) => pair.notAuthentic),
    ...(input.comparison?.splits?.notAuthentic ?? []),
    ...idsigReasons(input.comparison),
  ];
  if (notAuthentic.length > 0)
    return { kind: 'not-authentic', reasons: sorted<AuthenticityReason>(notAuthentic) };

  const differing = input.comparison === undefined ? undefined : unreproducible(input.comparison);
  if (differing !== undefined) return differing;
  if (input.buildFailure !== undefined) return { kind: 'unbuildable', ...input.buildFailure };

  const reasons = [...input.unverifiable, ...pairs.flatMap(reasonsOf), ...setReasons(input.comparison)];
  if (reasons.length > 0) return { kind: 'unverifiable', reasons: sorted<UnverifiableReason>(reasons) };

  const excludedBytes = sum(pairs, 'excluded');
  const reencodedBytes = sum(pairs, 'reencoded');
  if (pairs.some((pair) => rootSum(pair, 'excluded') + rootSum(pair, 'reencoded') > 0))
    return { kind: 'equivalent', excludedBytes, reencodedBytes, rules: appliedRules(pairs) };
  return { kind: 'reproducible' };
}

/** A v4 signature that says what is not so; one that is only not understood is a published file without a twin. */
function idsigReasons(comparison: SetComparison | undefined): Reason<AuthenticityReason>[] {
  return (comparison?.idsigs ?? [])
    .filter(({ status }) => status === 'invalid')
    .map(({ name, issues }) => ({
      code: 'signature-invalid',
      detail: `${name}: ${[...new Set(issues.map(({ code }) => code))].sort().join(', ')}`,
    }));
}

function unreproducible(comparison: SetComparison): Verdict | undefined {
  const unpaired = [
    ...comparison.unpairedPublished.map((file) => file.name),
    ...comparison.unpairedRebuilt.map((file) => file.name),
  ];
  const differs = comparison.pairs.some((pair) => rootSum(pair, 'different') + rootSum(pair, 'missing') > 0);
  if (!differs && comparison.unpairedPublished.length === 0) return undefined;
  return {
    kind: 'unreproducible',
    differentBytes: sum(comparison.pairs, 'different'),
    missingBytes: sum(comparison.pairs, 'missing'),
    unpaired,
  };
}

/** Why nothing differs and yet nothing is proven. */
function reasonsOf(pair: PairComparison): Reason<UnverifiableReason>[] {
  const reasons = [...pair.unverifiable];
  const unread = rootSum(pair, 'unread');
  const encrypted = rootSum(pair, 'encrypted');
  const has = (code: UnverifiableReason): boolean => reasons.some((reason) => reason.code === code);
  const name = pair.published.name;
  if (unread > 0 && !has('unread') && !has('limits') && !has('signature-unchecked'))
    reasons.push({ code: 'unread', detail: `${name}: ${unread} bytes were not read` });
  if (encrypted > 0 && !has('encrypted'))
    reasons.push({ code: 'encrypted', detail: `${name}: ${encrypted} bytes are encrypted` });
  const clean = pair.worst === 'identical' || pair.worst === 'signature';
  const proven = pair.proof.kind === 'equal-bytes' || (pair.proof.kind === 'transplant' && pair.proof.equal);
  // clean ledgers alone are half of the proof: the file must also have been made again
  if (clean && !proven)
    reasons.push({
      code: 'transplant-unsupported',
      detail: `${name}: ${whyUnproven(pair.proof)}`,
    });
  return reasons;
}

function whyUnproven(proof: PairComparison['proof']): string {
  if (proof.kind === 'none') return proof.why;
  const place =
    proof.kind === 'transplant' && proof.departsAt !== undefined ? ` from offset ${proof.departsAt} on` : '';
  return `the file made from the rebuilt one is another one${place}`;
}

function setReasons(comparison: SetComparison | undefined): Reason<UnverifiableReason>[] {
  if (comparison === undefined) return [];
  const reasons: Reason<UnverifiableReason>[] = comparison.notObtained.map((name) => ({
    code: 'incomplete-set',
    detail: `${name} is published and was not obtained`,
  }));
  for (const { name } of comparison.unpairedRebuilt)
    reasons.push({ code: 'incomplete-set', detail: `${name} was rebuilt and has no published twin` });
  const outside = comparison.folders?.outside ?? [];
  if (outside.length > 0) reasons.push({ code: 'incomplete-set', detail: outsideDetail(outside) });
  for (const { name, delivery, why } of comparison.splits?.missing ?? [])
    reasons.push({ code: 'incomplete-set', detail: `${delivery} lacks ${name}: ${why}` });
  if (comparison.pairs.length === 0)
    reasons.push({ code: 'no-published-artifact', detail: 'no file was compared' });
  // two empty files are equal, and say nothing about any app
  else if (comparison.pairs.every((pair) => pair.published.size === 0))
    reasons.push({ code: 'no-published-artifact', detail: 'what was compared is empty' });
  return reasons;
}

const SHOWN = 5;

function outsideDetail(files: readonly FileIdentity[]): string {
  const shown = files.slice(0, SHOWN).map(({ name }) => name);
  const more = files.length > shown.length ? ` and ${files.length - shown.length} more` : '';
  const [is, them] = files.length === 1 ? ['is', 'it'] : ['are', 'them'];
  return `${shown.join(', ')}${more} ${is} published outside of what was built: nothing to compare ${them} with`;
}

/** Of both sides' roots. */
function rootSum(pair: PairComparison, owner: Owner): number {
  const root = pair.nodes[0];
  return root === undefined ? 0 : root.published.sums[owner] + root.rebuilt.sums[owner];
}

/** Over leaves, not roots: an encoded region holds more content than it has bytes. The larger side of each node. */
function sum(pairs: readonly PairComparison[], owner: Owner): number {
  let bytes = 0;
  for (const { nodes } of pairs)
    for (const node of nodes)
      bytes += Math.max(ownBytes(nodes, node, 'published', owner), ownBytes(nodes, node, 'rebuilt', owner));
  return bytes;
}

/** Bytes of this owner that no child of the node stands for. */
function ownBytes(nodes: readonly LedgerNode[], node: LedgerNode, side: Side, owner: Owner): number {
  let bytes = node[side].sums[owner];
  for (const member of node.members) {
    const data = member[side];
    const child = member.node === undefined ? undefined : nodes[member.node];
    if (data === undefined || child === undefined) continue;
    if (data.encoded !== true) bytes -= child[side].sums[owner];
    else if (member.data === owner) bytes -= data.storedSize;
  }
  return bytes;
}

/** Those that left bytes out. */
function appliedRules(pairs: readonly PairComparison[]): RuleName[] {
  return [...new Set(pairs.flatMap(excludingRules))].sort();
}

/** By code, then detail; each once. */
function sorted<Code extends string>(reasons: readonly Reason<Code>[]): Reason<Code>[] {
  const key = (reason: Reason<Code>): string => `${reason.code}\0${reason.detail}`;
  return [...new Map(reasons.map((reason) => [key(reason), reason])).values()].sort((a, b) =>
    key(a) < key(b) ? -1 : 1,
  );
}
