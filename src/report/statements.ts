// SPDX-License-Identifier: Apache-2.0
/**
 * Every sentence that a report says, with what it rests on and how to check it without this tool. Renderings only
 * repeat these; they have no words of their own but headings.
 */
import type { Difference, Owner, PairComparison, Side } from '../compare/types.js';
import { describeDifference, telling, UNTELLING, where } from './describe-difference.js';
import { environmentStatements } from './environment-statements.js';
import { originStatements, sourceStatements } from './input-statements.js';
import { AUTHENTICITY_TEXTS, UNVERIFIABLE_TEXTS } from './reason-texts.js';
import { clause, count, fetching, percent, quoted, say, some, type DecidedFacts } from './say.js';
import type { Statement } from './types.js';

export function statementsOf(facts: DecidedFacts): Statement[] {
  return [
    ...reasonStatements(facts),
    ...pairStatements(facts),
    ...setStatements(facts),
    ...buildStatements(facts),
    ...sourceStatements(facts),
    ...originStatements(facts),
    ...environmentStatements(facts),
    ...facts.knownResults.map((known, at) =>
      say(
        'known-result',
        `${known.by} reported ${known.result} for ${known.version} (${known.channel})${known.reason === undefined ? '' : `: ${clause(known.reason)}`}; this is their result, not ours.`,
        [`/knownResults/${at}`],
        fetching(known.url),
      ),
    ),
  ];
}

// ---------------------------------------------------------------- verdict

function reasonStatements({ verdict, builtBy, subject }: DecidedFacts): Statement[] {
  const list: Statement[] = [];
  if (verdict.kind === 'not-authentic')
    for (const [at, { code, detail }] of verdict.reasons.entries())
      list.push(
        say(
          `not-authentic-${code}`,
          `This file is not what the publisher signed: ${AUTHENTICITY_TEXTS[code].meaning} (${code}: ${clause(detail)}). This is about the file, not about the publisher.`,
          [`/verdict/reasons/${at}`],
          AUTHENTICITY_TEXTS[code].check,
        ),
      );
  if (verdict.kind === 'unverifiable')
    for (const [at, { code, detail }] of verdict.reasons.entries())
      list.push(
        say(
          `unverifiable-${code}`,
          `It could not be checked: ${UNVERIFIABLE_TEXTS[code].meaning} (${code}: ${clause(detail)}).`,
          [`/verdict/reasons/${at}`],
          UNVERIFIABLE_TEXTS[code].check,
        ),
      );
  if (builtBy !== undefined)
    list.push(
      say(
        'built-by',
        `The published ${subject.published.length === 1 ? 'file was' : 'files were'} built by the ${builtBy}.`,
        ['/builtBy'],
        'look at the page of the channel that the plan names',
      ),
    );
  return list;
}

// ---------------------------------------------------------------- pairs

const rebuiltNoun = (facts: DecidedFacts): string =>
  facts.plan === undefined ? 'the file it was compared with' : 'the file that we built';

