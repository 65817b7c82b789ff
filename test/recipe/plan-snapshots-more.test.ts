// SPDX-License-Identifier: Apache-2.0
/**
 * Whole plans of the apps for XMPP and Matrix, of Threema, Briar and the others, made offline. What stands in files of the
 * source is given as the lines that the extractors read. Renew with `npx ava --update-snapshots`.
 */
import test from 'ava';
import type { Fact } from '../../src/model.js';
import { makeCheckPlan } from '../../src/recipe/check-plan.js';
import { recipeDigest } from '../../src/recipe/load.js';
import { planOf, readRecipe } from '../helpers/recipes.js';

const gradle = (version: string, kind: 'all' | 'bin' = 'bin'): string =>
  `distributionUrl=https\\://services.gradle.org/distributions/gradle-${version}-${kind}.zip\n`;
const WRAPPER = 'gradle/wrapper/gradle-wrapper.properties';

type Files = Readonly<Record<string, string>>;

function filesOf(app: string, version: string, files: Files): readonly Fact[] {
  const { source, versions } = readRecipe(app);
  const pinned = versions.resolve.flatMap((one) => (one.kind === 'pinned' ? one.versions : []));
  const commit = pinned.find((one) => one.version === version)?.commit;
  if (source?.kind !== 'git' || commit === undefined) return [];
  return [
    {
      kind: 'source-files',
      repository: source.repository,
      commit,
      files: Object.entries(files).map(([path, text]) => ({ path, text })),
    },
  ];
}

const threema: Files = {
  'domain/libthreema/rust-toolchain.toml': '[toolchain]\nchannel = "1.94"\n',
  'app/build.gradle.kts':
    '    compileSdk = 35\n    buildToolsVersion = "35.0.0"\n    ndkVersion = "28.2.13676358"\n',
  [WRAPPER]: gradle('8.14.3'),
};
const elementX = (sdk: number): Files => ({
  [WRAPPER]: gradle('9.5.1'),
  'gradle/libs.versions.toml':
    'android_gradle_plugin = "9.2.1"\nmatrix_sdk = "org.matrix.rustcomponents:sdk-android:26.06.30"\n',
  'plugins/src/main/kotlin/Versions.kt': `    const val COMPILE_SDK = ${sdk}\n    private const val BUILD_TOOLS_VERSION = "${sdk}.0.0"\n`,
});

