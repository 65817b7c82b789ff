// SPDX-License-Identifier: Apache-2.0
/** Published files that an index of the publisher's or a release on GitHub leads to. One after the other: the address of the API and the token stand in the environment. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { FailedHere, UsageError } from '../../../src/errors.js';
import { obtainPublished, type PublishedOutcome } from '../../../src/inputs/published.js';
import type { AcquisitionPlan, ProgressEvent } from '../../../src/model.js';
import { localServer } from '../../helpers/http-server.js';
import { temporaryDirectory } from '../../helpers/temp-directory.js';

const CONTENT = 'the published file';
const SHA256 = createHash('sha256').update(CONTENT).digest('hex');
const OTHER = createHash('sha256').update('another file').digest('hex');

async function obtain(
  t: ExecutionContext,
  acquisition: AcquisitionPlan,
  onProgress?: (event: ProgressEvent) => void,
): Promise<PublishedOutcome & { readonly root: string }> {
  const root = temporaryDirectory(t);
  const outcome = await obtainPublished(
    {
      target: { app: 'x', version: '7.1.0', channel: 'website' },
      builtBy: 'publisher',
      signers: [],
      acquisition,
      pairs: [{ published: 'app.apk', output: 'app' }],
      notPublished: [],
      rules: [],
    },
    { directory: path.join(root, 'work'), cache: path.join(root, 'cache'), onProgress },
  );
  return { ...outcome, root };
}

type Files = Readonly<
  Record<string, string | ((request: IncomingMessage, response: ServerResponse) => void)>
>;

async function site(t: ExecutionContext, files: (url: string) => Files): ReturnType<typeof localServer> {
  const server = await localServer(t, (request, response) => {
    const file = files(server.url)[request.url ?? ''];
    if (typeof file === 'function') file(request, response);
    else if (file === undefined) response.writeHead(404).end();
    else response.end(file);
  });
  return server;
}

// ---------------------------------------------------------------- latest.json

const latest = (
  url: string,
  more: Partial<Extract<AcquisitionPlan, { kind: 'latest-json' }>> = {},
): AcquisitionPlan => ({
  kind: 'latest-json',
  index: `${url}/latest.json`,
  versionField: 'versionName',
  urlField: 'url',
  sha256Field: 'sha256sum',
  ...more,
});
const index = (fields: object): string =>
  JSON.stringify({
    versionCode: 7,
    versionName: '7.1.0',
    url: '/files/app.apk',
    sha256sum: SHA256,
    ...fields,
  });

test.serial('the index names version, address and digest', async (t) => {
  const { url, requests } = await site(t, () => ({ '/latest.json': index({}), '/files/app.apk': CONTENT }));
  const outcome = await obtain(t, latest(url));
  t.like(outcome, {
    kind: 'obtained',
    files: [
      {
        name: 'app.apk',
        from: 'latest-json',
        sha256: SHA256,
        digestFrom: `${url}/latest.json`,
        fetched: { url: `${url}/files/app.apk`, hops: [], sha256: SHA256, digestExpected: true },
      },
    ],
  });
  t.deepEqual(requests, ['/latest.json', '/files/app.apk']);
});

test.serial(
  'fields may be nested, a digest in capitals, a version a number, an address on another host',
  async (t) => {
    const far = await site(t, () => ({ '/x': CONTENT }));
    const text = JSON.stringify({
      android: [{ name: '7.1.0', file: `${far.url}/x`, sum: SHA256.toUpperCase() }],
    });
    const { url } = await site(t, () => ({ '/latest.json': text }));
    const fields = {
      versionField: 'android.0.name',
      urlField: 'android.0.file',
      sha256Field: 'android.0.sum',
    };
    t.like(await obtain(t, latest(url, fields)), { kind: 'obtained', files: [{ sha256: SHA256 }] });
  },
);

test.serial('a file with another digest than the index names never gets a name', async (t) => {
  const { url } = await site(t, () => ({
    '/latest.json': index({ sha256sum: OTHER }),
    '/files/app.apk': CONTENT,
  }));
  const outcome = await obtain(t, latest(url));
  t.like(outcome, { kind: 'no-published-artifact', code: 'other-content' });
  t.true(
    outcome.kind === 'no-published-artifact' &&
      outcome.detail.includes(SHA256) &&
      outcome.detail.includes(OTHER),
  );
  t.deepEqual(readdirSync(path.join(outcome.root, 'work')), []);
  t.false(readdirSync(path.join(outcome.root, 'cache')).includes('sha256'));
});

test.serial(
  'an index of another version leads to no file: an outcome with a code, and both versions',
  async (t) => {
    const { url, requests } = await site(t, () => ({ '/latest.json': index({ versionName: '7.2.0' }) }));
    const outcome = await obtain(t, latest(url));
    t.like(outcome, { kind: 'no-published-artifact', code: 'other-version' });
    t.true(outcome.kind === 'no-published-artifact' && /7\.2\.0, expected 7\.1\.0/.test(outcome.detail));
    t.deepEqual(requests, ['/latest.json']);
  },
);

for (const [what, files] of [
  ['of another version', { '/latest.json': index({ versionName: '7.2.0' }) }],
  ['that is gone', {}],
] as const)
  test.serial(
    `with an address for every version, an index ${what} leads there, without a digest, and says so`,
    async (t) => {
      const { url } = await site(t, () => ({ ...files, '/old/7.1.0.apk': CONTENT }));
      const outcome = await obtain(t, latest(url, { url: `${url}/old/7.1.0.apk` }));
      t.like(outcome, {
        kind: 'obtained',
        files: [{ sha256: SHA256, fetched: { url: `${url}/old/7.1.0.apk`, digestExpected: false } }],
      });
      t.true(outcome.kind === 'obtained' && outcome.files[0]?.digestFrom === undefined);
      t.true(outcome.kind === 'obtained' && /without a digest/.test(outcome.details.join()));
    },
  );

test.serial('an index that is gone, without another address', async (t) => {
  const { url } = await site(t, () => ({}));
  t.like(await obtain(t, latest(url)), { kind: 'no-published-artifact', code: 'index-gone' });
});

const BAD_INDEXES: Readonly<Record<string, readonly [string, RegExp]>> = {
  'that is no JSON': ['<html>', /is no JSON/],
  'without the version': [JSON.stringify({ url: 'x' }), /field versionName is nothing/],
  'with a version that is an object': [index({ versionName: {} }), /field versionName is \{\}/],
  'with a version that only a prototype has': [JSON.stringify({ toString: 1 }), /versionName is nothing/],
  'without the address': [index({ url: undefined }), /field url is nothing/],
  'with an address of this machine': [index({ url: 'file:///etc/passwd' }), /file:/],
  'with a password in its address': [index({ url: 'http://a:b@127.0.0.1/' }), /user name or password/],
  'with a digest that is none': [index({ sha256sum: 'x' }), /field sha256sum is "x", expected a SHA-256/],
  'without the digest that the recipe names': [index({ sha256sum: null }), /field sha256sum is null/],
  'that nests without end': ['['.repeat(200_000), /is no JSON|versionName is nothing/],
};
for (const [what, [text, message]] of Object.entries(BAD_INDEXES))
  test.serial(`an index ${what} is unreadable, which is no verdict`, async (t) => {
    const { url, requests } = await site(t, () => ({ '/latest.json': text }));
    const error = await t.throwsAsync(obtain(t, latest(url)), {
      instanceOf: FailedHere,
      code: 'unreadable-input',
    });
    t.regex(error.message, message);
    t.deepEqual(requests, ['/latest.json']);
  });

// ---------------------------------------------------------------- GitHub

const RELEASE = '/repos/owner/name/releases/tags/v7.1.0';
const onGithub: AcquisitionPlan = {
  kind: 'github-release',
  repository: 'owner/name',
  tag: 'v7.1.0',
  asset: 'app-7.1.0.apk',
};

function environment(t: ExecutionContext, api: string, token?: string): void {
  const before = { api: process.env['SAMESOURCE_GITHUB_API'], token: process.env['GITHUB_TOKEN'] };
  process.env['SAMESOURCE_GITHUB_API'] = api;
  if (token === undefined) delete process.env['GITHUB_TOKEN'];
  else process.env['GITHUB_TOKEN'] = token;
  t.teardown(() => {
    delete process.env['SAMESOURCE_GITHUB_API'];
    delete process.env['GITHUB_TOKEN'];
    if (before.api !== undefined) process.env['SAMESOURCE_GITHUB_API'] = before.api;
    if (before.token !== undefined) process.env['GITHUB_TOKEN'] = before.token;
  });
}

const asset = (url: string, more: object = {}): object => ({
  name: 'app-7.1.0.apk',
  state: 'uploaded',
  size: CONTENT.length,
  digest: `sha256:${SHA256}`,
  browser_download_url: `${url}/download/app-7.1.0.apk`,
  ...more,
});
const release = (assets: readonly unknown[]): string =>
  JSON.stringify({ id: 12, tag_name: 'v7.1.0', assets });

test.serial('the asset of the release, with the digest of the API', async (t) => {
  const { url } = await site(t, (at) => ({
    [RELEASE]: release([asset(at, { name: 'other.apk' }), asset(at)]),
    '/download/app-7.1.0.apk': (_request, response) =>
      void response.writeHead(302, { location: '/objects/1?X-Signature=secret' }).end(),
    '/objects/1?X-Signature=secret': CONTENT,
  }));
  environment(t, url);
  t.like(await obtain(t, onGithub), {
    kind: 'obtained',
    files: [
      {
        name: 'app.apk',
        from: 'github-release',
        digestFrom: 'the API of GitHub',
        fetched: { hops: [{ to: `${url}/objects/1?…`, status: 302 }], digestExpected: true },
      },
    ],
  });
});

test.serial(
  'the token goes to the API, and nowhere else: not to the asset, not to a redirect, not into a word',
  async (t) => {
    const seen: Record<string, string | undefined> = {};
    const note = ({ url = '', headers }: IncomingMessage): void => void (seen[url] = headers.authorization);
    const { url } = await site(t, (at) => ({
      [RELEASE]: (request, response) => {
        note(request);
        response.writeHead(301, { location: '/repositories/9/releases/tags/v7.1.0' }).end();
      },
      '/repositories/9/releases/tags/v7.1.0': (request, response) => {
        note(request);
        response.end(release([asset(at)]));
      },
      '/download/app-7.1.0.apk': (request, response) => {
        note(request);
        response.end(CONTENT);
      },
    }));
    environment(t, url, 'ghp_verysecret');
    const events: ProgressEvent[] = [];
    const outcome = await obtain(t, onGithub, (event) => events.push(event));
    t.is(outcome.kind, 'obtained');
    t.deepEqual(seen, {
      [RELEASE]: 'Bearer ghp_verysecret',
      '/repositories/9/releases/tags/v7.1.0': undefined,
      '/download/app-7.1.0.apk': undefined,
    });
    t.false(JSON.stringify([outcome, events]).includes('verysecret'));
    for (const file of readdirSync(outcome.root, { recursive: true, withFileTypes: true }))
      if (file.isFile())
        t.false(
          readFileSync(path.join(file.parentPath, file.name), 'latin1').includes('verysecret'),
          file.name,
        );
  },
);

for (const status of [401, 403, 429, 500])
  test.serial(`no token in the message of a failure with status ${status}`, async (t) => {
    const { url } = await site(t, () => ({
      [RELEASE]: (_request, response) => void response.writeHead(status, { 'retry-after': '999' }).end(),
    }));
    environment(t, url, 'ghp_verysecret');
    const error = await t.throwsAsync(obtain(t, onGithub), { instanceOf: FailedHere });
    t.false(`${error.message}${error.hint ?? ''}${String(error.cause)}`.includes('verysecret'));
    if (status === 401) t.regex(error.hint ?? '', /GITHUB_TOKEN is not accepted/);
  });

test.serial('a token with a line end is refused before it is sent', async (t) => {
  const { url, requests } = await site(t, () => ({}));
  environment(t, url, 'ghp_secret\nX-Injected: 1');
  const error = await t.throwsAsync(obtain(t, onGithub), { instanceOf: UsageError });
  t.is(error.code, 'bad-token');
  t.false(error.message.includes('ghp_secret'));
  t.deepEqual(requests, []);
});

test.serial('an asset beyond the first page is found', async (t) => {
  const page = (at: string, from: number, length: number): object[] =>
    Array.from({ length }, (_, i) => asset(at, { name: `other-${from + i}.apk` }));
  const { url, requests } = await site(t, (at) => ({
    [RELEASE]: release(page(at, 0, 100)),
    '/repos/owner/name/releases/12/assets?per_page=100&page=1': JSON.stringify(page(at, 0, 100)),
    '/repos/owner/name/releases/12/assets?per_page=100&page=2': JSON.stringify(page(at, 100, 100)),
    '/repos/owner/name/releases/12/assets?per_page=100&page=3': JSON.stringify([asset(at)]),
    '/download/app-7.1.0.apk': CONTENT,
  }));
  environment(t, url);
  t.like(await obtain(t, onGithub), { kind: 'obtained', files: [{ sha256: SHA256 }] });
  t.is(requests.length, 5);
});

test.serial('pages without end are left', async (t) => {
  const server = await localServer(t, (request, response) => {
    const full = Array.from({ length: 100 }, (_, i) =>
      asset(server.url, { name: `${request.url ?? ''}-${i}` }),
    );
    response.end(request.url === RELEASE ? release(full) : JSON.stringify(full));
  });
  environment(t, server.url);
  await t.throwsAsync(obtain(t, onGithub), { code: 'unreadable-input', message: /more than 1100 assets/ });
});

test.serial('an asset that was renamed: what there is, and the nearest name', async (t) => {
  const { url } = await site(t, (at) => ({
    [RELEASE]: release([asset(at, { name: 'App-7.1.0.apk' }), asset(at, { name: 'notes.txt' })]),
    '/repos/owner/name/releases/12/assets?per_page=100&page=1': JSON.stringify([
      asset(at, { name: 'App-7.1.0.apk' }),
    ]),
  }));
  environment(t, url);
  const outcome = await obtain(t, onGithub);
  t.like(outcome, { kind: 'no-published-artifact', code: 'asset-missing' });
  if (outcome.kind !== 'no-published-artifact') return;
  t.regex(outcome.detail, /has no asset app-7\.1\.0\.apk; it has App-7\.1\.0\.apk, notes\.txt/);
  t.regex(outcome.hint, /nearest name is App-7\.1\.0\.apk/);
});

test.serial('an asset whose upload never ended is none', async (t) => {
  const { url } = await site(t, (at) => ({ [RELEASE]: release([asset(at, { state: 'starter' })]) }));
  environment(t, url);
  t.like(await obtain(t, onGithub), { kind: 'no-published-artifact', code: 'asset-missing' });
});

test.serial('a release that is not there', async (t) => {
  const { url } = await site(t, () => ({}));
  environment(t, url);
  t.like(await obtain(t, onGithub), { kind: 'no-published-artifact', code: 'release-missing' });
});

test.serial('an asset with another digest than the API states', async (t) => {
  const { url } = await site(t, (at) => ({
    [RELEASE]: release([asset(at, { digest: `sha256:${OTHER}` })]),
    '/download/app-7.1.0.apk': CONTENT,
  }));
  environment(t, url);
  t.like(await obtain(t, onGithub), { kind: 'no-published-artifact', code: 'other-content' });
});

for (const digest of [null, undefined, 'sha512:00', 'sha256:00'])
  test.serial(`without a digest (${String(digest)}) the file is taken, and that is said`, async (t) => {
    const { url } = await site(t, (at) => ({
      [RELEASE]: release([asset(at, { digest })]),
      '/download/app-7.1.0.apk': CONTENT,
    }));
    environment(t, url);
    const outcome = await obtain(t, onGithub);
    t.like(outcome, { kind: 'obtained', files: [{ fetched: { digestExpected: false } }] });
    t.true(outcome.kind === 'obtained' && /states no digest/.test(outcome.details.join()));
  });

test.serial('an allowance that is used up says when, and that a token helps', async (t) => {
  const reset = String(Math.ceil(Date.now() / 1000) + 1000);
  const { url } = await site(t, () => ({
    [RELEASE]: (_request, response) =>
      void response.writeHead(403, { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': reset }).end(),
  }));
  environment(t, url);
  const error = await t.throwsAsync(obtain(t, onGithub), { instanceOf: FailedHere, code: 'rate-limited' });
  t.regex(error.hint ?? '', /try again in \d+ seconds; with GITHUB_TOKEN/);
});

for (const [what, text, message] of [
  ['no JSON', 'x', /is no JSON/],
  ['a list', '[]', /assets are no list/],
  ['an asset without a name', release([{}]), /no name or no address/],
  ['an asset on this machine', release([asset('file://')]), /names the address/],
] as const)
  test.serial(`an answer of the API that is ${what} is unreadable`, async (t) => {
    const { url } = await site(t, () => ({ [RELEASE]: text }));
    environment(t, url);
    const error = await t.throwsAsync(obtain(t, onGithub), {
      instanceOf: FailedHere,
      code: 'unreadable-input',
    });
    t.regex(error.message, message);
  });
