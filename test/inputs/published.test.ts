// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { FailedHere, UsageError } from '../../src/errors.js';
import { obtainPublished, type ObtainOptions } from '../../src/inputs/published.js';
import type { AcquisitionPlan, ComparePlan } from '../../src/model.js';
import { localServer } from '../helpers/http-server.js';
import { temporaryDirectory } from '../helpers/temp-directory.js';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

function plan(acquisition: AcquisitionPlan, ...names: readonly string[]): ComparePlan {
  return {
    target: { app: 'x', version: '1', channel: 'website' },
    builtBy: 'publisher',
    signers: [],
    acquisition,
    pairs: names.map((published) => ({ published, output: published })),
    notPublished: [],
    rules: [],
  };
}

const byHand: AcquisitionPlan = { kind: 'handed-over', how: 'copy the file from a phone' };

function options(
  t: ExecutionContext,
  more: Partial<ObtainOptions> = {},
): ObtainOptions & { readonly given: string } {
  const root = temporaryDirectory(t);
  const given = path.join(root, 'given');
  mkdirSync(given);
  return { directory: path.join(root, 'work'), cache: path.join(root, 'cache'), given, ...more };
}

test('a single handed-over file is the single published file, whatever its name here', async (t) => {
  const { given, ...rest } = options(t);
  const file = path.join(given, 'downloaded (1).apk');
  writeFileSync(file, 'content');
  const outcome = await obtainPublished(plan(byHand, 'app.apk'), { ...rest, published: file });
  t.like(outcome, {
    kind: 'obtained',
    files: [{ name: 'app.apk', size: 7, sha256: sha256('content'), from: 'handed-over' }],
    notObtained: [],
  });
  t.is(readFileSync(path.join(rest.directory, 'app.apk'), 'utf8'), 'content');
});

test('of several published files a handed-over one is taken by its name', async (t) => {
  const { given, ...rest } = options(t);
  const file = path.join(given, 'b.deb');
  writeFileSync(file, 'content');
  const outcome = await obtainPublished(plan(byHand, 'a.deb', 'b.deb'), { ...rest, published: file });
  t.like(outcome, { kind: 'obtained', files: [{ name: 'b.deb' }], notObtained: ['a.deb'] });
  const other = path.join(given, 'c.deb');
  writeFileSync(other, 'content');
  const error = await t.throwsAsync(
    obtainPublished(plan(byHand, 'a.deb', 'b.deb'), { ...rest, published: other }),
    {
      instanceOf: UsageError,
      code: 'unknown-published-file',
    },
  );
  t.regex(error.hint ?? '', /a\.deb, b\.deb/);
});

test('a directory gives what the plan names; links out of it, directories and others are not taken', async (t) => {
  const { given, ...rest } = options(t);
  writeFileSync(path.join(given, 'a.deb'), 'a');
  writeFileSync(path.join(given, 'README'), 'r');
  writeFileSync(path.join(given, '..', 'secret'), 's');
  symlinkSync('../secret', path.join(given, 'b.deb'));
  symlinkSync('a.deb', path.join(given, 'c.deb'));
  mkdirSync(path.join(given, 'd.deb'));
  const outcome = await obtainPublished(plan(byHand, 'a.deb', 'b.deb', 'c.deb', 'd.deb'), {
    ...rest,
    published: given,
  });
  t.like(outcome, {
    kind: 'obtained',
    notObtained: ['b.deb', 'd.deb'],
    details: ['b.deb is a link out of the directory'],
  });
  if (outcome.kind !== 'obtained') throw new Error(outcome.kind);
  t.deepEqual(
    outcome.files.map(({ name, sha256: digest }) => [name, digest]),
    [
      ['a.deb', sha256('a')],
      ['c.deb', sha256('a')],
    ],
  );
  t.deepEqual(outcome.ignored, ['README', 'd.deb']);
});

test('a v4 signature beside the only file of a directory leaves it the only one', async (t) => {
  const { given, ...rest } = options(t);
  writeFileSync(path.join(given, 'base.apk'), 'a');
  writeFileSync(path.join(given, 'base.apk.idsig'), 's');
  const request = { ...rest, published: given };
  t.like(await obtainPublished(plan(byHand, 'app.apk'), request), {
    kind: 'obtained',
    files: { 0: { name: 'app.apk', size: 1 }, length: 1 },
    ignored: ['base.apk.idsig'],
  });
  writeFileSync(path.join(given, 'other.apk.idsig'), 's');
  t.is((await obtainPublished(plan(byHand, 'app.apk'), request)).kind, 'no-published-artifact');
});

test('a directory without any of the published files says what was looked for', async (t) => {
  const { given, ...rest } = options(t);
  writeFileSync(path.join(given, 'x'), 'x');
  writeFileSync(path.join(given, 'y'), 'y');
  const outcome = await obtainPublished(plan(byHand, 'app.apk'), { ...rest, published: given });
  t.is(outcome.kind, 'no-published-artifact');
  t.true(outcome.kind === 'no-published-artifact' && outcome.detail.includes('app.apk'));
});

test('nothing handed over is an outcome that says what to do', async (t) => {
  const outcome = await obtainPublished(plan(byHand, 'app.apk'), options(t));
  t.is(outcome.kind, 'no-published-artifact');
  t.true(
    outcome.kind === 'no-published-artifact' && /copy the file from a phone.*--published/.test(outcome.hint),
  );
});

