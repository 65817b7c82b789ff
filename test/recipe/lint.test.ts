// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import test from 'ava';
import { lintRecipe, lintRecipes } from '../../src/recipe/lint.js';
import { rangeFaults } from '../../src/recipe/lint-ranges.js';
import { readRecipe, recipeFiles, replaced, smallRecipe } from '../helpers/recipes.js';

test('the recipes of this project have no problem', (t) => {
  const recipes = recipeFiles().map((file) => ({
    file: `recipes/${file}`,
    recipe: readRecipe(file.replace('.yaml', '')),
  }));
  t.true(recipes.length >= 5);
  t.deepEqual(lintRecipes(recipes), []);
});

test('every Dockerfile of ours that a recipe names is there', (t) => {
  for (const file of recipeFiles())
    for (const { environment } of readRecipe(file.replace('.yaml', '')).builds)
      if (environment.dockerfile?.kind === 'override')
        t.true(
          existsSync(new URL(`../../../${environment.dockerfile.path}`, import.meta.url)),
          environment.dockerfile.path,
        );
  t.pass();
});

test('every key that a recipe names is there', (t) => {
  for (const file of recipeFiles())
    for (const { acquisition } of Object.values(readRecipe(file.replace('.yaml', '')).channels))
      if (acquisition.kind === 'debian-repository')
        t.true(
          existsSync(new URL(`../../../recipes/keys/${acquisition.key.file}`, import.meta.url)),
          acquisition.key.file,
        );
  t.pass();
});

const found = test.macro({
  exec(t, code: string, from: string, to: string) {
    const problems = lintRecipe(smallRecipe(replaced(from, to)));
    t.true(
      problems.some((problem) => problem.code === code),
      JSON.stringify(problems),
    );
  },
  title: (_, code: string, from: string, to: string) =>
    `${code}: ${to === '' ? `without ${from.trim().split('\n')[0] ?? ''}` : (to.trim().split('\n')[0] ?? '')}`,
});

const BY_HAND = 'acquisition: { kind: handed-over, how: download it }';

test('the small recipe has no problem', (t) => {
  t.deepEqual(lintRecipe(smallRecipe()), []);
});
test(found, 'tag-of-one-version', BY_HAND, `tag: beta\n    ${BY_HAND}`);
test(found, 'unknown-placeholder', BY_HAND, `tag: 'v{version}{x}'\n    ${BY_HAND}`);
const OUTPUTS = '    outputs:\n';
const GONE = '{ kind: image, reference: mirror.example/x, reason: a copy }';
test(found, 'fallback-without-image', OUTPUTS, `    fallbacks: [${GONE}]\n${OUTPUTS}`);
const UNUSED =
  "{ kind: address, of: 'https://a.example/', by: 'https://b.example/', reason: moved, canChangeOutput: no }";
