// SPDX-License-Identifier: Apache-2.0
/** What a pair says beside its ledgers: rules, signature, findings. None may say less than the ledgers do. */
import { isWorse } from '../compare/ledger.js';
import { rules as knownRules } from '../compare/rules/index.js';
import type { LedgerNode, Owner, PairComparison, Run } from '../compare/types.js';
import type { Found } from './check.js';

const SIDES = ['published', 'rebuilt'] as const;

/** Counts and sizes that follow from an entry which a rule leaves out, of both sides of a container. */
const DERIVED = 128;

export function checkClaims(pair: PairComparison, base: string, found: Found): void {
  checkRules(pair, base, found);
  checkSignature(pair, base, found);
  checkFindings(pair, base, found);
}

/** Bytes are left out only by a rule that the pair names, and a rule is what this program knows by that name. */
function checkRules(pair: PairComparison, base: string, found: Found): void {
  const named = new Map(pair.rules.map((applied) => [applied.rule, applied]));
  for (const [at, applied] of pair.rules.entries()) {
    const known = knownRules[applied.rule];
    for (const key of ['class', 'title', 'reason', 'reference'] as const)
      if (applied[key] !== known[key])
        found('rule', `${base}/rules/${at}/${key}`, `not what the rule ${applied.rule} is`);
    if (named.get(applied.rule) !== applied)
      found('rule', `${base}/rules/${at}`, `${applied.rule} stands there twice`);
    if (!applied.needed && applied.publishedBytes + applied.rebuiltBytes > 0)
      found('rule', `${base}/rules/${at}/needed`, `not needed, and it covers bytes`);
  }
  const edits = pair.rules.some((applied) => applied.needed && applied.class === 'store-edit');
  let derived = 0;
  for (const { run, at } of runsOf(pair.nodes)) {
    if (run.rule !== undefined && named.get(run.rule)?.needed !== true)
      found('rule', `${base}${at}`, `bytes of rule ${run.rule}, which the pair does not apply`);
    if (run.owner !== 'excluded') continue;
    if (!edits) found('rule', `${base}${at}`, 'bytes left out without a rule of class store-edit');
    if (run.rule === undefined) derived += run.length;
  }
  if (derived > DERIVED * pair.nodes.length)
    found('rule', `${base}/nodes`, `${derived} bytes are left out by no rule`);
}

function* runsOf(nodes: readonly LedgerNode[]): Generator<{ run: Run; at: string }> {
  for (const [index, node] of nodes.entries())
    for (const side of SIDES)
      for (const [at, run] of node[side].runs.entries())
        yield { run, at: `/nodes/${index}/${side}/runs/${at}` };
}

/** Signature bytes are such only of a verified signature; what is wrong with one is a reason. */
function checkSignature(pair: PairComparison, base: string, found: Found): void {
  const { signature, unverifiable, notAuthentic, worst } = pair;
  const at = `${base}/signature/status`;
  const signatureBytes = pair.nodes[0]?.published.sums.signature ?? 0;
  // a verified block beside a scheme that nobody checked: such a pair gives its reason below
  if (signatureBytes > 0 && signature.status !== 'verified' && signature.status !== 'unchecked')
    found('signature', at, `${signature.status}, and ${signatureBytes} bytes are owned by a signature`);
  if (signature.status === 'verified' && signature.signers.length === 0)
    found('signature', `${base}/signature/signers`, 'verified, and nobody signed');
  if (signature.status === 'invalid' && !notAuthentic.some(({ code }) => code === 'signature-invalid'))
    found('signature', at, 'invalid, and the pair gives no such reason');
  const unchecked = unverifiable.some(({ code }) => code === 'signature-unchecked');
  if (signature.status === 'unchecked' && worst !== 'identical' && !unchecked)
    found('signature', at, 'unchecked, and the pair gives no such reason');
}

/** A finding leads to a place of the ledgers that is at least as bad, and what is bad has a finding. */
function checkFindings(pair: PairComparison, base: string, found: Found): void {
  const owners = new Map<string, Owner>([['[]', pair.worst]]);
  for (const node of pair.nodes) {
    for (const member of node.members) {
      const key = JSON.stringify([...node.path, member.name]);
      const before = owners.get(key);
      if (before === undefined || isWorse(member.owner, before)) owners.set(key, member.owner);
    }
  }
  const decided = pair.worst === 'different' || pair.worst === 'missing';
  for (const [index, difference] of pair.differences.entries()) {
    const at = `${base}/differences/${index}`;
    const bad = ['bytes', 'text', 'section', 'hidden', 'only-published', 'only-rebuilt'].includes(
      difference.kind,
    );
    const excused = difference.kind === 'only-published' || difference.kind === 'only-rebuilt';
    if (bad && pair.worst === 'identical') found('finding', at, 'a difference of files that are identical');
    else if (bad && !excused && !decided && pair.worst !== 'unread' && pair.worst !== 'excluded')
      found('finding', at, `bytes differ there, and the ledgers hold ${pair.worst} ones at worst`);
    const owner = owners.get(JSON.stringify(difference.path));
    if (bad && owner === 'identical') found('finding', at, 'a difference in a member that is identical');
  }
  if (decided && pair.differences.length + pair.differencesCut === 0)
    found('finding', `${base}/differences`, `the ledgers hold ${pair.worst} bytes, and there is no finding`);
}
