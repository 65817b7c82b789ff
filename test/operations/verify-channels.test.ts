// SPDX-License-Identifier: Apache-2.0
/** The pipeline with published files that come from their channel: where they came from stands in the report. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'ava';
import { FailedHere, UsageError } from '../../src/errors.js';
import { packageRoot } from '../../src/inputs/package-files.js';
import { obtainPublished } from '../../src/inputs/published.js';
import type { AcquisitionPlan } from '../../src/model.js';
import { judgePublished } from '../../src/pipeline/judge-published.js';
import { renderText } from '../../src/report/text.js';
import { serveDirectory, sha256, writeArchive } from '../helpers/debian-archive.js';
import { writeFdroid } from '../helpers/fdroid-repository.js';
import { fakeAdb } from '../helpers/fake-adb.js';
import { testKey } from '../helpers/gpg.js';
import { localServer } from '../helpers/http-server.js';
import { localPlan, verified, world } from '../helpers/local-plan.js';
import { need } from '../helpers/need.js';
import { jarIdentity } from '../helpers/sign-jar.js';
import { temporaryDirectory } from '../helpers/temp-directory.js';

// one cache for all: they run at the same time
const cache = mkdtempSync(path.join(realpathSync(tmpdir()), 'samesource-test-'));
process.env['XDG_CACHE_HOME'] = cache;
test.after.always(() => rmSync(cache, { recursive: true, force: true }));

test.serial(
  'a file of an F-Droid repository is built and compared, and the report tells its index',
  async (t) => {
    const at = world(t);
    const repo = path.join(at.directory, 'fdroid');
    const identity = jarIdentity();
    const { url } = await localServer(t, serveDirectory(repo));
    const acquisition: AcquisitionPlan = {
      kind: 'fdroid',
      repository: url,
      fingerprint: sha256(identity.certificate),
      package: 'org.example.chat',
    };
    const plan = localPlan(at, { compare: { acquisition } });
    const apk = { versionName: '1.0', versionCode: 10, content: 'hello\n' };
    writeFdroid(repo, identity, { apks: [apk] });
    const report = await verified(t, at, plan, {});
    t.is(report.statement.verdict.kind, 'reproducible');
    t.like(report.run.published?.[0], {
      file: 'chat.bin',
      from: 'fdroid',
      fetched: { url: `${url}/org.example.chat_10.apk` },
      digestFrom: `the signed index ${url}/entry.jar of ${report.run.published?.[0]?.index?.date}`,
      index: { url: `${url}/entry.jar`, signedBy: [sha256(identity.certificate)] },
    });
    t.regex(
      renderText(report),
      /entry\.jar of \S+ \(SHA-256 [0-9a-f]{64}\), which names chat\.bin, is signed by [0-9a-f]{64}\./,
    );

    writeFdroid(repo, identity, { apks: [{ ...apk, content: 'HELLO\n' }] });
    const other = await verified(t, at, plan, { confirm: false });
    t.is(other.statement.verdict.kind, 'unreproducible');

    writeFdroid(repo, identity, { apks: [{ ...apk, versionName: '1.1' }] });
    const { statement } = await verified(t, at, plan, {});
    t.like(statement.verdict, {
      kind: 'unverifiable',
      reasons: [{ code: 'no-published-artifact' }],
    });

    t.regex(
      JSON.stringify(statement.verdict),
      /version-not-in-index: no org\.example\.chat 1\.0: .* lists 1\.1 \(10\)/,
    );

    writeFdroid(repo, jarIdentity(), { apks: [apk] });
    await t.throwsAsync(verified(t, at, plan, {}), { instanceOf: FailedHere, code: 'index-signature' });
  },
);

test.serial(
  'a package of a publisher’s Debian repository is what its index says, or nothing is',
  async (t) => {
    if (!need(t, 'gpg', 'gpgv', 'xz', 'dpkg-deb')) return;
    const at = world(t);
    const repo = path.join(at.directory, 'apt');
    const key = testKey(t);
    const { url } = await localServer(t, serveDirectory(repo));
    const deb = path.join(at.directory, 'chat.deb');
    const build = (version: string): Buffer => {
      const tree = temporaryDirectory(t);
      mkdirSync(path.join(tree, 'DEBIAN'));
      writeFileSync(
        path.join(tree, 'DEBIAN/control'),
        `Package: chat\nVersion: ${version}\nArchitecture: amd64\nMaintainer: T <t@example.invalid>\nDescription: chat\n`,
      );
      execFileSync('dpkg-deb', ['--root-owner-group', '--build', tree, deb], { stdio: 'ignore' });
      return readFileSync(deb);
    };
    const publish = (content: Buffer): void => {
      const packages = [
        'Package: chat',
        'Version: 1.0~beta.1',
        'Architecture: amd64',
        'Filename: pool/chat.deb',
        `Size: ${content.length}`,
        `SHA256: ${sha256(content)}`,
        '',
      ].join('\n');
      writeArchive(repo, key, { packages });
      mkdirSync(path.join(repo, 'pool'), { recursive: true });
      writeFileSync(path.join(repo, 'pool/chat.deb'), content);
    };
    publish(build('1.0~beta.1'));
    const root = path.join(at.directory, 'package');
    mkdirSync(path.join(root, 'recipes/keys'), { recursive: true });
    writeFileSync(path.join(root, 'recipes/keys/chat.asc'), key.armoured);
    const plan = localPlan(at, {
      script: `mkdir out; cp ${deb} out/chat.bin`,
      compare: {
        acquisition: {
          kind: 'debian-repository',
          url,
          suite: 'test',
          component: 'main',
          package: 'chat',
          architecture: 'amd64',
          version: '1.0~beta.1',
          key: { file: 'chat.asc', fingerprints: [key.fingerprint] },
        },
      },
    });
    const obtained = await obtainPublished(plan.compare, {
      directory: path.join(at.directory, 'work'),
      cache: temporaryDirectory(t),
      packageRoot: root,
    });
    if (obtained.kind !== 'obtained') throw new Error(obtained.detail);
    t.like(obtained.files[0], {
      name: 'chat.bin',
      from: 'debian-repository',
      index: { signedBy: [key.fingerprint] },
    });
    t.is((await judgePublished(plan, obtained.files)).kind, 'judged');

    // another version under the name of this one
    publish(build('0.9'));
    const other = await obtainPublished(plan.compare, {
      directory: path.join(at.directory, 'other'),
      cache: temporaryDirectory(t),
      packageRoot: root,
    });
    if (other.kind !== 'obtained') throw new Error(other.detail);
    t.like(await judgePublished(plan, other.files), { kind: 'not-the-version' });
  },
);

test.serial(
  'an app of a phone is built and compared, and the report tells what the phone said, not which it was',
  async (t) => {
    const at = world(t);
    const remote = '/data/app/org.example.chat/base.apk';
    fakeAdb(t, {
      devices: 'SECRET7\tdevice',
      files: { [remote]: 'hello\n' },
      shell: { 'dumpsys package org.example.chat': '    versionCode=10\n    versionName=1.0\n' },
    });
    const acquisition: AcquisitionPlan = { kind: 'phone', package: 'org.example.chat' };
    const report = await verified(t, at, localPlan(at, { compare: { acquisition } }), { serial: 'SECRET7' });
    t.is(report.statement.verdict.kind, 'reproducible');
    t.like(report.run.published?.[0], { from: 'phone', phone: { versionName: '1.0', versionCode: 10 } });
    t.regex(
      renderText(report),
      /chat\.bin was pulled from a phone, where it is org\.example\.chat \(as the phone says: version 1\.0/,
    );
    t.false(JSON.stringify(report).includes('SECRET7'));
  },
);

test.serial('an app of a phone that is another version than asked is told to whoever has it', async (t) => {
  const at = world(t);
  fakeAdb(t, {
    files: {
      '/data/app/org.example.chat/base.apk': readFileSync(path.join(packageRoot(), 'demo/published/app.apk')),
    },
  });
  const compare = {
    acquisition: { kind: 'phone', package: 'org.example.chat' },
    packageId: 'org.samesource.demo',
  } as const;
  const plan = localPlan(at, { compare });
  const other = { ...plan, target: { ...plan.target, version: '99' } };
  await t.throwsAsync(verified(t, at, other, {}), {
    instanceOf: UsageError,
    code: 'other-version',
    message: /expected 99/,
  });
});

test.serial(
  'what a site serves is recorded file by file, and the report says that others may be served otherwise',
  async (t) => {
    const at = world(t);
    const { url } = await localServer(t, (request, response) => {
      if (request.url === '/') response.end('<script src=x/a.js>');
      else if (request.url === '/x/a.js') response.end('hello');
      else response.writeHead(404).end();
    });
    const acquisition: AcquisitionPlan = { kind: 'site-files', entry: `${url}/` };
    const { statement, run } = await verified(t, at, localPlan(at, { compare: { acquisition } }), {});
    t.like(statement.verdict, { kind: 'unverifiable', reasons: [{ code: 'incomplete-set' }] });
    t.deepEqual(
      statement.subject.published.map(({ name, sha256: digest }) => [name, digest]),
      [
        ['index.html', sha256('<script src=x/a.js>')],
        ['x/a.js', sha256('hello')],
      ],
    );
    t.deepEqual(
      run.published?.map(({ fetched }) => fetched?.url),
      [`${url}/`, `${url}/x/a.js`],
    );
    t.is(run.statements.filter(({ code }) => code.startsWith('published-')).length, 1);
    t.true(statement.doesNotSay.some(({ code }) => code === 'not-other-visitors'));
    const gone: AcquisitionPlan = { kind: 'site-files', entry: `${url}/none` };
    const other = await verified(t, at, localPlan(at, { compare: { acquisition: gone } }), {});
    t.like(other.statement.verdict, { reasons: [{ code: 'no-published-artifact' }] });
    const elsewhere = await verified(t, at, localPlan(at), {});
    t.false(elsewhere.statement.doesNotSay.some(({ code }) => code === 'not-other-visitors'));
  },
);
