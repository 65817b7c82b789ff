// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { digestOf } from '../../src/canonical-json.js';
import { UsageError, VerifyError } from '../../src/errors.js';
import type { DebianSource, Fact, Plan } from '../../src/model.js';
import { lookupsFor } from '../../src/recipe/lookups.js';
import { makePlan } from '../../src/recipe/plan.js';
import type { Recipe } from '../../src/recipe/schema.js';
import { planOf, readRecipe, replaced, smallRecipe } from '../helpers/recipes.js';

const telegram = readRecipe('telegram-android');
const signal = readRecipe('signal-android');
const weechat = readRecipe('weechat');

function commitOf(plan: Plan): string | undefined {
  return plan.build.source.kind === 'git' ? plan.build.source.commit : undefined;
}

// ---------------------------------------------------------------- Telegram

const pinned = test.macro({
  exec(t, version: string, build: number, commit: string, image: string) {
    const plan = planOf(telegram, version);
    t.is(plan.target.version, version);
    t.is(commitOf(plan), commit);
    t.deepEqual(plan.compare.versionCodes, [build * 10 + 9]);
    t.deepEqual(plan.build.environment.image, { kind: 'unresolved', reference: image });
    t.deepEqual(lookupsFor(telegram, { version }), []);
  },
  title: (_, version: string, _build: number, commit: string) =>
    `telegram-android ${version} is commit ${commit.slice(0, 8)}, offline`,
});

