// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { bestVerdict } from '../../src/operations/best-verdict.js';
import { messengersTable, withMessengers } from '../../src/operations/messengers.js';
import { statusRows, summaryOf } from '../../src/operations/status.js';
import type { Recipe } from '../../src/recipe/schema.js';
import type { IndexedReport, ReportIndex } from '../../src/report/report-index.js';
import { document, verify } from '../helpers/transcript.js';
import { replaced, smallRecipe } from '../helpers/recipes.js';

const R = 'reproducible';
const E = 'equivalent';
const U = 'unreproducible';

for (const [verdicts, summary] of [
  [[], 'no report'],
  [[R], 'reproduced'],
  [[E], 'reproduced'],
  [[R, E, R], 'last 3 reproduced'],
  [[R, R, U, R], 'last 2 reproduced'],
  [[U], 'not reproduced'],
  [[U, R, R], 'last 2 reproduced, this one not'],
  [[U, U, R], 'not reproduced'],
  [['unverifiable', R], 'last 1 reproduced, this one could not be checked'],
  [['unbuildable'], 'did not build'],
  [['not-authentic', R], 'last 1 reproduced, this file was not the publisher’s'],
] as const)
  test(`${verdicts.join(', ') || 'nothing'}: ${summary}`, (t) => {
    t.is(summaryOf(verdicts), summary);
  });

const entry = (version: string, channel: string, more: Partial<IndexedReport> = {}): IndexedReport => ({
  app: 'small',
  version,
  channel,
  verdict: R,
  title: 'Reproduced',
  statementSha256: 'a'.repeat(64),
  time: '2026-01-01T00:00:00.000Z',
  ...more,
});
const indexOf = (...entries: readonly IndexedReport[]): ReportIndex => ({
  schemaVersion: 1,
  files: {},
  reports: Object.fromEntries(entries.map((one, at) => [`place-${at}`, one])),
});

test('rows are of one channel each, with the newest version first, whatever the order of the reports', (t) => {
  const rows = statusRows(
    [smallRecipe()],
    indexOf(
      entry('10.10', 'website', { verdict: U }),
      entry('10.9.1', 'website'),
      entry('10.2', 'website'),
      entry('10.11', 'elsewhere'),
    ),
  );
  t.deepEqual(
    rows.map(({ channel, summary, versions }) => [channel, summary, versions.map(({ version }) => version)]),
    [
      ['website', 'last 2 reproduced, this one not', ['10.10', '10.9.1', '10.2']],
      ['elsewhere', 'reproduced', ['10.11']],
    ],
  );
});

test('of one version the newest report that stands counts', (t) => {
  const rows = statusRows(
    [smallRecipe()],
    indexOf(
      entry('10.10', 'website', { verdict: U }),
      entry('10.10', 'website', { time: '2026-01-02T00:00:00.000Z', statementSha256: 'b'.repeat(64) }),
      entry('10.10', 'website', {
        time: '2026-01-03T00:00:00.000Z',
        statementSha256: 'c'.repeat(64),
        verdict: U,
        notes: [{ kind: 'withdrawal', date: '2026-01-04', file: '1.json' }],
      }),
    ),
  );
  t.like(rows[0]?.versions[0], { verdict: R, date: '2026-01-02', reports: 2 });
});

test('an app without a recipe is told as well; an app without reports has its row', (t) => {
  const rows = statusRows(
    [smallRecipe()],
    indexOf(entry('>=1 <2', 'any', { app: 'other', verdict: 'unverifiable' })),
  );
  t.deepEqual(
    rows.map(({ app, summary }) => [app, summary]),
    [
      ['small', 'no report'],
      ['other', 'could not be checked'],
    ],
  );
});

// ---------------------------------------------------------------- the table

const encrypted = replaced(
  '    rules:\n',
  '    encryption: { scheme: FairPlay, shows: names, hides: code }\n    rules:\n',
);
const without = (part: RegExp) => (text: string) => text.replace(part, '');
const RULES = /    rules:\n(?:      .*\n)*/;

for (const [what, recipe, best] of [
  ['the store’s own edits', smallRecipe(), 'equivalent'],
  ['a file of the website', smallRecipe(without(RULES)), 'reproducible'],
  ['a file that the store encrypts', smallRecipe(encrypted), 'unverifiable`: encrypted'],
  [
    'a file that the store makes',
    smallRecipe((text) => without(RULES)(text).replace('builtBy: publisher', 'builtBy: store')),
    'equivalent',
  ],
  ['no source', { ...smallRecipe(), source: undefined } as Recipe, 'unverifiable`: no-source'],
] as const)
  test(`at best, ${what}: ${best}`, (t) => {
    t.true(bestVerdict(recipe, 'website').includes(best), bestVerdict(recipe, 'website'));
  });

