// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { temporaryDirectory } from '../helpers/temp-directory.js';
import { document, errorOf, verify, type Transcript } from '../helpers/transcript.js';

const sha256Of = (text: string): string => createHash('sha256').update(text).digest('hex');

interface Cache {
  readonly place: (sha256: string) => string;
  (...args: readonly string[]): Promise<Transcript>;
}

/** With one file that was used three days ago. */
function setUp(t: ExecutionContext, text = 'content', sha256 = sha256Of(text)): Cache {
  const home = temporaryDirectory(t);
  const place = (name: string): string => path.join(home, 'samesource/sha256', name.slice(0, 2), name);
  mkdirSync(path.dirname(place(sha256)), { recursive: true });
  writeFileSync(place(sha256), text);
  const then = new Date(Date.now() - 3 * 24 * 60 * 60 * 1000);
  utimesSync(place(sha256), then, then);
  const run = (...args: readonly string[]): Promise<Transcript> =>
    verify(['cache', ...args], { env: { XDG_CACHE_HOME: home } });
  return Object.assign(run, { place });
}

test('shows each file, its size and what else there is; as data, too', async (t) => {
  const cache = setUp(t);
  const { code, stdout } = await cache();
  t.is(code, 0);
  t.regex(
    stdout,
    new RegExp(`^${sha256Of('content')} +0\\.0 MB  used \\d{4}-\\d\\d-\\d\\d  from where is not known$`, 'm'),
  );
  t.regex(stdout, /^1 file, 0\.0 MB, in .*samesource$/m);
  const shown = document(t, await cache('show', '--json', '--quiet'));
  t.like(shown, { bytes: 7, entries: [{ sha256: sha256Of('content'), size: 7 }] });
});

test('prunes what is older, and says what is left', async (t) => {
  const cache = setUp(t);
  t.regex((await cache('prune', '--older-than', '4d')).stdout, /^0 files removed.*; 1 file left/m);
  const { code, stdout } = await cache('prune', '--older-than', '2d');
  t.is(code, 0);
  t.regex(stdout, /^removed  [0-9a-f]{64}/m);
  t.regex(stdout, /^1 file removed.*; 0 files left/m);
  t.false(existsSync(cache.place(sha256Of('content'))));
});

test('verify: all good; a damaged file is named, removed, and a failure of this machine', async (t) => {
  t.is((await setUp(t)('verify')).code, 0);
  const sha256 = sha256Of('content');
  const cache = setUp(t, 'rotten', sha256);
  const { code, stdout } = await cache('verify');
  t.is(code, 75);
  t.regex(stdout, new RegExp(`^damaged  ${sha256} was ${sha256Of('rotten')}; removed$`, 'm'));
  t.false(existsSync(cache.place(sha256)));
});

for (const [args, code] of [
  [['prune'], 'no-limit'],
  [['prune', '--older-than', 'soon'], 'bad-duration'],
  [['prune', '--max-size', 'much'], 'bad-size'],
] as const)
  test(`fails: ${args.join(' ')}`, async (t) => {
    const cache = setUp(t);
    const transcript = await cache(...args, '--json');
    t.is(transcript.code, 64);
    t.is(errorOf(t, transcript), code);
    t.true(existsSync(cache.place(sha256Of('content'))));
  });
