// SPDX-License-Identifier: Apache-2.0
/** Whether a report agrees with itself: sums, verdict, coverage and every sentence are made again from its ledgers. */
import { canonicalJson, digestOf } from '../canonical-json.js';
import { coverageOf } from '../compare/coverage.js';
import { isWorse, worst, worstOf } from '../compare/ledger.js';
import {
  OWNERS,
  type LedgerNode,
  type Member,
  type Owner,
  type PairComparison,
  type Run,
  type Side,
  type SideLedger,
} from '../compare/types.js';
import { concluded } from './assemble.js';
import { checkClaims, checkOwners, checkSubject, type Found } from './check-claims.js';
import { reportSchema } from './schema.js';
import type { StatementFacts } from './statements.js';
import { runStatements } from './statements.js';
import type { Report } from './types.js';

export interface Inconsistency {
  /**
   * Stable: `shape`, `digest`, `ledger`, `tree`, `proof`, `coverage`, `signature`, `reason`, `rule`, `subject`, `conclusion`,
   * `run`.
   */
  readonly code: string;
  /** JSON pointer. */
  readonly at: string;
  readonly detail: string;
}

export type CheckResult =
  | { readonly kind: 'consistent'; readonly report: Report }
  | { readonly kind: 'inconsistent'; readonly problems: readonly Inconsistency[] };

const SIDES = ['published', 'rebuilt'] as const;
const MAX_PROBLEMS = 100;

export function checkReport(value: unknown): CheckResult {
  const parsed = reportSchema.safeParse(value);
  if (!parsed.success)
    return {
      kind: 'inconsistent',
      problems: parsed.error.issues.slice(0, MAX_PROBLEMS).map((issue) => ({
        code: 'shape',
        at: `/${issue.path.map(String).join('/')}`,
        detail: issue.message,
      })),
    };
  const report = value as Report;
  const problems: Inconsistency[] = [];
  const found = (code: string, at: string, detail: string): void => {
    if (problems.length < MAX_PROBLEMS) problems.push({ code, at, detail });
  };
  const { statement } = report;
  const digest = digestOf(statement);
  if (digest !== report.statementSha256)
    found(
      'digest',
      '/statementSha256',
      `the statement has ${digest}, the report says ${report.statementSha256}`,
    );
  for (const [at, pair] of (statement.comparison?.pairs ?? []).entries())
    checkPair(pair, statement.plan?.compare, `/statement/comparison/pairs/${at}`, found);
  if (statement.comparison !== undefined)
    checkSubject(statement.comparison, statement.subject, '/statement/subject', found);
  if (problems.length === 0) checkConclusions(report, found);
  return problems.length === 0 ? { kind: 'consistent', report } : { kind: 'inconsistent', problems };
}

function checkConclusions({ statement, run }: Report, found: Found): void {
  const { verdict, title, coverage, statements, doesNotSay, publisherCan, ...facts } = statement;
  const again = concluded(facts satisfies StatementFacts);
  const said = { verdict, title, coverage, statements, doesNotSay, publisherCan };
  for (const key of Object.keys(said) as (keyof typeof said)[])
    if (canonicalJson(said[key]) !== canonicalJson(again[key]))
      found('conclusion', `/statement/${key}`, `the ledgers and facts give another ${key}`);
  const { statements: runSaid, ...runFacts } = run;
  if (canonicalJson(runSaid) !== canonicalJson(runStatements(runFacts, statement)))
    found('run', '/run/statements', 'the run gives other sentences');
}

// ---------------------------------------------------------------- one pair

