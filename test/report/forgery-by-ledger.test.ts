// SPDX-License-Identifier: Apache-2.0
/** A report edited by hand towards a better verdict, digest and conclusions made again: what still gives it away. */
import test from 'ava';
import { digestOf } from '../../src/canonical-json.js';
import { BufferSource } from '../../src/bytes.js';
import { compareSources, type CompareOptions } from '../../src/compare/compare.js';
import { coverageOf } from '../../src/compare/coverage.js';
import { isWorse } from '../../src/compare/ledger.js';
import type { Owner, PairComparison, Run, SetComparison } from '../../src/compare/types.js';
import { assembleReport, concluded } from '../../src/report/assemble.js';
import { checkReport } from '../../src/report/check.js';
import type { Report, ReportStatement } from '../../src/report/types.js';
import { aRun } from '../helpers/a-run.js';
import { buildZip } from '../helpers/build-zip.js';
import { newIdentity, signedApk } from '../helpers/sign-apk.js';

type Mutable<T> = T extends readonly (infer E)[]
  ? Mutable<E>[]
  : T extends object
    ? { -readonly [K in keyof T]: Mutable<T[K]> }
    : T;
type Draft = Mutable<ReportStatement>;
type PairDraft = Mutable<PairComparison>;

async function report(published: Buffer, rebuilt: Buffer, options: CompareOptions = {}): Promise<Report> {
  const pair = await compareSources(new BufferSource(published), new BufferSource(rebuilt), {
    publishedName: 'app.apk',
    rebuiltName: 'app-unsigned.apk',
    ...options,
  });
  return assembleReport({
    published: [pair.published],
    rebuilt: [pair.rebuilt],
    comparison: {
      pairs: [pair],
      unpairedPublished: [],
      notObtained: [],
      unpairedRebuilt: [],
      notPublished: [],
    },
    run: aRun(),
  });
}

/** Everything that follows from the facts is made again, as a forger with our tool would do. */
function forged(original: Report, edit: (pair: PairDraft, statement: Draft) => void): Report {
  const statement = structuredClone(original.statement) as unknown as Draft;
  const pair = statement.comparison?.pairs[0];
  if (pair === undefined) throw new Error('no pair');
  edit(pair, statement);
  const { verdict, title, coverage, statements, doesNotSay, publisherCan, ...facts } =
    statement as unknown as ReportStatement;
  void [verdict, title, coverage, statements, doesNotSay, publisherCan];
  const again = JSON.parse(JSON.stringify(concluded(facts))) as ReportStatement;
  return assembleLike(original, again);
}

function assembleLike(original: Report, statement: ReportStatement): Report {
  return { ...original, statement, statementSha256: digestOf(statement) };
}

/** Gives runs of a node another owner, sums, worst and coverage included. */
function repaint(pair: PairDraft, index: number, change: (run: Mutable<Run>) => Owner): void {
  const node = pair.nodes[index];
  if (node === undefined) throw new Error('no node');
  for (const side of ['published', 'rebuilt'] as const) {
    const ledger = node[side];
    for (const run of ledger.runs) {
      const owner = change(run);
      ledger.sums[run.owner] -= run.length;
      ledger.sums[owner] += run.length;
      run.owner = owner;
    }
    ledger.runs = ledger.runs.filter((run) => run.owner !== 'identical');
  }
}

function settle(pair: PairDraft, worst: Owner): void {
  pair.worst = worst;
  pair.coverage = coverageOf(pair.nodes, !isWorse(worst, 'reencoded'));
}

const members = (text: string, level = 9) => [
  { name: 'classes.dex', data: 'code '.repeat(500), level },
  { name: 'res/text', data: text.repeat(50), level },
  { name: 'raw', data: text, method: 0 },
];
const identity = newIdentity();
const unsigned = buildZip(members('hello'));
const other = buildZip(members('hallo'));
const signed = signedApk(unsigned, { identity });
/** The content changed, the signature left in its place. */
const changedSigned = Buffer.from(signed);
changedSigned[40] = (changedSigned[40] ?? 0) ^ 1;
const oddlySigned = signedApk(unsigned, { identity, attributes: [Buffer.from('payload!')] });

interface Forgery {
  readonly of: () => Promise<Report>;
  readonly edit: (pair: PairDraft, statement: Draft) => void;
  readonly code: string;
}

