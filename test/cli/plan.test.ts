// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { document, errorOf, verify } from '../helpers/transcript.js';

test('a range resolves to its newest version, offline, with the whole plan', async (t) => {
  const { code, stdout } = await verify(['plan', 'telegram-android', '10.x']);
  t.is(code, 0);
  t.regex(stdout, /^plan +telegram-android 10\.14\.5, channel /);
  t.regex(stdout, /commit 5fa5549a4a7f48476be29cc0facf68990ea10f62/);
  t.is(
    stdout.split('\n\n')[0]?.split('\n').length,
    5 + (stdout.match(/^ +(?:unresolved|unconfirmed):/gm)?.length ?? 0),
  );
  t.regex(stdout, /^compare digest +[0-9a-f]{64}$/m);
});

test('without a network the plan is printed and says what it lacks', async (t) => {
  // nobody answers at this proxy
  const env = { https_proxy: 'http://127.0.0.1:9', HTTPS_PROXY: 'http://127.0.0.1:9' };
  const { code, stdout, stderr } = await verify(['plan', 'signal-android', '7.x'], { env });
  t.is(code, 0);
  t.regex(stderr, /the repository could not be reached/);
  t.regex(stdout, /^plan +signal-android 7\.\d/);
  t.regex(stdout, /unresolved/);
  t.regex(stdout, /^build digest +none: the plan is unresolved$/m);
});

test('--json gives the plan itself', async (t) => {
  const transcript = await verify(['plan', 'telegram-android', '10.x', '--json', '--quiet']);
  t.is(transcript.code, 0);
  t.is(transcript.stderr, '');
  const { target } = document(t, transcript) as {
    readonly target: { readonly app: string; readonly version: string };
  };
  t.like(target, { app: 'telegram-android', version: '10.14.5' });
});

test('what only a Mac builds: the checks that are left here, the build there, and the same as a script', async (t) => {
  const { code, stdout } = await verify(['plan', 'telegram-ios', '12.x']);
  t.is(code, 0);
  t.regex(stdout, /^plan +telegram-ios 12\.9\.2, channel appstore: checks only \(needs-host\)$/m);
  t.regex(stdout, /^build +no container: a machine with macos 26 \(arm64\), Xcode 26\.2 \(17C52\); /m);
  t.regex(stdout, /^toolchain +Bazel and its SHA-256 (?:is taken to be )?8\.4\.2:[0-9a-f]{64}/m);
  const both = document(t, await verify(['plan', 'telegram-ios', '12.x', '--json', '--quiet'])) as {
    readonly obstacle: { readonly code: string };
    readonly onHost: { readonly build: { readonly outputs: readonly { readonly path: string }[] } };
  };
  t.is(both.obstacle.code, 'needs-host');
  t.deepEqual(
    both.onHost.build.outputs.map(({ path }) => path),
    ['build/artifacts/Telegram.ipa'],
  );
  const script = await verify(['plan', 'telegram-ios', '12.x', '--script']);
  t.is(script.code, 0);
  t.regex(script.stdout, /^#!\/bin\/sh\n/);
  t.regex(script.stdout, /\nmain "\$@"\n$/);
});

const FAILING: readonly (readonly [string, readonly string[], string, RegExp])[] = [
  [
    'an app that nobody knows',
    ['telegram-androit', '10.x'],
    'unknown-app',
    /did you mean telegram-android\?/,
  ],
  ['a version that does not exist', ['telegram-android', '10.99.0'], 'unknown-version', /10\./],
  [
    'a channel that does not exist',
    ['telegram-android', '10.x', '--channel', 'pigeon'],
    'unknown-channel',
    /./,
  ],
  [
    'a script of what a container builds',
    ['demo', 'latest', '--script'],
    'script-not-for-this',
    /verify build/,
  ],
  [
    'a script of what the recipe has no steps for',
    ['telegram-ios', '7.3', '--script', '--quiet'],
    'no-host-steps',
    /verify plan/,
  ],
];

for (const [title, args, code, hint] of FAILING)
  test(`fails: ${title}`, async (t) => {
    const transcript = await verify(['plan', ...args, '--json']);
    t.is(transcript.code, 64);
    t.is(errorOf(t, transcript), code);
    t.regex(transcript.stderr, hint);
  });
