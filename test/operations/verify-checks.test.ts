// SPDX-License-Identifier: Apache-2.0
/** Apps whose source nobody can build: real APKs, checked for what they say and who signed them. */
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { packageRoot } from '../../src/inputs/package-files.js';
import { planAnything } from '../../src/operations/plan.js';
import { verifyChecks } from '../../src/operations/verify-checks.js';
import { verify, type VerifyRequest } from '../../src/operations/verify.js';
import { checkReport } from '../../src/report/check.js';
import type { Report } from '../../src/report/types.js';
import { entryFor, logFiles, logSigner, otherEntries, serve } from '../helpers/build-log.js';
import { localServer } from '../helpers/http-server.js';
import { buildManifest } from '../helpers/build-axml.js';
import { buildIpa, infoPlist, programsOf } from '../helpers/build-ipa.js';
import { buildZip } from '../helpers/build-zip.js';
import { newIdentity, signedApk } from '../helpers/sign-apk.js';
import { runCli } from '../helpers/run-cli.js';
import { temporaryDirectory } from '../helpers/temp-directory.js';

const cache = mkdtempSync(path.join(realpathSync(tmpdir()), 'samesource-test-'));
process.env['XDG_CACHE_HOME'] = cache;
test.after.always(() => rmSync(cache, { recursive: true, force: true }));

const apk = (of: string): string =>
  path.join(packageRoot(), 'node_modules', of, 'apks', 'settings_apk-debug.apk');
const APK = apk('settings-apk');
const EARLIER = apk('settings-apk-previous');
const SIGNER = '680dbbc39ab0944796c811b636ace510c8e551317087036cebab0751b0a6190c';
const EARLIER_SIGNER = '597283acbd46f9db248023b7a52cc6538a9c259078227f45533746313a28eac7';

interface Closed {
  readonly packageId?: string;
  readonly signer?: string;
  readonly more?: string;
  readonly acquisition?: string;
}

function recipes(
  t: ExecutionContext,
  {
    packageId = 'io.appium.settings',
    signer = '',
    more = '',
    acquisition = '{ kind: handed-over, how: download it }',
  }: Closed = {},
): string {
  const directory = path.join(temporaryDirectory(t), 'recipes');
  mkdirSync(directory);
  writeFileSync(
    path.join(directory, 'closed.yaml'),
    `schemaVersion: 1
app: closed
title: Closed chat
platform: android
status: { kind: closed, evidence: [{ url: 'https://example.org/' }] }
evidence: [{ what: all, url: 'https://example.org/', date: '2026-01-01' }]
versions: {}
channels:
  website:
    title: Website
    builtBy: publisher
    packageId: ${packageId}
    acquisition: ${acquisition}
    files: [closed.apk]
    signers: [${signer === '' ? '' : `{ sha256: ${signer}, statedBy: third-party, source: a list }`}]
${more}`,
  );
  return directory;
}

async function checked(
  t: ExecutionContext,
  options: Closed = {},
  request: Partial<VerifyRequest> = {},
): Promise<Report> {
  const { report } = await verify(
    { app: 'closed', version: '8.x', published: APK, ...request },
    { recipes: recipes(t, options) },
  );
  t.is(checkReport(JSON.parse(JSON.stringify(report))).kind, 'consistent');
  return report;
}

const outcomes = ({ statement }: Report): readonly string[] =>
  statement.checks?.outcomes.map(({ check, outcome }) => `${check} ${outcome}`) ?? [];
const reasons = ({ statement: { verdict } }: Report): readonly string[] =>
  'reasons' in verdict ? verdict.reasons.map(({ code }) => code) : [];

test('the pinned signer: every check that can be made passes, and nothing says more than that', async (t) => {
  const report = await checked(t, { signer: SIGNER });
  t.is(report.statement.verdict.kind, 'unverifiable');
  t.deepEqual(reasons(report), ['no-source']);
  t.deepEqual(outcomes(report), [
    'package passed',
    'version passed',
    'signer passed',
    'continuity not-run',
    'transparency-log not-run',
  ]);
  t.is(report.statement.subject.target?.version, '8.0.10');
  t.deepEqual(report.statement.checks?.certificates, [SIGNER]);
  t.deepEqual(report.statement.coverage.matched, 0);
  const limits = report.statement.doesNotSay.map(({ code }) => code);
  t.true(limits.includes('not-source') && limits.includes('not-key-transparency'));
});

