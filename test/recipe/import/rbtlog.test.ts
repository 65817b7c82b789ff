// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { UsageError } from '../../../src/errors.js';
import { importRecipe } from '../../../src/operations/import-recipe.js';
import { lintText } from '../../../src/operations/recipes.js';
import { parseRecipe } from '../../../src/recipe/load.js';
import type { Recipe } from '../../../src/recipe/schema.js';
import { asYaml, RBTLOG } from '../../helpers/foreign-recipes.js';
import { temporaryDirectory } from '../../helpers/temp-directory.js';

async function imported(
  t: ExecutionContext,
  packageId: string,
  text = asYaml(RBTLOG[packageId] ?? {}),
  more: { readonly versions?: number; readonly variant?: number } = {},
): Promise<{
  readonly recipe: Recipe;
  readonly todos: readonly { field: string; why: string }[];
  readonly text: string;
}> {
  const file = path.join(temporaryDirectory(t), `${packageId}.yml`);
  writeFileSync(file, text);
  const result = await importRecipe({ format: 'rbtlog', file, ...more });
  t.deepEqual(lintText(`${result.app}.yaml`, result.text).problems, []);
  for (const { field } of result.todos) t.true(result.text.includes(`# TODO ${field}: `), field);
  return { ...result, recipe: parseRecipe(`${result.app}.yaml`, result.text) };
}

const fieldsOf = ({ todos }: { readonly todos: readonly { field: string }[] }): readonly string[] =>
  todos.map(({ field }) => field);
const [PREPARE, BUILD] = [0, 1];
const scriptOf = (recipe: Recipe, phase: number): string => recipe.builds.at(-1)?.phases[phase]?.script ?? '';

test('Threema Libre: tags by their pattern, the group in the address, packages and NDK, directories of the build', async (t) => {
  const result = await imported(t, 'ch.threema.app.libre');
  const { recipe } = result;
  t.like(recipe.versions.resolve[0], { kind: 'tag', templates: ['{version}'], known: ['5.8.1', '5.8.0'] });
  t.like(recipe.channels['release'], {
    packageId: 'ch.threema.app.libre',
    acquisition: {
      kind: 'url',
      url: 'https://releases.threema.ch/fdroid/repo/ch.threema.app.libre-{version}l.apk',
    },
  });
  t.like(recipe.builds[0], {
    versions: '>=5.8.0',
    environment: {
      image: { kind: 'floating', reference: 'ubuntu:noble' },
      user: 'build',
      directory: '/build/repo',
    },
  });
  t.regex(
    scriptOf(recipe, PREPARE),
    /'openjdk-17-jdk-headless' 'build-essential' 'protobuf-compiler' 'python3'/,
  );
  t.regex(scriptOf(recipe, PREPARE), /'ndk;25\.2\.9519653'/);
  t.regex(scriptOf(recipe, PREPARE), /mkdir -p \/opt \/opt\/sdk \/rust \/outputs/);
  t.regex(
    scriptOf(recipe, PREPARE),
    /echo '2d2d50857e4eb553af5a6dc3ad507a17adf43d115264b1afc116f95c92e5e258 {2}\S+\/tools\.zip' \| sha256sum -c -/,
  );
  t.deepEqual(fieldsOf(result), [
    'image',
    'provisioning',
    'verify_gradle_wrapper',
    'notes',
    'tag',
    'signers',
    'apk_pattern',
  ]);
});

test('Fossify Messages: addresses that differ from version to version hold for the newest alone', async (t) => {
  const result = await imported(t, 'org.fossify.messages');
  t.like(result.recipe.versions.resolve[0], { kind: 'tag', known: ['1.1.5'] });
  t.like(result.recipe.channels['release'], {
    acquisition: {
      url: 'https://github.com/FossifyOrg/Messages/releases/download/{version}/messages-8-foss-release.apk',
    },
  });
  t.regex(result.todos.find(({ field }) => field === 'apk_url')?.why ?? '', /1 versions .*messages-7-foss/);
});

test('Signal: a version inside of its tag and its address, packages of the SDK', async (t) => {
  const { recipe, todos } = await imported(t, 'org.thoughtcrime.securesms');
  t.like(recipe.versions.resolve[0], { kind: 'tag', templates: ['v{version}'], known: ['7.6.2'] });
  t.like(recipe.channels['release']?.acquisition, {
    url: 'https://updates.signal.org/android/Signal-Android-website-prod-universal-release-{version}.apk',
  });
  for (const part of ['build-tools;34.0.0', 'cmake;3.22.1', 'ndk;25.1.8937393', 'platforms;android-34'])
    t.true(scriptOf(recipe, PREPARE).includes(`--sdk_root=/usr/local/android-sdk-linux '${part}'`), part);
  t.regex(todos.find(({ field }) => field === 'updates')?.why ?? '', /manual/);
});

test('Moshidon: a tag with plus signs is a version and a part of the address', async (t) => {
  const { recipe } = await imported(t, 'org.joinmastodon.android.moshinda');
  t.like(recipe.versions.resolve[0], { kind: 'tag', known: ['2.1.4+fork.104.moshinda'] });
  t.like(recipe.channels['release']?.acquisition, {
    url: 'https://github.com/LucasGGamerM/moshidon/releases/download/{version}/moshidon-fdroidRelease.apk',
  });
});

