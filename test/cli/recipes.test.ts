// SPDX-License-Identifier: Apache-2.0
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { packageRoot } from '../../src/inputs/package-files.js';
import { document, errorOf, verify } from '../helpers/transcript.js';
import { temporaryDirectory } from '../helpers/temp-directory.js';

const APPS = ['bitlbee', 'demo', 'signal-android', 'telegram-android', 'weechat'];

test('the list: one line an app', async (t) => {
  const { code, stdout } = await verify(['recipes']);
  t.is(code, 0);
  const lines = stdout.trimEnd().split('\n');
  for (const app of APPS) t.is(lines.filter((line) => line.startsWith(`${app} `)).length, 1, app);
  const listed = document(t, await verify(['recipes', '--json', '--quiet'])) as readonly {
    readonly app: string;
  }[];
  t.is(listed.length, lines.length);
  t.is((await verify(['recipes', 'list'])).stdout, stdout);
});

test('one recipe with its evidence', async (t) => {
  const { code, stdout } = await verify(['recipes', 'telegram-android']);
  t.is(code, 0);
  t.regex(stdout, /^telegram-android: /);
  t.regex(stdout, /^evidence +https:\/\//m);
  t.regex(stdout, /^file +recipes\/telegram-android\.yaml sha256:[0-9a-f]{64}$/m);
});

test('all recipes of the package check', async (t) => {
  const { code, stdout } = await verify(['recipes', 'lint']);
  t.is(code, 0);
  t.regex(stdout, /^\d+ recipes, no problems\n$/);
});

test('lint of a file: every problem at once, with line and column', async (t) => {
  const file = path.join(temporaryDirectory(t), 'mine.yaml');
  const good = readFileSync(path.join(packageRoot(), 'recipes/demo.yaml'), 'utf8');
  writeFileSync(
    file,
    good
      .replace('app: demo', 'app: mine')
      .replace('title: Demo', 'titel: Demo')
      .replace('kind: demonstration', 'kind: perfect'),
  );
  const transcript = await verify(['recipes', 'lint', file]);
  t.is(transcript.code, 64);
  t.regex(transcript.stdout, /mine\.yaml:\d+:\d+.*titel/);
  t.regex(transcript.stdout, /mine\.yaml:\d+:\d+.*perfect/);
});

test('fails: an app that nobody knows', async (t) => {
  const transcript = await verify(['recipes', 'weechatt', '--json']);
  t.is(transcript.code, 64);
  t.is(errorOf(t, transcript), 'unknown-app');
  t.regex(transcript.stderr, /did you mean weechat\?/);
});

for (const file of ['nowhere.yaml', '/dev/zero', '/'])
  test(`fails: lint of ${file}`, async (t) => {
    const transcript = await verify(['recipes', 'lint', file, '--json'], { cwd: temporaryDirectory(t) });
    t.is(transcript.code, 75);
    t.is(errorOf(t, transcript), 'unreadable-input');
  });
