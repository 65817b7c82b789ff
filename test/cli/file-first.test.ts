// SPDX-License-Identifier: Apache-2.0
/** `verify <file>` and `verify lookup`: what a file is, and the verdict on it. */
import { copyFileSync, cpSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { buildZip } from '../helpers/build-zip.js';
import { buildManifest } from '../helpers/build-axml.js';
import { packageDirectory } from '../helpers/cli.js';
import { replaced, SMALL_RECIPE } from '../helpers/recipes.js';
import { scratchPackage } from '../helpers/scratch-package.js';
import { newIdentity, signedApk } from '../helpers/sign-apk.js';
import { temporaryDirectory } from '../helpers/temp-directory.js';
import { document, errorOf, verify } from '../helpers/transcript.js';

const REPORTS = path.join(packageDirectory, 'reports');
const DEMO = path.join(packageDirectory, 'demo/published');
const APP = path.join(DEMO, 'app.apk');
const TAMPERED = path.join(DEMO, 'tampered-dex.apk');

interface Found {
  readonly fits: readonly { readonly channel: string; readonly version?: string; readonly signer: string }[];
  readonly misfits: readonly { readonly channel: string; readonly reason: string }[];
  readonly disagreements: readonly string[];
  readonly lookup: { readonly known: boolean };
  readonly plan?: { readonly target: object };
  readonly noPlan?: { readonly code: string };
}

test('a file that was verified: what it is, the verdict, exit 0; by its digest too', async (t) => {
  const cwd = temporaryDirectory(t);
  const byFile = await verify([APP], { cwd });
  t.is(byFile.code, 0);
  t.regex(byFile.stdout, /demo 1\.0\.0 \(demo\), by its package id and version code; signed by the key/);
  t.regex(byFile.stdout, /\[reproducible\]/);
  const [sha256 = ''] = /[0-9a-f]{64}/.exec(byFile.stdout) ?? [];
  const byDigest = await verify(['lookup', sha256, '--json', '--quiet'], { cwd });
  t.is(byDigest.code, 0);
  t.like(document(t, byDigest), { known: true, verdict: { kind: 'reproducible' } });
});

test('one byte more and nobody knows it: exit 4, loudly another file than the one verified before', async (t) => {
  const { code, stdout, stderr } = await verify(['lookup', TAMPERED, '--reports', REPORTS]);
  t.is(code, 4);
  t.regex(stdout, /^unknown: /);
  t.regex(stderr, /another file than the one verified before\n {2}demo 1\.0\.0 \(demo\) was verified on /);
});

test('an unknown file is shown with its plan, and built only with --build', async (t) => {
  const cwd = temporaryDirectory(t);
  const shown = await verify([TAMPERED, '--reports', REPORTS, '--json', '--quiet'], { cwd });
  t.is(shown.code, 4);
  const found = document(t, shown) as Found;
  t.false(found.lookup.known);
  t.deepEqual(found.plan?.target, { app: 'demo', version: '1.0.0', channel: 'demo' });
  const built = await verify([TAMPERED, '--reports', REPORTS, '--build', '--json', '--quiet'], { cwd });
  t.is(built.code, 1);
  t.like(document(t, built), { statement: { verdict: { kind: 'unreproducible' } } });
  // and then it is known, to those who look at the reports made here
  const again = await verify(['lookup', TAMPERED, '--json', '--quiet'], { cwd });
  t.is(again.code, 1);
});

test('a set of which one is unknown is unknown', async (t) => {
  const directory = temporaryDirectory(t);
  copyFileSync(APP, path.join(directory, 'base.apk'));
  const one = await verify(['lookup', directory, '--reports', REPORTS]);
  t.is(one.code, 0);
  copyFileSync(TAMPERED, path.join(directory, 'split_config.en.apk'));
  const both = await verify(['lookup', directory, '--reports', REPORTS]);
  t.is(both.code, 4);
  t.regex(both.stdout, /1 of 2 files are in reports, but in none all of them/);
});

for (const [what, args, code, exit] of [
  ['a file with a version', [APP, '1.0.0'], 'file-and-version', 64],
  ['a file that is not there', ['nowhere.apk'], 'unreadable-input', 75],
  ['lookup of a file that is not there', ['lookup', 'nowhere'], 'unreadable-input', 75],
  ['reports that are not there', ['lookup', APP, '--reports', 'nowhere'], 'unreadable-input', 75],
  ['an app that nobody knows', ['telegram'], 'unknown-app', 64],
] as const)
  test(`fails: ${what}`, async (t) => {
    const transcript = await verify([...args, '--json'], { cwd: temporaryDirectory(t) });
    t.is(transcript.code, exit);
    t.is(errorOf(t, transcript), code);
  });

// ---------------------------------------------------------------- signers and channels

const ours = newIdentity();
const theirs = newIdentity();

const recipe = (pin: string, github: string): string =>
  replaced(
    'builds:\n',
    `    signers: [{ sha256: ${pin}, statedBy: publisher, source: here }]
  github:
    title: GitHub
    builtBy: publisher
    packageId: org.example.small
    signers: [{ sha256: ${github}, statedBy: publisher, source: here }]
    acquisition: { kind: handed-over, how: download it }
    pairs: [{ published: small.apk, output: app }]
defaultChannel: website
builds:
`,
  )(SMALL_RECIPE);

const apk = (more: Parameters<typeof buildManifest>[0] = {}): Buffer =>
  buildZip([
    {
      name: 'AndroidManifest.xml',
      data: buildManifest({ package: 'org.example.small', versionName: '10.10', versionCode: 69, ...more }),
    },
  ]);

const digest = async ({ certificate }: { readonly certificate: Buffer }): Promise<string> => {
  const { createHash } = await import('node:crypto');
  return createHash('sha256').update(certificate).digest('hex');
};

test('the signer chooses between channels; one that nobody pins chooses none and is told loudly', async (t) => {
  const small = scratchPackage(t, { small: recipe(await digest(ours), await digest(theirs)) });
  const run = async (name: string, bytes: Buffer, ...more: readonly string[]) => {
    writeFileSync(path.join(small.work, name), bytes);
    const { code, stdout } = await small.run([name, '--json', '--quiet', ...more]);
    return { code, found: JSON.parse(stdout) as Found & { readonly error?: { readonly code: string } } };
  };
  const signed = await run('ours.apk', signedApk(apk(), { identity: ours }));
  t.is(signed.code, 4);
  t.deepEqual(
    signed.found.fits.map(({ channel, signer, version }) => [channel, signer, version]),
    [['website', 'pinned', '10.10']],
  );
  t.regex(signed.found.misfits[0]?.reason ?? '', /signer is none of those/);
  t.like(signed.found.plan?.target, { channel: 'website' });
  const stranger = await run('stranger.apk', signedApk(apk(), { identity: newIdentity() }));
  t.deepEqual(
    stranger.found.fits.map(({ channel, signer }) => [channel, signer]),
    [
      ['website', 'other'],
      ['github', 'other'],
    ],
  );
  t.is(stranger.found.plan, undefined);
  const refused = await run('stranger.apk', signedApk(apk(), { identity: newIdentity() }), '--build');
  t.is(refused.code, 64);
  t.is(refused.found.error?.code, 'ambiguous-file');
  const chosen = await run(
    'stranger.apk',
    signedApk(apk(), { identity: newIdentity() }),
    '--channel',
    'github',
  );
  t.like(chosen.found.plan?.target, { channel: 'github' });
  const unsigned = await run('unsigned.apk', apk());
  t.deepEqual(
    unsigned.found.fits.map(({ signer }) => signer),
    ['unsigned', 'unsigned'],
  );
});

test('a version that cannot be planned to the end here: what its file is, whose, and what the reports say, then 75', async (t) => {
  const floating = replaced(
    '      image: { kind: lock, name: debian-12 }',
    "      image: { kind: floating, reference: '127.0.0.1:1/base:1' }",
  );
  const small = scratchPackage(t, { small: floating(recipe(await digest(ours), await digest(theirs))) });
  const run = async (identity: typeof ours) => {
    writeFileSync(path.join(small.work, 'a.apk'), signedApk(apk(), { identity }));
    return await small.run(['small', '10.10', '--published', 'a.apk']);
  };
  const own = await run(ours);
  t.is(own.code, 75, own.stderr);
  t.regex(
    own.stderr,
    /small 10\.10 \(website\), by its package id and version code; signed by the key[^]*unknown: no standing report[^]*error \[plan-unresolved\]/,
  );
  const other = await run(newIdentity());
  t.is(other.code, 3, other.stderr);
  t.regex(other.stdout, /\[not-authentic\]/);
});

test('splits of two versions are not one release; a broken file is shown and is nobody’s', async (t) => {
  const small = scratchPackage(t, { small: recipe(await digest(ours), await digest(ours)) });
  mkdirSync(path.join(small.work, 'set'));
  writeFileSync(path.join(small.work, 'set/base.apk'), signedApk(apk(), { identity: ours }));
  writeFileSync(
    path.join(small.work, 'set/split.apk'),
    signedApk(apk({ versionCode: 79 }), { identity: ours }),
  );
  const { code, stdout } = await small.run(['./set', '--json', '--quiet']);
  t.is(code, 4);
  const found = JSON.parse(stdout) as Found;
  t.true(found.disagreements.length > 0);
  t.deepEqual(found.fits, []);
  const whole = signedApk(apk(), { identity: ours });
  for (const length of [0, 10, whole.length - 1]) {
    writeFileSync(path.join(small.work, 'cut.apk'), whole.subarray(0, length));
    const cut = await small.run(['cut.apk', '--json', '--quiet']);
    t.is(cut.code, 4, `${length} bytes`);
    t.deepEqual((JSON.parse(cut.stdout) as Found).fits, []);
  }
});

test('an app of that name comes before a file of that name', async (t) => {
  const cwd = temporaryDirectory(t);
  cpSync(APP, path.join(cwd, 'demo'));
  const app = await verify(['demo', '1.0.0', '--json', '--quiet'], { cwd });
  t.is(app.code, 64, 'demo is a command');
  cpSync(APP, path.join(cwd, 'telegram-android'));
  const named = await verify(['telegram-android', '10.99.99', '--json', '--quiet'], { cwd });
  t.is(errorOf(t, named), 'unknown-version');
  const file = await verify(['./telegram-android', '--reports', REPORTS], { cwd });
  t.is(file.code, 0);
});
