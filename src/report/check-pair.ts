// SPDX-License-Identifier: Apache-2.0
/** Whether one pair's ledgers agree with themselves, with its members, and with what it says about them. */
import { canonicalJson } from '../canonical-json.js';
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
import type { ComparePlan } from '../model.js';
import type { Found } from './check.js';
import { checkOwners } from './check-owners.js';
import { checkClaims } from './check-claims.js';

const SIDES = ['published', 'rebuilt'] as const;

export function checkPair(
  pair: PairComparison,
  compare: ComparePlan | undefined,
  base: string,
  found: Found,
): void {
  const { nodes } = pair;
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
  if (node.published.sums.missing > 0)
    found('ledger', `${base}/published/sums/missing`, 'only a rebuilt byte can be without a partner');
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
  checkData(parent, member, base, found);
  if (member.node === undefined) return;
  const child = nodes[member.node];
  if (child === undefined || child.parent !== parentIndex)
    return found('tree', `${base}/node`, 'no child of this node');
  for (const side of SIDES) checkContent(parent, child, member, side, base, found);
}

/** The verdict reads the root, so what a member is must stand in the ledger of its node too. */
function checkData(parent: LedgerNode, member: Member, base: string, found: Found): void {
  if (member.published === undefined && member.rebuilt === undefined)
    return found('tree', base, 'a member of neither side');
  let shown: Owner = 'identical';
  for (const side of SIDES) {
    const data = member[side];
    if (data === undefined) continue;
    const runs = runsWithin(parent[side].runs, data.offset, data.storedSize);
    const owned = worst(...runs.map((run) => run.owner));
    shown = worst(shown, owned);
    const covered = mergedWithin(parent[side].runs, data.offset, data.storedSize).reduce(
      (sum, [from, to]) => sum + to - from,
      0,
    );
    const other = member[side === 'published' ? 'rebuilt' : 'published'];
    if (other === undefined && covered < data.storedSize)
      found(
        'tree',
        `${base}/${side}`,
        `on one side only, and ${data.storedSize - covered} of its bytes are identical`,
      );
  }
  const [p, r] = [member.published?.storedSize ?? 0, member.rebuilt?.storedSize ?? 0];
  if (p + r > 0 && isWorse(member.data, shown))
    found('tree', `${base}/data`, `${member.data}, and the ledger of its node shows ${shown} bytes there`);
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