test('another signer than the pinned one', async (t) => {
  const report = await checked(t, { signer: EARLIER_SIGNER });
  t.is(report.statement.verdict.kind, 'not-authentic');
  t.true(reasons(report).includes('signer-not-pinned'));
  t.true(outcomes(report).includes('signer failed'));
});

test('another app', async (t) => {
  const report = await checked(t, { packageId: 'org.example.other', signer: SIGNER });
  t.is(report.statement.verdict.kind, 'not-authentic');
  t.deepEqual(reasons(report), ['other-package']);
  t.true(outcomes(report).includes('package failed'));
  t.true(outcomes(report).includes('signer passed'));
});

test('another app of another version: that the version was asked for is not said', async (t) => {
  const report = await checked(t, { packageId: 'org.example.other', signer: SIGNER }, { version: '7.x' });
  t.deepEqual(reasons(report), ['other-package']);
  t.true(outcomes(report).includes('version failed'));
});

test('one byte of it changed: the signature does not hold, and no check of it passes', async (t) => {
  const directory = temporaryDirectory(t);
  const bytes = readFileSync(APK);
  const at = bytes.length >> 1;
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  const published = path.join(directory, 'x.apk');
  writeFileSync(published, bytes);
  const report = await checked(t, { signer: SIGNER }, { published });
  t.is(report.statement.verdict.kind, 'not-authentic');
  t.true(outcomes(report).includes('signer failed'));
});

test('no file: each check says so', async (t) => {
  const { report } = await verify({ app: 'closed', version: '8.x' }, { recipes: recipes(t) });
  t.deepEqual(reasons(report), ['no-published-artifact', 'no-source']);
  t.true(outcomes(report).every((line) => line.endsWith('not-run')));
  t.is(report.statement.subject.target?.version, '8.x');
});

test('a channel that is read off a phone, and no phone: the same verdict, and each check says so', async (t) => {
  const directory = recipes(t, { acquisition: '{ kind: phone, package: org.example.chat }' });
  const cwd = temporaryDirectory(t);
  const without = { PATH: temporaryDirectory(t) };
  const none = await runCli(['closed', '2.x', '--recipes', directory], { cwd, env: without });
  t.is(none.exitCode, 2, none.output);
  t.regex(none.stdout, /no-published-artifact: .*adb is not installed/);
  // all five stand on the screen
  t.is(none.stdout.match(/The check [a-z-]+ was not run/g)?.length, 5, none.stdout);
  t.false(none.stdout.includes('carried binaries'));
  // to fetch is to want the file
  const fetched = await runCli(['fetch', 'closed', '2.x', '--recipes', directory], { cwd, env: without });
  t.is(fetched.exitCode, 75, fetched.output);
  t.true(fetched.stderr.includes('[missing-tool]'));
});

test('a day of a version that nobody can know, and the versions of an app without source', async (t) => {
  const directory = recipes(t);
  const request = { app: 'closed', version: '2.x', asOf: '2026-01-01' };
  await t.throwsAsync(planAnything(request, { recipes: directory }), { code: 'as-of-unsupported' });
  const { exitCode, stdout } = await runCli(['closed', '--recipes', directory]);
  t.is(exitCode, 0);
  t.true(stdout.includes('no version of closed is known: `verify plan closed latest`'), stdout);
});

test('a file of a version that was not asked for', async (t) => {
  await t.throwsAsync(verify({ app: 'closed', version: '7.x', published: APK }, { recipes: recipes(t) }), {
    code: 'other-version',
  });
});