test('FairEmail: versions that look like numbers stay what they are; notes are told', async (t) => {
  const { recipe, todos } = await imported(
    t,
    'eu.faircode.email',
    asYaml(RBTLOG['eu.faircode.email'] ?? {}).replace(/tag: "([\d.]+)"/g, 'tag: $1'),
  );
  t.like(recipe.versions.resolve[0], { kind: 'tag', known: ['1.2170', '1.2162'] });
  t.deepEqual(
    todos.filter(({ field }) => field === 'notes').map(({ why }) => why),
    ['NB: NonFreeComp', 'FIXME: tag/commit mismatch for 1.2206'],
  );
});

test('the lines of a build are one bash program, which leaves the file where the recipe says', async (t) => {
  const text = asYaml(RBTLOG['org.thoughtcrime.securesms'] ?? {}).replace(
    /build:\n(?: {10}- .*\n)+/,
    'build:\n          - A=(one two)\n          - cd sub\n          - echo "${A[1]}" > /outputs/unsigned.apk\n',
  );
  const { recipe } = await imported(t, 'org.thoughtcrime.securesms', text);
  const root = temporaryDirectory(t);
  for (const name of ['repo/sub', 'outputs', 'home', 'taken'])
    mkdirSync(path.join(root, name), { recursive: true });
  const script = scriptOf(recipe, BUILD).replaceAll(' /outputs/', ` ${root}/taken/`);
  const run = spawnSync('sh', ['-eu', '-c', script], {
    cwd: path.join(root, 'repo'),
    encoding: 'utf8',
    env: { PATH: process.env['PATH'] ?? '', HOME: path.join(root, 'home') },
  });
  t.is(run.status, 0, run.stderr);
  t.is(readFileSync(path.join(root, 'outputs/unsigned.apk'), 'utf8'), 'two\n');
  t.is(spawnSync('sh', ['-n', '-c', scriptOf(recipe, PREPARE)]).status, 0);
});

test('of several files of a tag one is taken, and the others are told', async (t) => {
  const facts = RBTLOG['org.fossify.messages'] as { versions: { tag: string; apks: unknown[] }[] };
  const [first, second] = facts.versions;
  const both = asYaml({
    ...facts,
    versions: [{ tag: '1.1.5', apks: [...(first?.apks ?? []), ...(second?.apks ?? [])] }],
  });
  for (const [variant, name] of [
    [1, 'messages-7-'],
    [2, 'messages-8-'],
  ] as const) {
    const { recipe, todos } = await imported(t, 'org.fossify.messages', both, { variant });
    t.true(recipe.channels['release']?.pairs?.[0]?.published.startsWith(name));
    t.regex(todos.find(({ field }) => field === 'apks')?.why ?? '', /1\.1\.5 has 2 files/);
  }
});

test('tags without a version are told and left out; a pattern that never ends is not run', async (t) => {
  const facts = RBTLOG['org.fossify.messages'] as { versions: object[] };
  const odd = { ...facts, versions: [{ ...facts.versions[0], tag: 'latest' }, ...facts.versions.slice(1)] };
  const { todos } = await imported(t, 'org.fossify.messages', asYaml(odd));
  t.true(todos.some(({ field, why }) => field === 'tag' && why.startsWith('latest has no version')));
  const evil = await imported(
    t,
    'org.fossify.messages',
    asYaml({ ...facts, updates: 'tags:(([a-z0-9]+)*)+$' }),
  );
  t.true(
    evil.todos.some(({ field, why }) => field === 'updates' && why.includes('no pattern that could be read')),
  );
});

const good = asYaml(RBTLOG['org.fossify.messages'] ?? {});
for (const [what, text, place] of [
  ['an unknown key', `${good}extra: 1\n`, /:\d+:1 extra: unknown key/],
  [
    'an address without TLS',
    good.replace('repository: https', 'repository: http'),
    /:1:13 repository: expected an https/,
  ],
  [
    'updates of another kind',
    good.replace('updates: releases', 'updates: sometimes'),
    /:2:10 updates: expected releases/,
  ],
  [
    'no versions',
    'repository: https://example.org/a.git\nupdates: manual\nversions: []\n',
    /:3:11 versions: expected at least one/,
  ],
  ['a digest that is none', good.replaceAll('2d2d5', 'zz2d5'), /sha256: expected a SHA-256/],
  ['a path with commands', good.replaceAll('/build/repo', '/build/$(id)'), /build_repo_dir: expected a path/],
  [
    'a JDK that is missing',
    good.replace(/ +jdk:.*\n/, ''),
    /provisioning\.jdk: expected text, but it is missing/,
  ],
] as const)
  test(`refused with its place: ${what}`, async (t) => {
    const error = await t.throwsAsync(imported(t, 'org.fossify.messages', text), { instanceOf: UsageError });
    t.is(error.code, 'import-invalid');
    t.regex(error.message, place);
  });

test('words of the metadata are words in the script', async (t) => {
  const text = good.replaceAll('openjdk-17-jdk-headless', "openjdk'; id; '");
  const { recipe } = await imported(t, 'org.fossify.messages', text);
  t.true(scriptOf(recipe, PREPARE).includes(`'openjdk'\\''; id; '\\'''`));
});
