// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import test from 'ava';
import { extract, extrapolationOf, readToolchain, type Extractor } from '../../src/recipe/toolchain.js';
import { smallRecipe } from '../helpers/recipes.js';

const at = { name: 'fact', what: 'fact', file: 'f' };
const from = (stage = 0): Extractor => ({ kind: 'dockerfile-from', stage, ...at });

const gives = test.macro({
  exec(t, extractor: Extractor, text: string, expected: string | undefined) {
    t.is(extract(extractor, text), expected);
  },
  title: (name = '', extractor: Extractor) => `${extractor.kind}: ${name}`,
});

test('an image with a tag', gives, from(), 'FROM gradle:8.13-jdk17\nRUN true\n', 'gradle:8.13-jdk17');
test(
  'a digest stays',
  gives,
  from(),
  `from --platform=linux/amd64 ubuntu:jammy@sha256:${'a'.repeat(64)} AS base`,
  `ubuntu:jammy@sha256:${'a'.repeat(64)}`,
);
test(
  'a stage of the file itself is no image',
  gives,
  from(1),
  'FROM a:1 AS one\nFROM one AS two\nFROM b:2\n',
  'b:2',
);
test('an ARG is filled in', gives, from(), 'ARG V=22.04\nFROM ubuntu:${V}\n', 'ubuntu:22.04');
test('a default in the reference', gives, from(), 'FROM ubuntu:${V:-24.04}\n', 'ubuntu:24.04');
test('a comment is no instruction', gives, from(), '# FROM evil:1\nFROM good:1\n', 'good:1');
test('a line that goes on', gives, from(), 'FROM \\\n  good:1\n', 'good:1');
test('no FROM', gives, from(), 'RUN true\n', undefined);
test('a stage that is not there', gives, from(3), 'FROM a:1\n', undefined);
test('what would be a command', gives, from(), 'FROM $(id)\n', undefined);
test('text beyond the limit', gives, from(), `FROM a:1\n${'#'.repeat(1 << 20)}`, undefined);

const arg = (name: string): Extractor => ({ kind: 'dockerfile-arg', arg: name, ...at });
test('ARG with a default', gives, arg('NDK'), 'ARG NDK="27.2.12479018"\n', '27.2.12479018');
test('ENV in the old form', gives, arg('NDK'), 'ENV NDK 27.2\n', '27.2');
test('several in one ENV', gives, arg('B'), 'ENV A=1 \\\n  B=2\n', '2');
test('the first value counts', gives, arg('A'), 'ARG A=1\nARG A=2\n', '1');
test('another name', gives, arg('A'), 'ARG AA=1\n', undefined);

const wrapper: Extractor = { kind: 'gradle-wrapper', ...at };
test(
  'its version',
  gives,
  wrapper,
  'distributionUrl=https\\://services.gradle.org/distributions/gradle-8.14.3-bin.zip\n',
  '8.14.3',
);
test('no such line', gives, wrapper, 'zipStoreBase=GRADLE_USER_HOME\n', undefined);

test('with a v', gives, { kind: 'nvmrc', ...at }, 'v24.12.0\n', '24.12.0');
test('a name is no version', gives, { kind: 'nvmrc', ...at }, 'lts/jod\n', undefined);
test('toml', gives, { kind: 'rust-toolchain', ...at }, '[toolchain]\nchannel = "1.94"\n', '1.94');
test('the old form', gives, { kind: 'rust-toolchain', ...at }, '1.91.1\n', '1.91.1');

const ndk: Extractor = { kind: 'sdkmanager', package: 'ndk', ...at };
test(
  'among others',
  gives,
  ndk,
  'RUN sdkmanager "platforms;android-36" "ndk;27.2.12479018"\n',
  '27.2.12479018',
);
test('by a variable', gives, ndk, 'ENV N=28.2.13676358\nRUN sdkmanager "ndk;$N"\n', '28.2.13676358');
test('the newest of several', gives, ndk, 'RUN sdkmanager "ndk;9.0.1" "ndk;10.0.1"\n', '10.0.1');
test('not the bundle', gives, ndk, 'RUN sdkmanager "ndk-bundle;1"\n', undefined);

const pattern: Extractor = { kind: 'pattern', pattern: 'agp = "([^"]+)"', ...at };
test('its group', gives, pattern, 'agp = "9.3.1"\n', '9.3.1');
test('shell in it', gives, pattern, 'agp = "1; rm -rf /"\n', undefined);

const PROVEN = `builds:
  - versions: '>=10 <11'
    toolchain:
      - { kind: dockerfile-from, name: base, what: base image, file: Dockerfile }
      - { kind: sdkmanager, name: ndk, what: NDK, file: Dockerfile, package: ndk }
    watch:
      - { file: build.gradle, what: build.gradle }
    proven:
      version: '10.9.1'
      by: our own report
      toolchain: { base: 'a:1', ndk: '1.2' }
      files: { build.gradle: ${createHash('sha256').update('plugins').digest('hex')} }
`;

function extrapolated(version: string, texts: Readonly<Record<string, string>>) {
  const [build] = smallRecipe((text) => text.replace("builds:\n  - versions: '>=10 <11'\n", PROVEN)).builds;
  if (build === undefined) throw new Error('no build');
  const textOf = (file: string): string | undefined => texts[file];
  return extrapolationOf(build, version, readToolchain(build, textOf), textOf);
}

test('what has changed since the version that was rebuilt is named', (t) => {
  const same = { Dockerfile: 'FROM a:1\nRUN sdkmanager "ndk;1.2"', 'build.gradle': 'plugins' };
  t.deepEqual(extrapolated('10.10', same), {
    since: '10.9.1',
    by: 'our own report',
    changed: [],
    unread: [],
  });
  t.deepEqual(
    extrapolated('10.10', { Dockerfile: 'FROM a:2\nRUN sdkmanager "ndk;1.2"', 'build.gradle': 'plugin' })
      ?.changed,
    ['base image a:1 → a:2', 'build.gradle'],
  );
  t.deepEqual(extrapolated('10.10', {})?.unread, ['base image', 'NDK', 'build.gradle']);
});

test('the version that was rebuilt is not extrapolated', (t) => {
  t.is(extrapolated('10.9.1', { Dockerfile: 'FROM a:2' }), undefined);
});
