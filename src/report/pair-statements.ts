// SPDX-License-Identifier: Apache-2.0
/** What each pair of files says: its worst bytes, rules, signature, and what was cut. */
import { excludingRules } from '../compare/excluding-rules.js';
import type { Difference, Owner, PairComparison, Side } from '../compare/types.js';
import type { SignerNote } from '../model.js';
import { appStatements } from './app-statements.js';
import { describeDifference, telling, UNTELLING, where } from './describe-difference.js';
import { observationStatements } from './observation-statements.js';
import { storeStatements } from './store-statements.js';
import { clause, count, fetching, quoted, say, type DecidedFacts } from './say.js';
import type { Statement } from './types.js';

const rebuiltNoun = (facts: DecidedFacts): string =>
  facts.plan === undefined ? 'the file it was compared with' : 'the file that we built';

export function pairStatements(facts: DecidedFacts): Statement[] {
  const list: Statement[] = [];
  for (const [at, pair] of (facts.comparison?.pairs ?? []).entries()) {
    const base = `/comparison/pairs/${at}`;
    list.push(pairStatement(facts, pair, base));
    const excluding = new Set(excludingRules(pair));
    for (const [rule, applied] of pair.rules.entries())
      if (excluding.has(applied.rule))
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
    list.push(...encoderStatements(pair, base));
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
    list.push(...signerStatements(pair, base));
    list.push(...storeStatements(pair, base));
    list.push(...appStatements(pair, base));
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
    list.push(...observationStatements(pair, base));
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

/** What is said of the signers beside the verdict, and versions of Android for which the file has no signature. */
function signerStatements(
  { published, signature, signerNotes = [], identity }: PairComparison,
  base: string,
): Statement[] {
  const check = `apksigner verify --print-certs ${quoted(published.name)}`;
  const list = signerNotes.map(({ code, detail }, at) =>
    say(
      code,
      `${SIGNER_TEXTS[code](published.name)}: ${clause(detail)}.`,
      [`${base}/signerNotes/${at}`],
      check,
    ),
  );
  // without a lowest version the ranges begin before there was such an app
  const ranges = identity['minSdk'] === undefined ? [] : (signature.bySdk ?? []);
  for (const [at, { minSdk, maxSdk, scheme, status, codes }] of ranges.entries())
    if (status === 'unsupported')
      list.push(
        say(
          'signature-unsupported',
          `Android of SDK ${minSdk}${maxSdk === undefined ? ' and later' : maxSdk === minSdk ? '' : ` to ${maxSdk}`} ${scheme === 'none' ? `knows none of the signatures of ${published.name}` : `does not take the ${scheme} signature of ${published.name}`} (${codes.join(', ')}).`,
          [`${base}/signature/bySdk/${at}`],
          `apksigner verify --min-sdk-version ${minSdk} --max-sdk-version ${maxSdk ?? minSdk} ${quoted(published.name)}`,
        ),
      );
  return list;
}

const SIGNER_TEXTS = {
  'debug-key': (name) => `${name} is signed with a key that proves nothing about its publisher`,
  'signer-pinned': (name) => `A signer of ${name} is the one that was expected`,
  'signer-rotated': (name) => `${name} is signed with a newer key that an expected one signed for`,
  'signer-unpinned': (name) => `Nobody said here which key signs ${name}, so that any signer was accepted`,
} as const satisfies Record<SignerNote, (name: string) => string>;

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
        pair.proof.kind === 'transplant' && pair.proof.equal
          ? `${name} was made again from ${noun} and ${count(pair.proof.takenBytes, 'byte')} of its own, with the same SHA-256 ${pair.published.sha256}; of those, named rules leave out ${count(bytes('excluded'), 'byte')}.`
          : `${name} is ${noun} except ${count(bytes('excluded'), 'byte')} that named rules leave out${bytes('reencoded') === 0 ? '' : ` and ${bytes('reencoded')} bytes packed differently`}.`,
        [root, `${base}/rules`, `${base}/proof`],
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

/** How content is packed can carry information, too; an encoder that gives the same bytes again leaves no room for it. */
function encoderStatements({ encoders, published }: PairComparison, base: string): Statement[] {
  if (encoders === undefined) return [];
  const list = encoders.named.map(({ encoder, members }, at) =>
    say(
      'encoder-named',
      `${count(members, 'member')} of ${published.name} that ${members === 1 ? 'is' : 'are'} packed differently ${members === 1 ? 'is' : 'are'} what ${encoder} makes of the same content.`,
      [`${base}/encoders/named/${at}`],
      'pack the content again with that encoder and cmp',
    ),
  );
  const unknown = encoders.unnamed + encoders.untried;
  if (unknown > 0)
    list.push(
      say(
        'encoder-not-identified',
        `The encoder that packed ${count(unknown, 'member')} of ${published.name} was not identified (${encoders.unnamed} tried, ${encoders.untried} not tried): the content is the same, but how it is packed could carry information that nobody read.`,
        [`${base}/encoders`],
        `zipdetails ${quoted(published.name)}`,
      ),
    );
  return list;
}
