// SPDX-License-Identifier: Apache-2.0
/**
 * What each version of Android makes of a file, against apksig: every set of schemes, type of key, lowest version and
 * rotation. Keys are those that test apksig itself.
 */
import { readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { inspectPublished } from '../../src/compare/inspect-published.js';
import type { SdkSignature } from '../../src/compare/types.js';
import { apksig35 } from '../helpers/apksig-35.js';
import { runApksig, type SignJob, type VerifyJob } from '../helpers/apksig-driver.js';
import { APKSIG_EXAMPLES, hasExamples } from '../helpers/apksig-examples.js';
import { buildManifest } from '../helpers/build-axml.js';
import { buildZip } from '../helpers/build-zip.js';
import { need } from '../helpers/need.js';
import { temporaryDirectory } from '../helpers/temp-directory.js';

/** The last version that this apksig is asked about. */
const NEWEST = 36;
const APKSIG_31 = '/usr/share/java/apksig.jar';

type Key = SignJob['keys'][number];
const key = (name: string): Key => ({
  key: path.join(APKSIG_EXAMPLES, `${name}.pk8`),
  certificate: path.join(APKSIG_EXAMPLES, `${name}.x509.pem`),
});
const KEYS = [
  'rsa-1024',
  'rsa-2048',
  'rsa-3072',
  'rsa-4096',
  'dsa-1024',
  'dsa-2048',
  'ec-p256',
  'ec-p384',
  'ec-p521',
];
const SCHEMES: readonly (readonly number[])[] = [[1], [2], [3], [1, 2], [1, 3], [2, 3], [1, 2, 3]];
const MIN_SDKS = [1, 24, 28] as const;
const ROTATIONS: readonly (Pick<SignJob, 'rotationMinSdk' | 'development'> & { readonly name: string })[] = [
  { name: 'from 28 on', rotationMinSdk: 28 },
  { name: 'from 33 on', rotationMinSdk: 33 },
  { name: 'from 34 on', rotationMinSdk: 34 },
  { name: 'for the release after 34', rotationMinSdk: 34, development: true },
];

function unsignedApk(directory: string, minSdk: number, targetSdk: number): string {
  const file = path.join(directory, `unsigned-${minSdk}-${targetSdk}.apk`);
  writeFileSync(
    file,
    buildZip([
      { name: 'AndroidManifest.xml', data: buildManifest({ minSdk, targetSdk }) },
      { name: 'classes.dex', data: 'code'.repeat(100) },
    ]),
  );
  return file;
}

/** Signed by apksig 35; what it refuses to sign is left out. */
function signAll(jar: string, directory: string, jobs: readonly Omit<SignJob, 'kind' | 'to'>[]): string[] {
  const named = jobs.map((job, at): SignJob => ({
    ...job,
    kind: 'sign',
    to: path.join(directory, `${at}.apk`),
  }));
  const answers = runApksig(jar, directory, named);
  return named.flatMap(({ to }, at) => (answers[at]?.verified === true ? [to] : []));
}

interface Judged {
  readonly file: string;
  readonly range: SdkSignature;
}

/** Each range of each file, asked at both ends: apksig gives one answer for all versions from one to the other. */
async function agrees(
  t: ExecutionContext,
  jar: string,
  directory: string,
  files: readonly string[],
): Promise<number> {
  const judged: Judged[] = [];
  const jobs: VerifyJob[] = [];
  for (const file of files) {
    const { signature } = await inspectPublished(file);
    for (const range of signature.bySdk ?? []) {
      if (range.minSdk > NEWEST) continue;
      judged.push({ file, range });
      // where v3.1 is known, apksig names its signer whatever version that is for
      const newest = range.scheme === 'v3' && range.minSdk < 33 ? 32 : NEWEST;
      const maxSdk = Math.min(range.maxSdk ?? newest, newest);
      jobs.push({ kind: 'verify', file, minSdk: range.minSdk, maxSdk });
    }
  }
  const answers = runApksig(jar, directory, jobs);
  for (const [at, { file, range }] of judged.entries()) {
    const answer = answers[at];
    const what = `${path.basename(file)}: ${JSON.stringify(range)}, apksig ${JSON.stringify(answer)}`;
    // apksig takes v3 alone for versions that do not know it, and so refuses nothing
    if (range.codes.join() === 'no-scheme' && answer?.schemes.join() === 'v3') continue;
    if (answer?.verified !== (range.status === 'verified')) t.fail(what);
    else if (answer.verified) {
      t.true(answer.schemes.includes(range.scheme), what);
      if (range.scheme !== 'v3' || !answer.schemes.includes('v3.1'))
        t.deepEqual(answer.signers, range.signers, what);
    }
  }
  return judged.length;
}

test('schemes, keys and versions', async (t) => {
  if (!hasExamples(t)) return;
  const jar = await apksig35(t);
  if (jar === undefined) return;
  const directory = temporaryDirectory(t);
  const jobs = MIN_SDKS.flatMap((minSdk) => {
    const from = unsignedApk(directory, minSdk, minSdk);
    return SCHEMES.flatMap((schemes) =>
      KEYS.flatMap((name) =>
        [false, true].map((verity) => ({ from, minSdk, schemes, keys: [key(name)], verity })),
      ),
    ).filter(({ verity, schemes }) => !verity || schemes.join() === '2' || schemes.join() === '2,3');
  });
  const files = signAll(jar, directory, jobs);
  t.true(files.length >= jobs.length / 2, `${files.length} of ${jobs.length}`);
  const ranges = await agrees(t, jar, directory, files);
  t.log(`${ranges} ranges of ${files.length} files`);
});

test('rotation', async (t) => {
  if (!hasExamples(t)) return;
  const jar = await apksig35(t);
  if (jar === undefined) return;
  const directory = temporaryDirectory(t);
  const jobs = [18, 24, 28].flatMap((minSdk) => {
    const from = unsignedApk(directory, minSdk, 34);
    return SCHEMES.filter((schemes) => schemes.includes(3)).flatMap((schemes) =>
      ROTATIONS.flatMap((rotation) =>
        [
          ['rsa-2048', 'ec-p256'],
          ['dsa-1024', 'rsa-4096'],
          ['ec-p521', 'rsa-1024', 'ec-p384'],
        ].map((names) => ({
          from,
          minSdk,
          schemes,
          keys: names.map(key),
          lineage: true,
          ...rotation,
        })),
      ),
    );
  });
  const files = signAll(jar, directory, jobs);
  t.true(files.length >= jobs.length / 2, `${files.length} of ${jobs.length}`);
  const ranges = await agrees(t, jar, directory, files);
  t.log(`${ranges} ranges of ${files.length} files`);
});

test('an app for Android 11 or later with a JAR signature only', async (t) => {
  if (!hasExamples(t) || !need(t, 'apksigner')) return;
  const jar = await apksig35(t);
  if (jar === undefined) return;
  const directory = temporaryDirectory(t);
  const jobs = [29, 30].map((targetSdk) => ({
    from: unsignedApk(directory, 21, targetSdk),
    minSdk: 21,
    schemes: [1],
    keys: [key('rsa-2048')],
  }));
  const [before = '', after = ''] = signAll(jar, directory, jobs);
  await agrees(t, jar, directory, [before, after]);
  await agrees(t, APKSIG_31, directory, [before, after]);
  t.deepEqual(
    (await inspectPublished(before)).signature.bySdk?.map(({ minSdk, status }) => [minSdk, status]),
    [[21, 'verified']],
  );
  t.deepEqual(
    (await inspectPublished(after)).signature.bySdk?.map(({ minSdk, status, codes }) => [
      minSdk,
      status,
      codes,
    ]),
    [
      [21, 'verified', []],
      [30, 'unsupported', ['v1-refused-for-target']],
    ],
  );
});

/** Files that test apksig, where it accepts and we do not: the codes that say why, and the reason. */
const STRICTER: readonly (readonly [name: RegExp, codes: string])[] = [
  // versions 24 to 27 do not know v3; apksig does not look for anything else once it has found it
  [/v3-(lineage-)?out\.apk$|^v3-only-/, 'no-scheme'],
  // Android skips what it does not know: whatever lies there is no signature, and nobody reads it
  [/-unknown-additional-attr\.apk$/, 'unchecked-attribute'],
  [/-unknown-pair-in-apk-sig-block\.apk$/, 'unknown-pair'],
  [/-with-ignorable-unsupported-sig-algs\.apk$/, 'unknown-algorithm'],
  [/^v2-only-unknown-additional-attr\.apk$/, 'unknown-algorithm'],
  // apksig reads BER, and Android wraps what it read
  [/-cert-not-der\.apk$/, 'certificate-not-der'],
];

/** Where apksig refuses for something else than a signature. */
const NO_SIGNATURE_MATTER: readonly RegExp[] = [/^v[23]-only-empty\.apk$/, /-targetSandboxVersion-3\.apk$/];

test('the v2 and v3 files that test apksig', async (t) => {
  if (!hasExamples(t) || !need(t, 'apksigner')) return;
  const jar = await apksig35(t);
  if (jar === undefined) return;
  const directory = temporaryDirectory(t);
  const names = readdirSync(APKSIG_EXAMPLES).filter((name) =>
    /^(v2|v3|v1v2|golden|two-signers).*\.apk$/.test(name),
  );
  t.true(names.length > 100);
  const records = new Map<string, readonly SdkSignature[]>();
  for (const name of names) {
    const { signature } = await inspectPublished(path.join(APKSIG_EXAMPLES, name));
    records.set(name, signature.bySdk ?? []);
  }
  let stricter = 0;
  for (const library of [jar, APKSIG_31]) {
    const jobs = names.flatMap((name): VerifyJob[] =>
      [24, 28, 33].map((minSdk) => ({
        kind: 'verify',
        file: path.join(APKSIG_EXAMPLES, name),
        minSdk,
        maxSdk: NEWEST,
      })),
    );
    const answers = runApksig(library, directory, jobs);
    for (const [at, { file, minSdk }] of jobs.entries()) {
      const name = path.basename(file);
      const ranges = (records.get(name) ?? []).filter(({ maxSdk = NEWEST }) => maxSdk >= minSdk);
      const ours = ranges.length > 0 && ranges.every(({ status }) => status === 'verified');
      const theirs = answers[at]?.verified === true;
      const codes = new Set(ranges.flatMap((range) => range.codes));
      const what = `${name} from ${minSdk}: ours ${ours} (${[...codes].join()}), apksig ${theirs} (${answers[at]?.errors.join()})`;
      if (ours && !theirs)
        t.true(
          NO_SIGNATURE_MATTER.some((pattern) => pattern.test(name)),
          what,
        );
      if (ours || !theirs) continue;
      stricter++;
      const known = new Set(STRICTER.flatMap(([pattern, code]) => (pattern.test(name) ? [code] : [])));
      t.true(codes.size > 0 && [...codes].every((code) => known.has(code)), what);
    }
  }
  t.log(`${names.length} files, stricter ${stricter} times`);
});
