// SPDX-License-Identifier: Apache-2.0
/** Sentences about the environment: where ours departs from the publisher's, what is known of theirs, the commit they name. */
import type { EvidenceKind } from '../compare/types.js';
import { clause, quoted, say, type DecidedFacts } from './say.js';
import type { Statement } from './types.js';

/** Where our environment departs from the publisher's, and what is known of theirs. */
export function environmentStatements(facts: DecidedFacts): Statement[] {
  const { deviations, publisherEnvironment, verdict } = facts;
  const list = deviations.map((deviation, at) =>
    say(
      'deviation',
      `Our build departed from the publisher's: ${clause(deviation.what)} (${clause(deviation.reason)}); this can change the output: ${deviation.canChangeOutput}.`,
      [`/deviations/${at}`],
      'compare the environment of the report with the publisher’s build log',
    ),
  );
  for (const [at, { file, from, fact }] of publisherEnvironment.entries())
    list.push(
      say(
        'publisher-environment',
        `About the environment that made ${file}, ${from} says: ${clause(fact)}.`,
        [`/publisherEnvironment/${at}`],
        EVIDENCE_CHECKS[from](quoted(file)),
      ),
    );
  // of two files that were only compared nobody asked
  if (publisherEnvironment.length === 0 && facts.plan !== undefined && verdict.kind === 'unreproducible')
    list.push(
      say(
        'publisher-environment-unknown',
        'The environment in which the publisher built is unknown: nothing in the published file and nothing that was handed over tells it.',
        ['/publisherEnvironment'],
        'strings PUBLISHED | grep -i -e gcc -e clang -e rustc -e version',
      ),
    );
  return [...list, ...otherCommits(facts)];
}

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
