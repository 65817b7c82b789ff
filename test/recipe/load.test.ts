// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import test from 'ava';
import fc from 'fast-check';
import { UsageError } from '../../src/errors.js';
import { checkRecipe, parseRecipe, recipeDigest } from '../../src/recipe/load.js';
import { replaced, SMALL_RECIPE } from '../helpers/recipes.js';

function problemsOf(text: string): readonly string[] {
  const checked = checkRecipe('small.yaml', text);
  if (checked.kind === 'valid') return [];
  return checked.problems.map(({ line, column, path, message }) => `${line}:${column} ${path}: ${message}`);
}

/** Line and column of the first place where `needle` stands. */
function place(text: string, needle: string): string {
  const before = text.slice(0, text.indexOf(needle)).split('\n');
  return `${before.length}:${(before.at(-1) ?? '').length + 1}`;
}

test('the small recipe is valid, and its digest is what sha256sum prints', (t) => {
  t.deepEqual(problemsOf(SMALL_RECIPE), []);
  t.is(parseRecipe('small.yaml', SMALL_RECIPE).app, 'small');
  t.is(recipeDigest('a\n'), createHash('sha256').update('a\n').digest('hex'));
});

const bad = test.macro({
  exec(t, _what: string, from: string, to: string, at: string, path: string, message: RegExp) {
    const text = replaced(from, to)(SMALL_RECIPE);
    const found = problemsOf(text);
    const wanted = `${place(text, at)} ${path}: `;
    const hit = found.find((line) => line.startsWith(wanted));
    t.truthy(hit, `expected a problem at ${wanted}, got\n${found.join('\n')}`);
    t.regex(hit?.slice(wanted.length) ?? '', message);
    t.is(found.length, 1);
  },
  title: (_, what: string) => `${what} is refused at its line and column`,
});

test(
  bad,
  'a typo in a key',
  'packageId:',
  'packagId:',
  'packagId',
  'channels.website.packagId',
  /^unknown key: .*did you mean packageId\?/,
);
test(
  bad,
  'an unquoted version',
  "version: '10.10'",
  'version: 10.10',
  '10.10\n',
  'versions.resolve[0].versions[1].version',
  /^expected text, got number 10\.1: put it in quotes, "10\.10"$/,
);
test(bad, 'a number for text', 'title: Small', 'title: 5', '5\nplatform', 'title', /put it in quotes, "5"/);
test(
  bad,
  'text for a number',
  'cpus: 1',
  'cpus: many',
  'many',
  'builds[0].environment.cpus',
  /^expected number, got string "many"$/,
);
test(
  bad,
  'a list for a map',
  '{ times: 10, plus: 9 }',
  '[10, 9]',
  '[10, 9]',
  'channels.website.versionCode',
  /^expected a map, got a list$/,
);
test(
  bad,
  'a missing key',
  '    builtBy: publisher\n',
  '',
  'title: Website',
  'channels.website.builtBy',
  /publisher, distribution, store, got nothing/,
);
test(
  bad,
  'an unknown rule',
  'rule: play',
  'rule: plai',
  'plai',
  'channels.website.rules[0].rule',
  /^expected one of apk-signing-block, .*play-types-count, .*play, appstore, got "plai" \(did you mean play\?\)$/,
);
test(
  bad,
  'an unknown kind of strategy',
  'kind: pinned',
  'kind: pined',
  'pined',
  'versions.resolve[0].kind',
  /pinned, tag, commit-subject, release-name, debian-archive, bundled, got "pined" \(did you mean pinned\?\)/,
);
test(
  bad,
  'a short commit',
  'a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1',
  '1111aaaa',
  '1111aaaa',
  'versions.resolve[0].versions[0].commit',
  /40 or 64 lower case hex digits/,
);
test(
  bad,
  'a bad range',
  "versions: '>=10 <11'",
  "versions: '10 to 11'",
  "'10 to 11'",
  'builds[0].versions',
  /a version or a range/,
);
test(
  bad,
  'an app id with an underscore',
  'app: small',
  'app: small_app',
  'small_app',
  'app',
  /^expected an app id/,
);
test(
  bad,
  'an output that leaves the tree',
  'out/small-{version}.apk',
  '../../small.apk',
  "'../../small.apk'",
  'builds[0].outputs[0].path',
  /at most one leading/,
);
test(
  bad,
  'a network without reason in the build phase',
  'network: false',
  'network: true',
  'name: build',
  'builds[0].phases[0].networkReason',
  /the build phase has no network unless the recipe says why/,
);
test(
  bad,
  'an image digest without evidence',
  '{ kind: lock, name: debian-12 }',
  `{ kind: registry, reference: a, digest: 'sha256:${'0'.repeat(64)}' }`,
  '{ kind: registry',
  'builds[0].environment.image.evidence',
  /missing/,
);
test(
  bad,
  'an unknown schema version',
  'schemaVersion: 1',
  'schemaVersion: 2',
  '2\napp',
  'schemaVersion',
  /expected 1/,
);
test(
  bad,
  'a bad channel id',
  '  website:\n',
  '  Web Site:\n',
  'Web Site',
  'channels."Web Site"',
  /channel id/,
);
test(
  bad,
  'a repository with a user',
  'https://example.org/small',
  'https://me@example.org/small',
  'https://me@',
  'source.repository',
  /without user/,
);
test(bad, 'a key that stands twice', 'app: small', 'app: small\napp: other', 'app: other', '', /unique/i);
test(bad, 'an unknown YAML tag', 'title: Small', 'title: !!js/function Small', '!!js', '', /tag/i);
test(bad, 'an alias without anchor', 'title: Small', 'title: *nowhere', '*nowhere', 'title', /nowhere/);
test(
  bad,
  'the key __proto__',
  'title: Small',
  'title: Small\n__proto__: {}',
  'schemaVersion',
  '',
  /__proto__/,
);