const GRADLE_7 = 'gradle:7.0.2-jdk11';
const GRADLE_8_6 = 'gradle:8.6.0-jdk17';
test(pinned, '10.0.1', 3793, '702d37ce69fca77e78072ad408e9d29dfd2d2be8', GRADLE_7);
test(pinned, '10.0.3', 3801, '702839a85366a56fa39caefa4f3f51ce27959d43', GRADLE_7);
test(pinned, '10.0.4', 3802, '534f9f6c6e379cc2578a5941fcecfca1289a4567', GRADLE_7);
test(pinned, '10.0.5', 3804, '36067f8b38b0b0b1b4f482cf6038a1f60a01b717', GRADLE_7);
test(pinned, '10.0.8', 3867, 'dcad7b4375f594b080e3e0fc465e0adf16c8a558', GRADLE_7);
test(pinned, '10.0.9', 3872, '6b4602c20a0959d3f0de4ea5b26633e13083eb7f', GRADLE_7);
test(pinned, '10.1.0', 3919, '750eedfc968c2183d0b3f995d52427d5fc8280ad', GRADLE_7);
test(pinned, '10.1.1', 3926, 'fea5ca949acc2afeaa3f724e4e25e04a15b96c35', GRADLE_7);
test(pinned, '10.2.0', 4056, 'b4dbcd163938a6af032f392e46eb6b45f7499f7a', GRADLE_7);
test(pinned, '10.2.2', 4071, 'dfaff8c01ddb1b716c7e6437af7db07a242c4f48', GRADLE_7);
test(pinned, '10.2.3', 4075, 'c319639e9a4dff2f22da6762dcebd12d49f5afa1', GRADLE_7);
test(pinned, '10.2.6', 4082, '017f019314fd3e077593ce469124582ed1f7870d', GRADLE_7);
test(pinned, '10.2.9', 4087, '220f6b4d73793c57ba6f9023b8d38d171f342a7e', GRADLE_7);
test(pinned, '10.3.2', 4145, '33a48d8945654afdb99df778647251cc2fca4bcc', GRADLE_7);
test(pinned, '10.5.0', 4228, 'a746a072dce383cc1122fa15244bbcffb33a59d2', GRADLE_7);
test(pinned, '10.6.1', 4275, '928146c3daec432a73b318d73598f4bde4e950f1', GRADLE_7);
test(pinned, '10.6.4', 4365, '5dd649197b48e5b2ad9ae91dcc8dc87548aa877c', GRADLE_7);
test(pinned, '10.8.1', 4404, '4a8efef9d0e86b3b8f908d3600244f2409a603af', GRADLE_7);
test(pinned, '10.9.1', 4464, 'd62d2ed5ec2e1c565f771edce40f8340ab085a9b', GRADLE_7);
test(pinned, '10.10.0', 4571, '3a822b15f29cb0fde5243cec56d468bc1aa5ba3c', GRADLE_7);
test(pinned, '10.10.1', 4583, 'a906f12aaec2768969c77650a7e4b377baa6cf2a', GRADLE_7);
test(pinned, '10.12.0', 4710, 'd494ea8cb59f6ff1af5faca9f5f651abcec618c0', GRADLE_7);
test(pinned, '10.13.1', 4845, '5bc1c3dce0e9108615c784a565051e54246fe0cb', GRADLE_7);
test(pinned, '10.14.2', 4911, '59a0bc1af3985a4efa340b430dad867ae0e8d073', GRADLE_7);
test(pinned, '10.14.3', 4927, 'a98242940150d449a3518d49d859163f4756dc80', GRADLE_7);
test(pinned, '10.14.5', 4945, '5fa5549a4a7f48476be29cc0facf68990ea10f62', GRADLE_7);
test(pinned, '11.0.0', 5143, '3409cb1c72e50bbc2bd2eced7ba98aabc62a1367', GRADLE_7);
test(pinned, '11.1.1', 5235, '3d718c8d36b0d0eb521c22c09bbc23a4aa3d98d1', GRADLE_8_6);
test(pinned, '11.1.3', 5244, '1e8918269962993eb200e5358952c6a176a26da9', GRADLE_8_6);
test(pinned, '11.4.2', 5469, 'fb2e545101f41303f1e2712de2e7611a9335f1c3', GRADLE_8_6);
test(pinned, '11.12.0', 5997, '4d7a3a40c88ce28a211aa2814e9569389fc40567', GRADLE_8_6);
test(pinned, '11.13.0', 6047, 'c48aeb0317ca4ce6d2384ddc172fcc4aa498b02c', GRADLE_8_6);
test(pinned, '11.14.1', 6108, '72922d74e6b3d7d9868202f69445d99f8ec28c2b', GRADLE_8_6);
test(pinned, '12.0.1', 6166, 'ddc90f16be1ab952114005347e0102365ba6460b', 'gradle:8.7.0-jdk17');
test(pinned, '12.10.6', 7112, 'f2908b14133bbffbf7ab04f641ecb5bfaf533242', 'gradle:8.13-jdk17');

test('telegram-android 10.x is 10.14.5, needs nothing from outside, and says what is unresolved and skipped', (t) => {
  t.deepEqual(lookupsFor(telegram, { version: '10.x' }), []);
  const plan = planOf(telegram, '10.x');
  t.deepEqual(plan.target, { app: 'telegram-android', version: '10.14.5', channel: 'website' });
  t.is(commitOf(plan), '5fa5549a4a7f48476be29cc0facf68990ea10f62');
  t.deepEqual(plan.unresolved, ['unresolved: gradle:7.0.2-jdk11']);
  t.false('buildDigest' in plan);
  t.is(plan.compareDigest, digestOf(plan.compare));
  t.deepEqual(
    plan.skipped.map(({ version }) => version),
    ['10.7.x', '10.11.x', '10.14.4'],
  );
  t.is(plan.compare.packageId, 'org.telegram.messenger.web');
  t.deepEqual(plan.compare.pairs, [{ published: 'app.apk', output: 'standalone' }]);
  t.deepEqual(plan.build.source.kind === 'git' ? plan.build.source.assertions.map((a) => a.expected) : [], [
    '10.14.5',
    '4945',
  ]);
  t.true(plan.carried.length > 0);
  t.true(plan.deviations.every(({ reason }) => reason !== ''));
});

