// SPDX-License-Identifier: Apache-2.0
/** What a pair says beside its ledgers: rules, signature, findings. None may say less than the ledgers do. */
import { canonicalJson } from '../canonical-json.js';
import { judgeAuthenticity } from '../compare/authenticity.js';
import { isWorse } from '../compare/ledger.js';
import { mayExclude, rules as knownRules } from '../compare/rules/index.js';
import type { LedgerNode, Owner, PairComparison, Run } from '../compare/types.js';
import type { ComparePlan } from '../model.js';
import type { Found } from './check.js';

const SIDES = ['published', 'rebuilt'] as const;
const BLOCK = 'apk/signing-block';
/** Issues of a JAR signature, which is beside the block. */
const OF_JAR = /^(v1|cms)-/;

/** Counts and sizes that follow from an entry which a rule leaves out, of both sides of a container. */
const DERIVED = 128;

export function checkClaims(
  pair: PairComparison,
  compare: ComparePlan | undefined,
  base: string,
  found: Found,
): void {
  checkRules(pair, base, found);
  checkSignature(pair, base, found);
  if (compare !== undefined) checkAuthenticity(pair, compare, base, found);
  checkFindings(pair, base, found);
  checkObservations(pair, base, found);
}

/** Each code once for an archive, seen on a side, at places that the side has. */
function checkObservations(pair: PairComparison, base: string, found: Found): void {
  const told = new Set<string>();
  for (const [index, { code, path, ...sides }] of (pair.observations ?? []).entries()) {
    const at = `${base}/observations/${index}`;
    const key = JSON.stringify([code, path]);
    if (told.has(key)) found('finding', at, `${code} stands there twice`);
    told.add(key);
    if (sides.published === undefined && sides.rebuilt === undefined)
      found('finding', at, `${code} of neither side`);
    for (const side of SIDES) {
      const seen = sides[side];
      if (seen === undefined) continue;
      if (seen.first.length === 0 || seen.count < seen.first.length)
        found('finding', `${at}/${side}`, `${seen.count} times, and ${seen.first.length} places`);
      const beyond = path.length === 0 && seen.first.some(({ offset }) => offset > pair[side].size);
      if (beyond) found('finding', `${at}/${side}`, `beyond the ${pair[side].size} bytes of the file`);
    }
  }
}