test(
  found,
  'fallback-unused',
  OUTPUTS,
  `    fallbacks: [${UNUSED.replace(': no }', ": 'no' }")}]\n${OUTPUTS}`,
);
test(
  found,
  'fallback-same',
  OUTPUTS,
  `    fallbacks: [${UNUSED.replace('b.example', 'a.example').replace(': no }', ": 'no' }")}]\n${OUTPUTS}`,
);
test('only a container has another host name, or another number of CPUs', (t) => {
  const vary = (image: string): readonly string[] =>
    lintRecipe(
      smallRecipe((text) =>
        replaced(
          '{ kind: lock, name: debian-12 }',
          image,
        )(text).replace(OUTPUTS, `    vary: [cpus, time-zone]\n${OUTPUTS}`),
      ),
    )
      .filter(({ code }) => code === 'vary-impossible')
      .map(({ message }) => message);
  t.deepEqual(vary('{ kind: lock, name: debian-12 }'), []);
  t.deepEqual(vary('{ kind: none }'), ['cpus cannot be varied without a container']);
  t.is(vary('{ kind: host, system: macos }').length, 2);
});
test(found, 'vary-twice', OUTPUTS, `    vary: [cpus, cpus]\n${OUTPUTS}`);
test(found, 'app-is-command', 'app: small', 'app: plan');
test(found, 'app-is-command', 'app: small', 'app: completion');
test(found, 'unknown-channel', 'channels:\n', 'defaultChannel: play\nchannels:\n');
test(
  found,
  'unknown-channel',
  'builds:\n',
  'unpublished: [{ channels: [play], what: a, note: b, reference: c, canChangeOutput: unknown }]\nbuilds:\n',
);
test(
  found,
  'unknown-channel',
  'builds:\n',
  "knownResults: [{ by: a, versions: ['10.10'], channel: play, result: b, url: 'https://example.org/' }]\nbuilds:\n",
);
test(
  found,
  'channel-twice',
  'channels:\n',
  'unsupportedChannels: [{ channel: website, reason: x }]\nchannels:\n',
);
test(found, 'version-twice', "version: '10.10'", "version: '10.9.1'");
test(found, 'range-gap', "versions: '>=10 <11'", "versions: '>=10.10 <11'");
test(
  found,
  'source-exists',
  '  resolve:\n',
  '  withoutSource: [{ versions: 10.10, reason: x, reference: y }]\n  resolve:\n'.replace('10.10', "'10.10'"),
);
test(
  found,
  'strategy-not-for-source',
  '    - kind: pinned\n',
  '    - kind: debian-archive\n    - kind: pinned\n',
);
test(found, 'unknown-output', 'output: app }', 'output: other }');
test(found, 'folder-and-file', '{ published: small.apk, output: app }', '{ published: small/, output: app }');
test(found, 'folder-and-file', 'out/small-{version}.apk', 'out/');
test(
  found,
  'folder-and-file',
  'acquisition: { kind: handed-over, how: download it }',
  "acquisition: { kind: site-files, entry: 'https://example.org/a/' }",
);
test('a folder that is compared with a directory has no problem', (t) => {
  const folder = (text: string): string =>
    text
      .replace('{ published: small.apk, output: app }', '{ published: a/, output: app }')
      .replace('out/small-{version}.apk', 'dist/')
      .replace(BY_HAND, "acquisition: { kind: site-files, entry: 'https://example.org/a/' }");
  t.deepEqual(lintRecipe(smallRecipe(folder)), []);
});
test(found, 'output-unpaired', '    outputs:\n', '    outputs:\n      - { id: extra, path: extra.apk }\n');
test(found, 'output-twice', '    outputs:\n', '    outputs:\n      - { id: app, path: extra.apk }\n');
test(found, 'unknown-placeholder', 'out/small-{version}.apk', 'out/small-{versoin}.apk');
test(found, 'phases', '- name: build', '- name: prepare');
test(found, 'source-date', 'sourceDateEpoch: commit', 'sourceDateEpoch: changelog');
test(found, 'time-limit', 'expectedMinutes: 1\n', 'expectedMinutes: 20\n');
test(found, 'rule-not-optional', 'rule: play', 'rule: apk-alignment');
test(found, 'rule-reference', 'reference: https://example.org/stamp', 'reference: everybody knows');
test(
  found,
  'url-and-pairs',
  'acquisition: { kind: handed-over, how: download it }\n    pairs: [{ published: small.apk, output: app }]',
  'acquisition: { kind: url, url: https://example.org/a, onlyLatest: true }',
);
const latestJson = (more: string): string =>
  `acquisition: { kind: latest-json, index: 'https://example.org/latest.json', versionField: name, urlField: url${more} }`;
const release = (tag: string, asset: string): string =>
  `acquisition: { kind: github-release, repository: owner/name, tag: '${tag}', asset: '${asset}' }`;