function pairStatements(facts: DecidedFacts): Statement[] {
  const list: Statement[] = [];
  for (const [at, pair] of (facts.comparison?.pairs ?? []).entries()) {
    const base = `/comparison/pairs/${at}`;
    list.push(pairStatement(facts, pair, base));
    for (const [rule, applied] of pair.rules.entries())
      if (applied.needed && applied.class === 'store-edit')
        list.push(
          say(
            'rule-applied',
            `In ${pair.published.name}, rule ${applied.rule} left ${count(applied.publishedBytes, 'published byte')} out of the verdict: ${clause(applied.reason)}.`,
            [`${base}/rules/${rule}`],
            fetching(applied.reference),
          ),
        );
      else if (!applied.needed)
        list.push(
          say(
            'rule-not-needed',
            `In ${pair.published.name}, rule ${applied.rule} was allowed and not needed.`,
            [`${base}/rules/${rule}`],
            'grep -o \'"rule":[^}]*\' report.json   # the rule and its byte counts',
          ),
        );
    for (const [signer, { scheme, certificateSha256, subject }] of pair.signature.signers.entries())
      if (pair.signature.status === 'verified')
        list.push(
          say(
            'signature-verified',
            `The ${scheme} signature of ${pair.published.name} verifies; its certificate is ${subject} with SHA-256 ${certificateSha256}.`,
            [`${base}/signature/signers/${signer}`],
            `apksigner verify --print-certs ${quoted(pair.published.name)}`,
          ),
        );
    for (const [index, difference] of otherCommits(pair))
      list.push(
        say(
          'built-from-other-commit',
          `${where(difference.path)} of ${pair.published.name} names another commit than the one that we built: ${clause(difference.cause?.evidence ?? '')}.`,
          [`${base}/differences/${index}`],
          facts.source?.kind === 'git'
            ? `git clone ${quoted(facts.source.repository)} && git checkout COMMIT   # the one that is named, then build it`
            : 'git checkout COMMIT   # the one that is named, then build it',
        ),
      );
    if (pair.differencesCut > 0)
      list.push(
        say(
          'evidence-cut',
          `${count(pair.differencesCut, 'finding')} of ${pair.published.name} ${pair.differencesCut === 1 ? 'is' : 'are'} counted and not shown here, but every byte is in the ledger; all are made again by: ${evidenceCommand(facts)}.`,
          [`${base}/differencesCut`],
          `diffoscope ${quoted(pair.published.name)} REBUILT/${quoted(pair.rebuilt.name)}`,
        ),
      );
  }
  return list;
}

const OTHER_COMMITS = 5;

type Explained = Extract<Difference, { cause?: unknown }>;

function otherCommits({ differences }: PairComparison): (readonly [number, Explained])[] {
  return [...differences.entries()]
    .filter((entry): entry is [number, Explained] => {
      const [, difference] = entry;
      return 'cause' in difference && difference.cause?.kind === 'built-from-other-commit';
    })
    .slice(0, OTHER_COMMITS);
}

/** What writes all findings uncut. */
function evidenceCommand({ subject: { target }, plan }: DecidedFacts): string {
  return target === undefined || plan === undefined
    ? 'samesource compare PUBLISHED REBUILT --evidence evidence.zip'
    : `samesource ${quoted(target.app)} ${quoted(target.version)} --channel ${quoted(target.channel)} --evidence evidence.zip`;
}

function rootBytes(pair: PairComparison, owner: Owner, side: Side): number {
  return pair.nodes[0]?.[side].sums[owner] ?? 0;
}

function pairStatement(facts: DecidedFacts, pair: PairComparison, base: string): Statement {
  const name = pair.published.name;
  const noun = rebuiltNoun(facts);
  const bytes = (owner: Owner, side: Side = 'published'): number => rootBytes(pair, owner, side);
  const cmp = `cmp ${quoted(name)} REBUILT/${quoted(pair.rebuilt.name)}`;
  const root = `${base}/nodes/0/published/sums`;
  switch (pair.worst) {
    case 'identical':
      return say(
        'pair-identical',
        `${name} (${count(pair.published.size, 'byte')}, SHA-256 ${pair.published.sha256}) is byte for byte ${noun}.`,
        [`${base}/published`, `${base}/rebuilt`],
        `sha256sum ${quoted(name)} REBUILT/${quoted(pair.rebuilt.name)}`,
      );
    case 'signature':
      return say(
        'pair-signature-only',
        pair.proof.kind === 'transplant' && pair.proof.equal
          ? `${name} was made again from ${noun} and ${count(pair.proof.takenBytes, 'byte')} of its own signature, with the same SHA-256 ${pair.published.sha256}; no other byte differs.`
          : `${name} differs from ${noun} in signature bytes only, but could not be made again from it.`,
        [root, `${base}/proof`],
        `apksigcopier compare ${quoted(name)} --unsigned REBUILT/${quoted(pair.rebuilt.name)}`,
      );
    case 'reencoded':
      return say(
        'pair-reencoded',
        `The content of ${name} is that of ${noun}; ${count(bytes('reencoded'), 'byte')} are packed differently and none is left out.`,
        [root],
        `unpack both and run: diff -r PUBLISHED REBUILT`,
      );
    case 'excluded':
      return say(
        'pair-excluded',
        `${name} is ${noun} except ${count(bytes('excluded'), 'byte')} that named rules leave out${bytes('reencoded') === 0 ? '' : ` and ${bytes('reencoded')} bytes packed differently`}.`,
        [root, `${base}/rules`],
        cmp,
      );
    case 'encrypted':
    case 'unread':
      return say(
        `pair-${pair.worst}`,
        `Of ${name}, ${count(bytes(pair.worst), 'byte')} could not be compared (${pair.worst}); nothing else differs.`,
        [root],
        cmp,
      );
    case 'different':
    case 'missing': {
      const first = firstDifference(pair);
      return say(
        'pair-different',
        `${name} differs from ${noun}: ${count(bytes('different'), 'byte')} of it do, and ${count(bytes('missing', 'rebuilt'), 'rebuilt byte')} have no place in it${first === '' ? '' : `; first ${first}`}.`,
        [root, `${base}/nodes/0/rebuilt/sums`],
        cmp,
      );
    }
  }
}