const FORGERIES: Readonly<Record<string, Forgery>> = {
  'a difference called packing, in every node': {
    of: () => report(other, unsigned),
    edit: (pair) => {
      for (const [index, node] of pair.nodes.entries()) {
        repaint(pair, index, (run) =>
          run.owner === 'different' || run.owner === 'missing' ? 'reencoded' : run.owner,
        );
        for (const member of node.members) {
          if (member.owner === 'different') member.owner = 'reencoded';
          if (member.data === 'different') member.data = 'reencoded';
        }
      }
      settle(pair, 'reencoded');
    },
    code: 'ledger',
  },
  'a difference called a signature': {
    of: () => report(buildZip(members('hello'), { comment: Buffer.from('x') }), unsigned),
    edit: (pair) => {
      repaint(pair, 0, () => 'signature');
      for (const run of pair.nodes[0]?.published.runs ?? []) run.region = 'apk/signing-block';
      settle(pair, 'signature');
      pair.proof = {
        kind: 'transplant',
        profile: 'plain',
        sha256: pair.published.sha256,
        equal: true,
        takenBytes: pair.nodes[0]?.published.sums.signature ?? 0,
      };
    },
    code: 'signature',
  },
  'a difference left out by a rule that was not asked for': {
    of: () => report(buildZip(members('hello'), { comment: Buffer.from('x') }), unsigned),
    edit: (pair) => {
      repaint(pair, 0, () => 'excluded');
      settle(pair, 'excluded');
    },
    code: 'ledger',
  },
  'the same, with the rule named but not listed': {
    of: () => report(buildZip(members('hello'), { comment: Buffer.from('x') }), unsigned),
    edit: (pair) => {
      repaint(pair, 0, (run) => {
        run.rule = 'play-stamp-cert';
        return 'excluded';
      });
      settle(pair, 'excluded');
    },
    code: 'rule',
  },
  'differing bytes called identical': {
    of: () => report(other, unsigned),
    edit: (pair) => {
      for (const [index, node] of pair.nodes.entries()) {
        repaint(pair, index, () => 'identical');
        for (const member of node.members) member.owner = member.data = 'identical';
      }
      settle(pair, 'identical');
      pair.proof = { kind: 'equal-bytes' };
    },
    code: 'proof',
  },
  'an unchecked signature called verified': {
    of: () => report(oddlySigned, unsigned),
    edit: (pair) => {
      pair.signature.status = 'verified';
      pair.unverifiable = [];
      repaint(pair, 0, (run) => {
        run.rule = 'apk-signing-block';
        return 'signature';
      });
      settle(pair, 'signature');
      pair.proof = {
        kind: 'transplant',
        profile: 'plain',
        sha256: pair.published.sha256,
        equal: true,
        takenBytes: 4096,
      };
    },
    code: 'signature',
  },
  'an unchecked signature that is no longer a reason': {
    of: () => report(oddlySigned, unsigned),
    edit: (pair) => {
      pair.unverifiable = [];
    },
    code: 'reason',
  },
  'an invalid signature that is no longer a reason': {
    of: () =>
      report(signedApk(buildZip([]), { identity }), unsigned).then((made) => {
        const pair = made.statement.comparison?.pairs[0] as PairDraft;
        pair.signature.status = 'invalid';
        return made;
      }),
    edit: (pair) => {
      pair.notAuthentic = [];
    },
    code: 'reason',
  },
  'a disagreement of readers that is no longer a reason': {
    of: () => report(buildZip(members('hello', 1)), unsigned),
    edit: (pair) => {
      pair.differences.push({ kind: 'unread', path: [], code: 'readers-disagree', detail: 'names' });
    },
    code: 'reason',
  },
  'a transplant that took more than the block': {
    of: () => report(signed, unsigned),
    edit: (pair) => {
      if (pair.proof.kind === 'transplant') pair.proof.takenBytes += 100;
    },
    code: 'proof',
  },
  'a transplant that took less': {
    of: () => report(signed, unsigned),
    edit: (pair) => {
      if (pair.proof.kind === 'transplant') pair.proof.takenBytes = 0;
    },
    code: 'proof',
  },
  'a transplant beside packing': {
    of: () => report(buildZip(members('hello', 1)), unsigned),
    edit: (pair) => {
      pair.proof = {
        kind: 'transplant',
        profile: 'plain',
        sha256: pair.published.sha256,
        equal: true,
        takenBytes: 0,
      };
    },
    code: 'proof',
  },
  'a rule that covered less': {
    of: () => report(signed, unsigned),
    edit: (pair) => {
      for (const rule of pair.rules) rule.publishedBytes -= 1;
    },
    code: 'rule',
  },
  'a published file without twin that is left out': {
    of: async () => {
      const { statement, run } = await report(signed, unsigned);
      const more = { name: 'more.apk', size: 1, sha256: 'a'.repeat(64) };
      return assembleReport({
        ...statement,
        ...statement.subject,
        published: [...statement.subject.published, more],
        comparison: { ...(statement.comparison as SetComparison), unpairedPublished: [more] },
        linkable: [],
        run,
      });
    },
    edit: (_pair, statement) => {
      if (statement.comparison !== undefined) statement.comparison.unpairedPublished = [];
    },
    code: 'subject',
  },
  'a rebuilt file that nobody was asked about': {
    of: () => report(signed, unsigned),
    edit: (_pair, statement) => {
      statement.subject.rebuilt = [];
    },
    code: 'subject',
  },
};