test('the standalone task moved to a module of its own with 10.1.1', (t) => {
  const scriptOf = (version: string): string => planOf(telegram, version).build.phases[0]?.script ?? '';
  t.true(scriptOf('10.1.0').includes('gradle :TMessagesProj_App:assembleAfatStandalone'));
  t.true(scriptOf('10.1.1').includes('gradle :TMessagesProj_AppStandalone:assembleAfatStandalone'));
});

test('where the published Dockerfile cannot build the tree, ours replaces it and the plan says so', (t) => {
  for (const version of ['11.1.1', '11.9.1', '11.12.0']) {
    const plan = planOf(telegram, version);
    t.is(plan.build.environment.dockerfile?.from, 'override');
    const deviation = plan.deviations.find(({ code }) => code === 'dockerfile-override');
    t.is(deviation?.canChangeOutput, 'unknown');
    t.regex(deviation?.reason ?? '', /Gradle 7\.0\.2, Java 11/);
  }
  for (const version of ['11.0.0', '11.13.0', '12.0.1'])
    t.is(planOf(telegram, version).build.environment.dockerfile?.from, 'source');
});

test('the assertion of 10.0.1 demands what the tree of that commit does not say', (t) => {
  const { source } = planOf(telegram, '10.0.1').build;
  const [name] = source.kind === 'git' ? source.assertions : [];
  const properties = '#x\nAPP_VERSION_CODE=3721\nAPP_VERSION_NAME=9.7.6\nAPP_PACKAGE=a\n';
  t.is(new RegExp(name?.pattern ?? '$^', 'u').exec(properties)?.[1], '9.7.6');
  t.is(name?.expected, '10.0.1');
});

test('the channel decides package, code and pair, and not the build', (t) => {
  const website = planOf(telegram, '10.x');
  const huawei = planOf(telegram, '10.x', { channel: 'huawei' });
  t.deepEqual(website.build, huawei.build);
  t.not(website.compareDigest, huawei.compareDigest);
  t.is(huawei.compare.packageId, 'org.telegram.messenger');
});

// ---------------------------------------------------------------- versions that cannot be had

