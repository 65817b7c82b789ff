// SPDX-License-Identifier: Apache-2.0
/** Plans against an upstream repository and a registry of this machine, with recipes of the user's own. */
import { createHash } from 'node:crypto';
import {
  existsSync,
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
import { FailedHere, UsageError, VerifyError } from '../../src/errors.js';
import type { CheckPlan, Plan } from '../../src/model.js';
import { plan, planAnything, type PlanRequest } from '../../src/operations/plan.js';
import { verify } from '../../src/operations/verify.js';
import { checkReport } from '../../src/report/check.js';
import { buildManifest } from '../helpers/build-axml.js';
import { buildZip } from '../helpers/build-zip.js';
import { newIdentity, signedApk, type Identity } from '../helpers/sign-apk.js';
import { GitRepository } from '../helpers/git-repository.js';
import { localServer, type LocalServer } from '../helpers/http-server.js';
import { temporaryDirectory } from '../helpers/temp-directory.js';

const cache = mkdtempSync(path.join(realpathSync(tmpdir()), 'samesource-test-'));
process.env['XDG_CACHE_HOME'] = cache;
process.env['XDG_DATA_HOME'] = path.join(cache, 'data');
test.after.always(() => rmSync(cache, { recursive: true, force: true }));

const digestOf = (body: string): string => `sha256:${createHash('sha256').update(body).digest('hex')}`;

const tokenFor = (scope: string): string => Buffer.from(scope).toString('base64url');

/** A registry that hands out tokens, and has the images `chat/base` with any tag. */
function registry(t: ExecutionContext, headers: Readonly<Record<string, string>> = {}): Promise<LocalServer> {
  return localServer(t, (request, response) => {
    const { url = '', headers: sent } = request;
    const host = `http://${sent.host ?? ''}`;
    if (url.startsWith('/token'))
      return void response.end(
        JSON.stringify({ token: tokenFor(new URL(url, host).searchParams.get('scope') ?? '') }),
      );
    if (sent.authorization !== `Bearer ${tokenFor('repository:chat/base:pull')}`)
      return void response
        .writeHead(401, {
          'www-authenticate': `Bearer realm="${host}/token",service="here",scope="repository:chat/base:pull"`,
        })
        .end();
    const body = `manifest of ${url}`;
    response.writeHead(200, { 'docker-content-digest': digestOf(body), ...headers }).end(body);
  });
}

interface Upstream {
  readonly repository: GitRepository;
  readonly recipes: string;
  readonly registry: LocalServer;
}

async function upstream(t: ExecutionContext, headers?: Readonly<Record<string, string>>): Promise<Upstream> {
  const directory = temporaryDirectory(t);
  const repository = new GitRepository(path.join(directory, 'upstream'));
  const recipes = path.join(directory, 'recipes');
  mkdirSync(recipes);
  writeFileSync(path.join(recipes, 'chat.yaml'), recipe(`file://${repository.directory}`));
  return { repository, recipes, registry: await registry(t, headers) };
}

const release = ({ repository, registry: { url } }: Upstream, version: string, tag: string): string => {
  const base = `${new URL(url).host}/chat/base:${tag}`;
  const commit = repository.commit(version, { Dockerfile: `FROM ${base}\nRUN sdkmanager "ndk;27.${tag}"\n` });
  repository.git('tag', '--force', `v${version}`);
  return commit;
};

const recipe = (repository: string, host = '', signer = ''): string => `schemaVersion: 1
app: chat
title: Chat
platform: android
status: { kind: buildable-unclaimed, evidence: [{ url: 'https://example.org/' }] }
evidence: [{ what: that it is signed, date: '2026-01-01', confirmed: false }]
source: { kind: git, repository: '${repository}' }
versions:
  resolve:
    - { kind: tag, templates: ['v{version}'], known: ['1.0'] }
channels:
  website:
    title: Website
    builtBy: publisher
    packageId: org.example.chat
    signers: [${signer}]
    acquisition: { kind: handed-over, how: download it }
    files: [chat.apk]
${
  host === ''
    ? `    pairs: [{ published: chat.apk, output: app }]
builds:
  - versions: '>=1'
    toolchain:
      - { kind: dockerfile-from, name: base, what: base image, file: Dockerfile }
      - { kind: sdkmanager, name: ndk, what: NDK, file: Dockerfile, package: ndk }
    proven: { version: '1.0', by: a report, toolchain: { base: never, ndk: '27.1' } }
    environment:
      image: { kind: extracted, from: base }
      dockerfile: { kind: source, path: Dockerfile }
      user: root
      directory: /build
      locale: C.UTF-8
      timeZone: UTC
      sourceDateEpoch: commit
      memoryMiB: 64
      diskMiB: 64
      minutes: 1
      expectedMinutes: 1
      cpus: 1
    phases: [{ name: build, network: false, script: 'make NDK={toolchain.ndk}' }]
    outputs: [{ id: app, path: chat.apk }]
`
    : host
}`;

async function planned(at: Upstream, request: Partial<PlanRequest> = {}): Promise<Plan> {
  const result = await plan({ app: 'chat', version: 'latest', ...request }, { recipes: at.recipes });
  return result.plan;
}

const lockOf = ({ recipes }: Upstream, version: string): string =>
  path.join(recipes, 'locks', 'chat', `${version}.json`);

test('a new release with another base image is planned without an edit', async (t) => {
  const at = await upstream(t);
  release(at, '1.0', '1');
  const first = await planned(at);
  t.is(first.target.version, '1.0');
  t.deepEqual(first.unresolved, []);
  const commit = release(at, '1.1', '2');
  const next = await planned(at);
  t.is(next.target.version, '1.1');
  t.like(next.build.source, { commit, ref: 'v1.1' });
  const reference = `${new URL(at.registry.url).host}/chat/base:2`;
  const digest = digestOf('manifest of /v2/chat/base/manifests/2');
  t.deepEqual(next.build.environment.image, { kind: 'registry', reference, digest });
  t.deepEqual(next.references, [{ reference, digest }]);
  t.is(next.build.phases[0]?.script, 'make NDK=27.2');
  t.deepEqual(next.extrapolated?.changed, [`base image never → ${reference}`, 'NDK 27.1 → 27.2']);
  t.deepEqual(
    next.deviations.map(({ code }) => code).filter((code) => code !== 'floating-toolchain'),
    ['floating-image', 'extrapolated', 'unconfirmed'],
  );
  t.is(typeof next.buildDigest, 'string');
});

test('a floating reference is resolved once: later plans take it from the lock', async (t) => {
  const at = await upstream(t);
  const commit = release(at, '1.0', '1');
  const first = await planned(at);
  const lock = JSON.parse(readFileSync(lockOf(at, '1.0'), 'utf8')) as { commit: string; references: unknown };
  t.is(lock.commit, commit);
  t.deepEqual(lock.references, first.references);
  const asked = at.registry.requests.length;
  const again = await planned(at);
  t.is(at.registry.requests.length, asked);
  t.is(again.buildDigest, first.buildDigest);
});

test('a tag that names another commit than the lock is said, with both', async (t) => {
  const at = await upstream(t);
  const before = release(at, '1.0', '1');
  await planned(at);
  const after = release(at, '1.0', '2');
  const error = await t.throwsAsync(planned(at), { instanceOf: UsageError, code: 'tag-moved' });
  t.true(error.message.includes(before) && error.message.includes(after), error.message);
});

test('a lock that is none is no lock', async (t) => {
  const at = await upstream(t);
  release(at, '1.0', '1');
  await planned(at);
  for (const text of ['{', '[]', readFileSync(lockOf(at, '1.0'), 'utf8').replace('"chat"', '"other"')]) {
    writeFileSync(lockOf(at, '1.0'), text);
    await t.throwsAsync(planned(at), { message: /is no lock of chat 1\.0/ });
  }
});

test('a registry that says one digest and sends another is not believed', async (t) => {
  const at = await upstream(t, { 'docker-content-digest': `sha256:${'0'.repeat(64)}` });
  release(at, '1.0', '1');
  const notes: string[] = [];
  const { plan: made } = await plan(
    { app: 'chat', version: 'latest' },
    {
      recipes: at.recipes,
      onProgress: (event) => void (event.kind === 'note' && notes.push(event.text)),
    },
  );
  t.is(made.build.environment.image.kind, 'unresolved');
  t.is(made.buildDigest, undefined);
  t.false(existsSync(lockOf(at, '1.0')));
  t.true(
    notes.some((note) => note.includes('says that the manifest is')),
    notes.join('\n'),
  );
});

test('a base with a digest in the source needs no registry', async (t) => {
  const at = await upstream(t);
  const digest = digestOf('x');
  at.repository.commit('1.0', { Dockerfile: `FROM base:1@${digest}\nRUN sdkmanager "ndk;1"\n` });
  at.repository.git('tag', 'v1.0');
  const made = await planned(at);
  t.deepEqual(made.build.environment.image, { kind: 'registry', reference: 'base:1', digest });
  t.deepEqual(at.registry.requests, []);
  t.deepEqual(made.references, []);
});

test('what the file does not say is unresolved, and the plan still prints', async (t) => {
  const at = await upstream(t);
  at.repository.commit('1.0', { Dockerfile: 'RUN true\n' });
  at.repository.git('tag', 'v1.0');
  const made = await planned(at);
  t.deepEqual(made.unresolved, [
    'unresolved: NDK, which Dockerfile of the commit states',
    'unresolved: the base that Dockerfile of the commit names',
  ]);
});

test('a repository that cannot be reached: the known version, unresolved', async (t) => {
  const at = await upstream(t);
  const gone = path.join(at.recipes, 'chat.yaml');
  writeFileSync(gone, recipe('https://localhost.invalid/chat'));
  const made = await planned(at, { version: '1.0' });
  t.is(made.target.version, '1.0');
  t.true(made.unresolved.includes('unresolved: https://localhost.invalid/chat, tag v1.0'));
  // of a version that only the repository may have nobody says that there is none
  await t.throwsAsync(planned(at, { version: '9.9' }), {
    instanceOf: FailedHere,
    code: 'network',
    message: /9\.9 .* could not be looked up/,
  });
});

test('a range without the repository: the newest version that the recipe knows, and that it is no more than that; a reason is told once', async (t) => {
  const at = await upstream(t);
  const repository = 'https://localhost.invalid/chat';
  const pinned = `known: ['1.0'] }
    - { kind: pinned, evidence: read, versions: [{ version: '1.1', commit: ${'a1'.repeat(20)} }] }`;
  writeFileSync(path.join(at.recipes, 'chat.yaml'), recipe(repository).replace("known: ['1.0'] }", pinned));
  const notes: string[] = [];
  const made = await plan(
    { app: 'chat', version: '1.x' },
    {
      recipes: at.recipes,
      onProgress: (event) => {
        if (event.kind === 'note') notes.push(event.text);
      },
    },
  );
  t.is(made.plan.target.version, '1.1');
  t.deepEqual(made.plan.newestKnown, {
    asked: '1.x',
    why: `the tags of ${repository} could not be looked up`,
  });
  t.deepEqual(
    notes.map((text) => text.replace(/: .*/, '')),
    ['planning without a look-up'],
  );
});

test('as of a day: the newest version that was there', async (t) => {
  const at = await upstream(t);
  // commits of the fixture state 2020-01-02
  release(at, '1.0', '1');
  release(at, '1.1', '2');
  t.is((await planned(at, { asOf: '2020-01-02' })).target.version, '1.1');
  await t.throwsAsync(planned(at, { asOf: '2020-01-01' }), { code: 'unknown-version' });
  await t.throwsAsync(planned(at, { asOf: 'yesterday' }), { code: 'bad-date' });
});

test('a version that users have and the repository does not: said of the publisher’s own file alone', async (t) => {
  const at = await upstream(t);
  release(at, '1.0', '1');
  const identity = newIdentity();
  const pin = createHash('sha256').update(identity.certificate).digest('hex');
  writeFileSync(
    path.join(at.recipes, 'chat.yaml'),
    recipe(
      `file://${at.repository.directory}`,
      '',
      `{ sha256: ${pin}, statedBy: publisher, source: a test }`,
    ),
  );
  const published = path.join(at.recipes, 'x.apk');
  const signed = (by: Identity, versionName: string): void =>
    writeFileSync(
      published,
      signedApk(buildZip([{ name: 'AndroidManifest.xml', data: buildManifest({ versionName }) }]), {
        identity: by,
      }),
    );
  const asked = { app: 'chat', version: '1.2', published };
  signed(identity, '1.2');
  const { report } = await verify(asked, { recipes: at.recipes });
  t.like(report.statement.verdict, {
    kind: 'unverifiable',
    reasons: [{ code: 'source-missing-for-version' }],
  });
  t.is(report.statement.subject.published.length, 1);
  t.deepEqual(
    report.statement.checks?.outcomes.map(({ check, outcome }) => `${check} ${outcome}`),
    ['package passed', 'version passed', 'signer passed', 'continuity not-run', 'transparency-log not-run'],
  );
  t.is(checkReport(report).kind, 'consistent');
  // another version than asked, another signer, no file: the version is what is wrong
  signed(identity, '1.3');
  await t.throwsAsync(verify(asked, { recipes: at.recipes }), { code: 'unknown-version' });
  signed(newIdentity(), '1.2');
  await t.throwsAsync(verify(asked, { recipes: at.recipes }), { code: 'unknown-version' });
  await t.throwsAsync(verify({ app: 'chat', version: '1.2' }, { recipes: at.recipes }), {
    code: 'unknown-version',
  });
  // where the recipe says itself that there is no source, whose the file is counts all the same
  const chat = path.join(at.recipes, 'chat.yaml');
  const missing =
    "  withoutSource: [{ versions: '1.2', reason: never published, reference: 'https://example.org/' }]\n";
  writeFileSync(chat, readFileSync(chat, 'utf8').replace('channels:\n', `${missing}channels:\n`));
  const stranger = await verify(asked, { recipes: at.recipes });
  t.is(stranger.report.statement.verdict.kind, 'not-authentic');
  t.is(checkReport(stranger.report).kind, 'consistent');
  signed(identity, '1.3');
  await t.throwsAsync(verify(asked, { recipes: at.recipes }), { code: 'other-version' });
});

// ---------------------------------------------------------------- nothing to build

const HOST = `hostBuilds:
  - versions: '>=1'
    system: macos
    needs: [a Mac]
    steps: [xcodebuild archive]
    reason: Xcode runs nowhere else
    reference: https://example.org/build
`;

async function checks(at: Upstream, version = '1.x'): Promise<CheckPlan | undefined> {
  const made = await planAnything({ app: 'chat', version }, { recipes: at.recipes });
  return made.kind === 'checks' ? made.plan : undefined;
}

test('what only another system builds: what it needs, what would be done, which checks are left', async (t) => {
  const at = await upstream(t);
  const commit = release(at, '1.0', '1');
  writeFileSync(path.join(at.recipes, 'chat.yaml'), recipe(`file://${at.repository.directory}`, HOST));
  const made = await checks(at);
  t.like(made, {
    target: { app: 'chat', version: '1.0', channel: 'website' },
    obstacle: { code: 'needs-host', needs: ['a Mac'], steps: ['xcodebuild archive'] },
    source: { commit, ref: 'v1.0' },
    files: ['chat.apk'],
  });
  t.deepEqual(
    made?.checks.map(({ check, impossible }) => [check, impossible !== undefined]),
    [
      ['package', false],
      ['version', false],
      ['signer', true],
      ['continuity', false],
      ['transparency-log', true],
    ],
  );
  await t.throwsAsync(planned(at), { instanceOf: VerifyError, code: 'needs-host' });
});