function firstDifference(pair: PairComparison): string {
  const [first] = pair.differences
    .map((difference) => ({ difference, rank: telling(difference) }))
    .filter(({ rank }) => rank < UNTELLING)
    .sort((a, b) => a.rank - b.rank);
  return first === undefined ? '' : describeDifference(first.difference);
}

// ---------------------------------------------------------------- the set

function setStatements({ comparison, coverage, subject }: DecidedFacts): Statement[] {
  if (comparison === undefined) return [];
  const list: Statement[] = [];
  if (comparison.pairs.length > 0)
    list.push(
      say(
        'coverage',
        `${percent(coverage.ratio)} of the content matched (${coverage.matched} of ${coverage.total} content bytes; ${coverage.rootMatched} of ${coverage.rootTotal} file bytes), in ${count(comparison.pairs.length, 'pair')} of files.`,
        ['/coverage'],
        'add up the sums of both ledgers in report.json',
      ),
    );
  for (const [at, file] of comparison.unpairedPublished.entries())
    list.push(
      say(
        'unpaired-published',
        `${file.name} is published and our build made no such file.`,
        [`/comparison/unpairedPublished/${at}`],
        'list the outputs of the build',
      ),
    );
  for (const [at, name] of comparison.notObtained.entries())
    list.push(
      say(
        'not-obtained',
        `${name} is published and was not obtained, so nothing is said about it.`,
        [`/comparison/notObtained/${at}`],
        'fetch it from the channel',
      ),
    );
  const declared = comparison.unpairedRebuilt.filter((entry) => entry.declared !== undefined);
  if (declared.length > 0)
    list.push(
      say(
        'declared-unpublished',
        `${count(declared.length, 'rebuilt file')} that the recipe declares unpublished ${declared.length === 1 ? 'was' : 'were'} not compared: ${some(
          declared.map((entry) => entry.file.name),
          20,
        )}.`,
        ['/comparison/unpairedRebuilt'],
        'list the channel',
      ),
    );
  for (const [at, entry] of comparison.unpairedRebuilt.entries())
    if (entry.declared === undefined)
      list.push(
        say(
          'undeclared-rebuilt',
          `${entry.file.name} was built and has no published twin.`,
          [`/comparison/unpairedRebuilt/${at}`],
          'list the channel',
        ),
      );
  if (subject.published.length > 0 && comparison.pairs.length === 0)
    list.push(
      say('nothing-compared', 'No file was compared.', ['/comparison/pairs'], 'sha256sum PUBLISHED REBUILT'),
    );
  return list;
}

// ---------------------------------------------------------------- build

function buildStatements({ buildFailure, plan }: DecidedFacts): Statement[] {
  const list: Statement[] = [];
  if (buildFailure !== undefined)
    list.push(
      say(
        'build-failed',
        `A command of the ${buildFailure.phase} phase ended with exit code ${buildFailure.exitCode}${buildFailure.firstError.length === 0 ? '' : `; its first error: ${clause(buildFailure.firstError[0] ?? '')}`}; nothing of ours is known to have caused it.`,
        ['/buildFailure'],
        'run the commands of the plan by hand',
      ),
    );
  if (plan?.build.environment.image.kind === 'none')
    list.push(
      say(
        'no-container',
        'The build ran in a temporary directory of the machine itself; no container was used.',
        ['/plan/build/environment/image'],
        'grep -o \'"image":{[^}]*}\' report.json',
      ),
    );
  return list;
}