const PLANS: readonly (readonly [app: string, version: string, files: Files, channel?: string])[] = [
  ['conversations-android', '2.20.1', { [WRAPPER]: gradle('8.14.3') }],
  ['conversations-android', '2.19.16', {}],
  [
    'cheogram-android',
    '2.19.0-6',
    {
      [WRAPPER]: gradle('8.13'),
      'build.gradle': "classpath 'com.android.tools.build:gradle:8.9.3'\n    compileSdk 35\n",
    },
  ],
  [
    'element-android',
    '1.6.60',
    {
      [WRAPPER]: gradle('8.14.3'),
      'vector-app/build.gradle': '    ndkVersion "21.3.6528147"\n',
      'dependencies.gradle': "        'compileSdk'        : 35,\n",
    },
  ],
  ['element-android', '1.6.60', {}, 'play'],
  ['element-x-android', '26.08.2', elementX(37)],
  ['element-x-android', '26.07.0', elementX(37), 'f-droid'],
  ['element-x-android', '26.03.2', elementX(36)],
  ['fluffychat-android', '2.8.0', { '.tool_versions.yaml': 'environment:\n  flutter: 3.44.4 # x\n' }],
  ['fluffychat-android', '2.7.2', { '.tool_versions.yaml': 'environment:\n  flutter: 3.44.2\n' }],
  ['threema-android', '6.5.1', { ...threema, 'scripts/Dockerfile': 'FROM docker.io/debian:trixie-slim\n' }],
  [
    'threema-android',
    '6.4.2',
    { ...threema, 'scripts/Dockerfile': 'FROM docker.io/debian:trixie-slim\n' },
    'play',
  ],
  ['threema-android', '6.3.2', { ...threema, 'scripts/Dockerfile': 'FROM docker.io/ubuntu:24.04\n' }, 'shop'],
  [
    'briar-android',
    '1.5.19',
    {
      [WRAPPER]: gradle('8.14.3', 'all'),
      'build.gradle': 'tor_version = "0.4.9.11"\nclasspath \'com.android.tools.build:gradle:8.13.0\'\n',
      'briar-android/build.gradle': "\tcompileSdk 35\n\tbuildToolsVersion '35.0.0'\n",
    },
  ],
  [
    'delta-chat-android',
    '2.59.0',
    {
      Dockerfile: "FROM docker.io/debian:12.4\nRUN sdkmanager 'ndk;27.0.11902837'\n",
      'scripts/rust-toolchain': '1.91.1\n',
      [WRAPPER]: gradle('8.13'),
    },
  ],
  [
    'simplex-android',
    '7.0.1',
    {
      'Dockerfile.build': 'ARG TAG=24.04\nFROM ubuntu:${TAG} AS build\nARG GHC=9.6.3\n',
      'apps/multiplatform/gradle.properties': '\nandroid.version_code=373\n',
    },
  ],
  [
    'session-android',
    '1.33.4',
    {
      'gradle/libs.versions.toml':
        'androidCompileSdkVersion = "36"\nlibsessionUtilAndroidVersion = "1.1.0-10-g6de8072"\n',
    },
  ],
  ['session-android', '1.33.4', {}, 'own-repository'],
  ['wire-android', '4.31.1', { 'docker-agent/AndroidAgent': 'FROM eclipse-temurin:21-jdk-noble\n' }],
  ['jami-android', '20260807-01', { 'docker/Dockerfile': 'FROM gradle:jdk17-noble AS build\n' }],
  [
    'olvid-android',
    '4.4',
    {
      'reproducible-builds/Dockerfile': 'FROM debian:trixie-20260202\n',
      'obv_messenger/gradle/wrapper/gradle-wrapper.properties': gradle('9.4.1', 'all'),
      'obv_messenger/gradle/libs.versions.toml': 'android-gradle-plugin = "9.2.1"\n',
    },
  ],
  ['olvid-android', '4.4', {}, 'play'],
];

for (const [app, version, files, channel] of PLANS)
  test(`the plan for ${app} ${version}${channel === undefined ? '' : ` on ${channel}`}`, (t) => {
    const facts = filesOf(app, version, files);
    t.snapshot(planOf(readRecipe(app), version, { facts, ...(channel === undefined ? {} : { channel }) }));
  });

for (const [app, version, channel] of [
  ['monal-ios', '6.4.5', 'appstore'],
  ['monal-ios', '6.4.5', 'github'],
  ['element-x-ios', '26.07.4', 'appstore'],
] as const)
  test(`what could be checked of ${app} ${version} on ${channel}`, (t) => {
    const request = { version, channel };
    t.snapshot(makeCheckPlan(readRecipe(app), request, { facts: [], recipeSha256: recipeDigest('') }));
  });

/** As the signed index of bookworm lists them: a binary more or less would have to be named by the recipe. */
for (const [app, source, version, outputs] of [
  ['nheko', 'nheko', '0.11.3-2', ['nheko_0.11.3-2_amd64.deb']],
  ['dino', 'dino-im', '0.4.2-1', ['dino-im_0.4.2-1_amd64.deb', 'dino-im-common_0.4.2-1_all.deb']],
  ['gajim', 'gajim', '1.7.3-2', ['gajim_1.7.3-2_all.deb']],
] as const)
  test(`the plan for ${app} ${version}, from a signed index`, (t) => {
    const directory = `pool/main/${source.slice(0, 1)}/${source}`;
    const fact: Fact = {
      kind: 'debian-source',
      suite: 'bookworm',
      component: 'main',
      package: source,
      architecture: 'amd64',
      release: { sha256: '2'.repeat(64), date: '2026-01-01T00:00:00Z', signedBy: ['0'.repeat(40)] },
      sources: [
        {
          version,
          directory,
          files: [{ name: `${source}_${version}.dsc`, size: 1, sha256: '0'.repeat(64) }],
          binaries: outputs.map((name) => ({
            package: name.slice(0, name.indexOf('_')),
            version,
            architecture: name.endsWith('_all.deb') ? 'all' : 'amd64',
            path: `${directory}/${name}`,
            size: 1,
            sha256: '1'.repeat(64),
          })),
        },
      ],
    };
    t.snapshot(planOf(readRecipe(app), version, { facts: [fact] }));
  });