const missing = (where: string, canChangeOutput: string, more = '') =>
  replaced(
    'builds:\n',
    `${where}: [{ what: a key, note: secret, reference: x, canChangeOutput: '${canChangeOutput}'${more} }]\nbuilds:\n`,
  );

for (const [what, edit, best] of [
  ['a value that is not published', missing('unpublished', 'yes'), '`unreproducible`: unpublished inputs'],
  ['the same of an older version', missing('unpublished', 'yes', ", versions: '<10'"), '`reproducible`'],
  ['the same of another channel', missing('unpublished', 'yes', ', channels: [play]'), '`reproducible`'],
  [
    'a value that may matter',
    missing('unpublished', 'unknown'),
    '`reproducible`, if the stand-ins are right',
  ],
  ['a value that does not matter', missing('unpublished', 'no'), '`reproducible`'],
  [
    'what a server says that day',
    missing('liveInputs', 'yes'),
    '`unreproducible`: inputs of the day, unless unchanged',
  ],
] as const)
  test(`at best, ${what}: ${best}`, (t) => {
    const recipe = smallRecipe((text) =>
      edit(
        without(RULES)(text).replace(
          'builds:\n',
          'unsupportedChannels: [{ channel: play, reason: x }]\nbuilds:\n',
        ),
      ),
    );
    t.is(bestVerdict(recipe, 'website'), best);
    const [, , row = ''] = messengersTable([recipe], indexOf()).split('\n');
    t.is(row.includes('a key'), best !== '`reproducible`' || what.includes('does not matter'), row);
  });

test('of what cannot be checked yet nothing is said at best, and nothing of another channel', (t) => {
  const recipe = smallRecipe(
    replaced(
      'builds:\n',
      'unsupportedChannels: [{ channel: play, platform: web, reason: not | yet }]\nbuilds:\n',
    ),
  );
  t.is(bestVerdict(recipe, 'play'), '–');
  const table = messengersTable([recipe], indexOf(entry('10.10', 'website')), {
    small: [{ title: 'others', url: 'https://example.org/' }],
  });
  const [, , website = '', play = ''] = table.split('\n');
  t.regex(website, /\| \[`reproducible`\]\(reports\/place-0\/report\.md\) 10\.10, 2026-01-01 \|/);
  t.regex(website, /\(\[others\]\(https:\/\/example\.org\/\)\)/);
  // what one channel was found to be is not said of another
  t.notRegex(play, /2026/);
  t.regex(play, /\| web \| play \|.*not \\\| yet/);
  for (const line of table.split('\n')) t.is(line.replaceAll('\\|', '').split('|').length, 11);
});

/** The website's channel once more, under another name. */
const twin = (id: string, edit: (text: string) => string = (text) => text) =>
  smallRecipe((text) => {
    const own = /  website:\n(?:    .*\n)+/.exec(text)?.[0] ?? '';
    return text.replace(own, own + edit(own.replace('website', id)));
  });

test('channels that differ in the ABI alone stand in one row, each with its own verdict', (t) => {
  const index = indexOf(entry('10.10', 'website'), entry('10.10', 'website-x86-64', { verdict: U }));
  const rows = messengersTable([twin('website-x86-64')], index)
    .split('\n')
    .slice(2);
  t.is(rows.length, 1);
  t.regex(rows.join(), /\| website, website-x86-64 \|/);
  t.regex(
    rows.join(),
    /\| website: \[`reproducible`\]\(reports\/place-0[^|]*; website-x86-64: \[`unreproducible`\]\(reports\/place-1/,
  );
  t.regex(
    messengersTable([twin('website-x86-64')], indexOf(entry('10.10', 'website-x86-64')))
      .split('\n')
      .at(-1) ?? '',
    /\| website-x86-64: \[`reproducible`\]/,
  );
});

for (const [what, recipe] of [
  ['another name', twin('website-beta')],
  ['another bound', twin('website-x86', without(RULES))],
] as const)
  test(`a channel with ${what} keeps its row`, (t) => {
    const rows = messengersTable([recipe], indexOf()).split('\n').slice(2);
    t.is(rows.length, 2);
  });

test('a page without its marks is refused', (t) => {
  t.throws(() => withMessengers('# nothing\n', 'table'), { message: /no place/ });
});

test('verify status: a row for each app and channel, also as JSON', async (t) => {
  const text = await verify(['status']);
  t.is(text.code, 0);
  t.regex(text.stdout, /^demo +android +demo +reproduced +1\.0\.0 reproducible \(\d{4}-/m);
  const json = await verify(['status', '--json', '--quiet']);
  const rows = document(t, json) as readonly { readonly app: string; readonly summary: string }[];
  t.is(rows.find(({ app }) => app === 'demo')?.summary, 'reproduced');
  t.is((await verify(['status', '--last', '0'])).code, 64);
  t.is((await verify(['status', '--reports', 'nowhere'])).code, 75);
});
