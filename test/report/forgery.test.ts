// SPDX-License-Identifier: Apache-2.0
/** Reports of a forger who knows our code: facts are changed, then verdict, sentences and digest are made again. */
import test from 'ava';
import { digestOf } from '../../src/canonical-json.js';
import { concluded } from '../../src/report/assemble.js';
import { checkReport } from '../../src/report/check.js';
import { runStatements } from '../../src/report/run-statements.js';
import type { StatementFacts } from '../../src/report/say.js';
import type { PairComparison, Report, RunRecord } from '../../src/report/types.js';
import type { Owner, Side } from '../../src/compare/types.js';
import { REPORTS } from '../helpers/a-report.js';

type Mutable<T> = T extends object ? { -readonly [K in keyof T]: Mutable<T[K]> } : T;
type Draft = Mutable<StatementFacts> & { readonly run: Mutable<RunRecord> };

function forge(report: Report, change: (draft: Draft) => void): Report {
  const { verdict, title, coverage, statements, doesNotSay, publisherCan, ...facts } = structuredClone(
    report.statement,
  );
  void [verdict, title, coverage, statements, doesNotSay, publisherCan];
  const { statements: said, ...run } = structuredClone(report.run);
  void said;
  const draft = { ...facts, run } as unknown as Draft;
  change(draft);
  const { run: lies, ...changed } = draft;
  const statement = concluded(changed);
  return {
    schemaVersion: 1,
    statement,
    statementSha256: digestOf(statement),
    run: { ...lies, statements: runStatements(lies, statement) },
  };
}

const pairOf = (draft: Draft): Mutable<PairComparison> =>
  draft.comparison?.pairs[0] as Mutable<PairComparison>;

/** Every byte that is not identical in the nodes of these indices becomes `owner`, sums and all. */
function relabel(pair: Mutable<PairComparison>, owner: Owner, only?: number): void {
  for (const [index, node] of pair.nodes.entries()) {
    if (only !== undefined && index !== only) continue;
    for (const side of ['published', 'rebuilt'] as const satisfies readonly Side[]) {
      const { sums, runs } = node[side];
      let bytes = 0;
      for (const run of runs) {
        run.owner = owner;
        bytes += run.length;
      }
      for (const name of Object.keys(sums) as Owner[]) if (name !== 'identical') sums[name] = 0;
      sums[owner] += bytes;
    }
  }
}

function relabelMembers(pair: Mutable<PairComparison>, owner: Owner): void {
  for (const node of pair.nodes)
    for (const member of node.members) {
      if (member.owner !== 'identical') member.owner = owner;
      if (member.data !== 'identical') member.data = owner;
    }
}

interface Lie {
  readonly of: keyof typeof REPORTS;
  readonly change: (draft: Draft) => void;
  readonly code: string;
}

