// SPDX-License-Identifier: Apache-2.0
/** Standing verdicts by SHA-256, from a directory and from an address, and from those that lie. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { VerifyError } from '../../src/errors.js';
import { indexReports } from '../../src/operations/index-reports.js';
import { lookup } from '../../src/operations/lookup.js';
import { storeReport } from '../../src/operations/store.js';
import type { Note, Report } from '../../src/report/types.js';
import { reportOf } from '../helpers/a-report.js';
import { aPlan } from '../helpers/a-plan.js';
import { aRun } from '../helpers/a-run.js';
import { localServer } from '../helpers/http-server.js';
import { temporaryDirectory } from '../helpers/temp-directory.js';

const PUBLISHED = Buffer.from('published\n');
const SHA256 = createHash('sha256').update(PUBLISHED).digest('hex');
const target = { app: 'chat', version: '1.0', channel: 'website' };

interface Reports {
  readonly root: string;
  readonly add: (
    day: number,
    rebuilt: Buffer,
    more?: Parameters<typeof reportOf>[2],
    run?: object,
  ) => Promise<Report>;
  readonly placeOf: (report: Report) => string;
  readonly note: (report: Report, kind: Note['kind'], about?: string) => void;
}

function reportsIn(t: ExecutionContext): Reports {
  const out = temporaryDirectory(t);
  const root = path.join(out, 'reports');
  const places = new Map<Report, string>();
  return {
    root,
    add: async (day, rebuilt, more = {}, run = {}) => {
      const time = `2026-02-${String(day).padStart(2, '0')}T00:00:00.000Z`;
      const aim = more.target ?? target;
      const { app, version } = aim;
      const plan = aPlan({ build: { app, version }, compare: { target: aim } });
      const report = await reportOf(PUBLISHED, rebuilt, {
        target,
        plan,
        run: aRun({ time, ...run }),
        ...more,
      });
      places.set(report, path.relative(root, await storeReport(report, { out })));
      return report;
    },
    placeOf: (report) => places.get(report) ?? '',
    note: (report, kind, about = report.statementSha256) => {
      const directory = path.join(root, places.get(report) ?? '', 'notes');
      mkdirSync(directory, { recursive: true });
      const note: Note = {
        schemaVersion: 1,
        kind,
        statementSha256: about,
        date: '2026-03-01',
        by: 'us',
        text: 'why',
      };
      writeFileSync(path.join(directory, `${kind}.json`), JSON.stringify(note));
    },
  };
}

const verdictIn = async (reports: string, sha256 = SHA256): Promise<string | undefined> =>
  (await lookup({ sha256: [sha256], reports })).standing[0]?.report.statement.verdict.kind;

test('the newest standing report answers; older ones are told', async (t) => {
  const { root, add } = reportsIn(t);
  await add(1, Buffer.from('other\n'));
  t.is(await verdictIn(root), 'unreproducible');
  const newer = await add(2, PUBLISHED);
  const found = await lookup({ sha256: [`sha256:${SHA256.toUpperCase()}`], reports: root });
  t.deepEqual(
    found.standing.map(({ report }) => report),
    [newer],
  );
  t.deepEqual(
    found.earlier.map(({ verdict }) => verdict),
    ['unreproducible'],
  );
  t.is(
    await verdictIn(
      root,
      SHA256.replace(/^./, (digit) => (digit === '0' ? '1' : '0')),
    ),
    undefined,
  );
});

test('a withdrawal takes the answer back, a correction is shown with it; a note about another statement does neither', async (t) => {
  const { root, add, note } = reportsIn(t);
  const report = await add(1, PUBLISHED);
  note(report, 'withdrawal', '0'.repeat(64));
  t.is(await verdictIn(root), report.statement.verdict.kind);
  note(report, 'correction');
  const found = await lookup({ sha256: [SHA256], reports: root });
  t.deepEqual(
    found.standing[0]?.notes.map(({ kind }) => kind),
    ['correction'],
  );
  note(report, 'withdrawal');
  const after = await lookup({ sha256: [SHA256], reports: root });
  t.deepEqual(after.standing, []);
  t.like(after.notStanding[0], { kind: 'withdrawn' });
});

test('a superseded report answers no more', async (t) => {
  const { root, add } = reportsIn(t);
  const first = await add(1, PUBLISHED);
  await add(2, Buffer.from('other\n'), {}, { supersedes: first.statementSha256 });
  const { standing, notStanding } = await lookup({ sha256: [SHA256], reports: root });
  t.deepEqual(
    standing.map(({ entry }) => entry.verdict),
    ['unreproducible'],
  );
  t.like(notStanding[0], { kind: 'superseded' });
});

test('a report from another source, and a comparison of two files, are no answers', async (t) => {
  const { root, add } = reportsIn(t);
  const deviations = [
    { code: 'source-replaced', what: 'a fork', reason: 'asked', canChangeOutput: 'yes' },
  ] as const;
  await add(1, PUBLISHED, { deviations });
  await storeReport(await reportOf(PUBLISHED, PUBLISHED), { out: path.dirname(root) });
  const { standing, notStanding } = await lookup({ sha256: [SHA256], reports: root });
  t.deepEqual(standing, []);
  t.deepEqual(
    notStanding.map(({ kind }) => kind),
    ['other-source'],
  );
});

test('several files are known where one report names all of them', async (t) => {
  const { root, add } = reportsIn(t);
  await add(1, PUBLISHED);
  const found = await lookup({ sha256: [SHA256, 'f'.repeat(64)], reports: root });
  t.deepEqual(found.standing, []);
  t.deepEqual(
    found.known.map(({ sha256 }) => sha256),
    [SHA256],
  );
});

for (const [what, edit, code] of [
  [
    'another verdict',
    (text: string) => text.replace('"kind":"unreproducible"', '"kind":"reproducible"'),
    'report-not-as-indexed',
  ],
  [
    'another statement',
    (text: string) => text.replaceAll('"version":"1.0"', '"version":"1.1"'),
    'report-not-as-indexed',
  ],
] as const)
  test(`a report in a directory that was edited answers nothing: ${what}`, async (t) => {
    const { root, add, placeOf } = reportsIn(t);
    const report = await add(1, Buffer.from('other\n'));
    const file = path.join(root, placeOf(report), 'report.json');
    const text = readFileSync(file, 'utf8');
    t.not(edit(text), text);
    writeFileSync(file, edit(text));
    await t.throwsAsync(lookup({ sha256: [SHA256], reports: root }), { instanceOf: VerifyError, code });
    await t.throwsAsync(indexReports(root), { code: 'report-inconsistent' });
  });

test('a report that is no JSON is told and answers nothing', async (t) => {
  const { root, add, placeOf } = reportsIn(t);
  const report = await add(1, PUBLISHED);
  const file = path.join(root, placeOf(report), 'report.json');
  writeFileSync(file, readFileSync(file, 'utf8').slice(0, 100));
  const found = await lookup({ sha256: [SHA256], reports: root });
  t.deepEqual(found.standing, []);
  t.is(found.unread.length, 1);
});

test('a directory that is not there is our failure, a word that is no digest the caller’s', async (t) => {
  const nowhere = path.join(temporaryDirectory(t), 'nowhere');
  await t.throwsAsync(lookup({ sha256: [SHA256], reports: nowhere }), { code: 'unreadable-input' });
  for (const sha256 of ['', 'abc', `${SHA256}0`, SHA256.replace(/^./, 'g')])
    await t.throwsAsync(lookup({ sha256: [sha256], reports: temporaryDirectory(t) }), { code: 'bad-sha256' });
});

// ---------------------------------------------------------------- from an address

/** The files of a directory, as they are or as `edit` makes them. */
async function served(
  t: ExecutionContext,
  root: string,
  edit: (file: string, text: string) => string | undefined = (_, text) => text,
): Promise<{ readonly url: string; readonly requests: readonly string[] }> {
  const server = await localServer(t, ({ url = '' }, response) => {
    const file = path.join(root, url.replace('/r/', ''));
    const text = existsSync(file) ? edit(url, readFileSync(file, 'utf8')) : undefined;
    if (text === undefined) response.writeHead(404).end();
    else response.end(text);
  });
  return { url: `${server.url}/r`, requests: server.requests };
}

