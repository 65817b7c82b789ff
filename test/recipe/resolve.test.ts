// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { lookupsFor } from '../../src/recipe/lookups.js';
import { listVersions, resolveVersion } from '../../src/recipe/resolve.js';
import { readRecipe, replaced, smallRecipe } from '../helpers/recipes.js';

test('versions are listed newest first, with those that have no source in their place', (t) => {
  const versions = listVersions(readRecipe('telegram-android'), []);
  t.is(versions[0]?.version, '12.10.6');
  const names = versions.map(({ version }) => version);
  t.is(new Set(names).size, names.length);
  const at = names.indexOf('10.14.4');
  t.deepEqual(names.slice(at - 1, at + 2), ['10.14.5', '10.14.4', '10.14.3']);
  t.truthy(versions[at]?.withoutSource);
});

test('a version is what the first strategy that knows it says; of a range the newest counts that any knows', (t) => {
  const facts = [
    {
      kind: 'git-refs',
      repository: 'https://example.org/small',
      refs: [
        { name: 'refs/tags/v10.10', commit: 'cc'.repeat(20) },
        { name: 'refs/tags/v10.11', commit: 'dd'.repeat(20) },
      ],
    },
  ] as const;
  const tags = "    - kind: tag\n      templates: ['v{version}']\n";
  const after = smallRecipe(replaced('channels:\n', `${tags}channels:\n`));
  t.is(resolveVersion(after, '10.10', facts).candidate.commit, 'b2'.repeat(20));
  t.is(resolveVersion(after, '10.x', facts).candidate.version, '10.11');
  t.is(resolveVersion(after, '10.x', []).candidate.version, '10.10');
  t.is(resolveVersion(after, '<=10.10', facts).candidate.commit, 'b2'.repeat(20));
  t.is(resolveVersion(after, '10.11', facts).candidate.commit, 'dd'.repeat(20));
  const before = smallRecipe(replaced('  resolve:\n', `  resolve:\n${tags}`));
  t.is(resolveVersion(before, '10.10', facts).candidate.commit, 'cc'.repeat(20));
  t.is(resolveVersion(before, '10.x', facts).candidate.version, '10.11');
  t.is(resolveVersion(before, '10.9.1', facts).candidate.by, 'pinned');
});

test('a map that is complete for the range is not asked about; any other leaves room for newer versions', (t) => {
  const tags = "    - kind: tag\n      templates: ['v{version}']\n";
  const recipe = smallRecipe(replaced('channels:\n', `${tags}channels:\n`));
  const refs = { kind: 'git-refs', repository: 'https://example.org/small', optional: true } as const;
  t.deepEqual(lookupsFor(recipe, { version: 'latest' }), [refs]);
  t.deepEqual(lookupsFor(recipe, { version: '10.10' }), []);
  t.deepEqual(resolveVersion(recipe, 'latest', []).newestKnown, {
    asked: 'latest',
    why: 'the tags of https://example.org/small could not be looked up',
  });
  t.is(resolveVersion(recipe, '10.10', []).newestKnown, undefined);
  const asked = [{ kind: 'git-refs', repository: 'https://example.org/small', refs: [] }] as const;
  t.is(resolveVersion(recipe, 'latest', asked).newestKnown, undefined);
  t.deepEqual(resolveVersion(smallRecipe(), 'latest', []).newestKnown, {
    asked: 'latest',
    why: 'it has a list of versions, and nothing to look others up by',
  });
  const telegram = readRecipe('telegram-android');
  t.deepEqual(lookupsFor(telegram, { version: '10.x' }), []);
  t.is(resolveVersion(telegram, '10.x', []).newestKnown, undefined);
  t.deepEqual(
    lookupsFor(telegram, { version: 'latest' }).map(({ kind }) => kind),
    ['git-refs', 'git-subjects'],
  );
  const { version, commit } = resolveVersion(telegram, 'latest', [
    { kind: 'git-refs', repository: 'https://github.com/DrKLO/Telegram', refs: [] },
    {
      kind: 'git-subjects',
      repository: 'https://github.com/DrKLO/Telegram',
      commits: [{ commit: 'ee'.repeat(20), subject: 'update to 12.11.0 (7200)', date: '2026-11-20' }],
    },
  ]).candidate;
  t.deepEqual([version, commit], ['12.11.0', 'ee'.repeat(20)]);
});

test('a beta is no release of the channel that has none, unless it is asked for by name', (t) => {
  const recipe = readRecipe('telegram-x-android');
  const repository = 'https://github.com/TGX-Android/Telegram-X';
  const refs = ['v0.28.12.1806', 'v0.28.12.1807-beta'].map((name, at) => ({
    name,
    commit: `${at}1`.repeat(20),
  }));
  const newest = (channel: string, asked = 'latest'): readonly (string | undefined)[] =>
    [[], [{ kind: 'git-refs', repository, refs } as const]].map(
      (facts) => resolveVersion(recipe, asked, facts, { channel }).candidate.version,
    );
  t.deepEqual(newest('github'), ['0.28.3.1785', '0.28.12.1806']);
  t.deepEqual(newest('github-beta'), ['0.28.11.1805', '0.28.12.1807']);
  t.deepEqual(newest('github', '0.28.11.1805'), ['0.28.11.1805', '0.28.11.1805']);
});

test('a release is found by its name where the tag says something else', (t) => {
  const names =
    "    - kind: release-name\n      evidence: the release page\n      releases: [{ name: '11.0', tag: build-77 }]\n";
  const recipe = smallRecipe(replaced('channels:\n', `${names}channels:\n`));
  const repository = 'https://example.org/small';
  const commit = 'cc'.repeat(20);
  const { candidate } = resolveVersion(recipe, '11.0', [
    { kind: 'git-refs', repository, refs: [{ name: 'build-77', commit }] },
  ]);
  t.deepEqual(candidate, { version: '11.0', by: 'release-name', ref: 'build-77', commit });
  t.is(resolveVersion(recipe, '11.0', []).candidate.commit, undefined);
});

test('a number behind a hyphen belongs to the version, unless the template calls it the build', (t) => {
  const repository = 'https://example.org/small';
  const found = (template: string, ...tags: readonly string[]): readonly string[] => {
    const strategy = `    - kind: tag\n      templates: ['${template}']\n`;
    const refs = tags.map((tag, i) => ({ name: `refs/tags/${tag}`, commit: `${i}`.repeat(40) }));
    return listVersions(smallRecipe(replaced('  resolve:\n', `  resolve:\n${strategy}`)), [
      { kind: 'git-refs', repository, refs },
    ]).flatMap(({ version, build, by }) =>
      by === 'tag' ? [`${version}${build === undefined ? '' : ` ${build}`}`] : [],
    );
  };
  t.deepEqual(found('v{version}', 'v11.2-3', 'v11.2', 'v11.2-beta1', 'v11.2-armv7a', 'v11.2-3-fdroid'), [
    '11.2-3',
    '11.2',
    '11.2-beta1',
  ]);
  t.deepEqual(found('{version}-fdroid', '11.2-3-fdroid', '11.2-3', '11.2-fdroid'), ['11.2-3', '11.2']);
  t.deepEqual(found('{version}-{build}', '11.2-1142'), ['11.2 1142']);
});