test('a cycle is named, with the place of the alias', (t) => {
  const text = replaced('outputs:\n', 'deviations: &loop\n      - *loop\n    outputs:\n')(SMALL_RECIPE);
  t.deepEqual(problemsOf(text), [
    `${place(text, '*loop')} builds[0].deviations[0]: alias *loop refers to a node around itself (a cycle)`,
  ]);
});

test('an alias bomb is refused at once', (t) => {
  const levels = Array.from(
    { length: 30 },
    (_, i) =>
      `a${i}: &a${i} [${
        i === 0
          ? 'x'
          : Array(9)
              .fill(`*a${i - 1}`)
              .join(', ')
      }]`,
  );
  const started = performance.now();
  const found = problemsOf(`${levels.join('\n')}\n`);
  t.is(found.length, 1);
  t.regex(found[0] ?? '', /alias bomb/);
  t.true(performance.now() - started < 2000);
});

test('nesting deeper than any stack is refused, not a crash', (t) => {
  for (const depth of [60, 100_000])
    t.true(problemsOf(`a: ${'['.repeat(depth)}${']'.repeat(depth)}\n`).length > 0);
});

test('a recipe of a megabyte is refused before it is read', (t) => {
  t.regex(problemsOf('#'.repeat(1024 * 1024))[0] ?? '', /expected at most 524288 characters, got 1048576/);
});

test('text that is no map, and no text at all', (t) => {
  t.regex(problemsOf('')[0] ?? '', /expected a map/);
  t.regex(problemsOf('- 1\n')[0] ?? '', /expected a map, got a list/);
  t.regex(problemsOf('a: [\n')[0] ?? '', /not valid YAML/);
});

test('all problems are told at once, in the order of their lines', (t) => {
  const edits = [
    replaced('title: Small', 'titel: Small'),
    replaced("version: '10.10'", 'version: 10.10'),
    replaced('rule: play', 'rule: plai'),
    replaced('cpus: 1', 'cpus: 0'),
  ];
  const text = edits.reduce((current, edit) => edit(current), SMALL_RECIPE);
  const error = t.throws(() => parseRecipe('recipes/small.yaml', text), { instanceOf: UsageError });
  t.is(error?.code, 'recipe-invalid');
  const lines = error?.message.split('\n') ?? [];
  t.is(lines.length, 5);
  t.true(lines.every((line) => /^recipes\/small\.yaml:\d+:\d+ \S+: /.test(line)));
  const numbers = lines.map((line) => Number(line.split(':')[1]));
  t.deepEqual(
    numbers,
    [...numbers].sort((a, b) => a - b),
  );
});

test('aliases to earlier nodes are fine, and problems under them are found', (t) => {
  const shared = replaced('pairs: [', 'notPublished: []\n    signers: &none []\n    pairs: [')(SMALL_RECIPE);
  t.deepEqual(problemsOf(shared), []);
  const text = replaced('cpus: 1\n', 'cpus: 1\n      variables: &v { lower: x }\n')(SMALL_RECIPE);
  t.regex(problemsOf(text)[0] ?? '', /upper case/);
});

test('whatever a recipe holds, it is answered by data or by problems within the file', (t) => {
  const lines = SMALL_RECIPE.split('\n');
  const piece = fc.oneof(
    fc.constantFrom(
      '&a',
      '*a',
      '- ',
      '? ',
      ': ',
      '{',
      ']',
      '!!',
      '|',
      '\t',
      '"',
      "'",
      '10.10',
      '~',
      '\u0000',
      '\u001b[2J',
    ),
    fc.string({ maxLength: 8 }),
  );
  const edit = fc.tuple(fc.nat(lines.length - 1), fc.nat(60), fc.nat(5), piece);
  fc.assert(
    fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
      const changed = [...lines];
      for (const [at, column, removed, added] of edits) {
        const line = changed[at] ?? '';
        changed[at] = line.slice(0, column) + added + line.slice(column + removed);
      }
      const text = changed.join('\n');
      const checked = checkRecipe('small.yaml', text);
      if (checked.kind === 'valid') return true;
      const height = text.split('\n').length;
      return (
        checked.problems.length > 0 &&
        checked.problems.every(
          ({ line, column, message }) => line >= 1 && line <= height && column >= 1 && message !== '',
        )
      );
    }),
    { numRuns: 1500 },
  );
  t.pass();
});
