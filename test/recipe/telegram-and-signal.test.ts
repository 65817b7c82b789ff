// SPDX-License-Identifier: Apache-2.0
/** Plans of the rows around Telegram, Signal and the closed messengers, whole. Renew with `npx ava --update-snapshots`. */
import test from 'ava';
import type { Fact, Plan } from '../../src/model.js';
import { makeCheckPlan } from '../../src/recipe/check-plan.js';
import { planOf, readRecipe } from '../helpers/recipes.js';

const SHA = '0'.repeat(64);

const checksOf = (app: string, version: string) => {
  const plan = makeCheckPlan(readRecipe(app), { version }, { facts: [], recipeSha256: SHA });
  if (plan === undefined) throw new Error(`${app} ${version} can be built`);
  return plan;
};

// ---------------------------------------------------------------- with source

for (const [app, version, channel] of [
  ['telegram-android', '10.x'],
  ['telegram-android', '11.9.1'],
  ['telegram-android', '12.10.6', 'play'],
  ['telegram-x-android', '0.27.10.1752'],
  ['telegram-x-android', '0.28.3.1785'],
  ['telegram-desktop', '6.1.2'],
  ['telegram-web', '1.52.9'],
  ['telegram-web', '10.9.41'],
  ['signal-android', '7.x'],
  ['signal-android', '8.14.x'],
  ['signal-android', '8.22.2', 'play'],
  ['signal-desktop', '8.23.0'],
  ['molly-android', '7.66.5-1'],
  ['molly-android', '8.19.2-4'],
] as const)
  test(`the plan for ${app} ${version}${channel === undefined ? '' : ` on ${channel}`}`, (t) => {
    t.snapshot(planOf(readRecipe(app), version, channel === undefined ? {} : { channel }));
  });

for (const [app, version] of [
  ['telegram-ios', '12.x'],
  ['telegram-ios', '12.9.1'],
  ['signal-ios', '8.15'],
] as const)
  test(`the plan for ${app} ${version} on a Mac`, (t) => {
    t.snapshot(planOf(readRecipe(app), version, { onHost: true }));
    t.throws(() => planOf(readRecipe(app), version), { code: 'needs-host' });
  });

// ---------------------------------------------------------------- checks only

for (const [app, version] of [
  ['telegram-ios', '12.9.1'],
  ['telegram-macos', '11.15'],
  ['signal-ios', '8.15'],
  ['whatsapp-android', '2.x'],
  ['whatsapp-ios', '25.1'],
  ['messenger-android', '400.0'],
  ['google-messages-android', '20.1'],
  ['skype', '8.x'],
] as const)
  test(`the checks for ${app} ${version}`, (t) => {
    t.snapshot(checksOf(app, version));
  });

test('what an encrypted package shows and hides is said in the same words for every app', (t) => {
  const said = ['telegram-ios', 'signal-ios', 'whatsapp-ios'].map(
    (app) => readRecipe(app).channels['appstore']?.encryption,
  );
  t.truthy(said[0]);
  t.deepEqual(said[1], said[0]);
  t.deepEqual(said[2], said[0]);
  for (const app of ['telegram-ios', 'signal-ios'] as const)
    t.is(readRecipe(app).hostBuilds[0]?.reason, 'Xcode runs on macOS only, and macOS runs in no container');
});

// ---------------------------------------------------------------- Telegram for Android

const codes = ({ deviations }: Plan): readonly string[] => deviations.map(({ code }) => code);

test('from 11.1.1 to 11.12.0 another Dockerfile takes the place of the one that cannot build, and the plan says so', (t) => {
  const telegram = readRecipe('telegram-android');
  for (const version of ['11.0.0', '11.13.4', '12.0.1', '12.10.2'])
    t.false(codes(planOf(telegram, version)).includes('dockerfile-override'), version);
  for (const version of ['11.1.1', '11.9.1', '11.12.0']) {
    const plan = planOf(telegram, version);
    t.true(codes(plan).includes('dockerfile-override'), version);
    t.is(plan.build.environment.dockerfile?.path, 'docker/telegram-android/gradle-8.6-jdk17.Dockerfile');
  }
});

test('the last digit of the version code says which bundle a file of Google Play is from', (t) => {
  const telegram = readRecipe('telegram-android');
  const play = planOf(telegram, '12.10.6', { channel: 'play' });
  t.deepEqual(play.compare.versionCodes, [71121, 71122]);
  t.deepEqual(
    play.compare.pairs.map(({ output, when }) => [output, when?.versionCode]),
    [
      ['play', { modulus: 10, remainder: 1 }],
      ['play-sdk23', { modulus: 10, remainder: 2 }],
    ],
  );
  const website = planOf(telegram, '12.10.6');
  t.deepEqual(website.compare.versionCodes, [71129]);
  t.is(website.compare.packageId, 'org.telegram.messenger.web');
  t.is(play.compare.packageId, 'org.telegram.messenger');
  t.is(website.buildDigest, play.buildDigest);
});

test('a version that nobody wrote down is built from what its own files say', (t) => {
  const recipe = readRecipe('telegram-android');
  const repository = 'https://github.com/DrKLO/Telegram';
  const commit = 'c'.repeat(40);
  const digest = `sha256:${'d'.repeat(64)}`;
  const facts: readonly Fact[] = [
    {
      kind: 'git-subjects',
      repository,
      commits: [{ commit, subject: 'update to 12.11.0 (7200)', date: '2026-11-01' }],
    },
    {
      kind: 'source-files',
      repository,
      commit,
      files: [
        {
          path: 'Dockerfile',
          text: 'FROM gradle:9.1-jdk21\nENV ANDROID_VERSION=37\nENV ANDROID_NDK_VERSION=28.0.1\n',
        },
        {
          path: 'gradle/wrapper/gradle-wrapper.properties',
          text: 'distributionUrl=https\\://services.gradle.org/distributions/gradle-9.1-bin.zip\n',
        },
      ],
    },
    { kind: 'image-digest', reference: 'gradle:9.1-jdk21', digest },
  ];
  const plan = planOf(recipe, '12.11.0', { facts });
  t.deepEqual(plan.build.environment.image, { kind: 'registry', reference: 'gradle:9.1-jdk21', digest });
  t.deepEqual(
    plan.toolchain.map(({ name, value }) => [name, value]),
    [
      ['base', 'gradle:9.1-jdk21'],
      ['gradle', '9.1'],
      ['platform', '37'],
      ['ndk', '28.0.1'],
    ],
  );
  t.true(codes(plan).includes('range-unproven'));
  t.true(codes(plan).includes('floating-image'));
});