for (const acquisition of [
  latestJson(", url: 'https://example.org/{version}.apk'"),
  release('v{version}', 'a.apk'),
])
  test(`nothing is found in ${acquisition}`, (t) => {
    t.deepEqual(lintRecipe(smallRecipe(replaced(BY_HAND, acquisition))), []);
  });
test(found, 'unknown-placeholder', BY_HAND, latestJson(", url: 'https://example.org/{versoin}.apk'"));
test(found, 'unknown-placeholder', BY_HAND, release('v{version}', '{name}.apk'));
test(found, 'tag-of-one-version', BY_HAND, release('nightly', 'app-{version}.apk'));
test(
  found,
  'url-and-pairs',
  `${BY_HAND}\n    pairs: [{ published: small.apk, output: app }]`,
  release('v{version}', 'a.apk'),
);
test(found, 'plan-recipe-placeholder', 'make VERSION={version}', 'make VERSION={upstreamVersion}');
test(found, 'incomplete', 'source:\n  kind: git\n  repository: https://example.org/small\n', '');

test('a file that is not named after its app', (t) => {
  t.deepEqual(
    lintRecipes([{ file: 'recipes/smal.yaml', recipe: smallRecipe() }]).map(({ code, app }) => [code, app]),
    [['file-name', 'small']],
  );
});

test('the demo may be named like its command', (t) => {
  t.is(readRecipe('demo').app, 'demo');
  t.deepEqual(lintRecipe(readRecipe('demo')), []);
});

const FDROID = `{ kind: fdroid, repository: 'https://example.org/repo', fingerprint: '${'ab'.repeat(32)}' }`;
const APT = `kind: debian-repository, url: 'https://example.org/apt', suite: stable, component: main, package: small, architecture: amd64, key: { file: small.asc, fingerprints: [${'AB'.repeat(20)}] }`;
test('a channel of a repository has no problem', (t) => {
  t.deepEqual(lintRecipe(smallRecipe(replaced('{ kind: handed-over, how: download it }', FDROID))), []);
  t.deepEqual(lintRecipe(smallRecipe(replaced('kind: handed-over, how: download it', APT))), []);
});
for (const acquisition of [FDROID, `{ ${APT} }`])
  test(
    found,
    'url-and-pairs',
    'acquisition: { kind: handed-over, how: download it }\n    pairs: [{ published: small.apk, output: app }]',
    `acquisition: ${acquisition}`,
  );
test(
  found,
  'acquisition',
  '    packageId: org.example.small\n    versionCode: { times: 10, plus: 9 }\n    acquisition: { kind: handed-over, how: download it }',
  `    acquisition: ${FDROID}`,
);
test(
  found,
  'unknown-placeholder',
  '{ kind: handed-over, how: download it }',
  `{ ${APT}, version: '{versoin}' }`,
);

const faults = test.macro({
  exec(t, ranges: readonly string[], overlap: boolean, gap: boolean) {
    const { overlap: first, gap: second } = rangeFaults(ranges, 'dotted');
    t.is(first !== undefined, overlap, first);
    t.is(second !== undefined, gap, second);
  },
  title: (_, ranges: readonly string[], overlap: boolean, gap: boolean) =>
    `${ranges.join(', ')}: ${overlap ? 'overlap' : 'no overlap'}, ${gap ? 'gap' : 'no gap'}`,
});
test(faults, ['>=10 <11', '>=11 <12'], false, false);
test(faults, ['>=10 <=11', '>=11 <12'], true, false);
test(faults, ['>=10 <11', '>11 <12'], false, true);
test(faults, ['10.x', '11.x'], false, false);
test(faults, ['10.x', '12.x'], false, true);
test(faults, ['10.x', '>=10.5 <12'], true, false);
test(faults, ['*'], false, false);
test(faults, ['*', '10.x'], true, false);
test(faults, ['<10', '>=10'], false, false);
test(faults, ['10.1.x', '10.2.x', '>=10.3'], false, false);
