// SPDX-License-Identifier: Apache-2.0
/**
 * Every sentence that a report says, with what it rests on and how to check it without this tool. Renderings only
 * repeat these; they have no words of their own but headings.
 */
import type { Difference, EvidenceKind, Owner, PairComparison, Side } from '../compare/types.js';
import type { Origin } from '../model.js';
import { count } from './title.js';
import type { ReportStatement, RunRecord, Statement } from './types.js';

/** A statement part before its conclusions. */
export type StatementFacts = Omit<
  ReportStatement,
  'verdict' | 'title' | 'coverage' | 'statements' | 'doesNotSay' | 'publisherCan'
>;
/** … and before its sentences. */
export type DecidedFacts = Omit<ReportStatement, 'statements' | 'doesNotSay' | 'publisherCan'>;

function say(code: string, sentence: string, basis: readonly string[], check: string): Statement {
  return { code, sentence, basis: basis.map((pointer) => `/statement${pointer}`), check };
}

/** For the shell: single quotes, whatever is inside; what looks like an option becomes a path. */
export function quoted(name: string): string {
  const safe = name.startsWith('-') ? `./${name}` : name;
  return /^[\w.+~@%/:-]+$/.test(safe) && !safe.startsWith('~') ? safe : `'${safe.replaceAll("'", `'\\''`)}'`;
}

export function statementsOf(facts: DecidedFacts): Statement[] {
  return [
    ...reasonStatements(facts),
    ...pairStatements(facts),
    ...setStatements(facts),
    ...buildStatements(facts),
    ...sourceStatements(facts),
    ...originStatements(facts),
    ...facts.deviations.map((deviation, at) =>
      say(
        'deviation',
        `Our build departed from the publisher's: ${deviation.what} (${deviation.reason}); this can change the output: ${deviation.canChangeOutput}.`,
        [`/deviations/${at}`],
        'compare the environment of the report with the publisher’s build log',
      ),
    ),
    ...facts.publisherEnvironment.map((evidence, at) =>
      say(
        'publisher-environment',
        `About the environment that made ${evidence.file}, ${evidence.from} says: ${evidence.fact}.`,
        [`/publisherEnvironment/${at}`],
        EVIDENCE_CHECKS[evidence.from](quoted(evidence.file)),
      ),
    ),
    ...otherCommits(facts),
    ...facts.knownResults.map((known, at) =>
      say(
        'known-result',
        `${known.by} reported ${known.result} for ${known.version} (${known.channel})${known.reason === undefined ? '' : `: ${known.reason}`}.`,
        [`/knownResults/${at}`],
        `curl -L ${quoted(known.url)}`,
      ),
    ),
  ];
}

// ---------------------------------------------------------------- the publisher's environment

/** Unpacks a quoted file name into `unpacked` and runs a command over what is in there. */
function each(file: string, command: string): string {
  const unpack = /\.deb'?$/.test(file) ? `dpkg-deb -x ${file} unpacked` : `unzip -q ${file} -d unpacked`;
  return `${unpack} && find unpacked -type f -exec ${command} {} + 2>/dev/null`;
}

const EVIDENCE_CHECKS = {
  buildinfo: (file) => `sha256sum ${file}   # and compare with Checksums-Sha256 of the .buildinfo`,
  'version-control-info': (file) => `unzip -p ${file} META-INF/version-control-info.textproto`,
  'gradle-metadata': (file) => `unzip -p ${file} META-INF/com/android/build/gradle/app-metadata.properties`,
  'kotlin-tooling': (file) => `unzip -p ${file} kotlin-tooling-metadata.json`,
  'compile-sdk': (file) => `aapt2 dump badging ${file} | grep compileSdkVersion`,
  'r8-marker': (file) => `unzip -p ${file} 'classes*.dex' | grep -a -o '~~[RDL]8{[^}]*}' | sort -u`,
  'android-ndk': (file) => each(file, 'readelf -x .note.android.ident'),
  'elf-comment': (file) => each(file, 'readelf -p .comment'),
  'elf-note': (file) => each(file, 'readelf -n'),
  'go-version': (file) => each(file, 'readelf -p .go.buildinfo'),
  'go-build-id': (file) => each(file, 'readelf -p .note.go.buildid'),
  depends: (file) => `dpkg-deb --field ${file} Pre-Depends Depends`,
  'built-using': (file) => `dpkg-deb --field ${file} Built-Using Static-Built-Using`,
} as const satisfies Record<EvidenceKind, (file: string) => string>;