const LIES: Readonly<Record<string, Lie>> = {
  'the root is packed differently, and its members differ': {
    of: 'different',
    code: 'tree',
    change: (draft) => {
      relabel(pairOf(draft), 'reencoded', 0);
      pairOf(draft).worst = 'reencoded';
      pairOf(draft).differences = [];
    },
  },
  'everything is packed differently, and the findings stay': {
    of: 'different',
    code: 'ledger',
    change: (draft) => {
      relabel(pairOf(draft), 'reencoded');
      relabelMembers(pairOf(draft), 'reencoded');
      pairOf(draft).worst = 'reencoded';
    },
  },
  'what differs was left out by nobody’s rule': {
    of: 'different',
    code: 'ledger',
    change: (draft) => {
      relabel(pairOf(draft), 'excluded');
      relabelMembers(pairOf(draft), 'excluded');
      pairOf(draft).worst = 'excluded';
      pairOf(draft).differences = [];
    },
  },
  'what differs is a signature, and the file was made again': {
    of: 'plain',
    code: 'ledger',
    change: (draft) => {
      const pair = pairOf(draft);
      relabel(pair, 'signature');
      relabelMembers(pair, 'signature');
      pair.worst = 'signature';
      pair.differences = [];
      const proof = { kind: 'transplant', profile: 'apksigner', equal: true, takenBytes: 1 } as const;
      pair.proof = { ...proof, sha256: pair.published.sha256 } as typeof pair.proof;
    },
  },
  'a rule says that it is another one': {
    of: 'excluded',
    code: 'rule',
    change: (draft) => {
      for (const rule of pairOf(draft).rules) rule.title = 'nothing of importance';
    },
  },
  'a rule that the plan does not allow': {
    of: 'excluded',
    code: 'set',
    change: (draft) => {
      const { plan } = draft;
      if (plan === undefined) throw new Error('no plan');
      plan.compare.rules = [];
      plan.compareDigest = digestOf(plan.compare);
    },
  },
  'the mismatch has no finding': {
    of: 'different',
    code: 'finding',
    change: (draft) => {
      pairOf(draft).differences = [];
    },
  },
  'the file that differs is not there': {
    of: 'different',
    code: 'set',
    change: (draft) => {
      if (draft.comparison === undefined) throw new Error('no comparison');
      draft.comparison.pairs = [];
      draft.subject.published = [];
      draft.subject.rebuilt = [];
    },
  },
  'another file was published': {
    of: 'equal',
    code: 'subject',
    change: (draft) => {
      for (const file of draft.subject.published) file.sha256 = 'c'.repeat(64);
    },
  },
  'the signature is valid although it is not': {
    of: 'signed',
    code: 'signature',
    change: (draft) => {
      pairOf(draft).signature.status = 'invalid';
    },
  },
  'nobody signed': {
    of: 'signed',
    code: 'signature',
    change: (draft) => {
      pairOf(draft).signature.signers = [];
    },
  },
  'the signer is the pinned one although it is not': {
    of: 'signed',
    code: 'signature',
    change: (draft) => {
      const { plan } = draft;
      if (plan === undefined) throw new Error('no plan');
      plan.compare.signers = [{ sha256: 'd'.repeat(64), statedBy: 'publisher', source: 'x' }];
      plan.compareDigest = digestOf(plan.compare);
    },
  },
  'a signer is called pinned that nobody pinned': {
    of: 'signed',
    code: 'signature',
    change: (draft) => {
      pairOf(draft).signerNotes = [{ code: 'signer-pinned', detail: 'stated by the publisher' }];
    },
  },
  'later versions of Android are left out': {
    of: 'signed',
    code: 'signature',
    change: (draft) => {
      const last = pairOf(draft).signature.bySdk?.at(-1);
      if (last !== undefined) last.maxSdk = 40;
    },
  },
  'a version of Android sees a signer that the file does not have': {
    of: 'signed',
    code: 'signature',
    change: (draft) => {
      for (const range of pairOf(draft).signature.bySdk ?? []) range.signers = ['d'.repeat(64)];
    },
  },
  'the app is the planned one although it is not': {
    of: 'equal',
    code: 'signature',
    change: (draft) => {
      const plan = structuredClone(PLAN) as Mutable<typeof PLAN>;
      plan.compare.packageId = 'org.example';
      plan.compareDigest = digestOf(plan.compare);
      draft.subject.target = plan.compare.target;
      draft.plan = plan;
    },
  },
  'more of the published file was proven than taken': {
    of: 'signed',
    code: 'proof',
    change: (draft) => {
      const { proof } = pairOf(draft);
      if (proof.kind === 'transplant') proof.takenBytes = 1e9;
    },
  },
  'the digests are equal': {
    of: 'different',
    code: 'proof',
    change: (draft) => {
      const pair = pairOf(draft);
      pair.rebuilt.sha256 = pair.published.sha256;
      for (const file of draft.subject.rebuilt) file.sha256 = pair.published.sha256;
    },
  },
  'the build ran elsewhere': {
    of: 'different',
    code: 'plan',
    change: (draft) => {
      if (draft.plan) draft.plan.build.environment.user = 'somebody';
    },
  },
  'another commit was built': {
    of: 'different',
    code: 'plan',
    change: (draft) => {
      if (draft.source?.kind === 'git') draft.source.commit = 'e'.repeat(40);
    },
  },
  'another target': {
    of: 'different',
    code: 'plan',
    change: (draft) => {
      if (draft.subject.target) draft.subject.target.version = '2.0';
    },
  },
  'nothing was expected': {
    of: 'different',
    code: 'plan',
    change: (draft) => {
      delete (draft as { plan?: unknown }).plan;
    },
  },
  'a built file is declared unpublished': {
    of: 'excluded',
    code: 'set',
    change: (draft) => {
      const [extra] = draft.comparison?.notPublished ?? [];
      if (extra === undefined) throw new Error('no such file');
      extra.name = 'app-x86.apk';
    },
  },
  'nothing can have been linked in': {
    of: 'different',
    code: 'origin',
    change: (draft) => {
      draft.linkable = { count: 0, shown: [] };
    },
  },
  'both builds matched': {
    of: 'different',
    code: 'run',
    change: (draft) => {
      draft.run.matchingBuilds = 2;
    },
  },
  'confirmed by one build': {
    of: 'different',
    code: 'run',
    change: (draft) => {
      draft.run.builds = 1;
    },
  },
  'a varied build that differs nowhere': {
    of: 'varied',
    code: 'run',
    change: (draft) => {
      draft.run.variations = [{ varied: ['cpus'], outcome: 'differs', members: [] }];
    },
  },
  'a varied build that failed without a reason': {
    of: 'varied',
    code: 'run',
    change: (draft) => {
      draft.run.variations = [{ varied: ['cpus'], outcome: 'failed' }];
    },
  },
  'a build that varies one thing twice': {
    of: 'varied',
    code: 'run',
    change: (draft) => {
      draft.run.variations = [{ varied: ['cpus', 'cpus'], outcome: 'same' }];
    },
  },
  'a mismatch of a varied build that came nearer': {
    of: 'varied',
    code: 'run',
    change: (draft) => {
      draft.run.variations = [{ varied: ['cpus'], outcome: 'differs', members: ['x'], reported: true }];
    },
  },
  'a match under other conditions, of which the statement says nothing': {
    of: 'equal',
    code: 'run',
    change: (draft) => {
      draft.run.variations = [{ varied: ['cpus'], outcome: 'differs', members: ['x'], reported: true }];
    },
  },
  'a departure of a varied build that nobody made': {
    of: 'matched varied',
    code: 'run',
    change: (draft) => {
      delete (draft.run as { variations?: unknown }).variations;
    },
  },
  'a match under other conditions than the departure names': {
    of: 'matched varied',
    code: 'run',
    change: (draft) => {
      draft.run.variations = [{ varied: ['cpus'], outcome: 'differs', members: ['x'], reported: true }];
    },
  },
  'unstable, nobody knows where': {
    of: 'unstable',
    code: 'run',
    change: (draft) => {
      delete (draft.run as { unstableMembers?: unknown }).unstableMembers;
    },
  },
};

const PLAN = (await REPORTS.different()).statement.plan as NonNullable<Report['statement']['plan']>;

test('what a forger makes again without a change is consistent', async (t) => {
  for (const make of Object.values(REPORTS)) {
    const result = checkReport(forge(await make(), () => undefined));
    t.deepEqual(result.kind === 'inconsistent' ? result.problems : [], []);
  }
});

for (const [what, { of, change, code }] of Object.entries(LIES))
  test(`a lie is found: ${what}`, async (t) => {
    const result = checkReport(forge(await REPORTS[of](), change));
    t.is(result.kind, 'inconsistent');
    if (result.kind === 'inconsistent')
      t.true(
        result.problems.some((problem) => problem.code === code),
        JSON.stringify(result.problems.slice(0, 5)),
      );
  });