function checkPair(
  pair: PairComparison,
  compare: Parameters<typeof checkClaims>[1],
  base: string,
  found: Found,
): void {
  const { nodes } = pair;
  // without a tree there is nothing to sum up
  if (!isTree(nodes, `${base}/nodes`, found)) return;
  for (const [index, node] of nodes.entries()) {
    checkNode(nodes, node, index, `${base}/nodes/${index}`, found);
    checkOwners(node, index === 0, `${base}/nodes/${index}`, found);
  }
  const [root] = nodes;
  if (root === undefined) return found('tree', `${base}/nodes`, 'no root');
  if (root.parent !== undefined) found('tree', `${base}/nodes/0/parent`, 'the root has a parent');
  for (const side of SIDES)
    if (root[side].size !== pair[side].size)
      found('ledger', `${base}/nodes/0/${side}/size`, `${root[side].size}, the file has ${pair[side].size}`);
  const actual = worst(worstOf(root.published), worstOf(root.rebuilt));
  if (actual !== pair.worst) found('ledger', `${base}/worst`, `${pair.worst}, the root gives ${actual}`);
  const equal = pair.published.sha256 === pair.rebuilt.sha256;
  if (equal !== (actual === 'identical'))
    found(
      'proof',
      `${base}/published/sha256`,
      `the digests are ${equal ? '' : 'not '}equal, the ledgers say ${actual}`,
    );
  checkProof(pair, base, found);
  checkClaims(pair, compare, base, found);
  const coverage = coverageOf(nodes, !isWorse(pair.worst, 'reencoded'));
  if (canonicalJson(coverage) !== canonicalJson(pair.coverage))
    found('coverage', `${base}/coverage`, `the ledgers give ${canonicalJson(coverage)}`);
}

/** Every member leads to a node of its own, behind that of its parent. */
function isTree(nodes: readonly LedgerNode[], base: string, found: Found): boolean {
  const led = new Set<number>();
  for (const [index, { members }] of nodes.entries())
    for (const [at, { node }] of members.entries()) {
      if (node === undefined) continue;
      if (node <= index || node >= nodes.length || led.has(node)) {
        found(
          'tree',
          `${base}/${index}/members/${at}/node`,
          `${node}: not a node of its own behind its parent`,
        );
        return false;
      }
      led.add(node);
    }
  return true;
}

function checkProof(pair: PairComparison, base: string, found: Found): void {
  const { proof } = pair;
  if (proof.kind === 'equal-bytes' && pair.worst !== 'identical')
    found('proof', `${base}/proof`, `equal bytes, and the ledgers hold ${pair.worst} ones`);
  if (proof.kind !== 'equal-bytes' && pair.worst === 'identical')
    found('proof', `${base}/proof`, `${proof.kind}, and all bytes are identical`);
  if (proof.kind !== 'transplant') return;
  if (pair.worst !== 'signature')
    found('proof', `${base}/proof`, `a transplant, and the ledgers hold ${pair.worst} bytes`);
  if (proof.equal !== (proof.sha256 === pair.published.sha256))
    found(
      'proof',
      `${base}/proof/equal`,
      `${proof.equal}, the digests are ${proof.sha256} and ${pair.published.sha256}`,
    );
}

function checkNode(
  nodes: readonly LedgerNode[],
  node: LedgerNode,
  index: number,
  base: string,
  found: Found,
): void {
  for (const side of SIDES) checkSide(node[side], node.members.length, `${base}/${side}`, found);
  const [p, r] = [node.published.sums.identical, node.rebuilt.sums.identical];
  if (p !== r) found('ledger', base, `${p} identical bytes published, ${r} rebuilt`);
  if (index > 0) {
    const parent = node.parent === undefined ? undefined : nodes[node.parent];
    if (parent === undefined || (node.parent ?? 0) >= index)
      found('tree', `${base}/parent`, 'no parent in front of it');
    else if (!parent.members.some((member) => member.node === index) && !isOpaque(node))
      found('tree', base, 'no member of its parent leads here');
  }
  for (const [at, member] of node.members.entries())
    checkMember(nodes, node, index, member, `${base}/members/${at}`, found);
}

/** A content that turned out equal, or that one side could not decode, leaves a node that nobody refers to. */
function isOpaque(node: LedgerNode): boolean {
  return SIDES.every((side) => node[side].runs.length === 0);
}

function checkSide(ledger: SideLedger, members: number, base: string, found: Found): void {
  const sums = Object.fromEntries(OWNERS.map((owner) => [owner, 0])) as Record<Owner, number>;
  let end = 0;
  for (const [at, run] of ledger.runs.entries()) {
    if (run.offset < end || run.length === 0)
      return found(
        'ledger',
        `${base}/runs/${at}`,
        `${run.length} bytes at ${run.offset}, the run before ends at ${end}`,
      );
    if (run.owner === 'identical')
      return found('ledger', `${base}/runs/${at}`, 'identical bytes are not listed');
    if (run.member !== undefined && run.member >= members)
      return found('ledger', `${base}/runs/${at}/member`, `${run.member} of ${members}`);
    sums.identical += run.offset - end;
    sums[run.owner] += run.length;
    end = run.offset + run.length;
  }
  if (end > ledger.size) return found('ledger', `${base}/size`, `${ledger.size}, the runs end at ${end}`);
  sums.identical += ledger.size - end;
  for (const owner of OWNERS)
    if (sums[owner] !== ledger.sums[owner])
      found('ledger', `${base}/sums/${owner}`, `${ledger.sums[owner]}, the runs give ${sums[owner]}`);
}

