// SPDX-License-Identifier: Apache-2.0
/**
 * What a pair claims beside its sums: owners that its formats can have, a signature that its record bears out, reasons
 * that follow from what it found, rules that cover what they say, all files of the subject.
 */
import { canonicalJson } from '../canonical-json.js';
import { authenticity } from '../compare/authenticity.js';
import { rules } from '../compare/rules/index.js';
import type { LedgerNode, Owner, PairComparison, Run, SetComparison, Side } from '../compare/types.js';
import type { FileIdentity, RuleName } from '../model.js';
import type { ReportStatement } from './types.js';

export type Found = (code: string, at: string, detail: string) => void;

const SIDES = ['published', 'rebuilt'] as const;
const BLOCK = 'apk/signing-block';

/** Formats without members, and the owners that their bytes can have. */
const LEAVES: ReadonlyMap<string, ReadonlySet<Owner>> = new Map([
  ['equal', new Set<Owner>(['identical'])],
  ['data', new Set<Owner>(['identical', 'different', 'missing'])],
  ['unread', new Set<Owner>(['unread'])],
]);

/** Counts and sizes that follow from an entry that a rule left out. */
const FOLLOWING: ReadonlySet<string> = new Set(['zip/entry-count', 'zip/directory-size']);

/** @param at JSON pointer of the node */
export function checkOwners(node: LedgerNode, isRoot: boolean, at: string, found: Found): void {
  const allowed = LEAVES.get(node.format);
  if (allowed !== undefined && node.members.length > 0)
    found('ledger', `${at}/members`, `${node.members.length} members of ${node.format}`);
  for (const side of SIDES)
    for (const [index, run] of node[side].runs.entries()) {
      const where = `${at}/${side}/runs/${index}`;
      if (allowed?.has(run.owner) === false)
        found('ledger', where, `${run.owner} bytes in a node of format ${node.format}`);
      if (side === 'published' && run.owner === 'missing')
        found('ledger', where, 'only rebuilt bytes can be missing');
      if (!isRoot && (run.owner === 'signature' || run.owner === 'excluded'))
        found('ledger', where, `${run.owner} bytes inside of a member`);
      const byRule = run.rule !== undefined && rules[run.rule].class === 'store-edit';
      if (run.owner === 'excluded' ? !byRule && !FOLLOWING.has(run.region) : byRule)
        found('ledger', where, `${run.owner} bytes by ${run.rule ?? 'no rule'}`);
      if (run.owner !== 'signature' && run.rule !== undefined && rules[run.rule].class === 'signature')
        found('ledger', where, `${run.owner} bytes by ${run.rule}`);
    }
}

/** @param at JSON pointer of the pair */
export function checkClaims(
  pair: PairComparison,
  compare: NonNullable<ReportStatement['plan']>['compare'] | undefined,
  at: string,
  found: Found,
): void {
  checkSignature(pair, at, found);
  checkRules(pair, at, found);
  if (
    pair.differences.some(
      ({ kind, ...rest }) => kind === 'unread' && 'code' in rest && rest.code === 'readers-disagree',
    ) &&
    !pair.unverifiable.some(({ code }) => code === 'unread')
  )
    found('reason', `${at}/unverifiable`, 'two readers disagree, and no reason says so');
  if (compare === undefined) return;
  const given = new Set(pair.notAuthentic.map(canonicalJson));
  for (const reason of authenticity(pair.signature, pair.identity, compare))
    if (!given.has(canonicalJson(reason)))
      found('reason', `${at}/notAuthentic`, `the plan gives ${reason.code}: ${reason.detail}`);
}

function checkSignature(
  { signature, worst, proof, nodes, ...pair }: PairComparison,
  at: string,
  found: Found,
): void {
  const { status, issues } = signature;
  if (status === 'verified' && (issues.length > 0 || signature.signers.length === 0))
    found(
      'signature',
      `${at}/signature`,
      `verified, with ${issues.length} issues and ${signature.signers.length} signers`,
    );
  if (status === 'invalid' && !pair.notAuthentic.some(({ code }) => code === 'signature-invalid'))
    found('reason', `${at}/notAuthentic`, 'the signature is invalid, and no reason says so');
  const toldUnchecked = pair.unverifiable.some(({ code }) => code === 'signature-unchecked');
  if (status === 'unchecked' && worst !== 'identical' && !toldUnchecked)
    found('reason', `${at}/unverifiable`, 'the signature was not checked, and no reason says so');
  const trusted =
    status === 'verified' ||
    (status === 'unchecked' && issues.every(({ code }) => code === 'v1-not-checked'));
  const block = bytesOf(
    nodes[0]?.published.runs ?? [],
    (run) => run.owner === 'signature' && run.region === BLOCK,
  );
  if (block > 0 && !trusted)
    found('signature', `${at}/signature/status`, `${block} signature bytes by a signature that is ${status}`);
  if (proof.kind === 'transplant' && proof.takenBytes !== block)
    found('proof', `${at}/proof/takenBytes`, `${proof.takenBytes}, the signing block has ${block}`);
}

function checkRules({ rules: applied, nodes: [root] }: PairComparison, at: string, found: Found): void {
  const listed = new Map(applied.map((rule) => [rule.rule, rule]));
  const used = new Set<RuleName>();
  for (const side of SIDES)
    for (const { rule } of root?.[side].runs ?? []) if (rule !== undefined) used.add(rule);
  for (const rule of used)
    if (listed.get(rule)?.needed !== true)
      found('rule', `${at}/rules`, `${rule} covers bytes and is not listed`);
  const excluded = SIDES.some((side) => (root?.[side].sums.excluded ?? 0) > 0);
  if (excluded && ![...used].some((rule) => rules[rule].class === 'store-edit'))
    found('rule', `${at}/rules`, 'bytes are left out, and no rule covers an entry');
  for (const [index, rule] of applied.entries()) {
    const covered = (side: Side): number => bytesOf(root?.[side].runs ?? [], (run) => run.rule === rule.rule);
    const [p, r] = [covered('published'), covered('rebuilt')];
    if (rule.publishedBytes !== p || rule.rebuiltBytes !== r)
      found(
        'rule',
        `${at}/rules/${index}`,
        `${rule.publishedBytes} and ${rule.rebuiltBytes} bytes, the runs give ${p} and ${r}`,
      );
    if (rule.class !== rules[rule.rule].class)
      found('rule', `${at}/rules/${index}/class`, `${rule.class}, it is a ${rules[rule.rule].class} rule`);
  }
}

function bytesOf(runs: readonly Run[], wanted: (run: Run) => boolean): number {
  return runs.reduce((sum, run) => sum + (wanted(run) ? run.length : 0), 0);
}

/** Every file of the subject is in a pair or stands alone, and every one of these is in the subject. */
export function checkSubject(
  comparison: SetComparison,
  subject: ReportStatement['subject'],
  at: string,
  found: Found,
): void {
  const { pairs, unpairedPublished, unpairedRebuilt } = comparison;
  const compared = {
    published: [...pairs.map((pair) => pair.published), ...unpairedPublished],
    rebuilt: [...pairs.map((pair) => pair.rebuilt), ...unpairedRebuilt.map(({ file }) => file)],
  };
  for (const side of SIDES)
    if (listOf(subject[side]) !== listOf(compared[side]))
      found(
        'subject',
        `${at}/${side}`,
        `${subject[side].length} files, ${compared[side].length} were compared, or others`,
      );
}

function listOf(files: readonly FileIdentity[]): string {
  return files
    .map(({ name, size, sha256 }) => canonicalJson([name, size, sha256]))
    .sort()
    .join();
}