for (const [what, file] of [
  ['a missing file', '/no/such/file'],
  ['a device', '/dev/zero'],
] as const)
  test(`${what} handed over is unreadable input`, async (t) => {
    const { given: _given, ...rest } = options(t);
    await t.throwsAsync(obtainPublished(plan(byHand, 'app.apk'), { ...rest, published: file }), {
      instanceOf: FailedHere,
      code: 'unreadable-input',
    });
  });

test('an unreadable file handed over is unreadable input', async (t) => {
  if (process.getuid?.() === 0) {
    t.log('skipped: the superuser can read every file');
    t.pass();
    return;
  }
  const { given, ...rest } = options(t);
  const file = path.join(given, 'app.apk');
  writeFileSync(file, 'x');
  chmodSync(file, 0);
  await t.throwsAsync(obtainPublished(plan(byHand, 'app.apk'), { ...rest, published: file }), {
    code: 'unreadable-input',
  });
});

type Answer = (request: IncomingMessage, response: ServerResponse) => void;
const fromUrl = test.macro({
  async exec(t, answer: Answer, pinned: string | undefined, expected: object) {
    const { url } = await localServer(t, answer);
    const { given: _given, ...rest } = options(t);
    const acquisition: AcquisitionPlan = {
      kind: 'url',
      url: `${url}/app.apk`,
      onlyLatest: true,
      ...(pinned === undefined ? {} : { sha256: pinned }),
    };
    t.like(await obtainPublished(plan(acquisition, 'app.apk'), rest), expected);
  },
  title: (given) => `an address: ${given}`,
});
const serve: Answer = (_request, response) => void response.end('content');
test('the file without a pinned digest', fromUrl, serve, undefined, {
  kind: 'obtained',
  files: [{ name: 'app.apk', from: 'url' }],
});
test('the file with its pinned digest', fromUrl, serve, sha256('content'), { kind: 'obtained' });
test('another file than the pinned one', fromUrl, serve, sha256('other'), { kind: 'no-published-artifact' });
test('gone', fromUrl, (_request, response) => void response.writeHead(410).end(), undefined, {
  kind: 'no-published-artifact',
});

test('an address that cannot be reached is our failure, not a missing file', async (t) => {
  const { given: _given, ...rest } = options(t);
  const acquisition: AcquisitionPlan = { kind: 'url', url: 'http://127.0.0.1:2/app.apk', onlyLatest: false };
  await t.throwsAsync(obtainPublished(plan(acquisition, 'app.apk'), rest), {
    instanceOf: FailedHere,
    code: 'network',
  });
});

function binary(content: string, listed: string) {
  return {
    package: 'weechat',
    version: '3.8-1',
    architecture: 'all',
    path: 'pool/main/w/weechat/weechat_3.8-1~x+b1_all.deb',
    size: content.length,
    sha256: sha256(listed),
  };
}

test('a file of the archive is fetched from the mirror below its pool path', async (t) => {
  const { url, requests } = await localServer(t, serve);
  const { given: _given, ...rest } = options(t, { debianMirror: `${url}/debian/` });
  const acquisition: AcquisitionPlan = {
    kind: 'debian-archive',
    suite: 'bookworm',
    files: [binary('content', 'content')],
  };
  const outcome = await obtainPublished(plan(acquisition, 'weechat_3.8-1~x+b1_all.deb'), rest);
  t.like(outcome, {
    kind: 'obtained',
    notObtained: [],
    files: [{ name: 'weechat_3.8-1~x+b1_all.deb', from: 'debian-archive' }],
  });
  t.deepEqual(requests, ['/debian/pool/main/w/weechat/weechat_3.8-1~x%2Bb1_all.deb']);
});

for (const [what, answer, listed] of [
  ['does not have', (_request, response) => void response.writeHead(404).end(), 'content'],
  ['has other bytes for', serve, 'CONTENT'],
] as const satisfies readonly (readonly [string, Answer, string])[])
  test(`a mirror that ${what} a file of the signed index is incomplete: our failure`, async (t) => {
    const { url } = await localServer(t, answer);
    const { given: _given, ...rest } = options(t, { debianMirror: url });
    const acquisition: AcquisitionPlan = {
      kind: 'debian-archive',
      suite: 'bookworm',
      files: [binary('content', listed)],
    };
    await t.throwsAsync(obtainPublished(plan(acquisition, 'weechat_3.8-1~x+b1_all.deb'), rest), {
      instanceOf: FailedHere,
      code: 'mirror-incomplete',
    });
  });

test('a file of this package is taken from below its root', async (t) => {
  const { given, ...rest } = options(t);
  mkdirSync(path.join(given, 'demo/published'), { recursive: true });
  writeFileSync(path.join(given, 'demo/published/app.apk'), 'demo');
  const acquisition: AcquisitionPlan = { kind: 'bundled', files: ['demo/published/app.apk'] };
  const outcome = await obtainPublished(plan(acquisition, 'app.apk'), { ...rest, packageRoot: given });
  t.like(outcome, {
    kind: 'obtained',
    files: [{ name: 'app.apk', from: 'bundled', sha256: sha256('demo') }],
  });
  await t.throwsAsync(
    obtainPublished(plan({ kind: 'bundled', files: ['../x'] }, 'x'), { ...rest, packageRoot: given }),
    { instanceOf: UsageError },
  );
});