test('continuity: the signer of an earlier report, and another one', async (t) => {
  const out = temporaryDirectory(t);
  const directory = recipes(t);
  const request = { app: 'closed', version: '8.x', out };
  const first = await verify({ ...request, published: EARLIER }, { recipes: directory });
  t.true(outcomes(first.report).includes('continuity not-run'));
  const next = await verify({ ...request, published: APK }, { recipes: directory });
  t.true(outcomes(next.report).includes('continuity failed'));
  // the same signer under another version
  const place = path.join(out, 'reports', 'closed', '8.0.8');
  rmSync(place, { recursive: true });
  const again = await verify({ ...request, published: EARLIER }, { recipes: directory });
  t.true(outcomes(again.report).includes('continuity failed'));
  rmSync(path.join(out, 'reports', 'closed', '8.0.10'), { recursive: true });
  t.true(
    outcomes((await verify({ ...request, published: EARLIER }, { recipes: directory })).report).includes(
      'continuity not-run',
    ),
  );
});

test('a store that encrypts: what the file shows and what it hides is said', async (t) => {
  const report = await checked(t, {
    more: '    encryption: { scheme: FairPlay, shows: the list of files, hides: the code }\n',
  });
  t.deepEqual(reasons(report), ['encrypted', 'no-source']);
  t.true(outcomes(report).includes('signer not-run'));
  const told = report.statement.statements.find(({ code }) => code === 'store-encryption');
  // the file that was handed over is an APK, which no store encrypted
  t.true(told?.sentence.includes('is encrypted (FairPlay) was not read'));
});

test('a log that lists the file, one that does not, one that does not answer', async (t) => {
  const { sha256, versionCode } = {
    sha256: createHash('sha256').update(readFileSync(APK)).digest('hex'),
    versionCode: '192',
  };
  const signer = logSigner('example.org/log');
  const more = '    transparencyLog: { log: google-apk, evidence: a test }\n';
  const serving = async (entries: readonly Buffer[]): Promise<string> => {
    const files = logFiles(entries, signer);
    return (await localServer(t, (request, response) => serve(files, request.url ?? '', response))).url;
  };
  const own = entryFor(sha256, 'io.appium.settings', versionCode);
  const asked = async (log: string): Promise<string | undefined> => {
    const plan = await planAnything({ app: 'closed', version: '8.x' }, { recipes: recipes(t, { more }) });
    if (plan.kind !== 'checks') return undefined;
    const request = { published: APK, log: { log, key: signer.key } };
    return outcomes(await verifyChecks(plan.plan, request, {})).at(-1);
  };
  t.is(await asked(await serving([...otherEntries(5), own])), 'transparency-log passed');
  t.is(await asked('http://127.0.0.1:9'), 'transparency-log not-run');
  // the log that was seen had six entries
  t.is(await asked(await serving(otherEntries(7))), 'transparency-log failed');
});

test('where the file came from is told, and a report that tells it otherwise is inconsistent', async (t) => {
  const report = await checked(t, {});
  t.like(report.run.published, [{ from: 'handed-over', signatures: [] }]);
  t.true(report.run.statements.some(({ code }) => code === 'published-handed-over'));
  t.is(checkReport(report).kind, 'consistent');
  const published = (report.run.published ?? []).map((one) => ({ ...one, from: 'phone' as const }));
  t.not(checkReport({ ...report, run: { ...report.run, published } }).kind, 'consistent');
});

test('from the command line: plan, run, exit codes', async (t) => {
  const directory = recipes(t, { signer: SIGNER });
  const cwd = temporaryDirectory(t);
  const plan = await runCli(['plan', 'closed', '2.x', '--recipes', directory], { cwd });
  t.is(plan.exitCode, 0);
  t.true(plan.stdout.includes('checks only (no-source)'), plan.stdout);
  const none = await runCli(['closed', '2.x', '--recipes', directory], { cwd });
  t.is(none.exitCode, 2, none.output);
  copyFileSync(APK, path.join(cwd, 'a.apk'));
  const found = await runCli(['closed', '8.x', '--recipes', directory, '--published', 'a.apk'], { cwd });
  t.is(found.exitCode, 2, found.output);
  const other = recipes(t, { signer: EARLIER_SIGNER });
  const forged = await runCli(['closed', '8.x', '--recipes', other, '--published', 'a.apk'], { cwd });
  t.is(forged.exitCode, 3, forged.output);
});

