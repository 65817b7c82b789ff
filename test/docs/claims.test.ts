// SPDX-License-Identifier: Apache-2.0
/** docs/claims.md and README's table: what recipes, reports and claims.yaml give, in the same words for everybody. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { claimsPage, versionOf } from '../../src/operations/claims-page.js';
import { parseClaims } from '../../src/operations/claims.js';
import { generatedPages } from '../../src/operations/generated-pages.js';
import { packageDirectory } from '../helpers/cli.js';
import { replaced, smallRecipe } from '../helpers/recipes.js';

const read = (file: string): string => readFileSync(path.join(packageDirectory, file), 'utf8');
const SOURCE = read('docs/claims.yaml');

test('the pages are those that recipes, reports and claims give: `npm run docs:messengers`', async (t) => {
  for (const [page, text] of Object.entries(await generatedPages())) t.is(read(page), text, page);
});

test('every claim is told in the same parts, whoever made it', (t) => {
  const sections = read('docs/claims.md').split(/^## /m).slice(1, -1);
  t.is(sections.length, parseClaims(SOURCE).claims.length);
  const shapes = sections.map((section) =>
    [...section.matchAll(/^- \*\*([^*]+)\*\*/gm)]
      .map(([, label]) => label)
      .filter((label) => label !== 'Unconfirmed')
      .join(', '),
  );
  t.deepEqual(
    [...new Set(shapes)].sort(),
    [
      'Said, Read, Out of scope',
      'Said, Read, What would test it, What was tested, What cannot be tested',
    ].sort(),
  );
});

const SMALL = `claims:
  - id: one
    by: A maker
    date: '2026-01'
    quote: the best app of all
    url: https://example.org/
    read: { at: 'https://example.org/', on: '2026-01-02', copy: false }
    kind: build
    apps: [small]
    test: the published file against the rebuilt one
    cannot: what the server does
`;

for (const [what, edit, says] of [
  [
    'a word that judges',
    replaced('the published file', 'the misleading file'),
    /one\.test: "misleading" judges/,
  ],
  ['a word that judges, of who said it', replaced('A maker', 'An honest maker'), /one\.by: "honest" judges/],
  ['a claim without a day on which it was read', replaced("on: '2026-01-02'", "on: '2026-01'"), /read\.on/],
  ['a quotation of nothing', replaced('the best app of all', "''"), /quote/],
  ['an address that is none', replaced('url: https://example.org/', 'url: javascript:1'), /url/],
  [
    'a claim about a build without a test',
    replaced('    test: the published file against the rebuilt one\n', ''),
    /test/,
  ],
  ['a protocol with a test', replaced('kind: build', 'kind: protocol'), /claims\.0/],
  ['a sentence of its own', replaced('what the server does', 'what the server does.'), /without full stop/],
  ['an unknown key', replaced('    by: A maker', '    by: A maker\n    verdict: good'), /verdict/],
  ['the same claim twice', (text: string) => `${text}${text.replace('claims:\n', '')}`, /stands twice/],
] as const)
  test(`refused: ${what}`, (t) => {
    t.notThrows(() => parseClaims(SMALL));
    const error = t.throws(() => parseClaims(edit(SMALL)), { code: 'claims-invalid' });
    t.regex(error?.message ?? '', says);
  });

const dated = smallRecipe((text) =>
  text
    .replace("version: '10.9.1'\n", "version: '10.9.1'\n          date: '2026-01-31'\n")
    .replace("version: '10.10'\n", "version: '10.10'\n          date: '2026-02-01'\n"),
);

test('the version of a claim’s date is the newest that is not younger', (t) => {
  t.is(versionOf(dated, '2026-01'), '10.9.1');
  t.is(versionOf(dated, '2026'), '10.10');
  t.is(versionOf(dated, '2026-01-30'), undefined);
  t.is(versionOf(smallRecipe(), '2026'), undefined);
});

test('what was tested is told channel by channel: the version of the claim’s date, and the newest', (t) => {
  const report = (version: string, channel: string, verdict: 'reproducible' | 'unreproducible') => ({
    app: 'small',
    version,
    channel,
    verdict,
    title: '',
    statementSha256: 'a'.repeat(64),
    time: '2026-05-01T00:00:00.000Z',
  });
  const page = claimsPage(parseClaims(SMALL), [dated], {
    schemaVersion: 1,
    files: {},
    reports: {
      a: report('10.9.1', 'website', 'unreproducible'),
      b: report('10.10', 'website', 'reproducible'),
      c: report('10.10', 'github', 'reproducible'),
    },
  });
  t.regex(page, /website: 10\.9\.1 `unreproducible` \(\[report\].*\); 10\.10 `reproducible`/);
  t.regex(page, /github: no report of 10\.9\.1; 10\.10 `reproducible`/);
  t.regex(page, /newest version dated up to [0-9-]+: 10\.9\.1/);
});

test('versions of others are told from the oldest to the newest, in whatever order they are listed', (t) => {
  const known = smallRecipe(
    (text) =>
      `${text}\nknownResults:\n  - { by: somebody, versions: ['10.10', '10.2', '10.9'], channel: website, result: reproducible, url: 'https://example.org/' }\n`,
  );
  const page = claimsPage(parseClaims(SMALL), [known], { schemaVersion: 1, files: {}, reports: {} });
  t.regex(page, /3 versions from 10\.2 to 10\.10: reproducible/);
});