/** A published file that names another commit than the one that was built is to be tried with that one. */
function otherCommits({ publisherEnvironment, source, plan, subject }: DecidedFacts): Statement[] {
  const ours =
    source?.kind === 'git'
      ? { ...source, at: '/source' }
      : plan?.build.source.kind === 'git'
        ? { ...plan.build.source, at: '/plan/build/source' }
        : undefined;
  if (ours === undefined || !/^[0-9a-f]{40,64}$/.test(ours.commit)) return [];
  const { target } = subject;
  return publisherEnvironment.flatMap(({ file, from, fact }, at) => {
    const commit = /^commit ([0-9a-f]{40}(?:[0-9a-f]{24})?)(?![0-9a-f])/.exec(fact)?.[1];
    if (from !== 'version-control-info' || commit === undefined || commit === ours.commit) return [];
    const run =
      target === undefined ? [] : [`verify ${quoted(target.app)} ${quoted(target.version)} --source source`];
    const attempt = [
      `git clone ${quoted(ours.repository)} source`,
      `git -C source checkout ${commit}`,
      ...run,
    ].join(' && ');
    return [
      say(
        'built-from-other-commit',
        `${file} says that it was built from commit ${commit}, our source is commit ${ours.commit}; to try that one: ${attempt}.`,
        [`/publisherEnvironment/${at}`, ours.at],
        EVIDENCE_CHECKS[from](quoted(file)),
      ),
    ];
  });
}

// ---------------------------------------------------------------- verdict