function bytesOf(runs: readonly Run[], wanted: (run: Run) => boolean): number {
  return runs.reduce((sum, run) => sum + (wanted(run) ? run.length : 0), 0);
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
    for (const side of SIDES) {
      const covered = bytesOf(pair.nodes[0]?.[side].runs ?? [], (run) => run.rule === applied.rule);
      if (applied[`${side}Bytes`] !== covered)
        found(
          'rule',
          `${base}/rules/${at}`,
          `${applied[`${side}Bytes`]} ${side} bytes, the runs give ${covered}`,
        );
    }
    if (!applied.needed && applied.publishedBytes + applied.rebuiltBytes > 0)
      found('rule', `${base}/rules/${at}/needed`, `not needed, and it covers bytes`);
  }
  const edits = pair.rules.some((applied) => applied.needed && mayExclude(applied.rule));
  let derived = 0;
  for (const { run, at } of runsOf(pair.nodes)) {
    if (run.rule !== undefined && named.get(run.rule)?.needed !== true)
      found('rule', `${base}${at}`, `bytes of rule ${run.rule}, which the pair does not apply`);
    if (run.owner !== 'excluded') continue;
    if (!edits) found('rule', `${base}${at}`, 'bytes left out without a rule that may do so');
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

/** What may be taken from the published file: its signing block, entries of its signature, and those that a rule leaves out. */
const TAKEN: ReadonlySet<string> = new Set([
  BLOCK,
  'apk/dependency-info',
  'apk/play-frosting',
  'zip/jar-signature',
  'zip/source-stamp',
  'zip/entry',
  'zip/directory-record',
]);

/** Parts of the signature of a program. */
const PROGRAM = 'mach-o/signature';

/** Signature bytes are such only of a verified signature; what is wrong with one is a reason. */
function checkSignature(pair: PairComparison, base: string, found: Found): void {
  const { signature, unverifiable, notAuthentic, worst, proof } = pair;
  const { status, issues, signers } = signature;
  const at = `${base}/signature/status`;
  checkRanges(signature, `${base}/signature`, found);
  if (status === 'verified' && (issues.length > 0 || signers.length === 0))
    found(
      'signature',
      `${base}/signature`,
      `verified, with ${issues.length} issues and ${signers.length} signers`,
    );
  // a verified block beside a JAR signature that leaves something open: such a pair gives its reason below
  const trusted =
    status === 'verified' ||
    (status === 'unchecked' && issues.length > 0 && issues.every(({ code }) => OF_JAR.test(code)));
  const block = bytesOf(
    pair.nodes[0]?.published.runs ?? [],
    (run) => run.owner === 'signature' && run.region === BLOCK,
  );
  if (block > 0 && !trusted) found('signature', at, `${status}, and ${block} bytes are owned by a signature`);
  const taken = bytesOf(
    pair.nodes[0]?.published.runs ?? [],
    ({ owner, region }) =>
      (owner === 'signature' || owner === 'excluded') &&
      (TAKEN.has(region) || region === PROGRAM || region.startsWith(`${PROGRAM}-`)),
  );
  if (proof.kind === 'transplant' && proof.takenBytes !== taken)
    found('proof', `${base}/proof/takenBytes`, `${proof.takenBytes}, the signature has ${taken}`);
  if (status === 'invalid' && !notAuthentic.some(({ code }) => code === 'signature-invalid'))
    found('reason', `${base}/notAuthentic`, 'the signature is invalid, and no reason says so');
  if (
    status === 'unchecked' &&
    worst !== 'identical' &&
    !unverifiable.some(({ code }) => code === 'signature-unchecked')
  )
    found('reason', `${base}/unverifiable`, 'the signature was not checked, and no reason says so');
}

/** Ranges of versions without gap, and only signers that the file has. */
function checkRanges({ signers, bySdk = [] }: PairComparison['signature'], base: string, found: Found): void {
  const known = new Set(signers.map(({ certificateSha256 }) => certificateSha256));
  for (const [at, range] of bySdk.entries()) {
    const next = bySdk[at + 1];
    const place = `${base}/bySdk/${at}`;
    if (range.maxSdk === undefined ? next !== undefined : next?.minSdk !== range.maxSdk + 1)
      found(
        'signature',
        place,
        `versions ${range.minSdk} to ${range.maxSdk ?? 'the last'}, then ${next?.minSdk ?? 'none'}`,
      );
    if (range.signers.some((signer) => !known.has(signer)))
      found('signature', `${place}/signers`, 'a certificate that is none of the signers');
    if (range.status === 'verified' && (range.signers.length === 0 || range.codes.length > 0))
      found(
        'signature',
        place,
        `verified, with ${range.signers.length} signers and ${range.codes.length} issues`,
      );
  }
}

/** What the plan expects of the file, judged again from what the pair recorded of it. */
function checkAuthenticity(pair: PairComparison, compare: ComparePlan, base: string, found: Found): void {
  const given = new Set(pair.notAuthentic.map(canonicalJson));
  const format = pair.identity['package'] === undefined ? 'other' : 'apk';
  const reading = { format, identity: pair.identity, issues: [] } as const;
  const { signers, packageId } = compare;
  const equal = pair.worst === 'identical';
  const judged = judgeAuthenticity(pair.signature, reading, { signers, packageId }, equal);
  if (canonicalJson(pair.signerNotes ?? judged.notes) !== canonicalJson(judged.notes))
    found('signature', `${base}/signerNotes`, 'not what the plan and the signers give');
  for (const reason of judged.notAuthentic)
    if (!given.has(canonicalJson(reason)))
      found('reason', `${base}/notAuthentic`, `the plan gives ${reason.code}: ${reason.detail}`);
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
  const disagree = pair.differences.some(
    (difference) => difference.kind === 'unread' && difference.code === 'readers-disagree',
  );
  if (disagree && !pair.unverifiable.some(({ code }) => code === 'unread'))
    found('reason', `${base}/unverifiable`, 'two readers disagree, and no reason says so');
  if (decided && pair.differences.length + pair.differencesCut === 0)
    found('finding', `${base}/differences`, `the ledgers hold ${pair.worst} bytes, and there is no finding`);
}