for (const [what, { of, edit, code }] of Object.entries(FORGERIES))
  test(`found: ${what}`, async (t) => {
    const original = await of();
    const result = checkReport(forged(original, edit));
    t.is(result.kind, 'inconsistent');
    if (result.kind === 'inconsistent')
      t.true(
        result.problems.some((problem) => problem.code === code),
        JSON.stringify(result.problems),
      );
  });

/** Forged by hand, not by our tool: the tree itself is wrong. */
for (const [what, edit] of [
  [
    'a node that holds itself',
    (pair: PairDraft) => {
      for (const member of pair.nodes[0]?.members ?? []) member.node = 0;
    },
  ],
  [
    'a node that two members share',
    (pair: PairDraft) => {
      for (const member of pair.nodes[0]?.members ?? []) member.node = 1;
    },
  ],
  [
    'a node that is not there',
    (pair: PairDraft) => {
      for (const member of pair.nodes[0]?.members ?? []) member.node = 99;
    },
  ],
] as const)
  test(`found: ${what}`, async (t) => {
    const statement = structuredClone((await report(other, unsigned)).statement) as unknown as Draft;
    const [pair] = statement.comparison?.pairs ?? [];
    if (pair === undefined) throw new Error('no pair');
    edit(pair);
    const result = checkReport(assembleLike(await report(other, unsigned), statement));
    t.is(result.kind, 'inconsistent');
    if (result.kind === 'inconsistent') t.true(result.problems.some(({ code }) => code === 'tree'));
  });

test('a format of any name is a name', async (t) => {
  const statement = structuredClone((await report(other, unsigned)).statement) as unknown as Draft;
  for (const node of statement.comparison?.pairs[0]?.nodes ?? []) node.format = '__proto__';
  t.notThrows(() => checkReport(assembleLike({} as Report, statement)));
});

const stamp = { name: 'stamp-cert-sha256', data: Buffer.alloc(32, 7), method: 0 };
for (const [what, make] of [
  ['signed', () => report(signed, unsigned)],
  ['signed on the rebuilt side', () => report(unsigned, signed)],
  ['oddly signed', () => report(oddlySigned, unsigned)],
  ['signed and changed', () => report(signedApk(other, { identity }), unsigned)],
  [
    'with a rule',
    () => report(buildZip([...members('hello'), stamp]), unsigned, { rules: ['play-stamp-cert'] }),
  ],
  ['with a rule that was not needed', () => report(other, unsigned, { rules: ['play-stamp-cert'] })],
  [
    'with a signed archive inside',
    () =>
      report(buildZip([{ name: 'in.apk', data: signed }]), buildZip([{ name: 'in.apk', data: unsigned }])),
  ],
  [
    'too deep',
    () =>
      report(buildZip([{ name: 'in.zip', data: other }]), buildZip([{ name: 'in.zip', data: unsigned }]), {
        limits: { depth: 1 },
      }),
  ],
  ['a signature of something else on both sides', () => report(changedSigned, signed)],
  ['a signature of something else', () => report(signedApk(other, { identity: newIdentity() }), signed)],
] as const)
  test(`ours agrees with itself: ${what}`, async (t) => {
    const result = checkReport(JSON.parse(JSON.stringify(await make())));
    t.deepEqual(result.kind === 'inconsistent' ? result.problems : [], []);
  });