function thrown(run: () => unknown): VerifyError {
  try {
    run();
  } catch (error) {
    if (error instanceof VerifyError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

test('an unknown version names the nearest ones', (t) => {
  const error = thrown(() => planOf(telegram, '10.9.5'));
  t.is(error.code, 'unknown-version');
  t.true(error instanceof UsageError && error.hint === 'nearest known: 10.8.1, 10.9.1, 10.10.0');
  t.deepEqual(lookupsFor(telegram, { version: '10.9.5' }), []);
});

test('a version that the store had and nobody published is no usage error', (t) => {
  for (const version of ['10.14.4', '10.7.x', '10.7.2']) {
    const error = thrown(() => planOf(telegram, version));
    t.is(error.code, 'source-missing-for-version');
    t.false(error instanceof UsageError);
    t.deepEqual(lookupsFor(telegram, { version }), []);
  }
});

test('outside the pinned map tags and subjects are asked, and a plan without their answer is unresolved', (t) => {
  t.deepEqual(
    lookupsFor(telegram, { version: '12.9.x' }).map((lookup) => [
      lookup.kind,
      'optional' in lookup && lookup.optional,
    ]),
    [
      ['git-refs', true],
      ['git-subjects', true],
    ],
  );
  const offline = planOf(telegram, '12.9.x');
  t.is(commitOf(offline), 'unresolved');
  t.is(offline.unresolved.length, 2);
  t.false('buildDigest' in offline);
  const commit = 'c3'.repeat(20);
  const facts: readonly Fact[] = [
    {
      kind: 'git-refs',
      repository: 'https://github.com/DrKLO/Telegram',
      refs: [{ name: 'refs/tags/v1', commit }],
    },
    {
      kind: 'git-subjects',
      repository: 'https://github.com/DrKLO/Telegram',
      commits: [
        { commit: 'd4'.repeat(20), subject: 'Update to 12.9.1 (7000)' },
        { commit, subject: 'update to 12.9.1 (7001)' },
        { commit: 'e5'.repeat(20), subject: 'revert "update to 12.9.9 (7002)"' },
      ],
    },
  ];
  t.is(commitOf(planOf(telegram, '12.9.x', { facts })), commit);
  t.regex(thrown(() => planOf(telegram, '99')).message, /could not be looked up/);
  t.notRegex(thrown(() => planOf(telegram, '99', { facts })).message, /could not be looked up/);
});

test('tags are understood in each spelling; the higher build number counts', (t) => {
  const refs = (...names: readonly string[]): readonly Fact[] => [
    {
      kind: 'git-refs',
      repository: 'https://github.com/DrKLO/Telegram',
      refs: names.map((name, i) => ({ name, commit: `${i + 1}a`.repeat(20) })),
    },
  ];
  const facts = refs(
    'release-12.3.9_6900',
    'release-12.3.9-6901',
    'release-12.3.99',
    'refs/heads/release-12.3.99-1',
  );
  const plan = planOf(telegram, '12.3.9', { facts });
  t.is(commitOf(plan), '2a'.repeat(20));
  t.is(plan.build.source.kind === 'git' ? plan.build.source.ref : '', 'release-12.3.9-6901');
  // commits name versions as well, and these were not looked up
  t.is(thrown(() => planOf(telegram, '12.3.99', { facts })).code, 'network');
  const commits: Fact = {
    kind: 'git-subjects',
    repository: 'https://github.com/DrKLO/Telegram',
    commits: [],
  };
  t.is(thrown(() => planOf(telegram, '12.3.99', { facts: [...facts, commits] })).code, 'unknown-version');
  const twice = refs('release-12.3.9_6900', 'release-12.3.9-6900');
  t.is(thrown(() => planOf(telegram, '12.3.9', { facts: twice })).code, 'ambiguous-version');
  t.is(planOf(telegram, '12.9.1', { facts: twice }).target.version, '12.9.1');
});

// ---------------------------------------------------------------- Signal

test('signal-android 7.x is planned without network, and its tag decides once it is known', (t) => {
  const offline = planOf(signal, '7.x');
  t.is(offline.target.version, '7.74.5');
  t.is(commitOf(offline), 'unresolved');
  t.regex(offline.unresolved.join('\n'), /tag v7\.74\.5/);
  t.is(offline.compare.signers.length, 2);
  const commit = 'f6'.repeat(20);
  const facts: readonly Fact[] = [
    {
      kind: 'git-refs',
      repository: 'https://github.com/signalapp/Signal-Android',
      refs: [
        { name: 'refs/tags/v8.14.3', commit },
        { name: 'refs/tags/v8.14.4-beta.1', commit: 'a7'.repeat(20) },
      ],
    },
  ];
  const plan = planOf(signal, '8.14.x', { facts, channel: 'github' });
  t.is(plan.target.version, '8.14.3');
  t.is(commitOf(plan), commit);
  t.deepEqual(plan.unresolved, []);
  t.is(plan.buildDigest, digestOf(plan.build));
  t.is(plan.build.environment.image.kind, 'registry');
  t.is(thrown(() => planOf(signal, '7.65.4', { channel: 'github' })).code, 'channel-not-for-version');
});

test('facts about another repository change nothing', (t) => {
  const facts: readonly Fact[] = [
    {
      kind: 'git-refs',
      repository: 'https://github.com/fork/Signal-Android',
      refs: [{ name: 'v7.74.5', commit: 'ee'.repeat(20) }],
    },
  ];
  t.deepEqual(planOf(signal, '7.x', { facts }), planOf(signal, '7.x'));
});

// ---------------------------------------------------------------- Debian

const NAMES =
  weechat.builds[0]?.outputs.map(({ id, path }) => ({ id, all: path.endsWith('_all.deb') })) ?? [];

function debianSource(version: string, names = NAMES): DebianSource {
  return {
    version,
    directory: 'pool/main/w/weechat',
    files: [{ name: `weechat_${version}.dsc`, size: 1, sha256: '0'.repeat(64) }],
    binaries: names.map(({ id, all }) => ({
      package: id,
      version,
      architecture: all ? 'all' : 'amd64',
      path: `pool/main/w/weechat/${id}_${version.replace(/^\d+:/, '')}_${all ? 'all' : 'amd64'}.deb`,
      size: 1,
      sha256: '1'.repeat(64),
    })),
  };
}

function debianFact(...sources: readonly DebianSource[]): readonly Fact[] {
  const release = { sha256: '2'.repeat(64), date: '2026-01-01T00:00:00Z', signedBy: ['AB'] };
  const { suite, component, architecture } = { suite: 'bookworm', component: 'main', architecture: 'amd64' };
  return [{ kind: 'debian-source', suite, component, package: 'weechat', architecture, release, sources }];
}

test('weechat 3.x asks the signed index and becomes a complete plan', (t) => {
  t.deepEqual(lookupsFor(weechat, { version: '3.x' }), [
    {
      kind: 'debian-source',
      suite: 'bookworm',
      component: 'main',
      package: 'weechat',
      architecture: 'amd64',
    },
  ]);
  t.is(thrown(() => planOf(weechat, '3.x')).code, 'facts-missing');
  const plan = planOf(weechat, '3.x', {
    facts: debianFact(debianSource('3.8-1'), debianSource('3.6-2'), debianSource('4.0-1')),
  });
  t.is(plan.target.version, '3.8-1');
  t.is(plan.build.source.kind === 'debian' ? plan.build.source.files[0]?.name : '', 'weechat_3.8-1.dsc');
  t.is(plan.build.environment.directory, '/build/reproducible-path/weechat-3.8');
  t.is(plan.build.environment.image.kind, 'lock');
  t.is(plan.buildDigest, digestOf(plan.build));
  t.is(plan.compare.pairs.length, 14);
  t.true(plan.compare.pairs.some(({ published }) => published === 'weechat-doc_3.8-1_all.deb'));
  t.deepEqual(
    plan.deviations.map(({ code }) => code),
    ['synthesized-image', 'build-dependencies', 'build-path'],
  );
  t.deepEqual(
    plan.build.phases.map(({ name, user, network }) => [name, user, network]),
    [
      ['prepare', 'root', true],
      ['build', 'builder', false],
    ],
  );
  t.true(plan.build.phases[0]?.script.includes('apt-get source -q weechat=3.8-1'));
});

test('an epoch stands in the version and not in file names or paths', (t) => {
  const plan = planOf(weechat, '3.x', { facts: debianFact(debianSource('1:3.8-1')) });
  t.is(plan.build.outputs[0]?.path, '../weechat_3.8-1_all.deb');
  t.is(plan.build.environment.directory, '/build/reproducible-path/weechat-3.8');
});

test('an archive that publishes another set than the recipe names is refused, both ways', (t) => {
  const more = debianFact(debianSource('3.8-1', [...NAMES, { id: 'weechat-extra', all: false }]));
  const less = debianFact(debianSource('3.8-1', NAMES.slice(1)));
  for (const [facts, message] of [
    [more, /also has weechat-extra_3\.8-1_amd64\.deb \(15 files in the archive, 14 in the recipe\)/],
    [less, /does not have weechat_3\.8-1_all\.deb \(13 files/],
  ] as const) {
    const error = thrown(() => planOf(weechat, '3.x', { facts }));
    t.is(error.code, 'published-set-changed');
    t.regex(error.message, message);
  }
});

test('a hostile version in an index reaches no script', (t) => {
  const error = thrown(() => planOf(weechat, 'latest', { facts: debianFact(debianSource('3.8-1;reboot')) }));
  t.is(error.code, 'recipe-placeholder');
});

test('a lock that this package does not have leaves the plan unresolved', (t) => {
  const facts = debianFact(debianSource('3.8-1'));
  const plan = makePlan(weechat, { version: '3.x' }, { facts, locks: {}, recipeSha256: '0'.repeat(64) });
  t.deepEqual(plan.unresolved, ['unresolved: lock debian-12']);
  t.is(plan.build.environment.image.kind, 'unresolved');
  t.false('buildDigest' in plan);
});

// ---------------------------------------------------------------- requests

test('the demo is planned without anything from outside', (t) => {
  const plan = planOf(readRecipe('demo'), 'latest');
  t.deepEqual(plan.unresolved, []);
  t.is(plan.build.environment.image.kind, 'none');
  t.deepEqual(plan.compare.versionCodes, [1]);
  t.is(plan.build.source.kind === 'bundled' ? plan.build.source.tag : '', 'v1.0.0');
});

test('another source is a deviation; its address is in the plan, a local directory is not', (t) => {
  const address = planOf(smallRecipe(), '10.10', { source: 'https://example.com/mirror' });
  t.is(
    address.build.source.kind === 'git' ? address.build.source.repository : '',
    'https://example.com/mirror',
  );
  t.is(address.deviations.at(0)?.code, 'source-replaced');
  const local = planOf(smallRecipe(), '10.10', { source: '/home/somebody/checkout' });
  t.is(local.deviations.at(0)?.code, 'source-replaced');
  t.false(JSON.stringify(local).includes('somebody'));
  for (const source of [
    'https://me:secret@example.com/x',
    'http://example.com/x',
    'ext::sh -c id',
    'file:///x',
  ])
    if (source.includes('://'))
      t.is(thrown(() => planOf(smallRecipe(), '10.10', { source })).code, 'bad-source');
  const facts = debianFact(debianSource('3.8-1'));
  t.is(thrown(() => planOf(weechat, '3.x', { source: '/x', facts })).code, 'source-not-replaceable');
});

const refused = test.macro({
  exec(t, version: string, channel: string | undefined, code: string) {
    const options = channel === undefined ? {} : { channel };
    t.is(thrown(() => planOf(telegram, version, options)).code, code);
  },
  title: (_, version: string, channel: string | undefined, code: string) =>
    `telegram-android ${version} on ${channel ?? 'its channel'}: ${code}`,
});
test(refused, 'v10', undefined, 'bad-version');
test(refused, '10.x', 'webste', 'unknown-channel');
test(refused, '10.x', '__proto__', 'unknown-channel');

test('a channel that is known and cannot be checked is told with its reason', (t) => {
  const recipe = smallRecipe((text) =>
    text.replace(
      'builds:\n',
      'unsupportedChannels:\n  - { channel: store, reason: nobody knows its files }\nbuilds:\n',
    ),
  );
  const { code, message } = thrown(() => planOf(recipe, '10.10', { channel: 'store' }));
  t.is(code, 'unsupported-channel');
  t.regex(message, /nobody knows its files/);
});

test('what is missing in the files of another channel is no deviation of this one', (t) => {
  const deviationsFor = (channel: string): readonly string[] => {
    const recipe = smallRecipe((text) =>
      text.replace(
        'builds:\n',
        `unsupportedChannels: [{ channel: store, reason: x }]\nunpublished: [{ channels: [${channel}], what: a key, note: b, reference: c, canChangeOutput: unknown }]\nbuilds:\n`,
      ),
    );
    return planOf(recipe, '10.10').deviations.map(({ code }) => code);
  };
  t.true(deviationsFor('website').includes('unpublished-value'));
  t.false(deviationsFor('store').includes('unpublished-value'));
});

test('a version beyond every build range has no instructions', (t) => {
  const recipe = smallRecipe(replaced("version: '10.10'", "version: '12.0'"));
  t.is(thrown(() => planOf(recipe, '12.0')).code, 'no-instructions');
});

test('a closed app has no source', (t) => {
  const recipe = smallRecipe((text) =>
    text.replace('kind: buildable-unclaimed', 'kind: closed').replace(/source:\n.*\n.*\n/, ''),
  );
  t.is(thrown(() => planOf(recipe, 'latest')).code, 'no-source');
});

test('placeholders are expanded, shell braces are not', (t) => {
  const plan = planOf(smallRecipe(), '10.x');
  t.is(plan.target.version, '10.10');
  t.is(plan.build.phases[0]?.script, 'make VERSION=10.10 OUT=${OUT}');
  t.is(plan.build.outputs[0]?.path, 'out/small-10.10.apk');
});

test('the same request and facts give the same plan, and each build fact changes its digest', (t) => {
  const plan = planOf(smallRecipe(), '10.x');
  const { newestKnown, ...rest } = plan;
  t.is(newestKnown?.asked, '10.x');
  t.deepEqual(planOf(smallRecipe(), '10.10'), rest);
  const other = planOf(smallRecipe(replaced('cpus: 1', 'cpus: 2')), '10.x');
  t.not(other.buildDigest, plan.buildDigest);
  t.is(other.compareDigest, plan.compareDigest);
});

test('a Dockerfile gets values of its ARGs from the source, and a channel has a version name of its own', (t) => {
  const recipe = smallRecipe((text) =>
    replaced(
      '      user: builder\n',
      `      dockerfile:
        kind: source
        path: Dockerfile
        arguments: { SDK: 'platforms;android-{toolchain.sdk} tools', MODE: release }
        target: build
      user: builder
`,
    )(
      replaced(
        '    packageId: org.example.small\n',
        "    packageId: org.example.small\n    versionName: '{version}+free'\n",
      )(
        text.replace(
          "versions: '>=10 <11'\n",
          "versions: '>=10 <11'\n    toolchain: [{ kind: pattern, name: sdk, what: SDK, file: sdk.txt, pattern: '([0-9]+)' }]\n",
        ),
      ),
    ),
  );
  const commit = 'b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2';
  const repository = 'https://example.org/small';
  const plan = planOf(recipe, '10.10', {
    facts: [{ kind: 'source-files', repository, commit, files: [{ path: 'sdk.txt', text: 'sdk 36\n' }] }],
  });
  t.deepEqual(plan.build.environment.dockerfile, {
    from: 'source',
    path: 'Dockerfile',
    arguments: { SDK: 'platforms;android-36 tools', MODE: 'release' },
    target: 'build',
  });
  t.is(plan.compare.versionName, '10.10+free');
  t.deepEqual(plan.unresolved, []);
  // without the file nobody knows what the image would be made with
  t.deepEqual(planOf(recipe, '10.10').unresolved, ['unresolved: SDK, which sdk.txt of the commit states']);
});

test('a channel in F-Droid’s format names the package and where its archive is', (t) => {
  const fingerprint = 'ab'.repeat(32);
  const recipe = smallRecipe(
    replaced(
      '{ kind: handed-over, how: download it }',
      `{ kind: fdroid, repository: 'https://example.org/repo', archive: 'https://example.org/archive', fingerprint: '${fingerprint}', abi: arm64-v8a }`,
    ),
  );
  t.deepEqual(planOf(recipe, '10.9.1').compare.acquisition, {
    kind: 'fdroid',
    repository: 'https://example.org/repo',
    archive: 'https://example.org/archive',
    fingerprint,
    package: 'org.example.small',
    abi: 'arm64-v8a',
  });
});

test('a pre-release has the version that Debian packages write, and another one if the recipe says so', (t) => {
  const acquisition = `kind: debian-repository, url: 'https://example.org/apt', suite: xenial, component: main, package: small, architecture: amd64, key: { file: small.asc, fingerprints: [${'AB'.repeat(20)}] }`;
  const recipe = (more: string): Recipe =>
    smallRecipe((text) =>
      [
        replaced('kind: handed-over, how: download it', `${acquisition}${more}`),
        replaced('published: small.apk', "published: 'small_{debianVersion}_amd64.deb'"),
        replaced("'10.9.1'", "'10.9.1-beta.1'"),
        replaced("'>=10 <11'", "'10.9.1-beta.1'"),
      ].reduce((edited, edit) => edit(edited), text),
    );
  const versionOf = (made: Plan): unknown => Reflect.get(made.compare.acquisition, 'version');
  const beta = planOf(recipe(''), '10.9.1-beta.1');
  t.is(versionOf(beta), '10.9.1~beta.1');
  t.is(beta.compare.pairs[0]?.published, 'small_10.9.1~beta.1_amd64.deb');
  const other = planOf(recipe(", version: '1:{version}-1'"), '10.9.1-beta.1');
  t.is(versionOf(other), '1:10.9.1-beta.1-1');
});

test('fallbacks: an image by the same digest cannot change the output, another one or a lock may', (t) => {
  const digest = `sha256:${'a'.repeat(64)}`;
  const edit = (text: string): string =>
    replaced(
      'image: { kind: lock, name: debian-12 }',
      `image: { kind: registry, reference: 'docker.io/library/x:1', digest: '${digest}', evidence: here }`,
    )(text).replace(
      '    outputs:\n',
      () => `    fallbacks:
      - { kind: image, reference: mirror.example/x, reason: a copy }
      - { kind: image, reference: mirror.example/y, digest: 'sha256:${'b'.repeat(64)}', reason: a newer one }
      - { kind: lock, name: debian-12, reason: our own }
      - { kind: address, of: 'https://a.example/{version}', by: 'https://b.example/{version}', reason: moved, canChangeOutput: 'no' }
    outputs:\n`,
    );
  const context = {
    facts: [],
    recipeSha256: '0'.repeat(64),
    locks: { 'debian-12': { sha256: '1'.repeat(64), packages: 3 } },
  };
  const { build, unresolved } = makePlan(
    smallRecipe(edit),
    { version: '10.10', channel: 'website' },
    context,
  );
  t.deepEqual(unresolved, []);
  t.deepEqual(
    build.fallbacks?.map((one) => [
      one.kind === 'address'
        ? `${one.of} ${one.by}`
        : one.image.kind === 'lock'
          ? one.image.name
          : one.image.digest,
      one.canChangeOutput,
    ]),
    [
      [digest, 'no'],
      [`sha256:${'b'.repeat(64)}`, 'unknown'],
      ['debian-12', 'unknown'],
      ['https://a.example/10.10 https://b.example/10.10', 'no'],
    ],
  );
  const missing = makePlan(
    smallRecipe(edit),
    { version: '10.10', channel: 'website' },
    { ...context, locks: {} },
  );
  t.deepEqual(missing.unresolved, ['unresolved: lock debian-12']);
  // a plan without any has the digest that it always had
  t.false('fallbacks' in makePlan(smallRecipe(), { version: '10.10', channel: 'website' }, context).build);
});

test('what may be varied is part of the plan and of no digest', (t) => {
  const context = { facts: [], recipeSha256: '0'.repeat(64), locks: {} };
  const plan = (edit?: (text: string) => string) =>
    makePlan(smallRecipe(edit), { version: '10.10', channel: 'website' }, context);
  const varied = plan(replaced('    outputs:\n', '    vary: [time-zone, cpus]\n    outputs:\n'));
  t.deepEqual(varied.vary, ['time-zone', 'cpus']);
  t.false('vary' in plan());
  t.is(varied.buildDigest, plan().buildDigest);
  t.is(varied.compareDigest, plan().compareDigest);
});
