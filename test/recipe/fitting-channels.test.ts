// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { fittingChannels, type SaidIdentity } from '../../src/recipe/fitting-channels.js';
import { replaced, smallRecipe } from '../helpers/recipes.js';

const apk = (more: Partial<NonNullable<SaidIdentity['apk']>> = {}): SaidIdentity => ({
  names: ['base.apk'],
  apk: { package: 'org.example.small', versionName: '10.10', versionCode: '69', ...more },
});

const two = smallRecipe(
  replaced(
    'builds:\n',
    `  github:
    title: GitHub
    builtBy: publisher
    packageId: org.example.small
    acquisition: { kind: handed-over, how: download it }
    pairs: [{ published: 'small-{version}.apk', output: app }]
unsupportedChannels: [{ channel: play, reason: not yet }]
defaultChannel: website
builds:
`,
  ),
);

test('package and version code say which channel it is, and the build number which version', (t) => {
  t.deepEqual(fittingChannels(smallRecipe(), apk({ versionName: 'something else' })).fits, [
    {
      app: 'small',
      title: 'Small',
      platform: 'android',
      channel: 'website',
      by: 'package-and-version-code',
      version: '10.10',
    },
  ]);
});

for (const code of ['60', '61', '68', '9', '8', '-1', '0'])
  test(`a version code that the channel cannot have is a reason against it: ${code}`, (t) => {
    const { fits, misfits } = fittingChannels(smallRecipe(), apk({ versionCode: code }));
    t.deepEqual(fits, []);
    t.deepEqual(
      misfits.map(({ channel }) => channel),
      ['website'],
    );
  });

test('several channels that fit are all told; those that cannot be checked are told as well', (t) => {
  const { fits, misfits } = fittingChannels(two, apk());
  t.deepEqual(
    fits.map(({ channel, by }) => [channel, by]),
    [
      ['website', 'package-and-version-code'],
      ['github', 'package'],
    ],
  );
  t.regex(misfits.find(({ channel }) => channel === 'play')?.reason ?? '', /cannot be checked yet: not yet/);
});

test('another package, and a longer one, are another app', (t) => {
  for (const name of ['org.example.smal', 'org.example.small.beta', 'ORG.example.small', ''])
    t.deepEqual(fittingChannels(two, apk({ package: name })), { fits: [], misfits: [] });
});

for (const [said, version] of [
  ['10.10+free', '10.10'],
  ['10.9.1-play', '10.9.1'],
  ['10.10 (6)', '10.10'],
  // a longer number is another version
  ['10.101', '10.101'],
  ['10.10.2', '10.10.2'],
  ['11.0', '11.0'],
] as const)
  test(`without a version code, ${said} is ${version}`, (t) => {
    const found = fittingChannels(two, {
      names: ['a'],
      apk: { package: 'org.example.small', versionName: said },
    });
    t.deepEqual(
      found.fits.map((fit) => fit.version),
      [version, version],
    );
  });

test('a version that the file does not say is not made up', (t) => {
  const { fits } = fittingChannels(two, { names: ['a'], apk: { package: 'org.example.small' } });
  t.deepEqual(
    fits.map((fit) => fit.version),
    [undefined, undefined],
  );
});

test('by name only where the name has a version, and all files agree', (t) => {
  const version = (...names: readonly string[]) =>
    fittingChannels(two, { names }).fits.map((fit) => fit.version);
  t.deepEqual(version('small-10.10.apk'), ['10.10']);
  t.deepEqual(version('small-10.10.apk', 'small-10.10.apk'), ['10.10']);
  // the channel website publishes small.apk, which says nothing
  for (const names of [
    ['small.apk'],
    ['small-.apk'],
    ['xsmall-10.10.apk'],
    ['small-10.10.apk.exe'],
    ['small-10x10-apk'],
    ['small-10.10.apk', 'small-10.9.1.apk'],
    ['small-10.10.apk', 'other'],
    [`small-${'1'.repeat(400)}.apk`],
    [],
  ])
    t.deepEqual(version(...names), [], names.join(', '));
});

const DEBIAN = smallRecipe((text) =>
  text
    .replace(
      /source:\n[^]*?channels:/,
      'source: { kind: debian, suite: bookworm, component: main, package: weechat, architecture: amd64 }\nversions: { resolve: [{ kind: debian-archive }] }\nchannels:',
    )
    .replace('acquisition: { kind: handed-over, how: download it }', 'acquisition: { kind: debian-archive }'),
);

test('Debian packages are of their source package, on its architecture', (t) => {
  const deb = {
    packages: ['weechat-core'],
    source: 'weechat',
    version: '3.8-1',
    architectures: ['amd64', 'all'],
  };
  const fits = (more: Partial<typeof deb>) =>
    fittingChannels(DEBIAN, { names: ['x.deb'], deb: { ...deb, ...more } });
  t.like(fits({}).fits[0], { version: '3.8-1', by: 'source-package' });
  t.deepEqual(fits({ source: 'weechat-matrix' }).fits, []);
  t.regex(fits({ architectures: ['arm64'] }).misfits[0]?.reason ?? '', /arm64/);
});

test('of several version codes of one build any is right', (t) => {
  const abis = smallRecipe(replaced('{ times: 10, plus: 9 }', '{ times: 10, plus: [1, 2] }'));
  t.is(fittingChannels(abis, apk({ versionCode: '62' })).fits[0]?.version, '10.10');
  t.is(fittingChannels(abis, apk({ versionCode: '51' })).fits[0]?.version, '10.9.1');
  t.deepEqual(fittingChannels(abis, apk({ versionCode: '63' })).fits, []);
});