function reasonStatements({ verdict, builtBy, subject }: DecidedFacts): Statement[] {
  const list: Statement[] = [];
  if (verdict.kind === 'not-authentic')
    for (const [at, reason] of verdict.reasons.entries())
      list.push(
        say(
          `not-authentic-${reason.code}`,
          `This file is not what the publisher signed: ${reason.code}: ${reason.detail}. This is about the file, not about the publisher.`,
          [`/verdict/reasons/${at}`],
          'apksigner verify --verbose --print-certs PUBLISHED',
        ),
      );
  if (verdict.kind === 'unverifiable')
    for (const [at, reason] of verdict.reasons.entries())
      list.push(
        say(
          `unverifiable-${reason.code}`,
          `No verdict was possible: ${reason.code}: ${reason.detail}.`,
          [`/verdict/reasons/${at}`],
          'read the named place of the report',
        ),
      );
  if (builtBy !== undefined)
    list.push(
      say(
        'built-by',
        `The published ${subject.published.length === 1 ? 'file was' : 'files were'} built by the ${builtBy}.`,
        ['/builtBy'],
        'see the channel that the plan names',
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
            `In ${pair.published.name}, rule ${applied.rule} left ${count(applied.publishedBytes, 'published byte')} out of the verdict: ${applied.reason}.`,
            [`${base}/rules/${rule}`],
            `curl -L ${quoted(applied.reference)}`,
          ),
        );
      else if (!applied.needed)
        list.push(
          say(
            'rule-not-needed',
            `In ${pair.published.name}, rule ${applied.rule} was allowed and not needed.`,
            [`${base}/rules/${rule}`],
            'read the rule’s byte counts in the report',
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
    if (pair.differencesCut > 0)
      list.push(
        say(
          'evidence-cut',
          `${count(pair.differencesCut, 'finding')} of ${pair.published.name} are counted and not shown here; every byte is in the ledger.`,
          [`${base}/differencesCut`],
          `diffoscope ${quoted(pair.published.name)} ${quoted(pair.rebuilt.name)}`,
        ),
      );
  }
  return list;
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

const UNTELLING = 3;

/** Content says more than a record about it; what did not decide the verdict is no example of a difference. */
function telling(difference: Difference): number {
  switch (difference.kind) {
    case 'bytes':
    case 'text':
    case 'section':
      return 0;
    case 'only-published':
    case 'only-rebuilt':
    case 'hidden':
      return 1;
    case 'field':
      return difference.owner === 'different' || difference.owner === 'missing' ? 2 : UNTELLING;
    case 'malformed':
    case 'order':
    case 'unread':
      return UNTELLING;
  }
}

export function where(path: readonly string[]): string {
  return path.length === 0 ? 'the file itself' : path.join(' > ');
}

/** One line for a finding. */
export function describeDifference(difference: Difference): string {
  const place = where(difference.path);
  const cause =
    'cause' in difference && difference.cause !== undefined
      ? ` (${difference.cause.kind}: ${difference.cause.evidence})`
      : '';
  switch (difference.kind) {
    case 'only-published':
      return `${place}: ${count(difference.size, 'byte')} in the published file only${cause}`;
    case 'only-rebuilt':
      return `${place}: ${count(difference.size, 'byte')} in the rebuilt file only${cause}`;
    case 'field':
      return `${place}: ${difference.field}: published ${difference.published}, rebuilt ${difference.rebuilt}${cause}`;
    case 'bytes':
      return `${place}: offset ${difference.publishedOffset}, ${difference.publishedLength} published against ${difference.rebuiltLength} rebuilt bytes${cause}`;
    case 'text':
      return `${place}: text differs${cause}`;
    case 'section':
      return `${place}: section ${difference.section}: ${difference.differentBytes} bytes differ (published ${difference.publishedSize ?? 'absent'}, rebuilt ${difference.rebuiltSize ?? 'absent'})${cause}`;
    case 'hidden':
      return `${place}: ${count(difference.length, 'byte')} at offset ${difference.offset} of the ${difference.side} file that no structure owns (${difference.region})`;
    case 'unread':
      return `${place}: ${difference.code}: ${difference.detail}`;
    case 'malformed':
      return `${place}: the ${difference.side} side does not parse: ${difference.code} at offset ${difference.offset}: ${difference.detail}`;
    case 'order':
      return `${place}: ${difference.detail}`;
  }
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
        'add up the ledgers of the report',
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
        `${count(declared.length, 'rebuilt file')} that the recipe declares unpublished ${declared.length === 1 ? 'was' : 'were'} not compared: ${declared.map((entry) => entry.file.name).join(', ')}.`,
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
    list.push(say('nothing-compared', 'No file was compared.', ['/comparison/pairs'], 'read the report'));
  return list;
}

export function percent(ratio: number): string {
  return ratio === 1 ? '100 %' : `${(Math.floor(ratio * 10_000) / 100).toFixed(2)} %`;
}

// ---------------------------------------------------------------- source, build, origin

function buildStatements({ buildFailure, plan }: DecidedFacts): Statement[] {
  const list: Statement[] = [];
  if (buildFailure !== undefined)
    list.push(
      say(
        'build-failed',
        `A command of the ${buildFailure.phase} phase ended with exit code ${buildFailure.exitCode}; nothing of ours is known to have caused it.`,
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
        'read the plan’s environment',
      ),
    );
  return list;
}

function sourceStatements({ source }: DecidedFacts): Statement[] {
  if (source === undefined) return [];
  if (source.kind === 'debian')
    return [
      say(
        'source-debian',
        `The source is ${source.package} ${source.version} as Debian's signed index of ${source.release.date} lists it.`,
        ['/source'],
        `apt-get source --download-only ${quoted(`${source.package}=${source.version}`)} && sha256sum ${quoted(source.package)}_*`,
      ),
    ];
  const from = {
    upstream: source.repository,
    bundled: 'files of this package',
    directory: 'a directory that was handed over, not the publisher’s repository',
    url: 'another repository than the publisher’s',
  }[source.from];
  return [
    say(
      source.from === 'upstream' || source.from === 'bundled' ? 'source-commit' : 'source-not-upstream',
      `The source is commit ${source.commit}${source.tag === undefined ? '' : ` (tag ${source.tag})`} of ${from}, tree SHA-256 ${source.treeSha256}.`,
      ['/source'],
      `git clone ${quoted(source.repository)} && git rev-parse ${quoted(source.tag ?? source.commit)}`,
    ),
  ];
}

function originStatements({ origins, linkable, carried }: DecidedFacts): Statement[] {
  const list: Statement[] = [];
  const isCarried = (origin: Origin): origin is Extract<Origin, { kind: 'carried' }> =>
    origin.kind === 'carried';
  for (const [at, origin] of origins.entries())
    if (isCarried(origin))
      list.push(
        say(
          'origin-carried',
          `${origin.member} was carried in, not built: it was in ${origin.from} before the build began (${origin.by}).`,
          [`/origins/${at}`],
          `sha256sum of both places`,
        ),
      );
  const built = origins.filter((origin) => origin.kind === 'built');
  const pure = built.filter((origin) => origin.mayContain.length === 0);
  if (pure.length > 0)
    list.push(
      say(
        'origin-built',
        `${count(pure.length, 'executable member')} ${pure.length === 1 ? 'was' : 'were'} built from source.`,
        ['/origins'],
        'compare the list with the inventory of inputs',
      ),
    );
  if (built.length > pure.length)
    list.push(
      say(
        'origin-may-contain',
        `${count(built.length - pure.length, 'executable member')} came out of the build and may contain ${count(linkable.count, 'object or static archive')} that existed before it.`,
        ['/origins', '/linkable'],
        'read the linker’s command lines in the log',
      ),
    );
  for (const [at, binary] of carried.entries())
    list.push(
      say(
        'carried-known',
        `The recipe knows ${binary.path} as a binary that nobody builds here: ${binary.note}.`,
        [`/carried/${at}`],
        binary.reference === undefined ? 'look at the source tree' : `curl -L ${quoted(binary.reference)}`,
      ),
    );
  return list;
}

// ---------------------------------------------------------------- what it does not say

export function doesNotSay(facts: DecidedFacts): Statement[] {
  const carried = facts.origins.filter((origin) => origin.kind === 'carried').length + facts.carried.length;
  const no = (code: string, sentence: string, basis: string): Statement =>
    say(code, sentence, [basis], 'nothing in the report speaks of it');
  return [
    no('not-safe', 'It does not say that the source is safe or does what it promises.', '/verdict'),
    no(
      'not-others',
      'It says nothing about servers, other files, other devices, other channels or later updates.',
      '/subject',
    ),
    no(
      'not-carried',
      `It says nothing about what is inside of carried binaries (${carried} listed).`,
      carried === facts.carried.length ? '/carried' : '/origins',
    ),
    no('not-audit', 'It is not an audit.', '/verdict'),
  ];
}

export function publisherCan({ verdict, plan, deviations }: DecidedFacts): Statement[] {
  const can = (code: string, sentence: string, basis: string): Statement =>
    say(code, sentence, [basis], 'run this tool again afterwards');
  switch (verdict.kind) {
    case 'reproducible':
    case 'equivalent':
      return [];
    case 'unreproducible':
      return [
        can(
          'publish-environment',
          'The publisher can state the exact build environment (image digest, package versions, commands) of this release.',
          deviations.length > 0 ? '/deviations' : '/verdict',
        ),
        can(
          'fix-cause',
          'The publisher can remove the named causes of differences from the build.',
          '/verdict',
        ),
      ];
    case 'unbuildable':
      return [
        can(
          'fix-build',
          'The publisher can state how this source is built, or correct it.',
          plan === undefined ? '/verdict' : '/plan/build',
        ),
      ];
    case 'unverifiable':
      return [
        can('give-what-is-missing', 'The publisher can provide what the reasons name.', '/verdict/reasons'),
      ];
    case 'not-authentic':
      return [
        can('state-signer', 'The publisher can state which certificates sign its files.', '/verdict/reasons'),
      ];
  }
}

// ---------------------------------------------------------------- the run

export function runStatements(run: Omit<RunRecord, 'statements'>, statement: ReportStatement): Statement[] {
  const list: Statement[] = [];
  const said = (code: string, sentence: string, pointer: string): void => {
    list.push({ code, sentence, basis: [`/run${pointer}`], check: 'read the run part of the report' });
  };
  if (run.builds > 0)
    said(
      'builds',
      `It was built ${run.builds === 1 ? 'once' : `${run.builds} times`} on one machine; ${run.matchingBuilds} of the builds matched.`,
      '/builds',
    );
  if (statement.verdict.kind === 'unreproducible' && run.standing !== undefined)
    said(
      `standing-${run.standing}`,
      {
        single: 'The mismatch was seen in one build and not confirmed by another.',
        confirmed:
          'The mismatch is confirmed: two clean builds of ours agree where they differ from the published file.',
        unstable: 'Our own builds disagree with each other there: the build itself is not deterministic.',
      }[run.standing],
      '/standing',
    );
  if (run.missingTools.length > 0)
    said('missing-tools', `Missing on the machine: ${run.missingTools.join(', ')}.`, '/missingTools');
  return list;
}