test('an address: first the index, then that report and its notes, nothing else', async (t) => {
  const { root, add, note, placeOf } = reportsIn(t);
  const report = await add(1, PUBLISHED);
  await add(2, Buffer.from('x'), { target: { ...target, app: 'other' } }).then(() => undefined);
  note(report, 'correction');
  await indexReports(root);
  const { url, requests } = await served(t, root);
  const found = await lookup({ sha256: [SHA256], reports: `${url}/` });
  t.is(found.standing.find(({ entry }) => entry.app === 'chat')?.notes.length, 1);
  t.is(requests[0], '/r/index.json');
  t.true(requests.includes(`/r/${placeOf(report)}/notes/correction.json`));
  t.is(found.where[0], url);
  t.deepEqual(await lookup({ sha256: ['e'.repeat(64)], reports: url }).then(({ standing }) => standing), []);
});

const OTHER_SHA = 'd'.repeat(64);

for (const [what, edit, code] of [
  [
    'an index that is no JSON',
    (file: string, text: string) => (file.endsWith('index.json') ? text.slice(0, -3) : text),
    'bad-index',
  ],
  [
    'an index of another version',
    (file: string, text: string) =>
      file.endsWith('index.json') ? text.replace('"schemaVersion": 1', '"schemaVersion": 2') : text,
    'bad-index',
  ],
  [
    'an index that leads out of the directory',
    (file: string, text: string) =>
      file.endsWith('index.json') ? text.replaceAll('chat/1.0/website', '../../website') : text,
    'bad-index',
  ],
  [
    'an index without the report',
    (file: string, text: string) =>
      file.endsWith('index.json') ? text.replace(/"reports": \{[^]*\}\n\}/, '"reports": {}}') : text,
    'bad-index',
  ],
  [
    'an index with a better verdict than the report',
    (file: string, text: string) =>
      file.endsWith('index.json') ? text.replace('"unreproducible"', '"reproducible"') : text,
    'report-not-as-indexed',
  ],
  [
    'an index that leaves the withdrawal out',
    (file: string, text: string) =>
      file.endsWith('index.json') ? text.replace('"withdrawal"', '"correction"') : text,
    'report-not-as-indexed',
  ],
  [
    'an index that is about another file',
    (file: string, text: string) => (file.endsWith('index.json') ? text.replace(SHA256, OTHER_SHA) : text),
    'report-not-as-indexed',
  ],
  [
    'an index with another statement',
    (file: string, text: string) =>
      file.endsWith('index.json') ? text.replace(/"statementSha256": "../, '"statementSha256": "00') : text,
    'report-not-as-indexed',
  ],
  [
    'a report with a better verdict',
    (file: string, text: string) =>
      file.endsWith('report.json') ? text.replace('"kind":"unreproducible"', '"kind":"reproducible"') : text,
    'report-not-as-indexed',
  ],
  [
    'a report that is gone',
    (file: string, text: string) => (file.endsWith('report.json') ? undefined : text),
    'no-reports',
  ],
  [
    'an index that is gone',
    (file: string, text: string) => (file.endsWith('index.json') ? undefined : text),
    'no-reports',
  ],
] as const)
  test(`an address that serves ${what} gives no verdict`, async (t) => {
    const { root, add, note } = reportsIn(t);
    const report = await add(1, Buffer.from('other\n'));
    // the case of the withdrawal asks for a note that the report is shown with
    if (what.includes('withdrawal')) note(report, 'withdrawal');
    await indexReports(root);
    const { url } = await served(t, root, edit);
    for (const sha256 of what.includes('another file') ? [OTHER_SHA] : [SHA256])
      await t.throwsAsync(lookup({ sha256: [sha256], reports: url }), { code });
  });