function checkMember(
  nodes: readonly LedgerNode[],
  parent: LedgerNode,
  parentIndex: number,
  member: Member,
  base: string,
  found: Found,
): void {
  if (isWorse(member.data, member.owner))
    found('tree', `${base}/data`, `${member.data} is worse than the member's ${member.owner}`);
  for (const side of SIDES) {
    const data = member[side];
    if (data !== undefined && data.offset + data.storedSize > parent[side].size)
      return found('tree', `${base}/${side}`, `ends behind the ${parent[side].size} bytes of its node`);
    for (const run of data === undefined ? [] : runsWithin(parent[side].runs, data.offset, data.storedSize))
      if (isWorse(run.owner, member.owner))
        found(
          'tree',
          `${base}/owner`,
          `${member.owner}, and its ${side} bytes at ${run.offset} are ${run.owner}`,
        );
  }
  if (member.node === undefined) return;
  const child = nodes[member.node];
  if (child === undefined || child.parent !== parentIndex)
    return found('tree', `${base}/node`, 'no child of this node');
  for (const side of SIDES) checkContent(parent, child, member, side, base, found);
}

/** A stored member's runs stand in the parent as they are; an encoded one is a single leaf that is no better. */
function checkContent(
  parent: LedgerNode,
  child: LedgerNode,
  member: Member,
  side: Side,
  base: string,
  found: Found,
): void {
  const data = member[side];
  if (data === undefined) return found('tree', `${base}/${side}`, 'content without bytes');
  const childWorst = worst(worstOf(child.published), worstOf(child.rebuilt));
  if (isWorse(childWorst, member.data))
    found('tree', `${base}/data`, `${member.data}, and the content holds ${childWorst} bytes`);
  if (data.encoded === true) return;
  if (data.storedSize !== child[side].size)
    return found(
      'tree',
      `${base}/${side}/storedSize`,
      `${data.storedSize}, the content has ${child[side].size}`,
    );
  const own = mergedWithin(parent[side].runs, data.offset, data.storedSize);
  if (canonicalJson(merge(child[side].runs, data.offset)) !== canonicalJson(own))
    found(
      'tree',
      `${base}/${side}`,
      `its content has ${child[side].runs.length} runs; its node shows others`,
    );
}

type Piece = readonly [offset: number, end: number, owner: Owner];

/** Those that overlap the range. */
function runsWithin(runs: readonly Run[], offset: number, length: number): Run[] {
  const within: Run[] = [];
  for (let at = firstAfter(runs, offset); at < runs.length; at++) {
    const run = runs[at] as Run;
    if (run.offset >= offset + length) break;
    within.push(run);
  }
  return within;
}

/** Index of the first run that ends behind `offset`: runs are sorted. */
function firstAfter(runs: readonly Run[], offset: number): number {
  let low = 0;
  let high = runs.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const run = runs[middle] as Run;
    if (run.offset + run.length <= offset) low = middle + 1;
    else high = middle;
  }
  return low;
}

function merge(runs: readonly Run[], shift: number): Piece[] {
  const pieces: Piece[] = [];
  for (const run of runs) push(pieces, [run.offset + shift, run.offset + shift + run.length, run.owner]);
  return pieces;
}

function mergedWithin(runs: readonly Run[], offset: number, length: number): Piece[] {
  const pieces: Piece[] = [];
  for (const run of runsWithin(runs, offset, length))
    push(pieces, [
      Math.max(offset, run.offset),
      Math.min(offset + length, run.offset + run.length),
      run.owner,
    ]);
  return pieces;
}

function push(pieces: Piece[], piece: Piece): void {
  const before = pieces.at(-1);
  if (before !== undefined && before[1] === piece[0] && before[2] === piece[2])
    pieces[pieces.length - 1] = [before[0], piece[1], piece[2]];
  else pieces.push(piece);
}