test('another file of a version that has a report is told, loudly', async (t) => {
  const directory = recipes(t, { packageId: 'org.example.chat' });
  const cwd = temporaryDirectory(t);
  const run = async (name: string): Promise<string> => {
    const unsigned = buildZip([{ name: 'AndroidManifest.xml', data: buildManifest() }]);
    writeFileSync(path.join(cwd, name), signedApk(unsigned, { identity: newIdentity() }));
    const args = ['closed', '1.x', '--recipes', directory, '--published', name];
    return (await runCli(args, { cwd })).stderr;
  };
  t.false((await run('a.apk')).includes('another file than the one verified before'));
  t.true((await run('b.apk')).includes('another file than the one verified before'));
});

test('a report about a file of another app is no verdict on that file', async (t) => {
  const cwd = temporaryDirectory(t);
  copyFileSync(APK, path.join(cwd, 'other.apk'));
  const directory = recipes(t, { packageId: 'org.example.other' });
  const args = ['closed', '8.x', '--recipes', directory, '--published', 'other.apk'];
  t.is((await runCli(args, { cwd })).exitCode, 3);
  const found = await runCli(['lookup', 'other.apk'], { cwd });
  t.is(found.exitCode, 4, found.output);
  t.true(found.stdout.includes('the file is of another app'), found.output);
});

// ---------------------------------------------------------------- apps of Apple's platforms

const ipaOf = (identifier: string, version: string, id: number): Buffer =>
  buildIpa({
    programs: programsOf().map((one) =>
      one.executable === 'Example'
        ? {
            ...one,
            spec: { ...one.spec, encryption: { id } },
            bundle: { CFBundleIdentifier: identifier, CFBundleShortVersionString: version },
          }
        : one,
    ),
  });
const macZip = (identifier: string, version: string): Buffer =>
  buildZip([
    {
      name: 'Telegram.app/Contents/Info.plist',
      data: infoPlist({ CFBundleIdentifier: identifier, CFBundleShortVersionString: version }),
    },
  ]);

async function checkedApp(t: ExecutionContext, app: string, version: string, file: Buffer): Promise<Report> {
  const at = path.join(temporaryDirectory(t), app.endsWith('macos') ? 'app.zip' : 'app.ipa');
  writeFileSync(at, file);
  const { report } = await verify({ app, version, published: at }, {});
  t.is(checkReport(JSON.parse(JSON.stringify(report))).kind, 'consistent');
  return report;
}

for (const [app, version, identifier] of [
  ['monal-ios', '6.4.5', 'G7YU7X7KRJ.SworIM'],
  ['element-x-ios', '26.07.4', 'io.element.elementx'],
] as const)
  test(`${app}: the checks read the app, and which programs are encrypted`, async (t) => {
    const report = await checkedApp(t, app, version, ipaOf(identifier, version, 1));
    t.deepEqual(outcomes(report).slice(0, 2), ['package passed', 'version passed']);
    t.deepEqual(reasons(report), ['encrypted', 'needs-host']);
    const { verdict } = report.statement;
    t.regex(
      JSON.stringify(verdict),
      /12288 bytes of Payload\/Example\.app\/Example in [A-Za-z]+\.ipa are encrypted; The code/,
    );
    const plain = await checkedApp(t, app, version, ipaOf(identifier, version, 0));
    t.deepEqual(reasons(plain), ['needs-host']);
    const other = await checkedApp(t, app, version, ipaOf('org.evil', version, 1));
    t.is(other.statement.verdict.kind, 'not-authentic');
    await t.throwsAsync(checkedApp(t, app, version, ipaOf(identifier, '1.0', 1)), { code: 'other-version' });
  });

test('telegram-macos: the checks read an app of macOS in a ZIP', async (t) => {
  const report = await checkedApp(t, 'telegram-macos', '11.15', macZip('ru.keepcoder.Telegram', '11.15'));
  t.deepEqual(outcomes(report).slice(0, 2), ['package passed', 'version passed']);
  t.deepEqual(reasons(report), ['needs-host']);
  const other = await checkedApp(t, 'telegram-macos', '11.15', macZip('org.evil', '11.15'));
  t.is(other.statement.verdict.kind, 'not-authentic');
});