test('an address that nobody answers is no verdict either', async (t) => {
  await t.throwsAsync(lookup({ sha256: [SHA256], reports: 'http://127.0.0.1:9' }), { code: 'network' });
  await t.throwsAsync(lookup({ sha256: [SHA256], reports: 'ftp://example.org' }), { code: 'bad-url' });
});

// ---------------------------------------------------------------- the index

test('the index is made of the reports, and is in step until one is added', async (t) => {
  const { root, add } = reportsIn(t);
  await add(1, PUBLISHED);
  t.true((await indexReports(root, { check: true })).changed);
  t.false(existsSync(path.join(root, 'index.json')));
  // of a process that was killed
  const part = path.join(root, '.index.json.part-1-00');
  writeFileSync(part, '{');
  t.true((await indexReports(root)).changed);
  t.false(existsSync(part));
  t.false((await indexReports(root)).changed);
  await add(2, Buffer.from('other\n'));
  t.true((await indexReports(root, { check: true })).changed);
});

test('a report in a directory that is not named after it is refused', async (t) => {
  const { root, add, placeOf } = reportsIn(t);
  const place = placeOf(await add(1, PUBLISHED));
  renameSync(path.join(root, place), path.join(root, path.dirname(place), `${'0'.repeat(12)}-1`));
  await t.throwsAsync(indexReports(root), { code: 'report-inconsistent' });
});
