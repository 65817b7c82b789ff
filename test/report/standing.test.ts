// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import {
  makeReportIndex,
  renderReportIndex,
  type IndexedReport,
  type ReportIndex,
} from '../../src/report/report-index.js';
import { newestOfTargets, standingOf } from '../../src/report/standing.js';
import { FULL, reportOf } from '../helpers/a-report.js';

const TARGET = { app: 'chat', version: '1.0', channel: 'website' };

function entry(digit: string, day: number, more: Partial<IndexedReport> = {}): IndexedReport {
  return {
    ...TARGET,
    verdict: 'reproducible',
    title: 'Reproduced',
    statementSha256: digit.repeat(64),
    time: `2026-01-${String(day).padStart(2, '0')}T00:00:00.000Z`,
    ...more,
  };
}

const indexOf = (reports: ReportIndex['reports']): ReportIndex => ({ schemaVersion: 1, files: {}, reports });
const standing = (reports: ReportIndex['reports']): readonly string[] =>
  standingOf(indexOf(reports)).standing.map(({ place }) => place);

test('the newest stands first; of one target only that one answers', (t) => {
  const reports = { a: entry('a', 1), b: entry('b', 3), c: entry('c', 2, { channel: 'github' }) };
  t.deepEqual(standing(reports), ['b', 'c', 'a']);
  t.deepEqual(
    newestOfTargets(standingOf(indexOf(reports)).standing).map(({ place }) => place),
    ['b', 'c'],
  );
});

test('at the same time the worse one comes first', (t) => {
  t.deepEqual(standing({ a: entry('a', 1), b: entry('b', 1, { verdict: 'unreproducible' }) }), ['b', 'a']);
});

test('what is superseded does not stand, and says by which', (t) => {
  const reports = { a: entry('a', 1), b: entry('b', 2, { supersedes: 'a'.repeat(64) }) };
  t.deepEqual(standing(reports), ['b']);
  t.like(standingOf(indexOf(reports)).notStanding[0], { kind: 'superseded', by: 'b' });
});

for (const [what, b] of [
  ['of another channel', entry('b', 2, { supersedes: 'a'.repeat(64), channel: 'github' })],
  ['of another app', entry('b', 2, { supersedes: 'a'.repeat(64), app: 'other' })],
  ['that is older', entry('b', 1, { supersedes: 'a'.repeat(64) })],
  ['that names another one', entry('b', 4, { supersedes: 'c'.repeat(64) })],
] as const)
  test(`nothing is superseded by a report ${what}`, (t) => {
    t.true(standing({ a: entry('a', 3), b }).includes('a'));
  });

test('what is withdrawn does not stand, and what it had superseded does not come again', (t) => {
  const withdrawal = [{ kind: 'withdrawal', date: '2026-01-05', file: '1.json' }] as const;
  const reports = { a: entry('a', 1), b: entry('b', 2, { supersedes: 'a'.repeat(64), notes: withdrawal }) };
  t.deepEqual(standing(reports), []);
  t.deepEqual(
    standingOf(indexOf(reports)).notStanding.map(({ kind, entry: { place } }) => [kind, place]),
    [
      ['withdrawn', 'b'],
      ['superseded', 'a'],
    ],
  );
  const response = [{ kind: 'vendor-response', date: '2026-01-05', file: '1.json' }] as const;
  t.deepEqual(standing({ a: entry('a', 1, { notes: response }) }), ['a']);
});

test('a report does not supersede itself, and one from another source answers nothing', (t) => {
  t.deepEqual(standing({ a: entry('a', 1, { supersedes: 'a'.repeat(64) }) }), ['a']);
  t.deepEqual(standing({ a: entry('a', 1, { otherSource: true }) }), []);
  t.deepEqual(standing({ a: entry('a', 1, { otherApp: true }) }), []);
  t.deepEqual(standing({ a: entry('a', 1, { replay: true }) }), []);
});

test('the index is the same in whatever order reports were read', async (t) => {
  const report = await reportOf(Buffer.from('one'), Buffer.from('one'), FULL);
  const placed = ['1.0', '1.1', '1.2'].map((version) => ({
    place: `demo/${version}/website/${report.statementSha256.slice(0, 12)}-1`,
    report,
    notes: [],
  }));
  const { reports, files } = makeReportIndex(placed);
  t.is(Object.keys(reports).length, 3);
  t.true(Object.values(files).every((uses) => uses.length === 3));
  t.is(renderReportIndex(makeReportIndex([...placed].reverse())), renderReportIndex(makeReportIndex(placed)));
});

test('a comparison without app and version, and a place that no report has, are not in the index', async (t) => {
  const place = `demo/1.0/website/${'0'.repeat(12)}-1`;
  const bytes = Buffer.from('one');
  t.deepEqual(makeReportIndex([{ place, report: await reportOf(bytes, bytes), notes: [] }]).reports, {});
  const report = await reportOf(bytes, bytes, FULL);
  for (const other of ['../../../x', 'demo/1.0/website', `${place}/more`, '/demo/1.0/website/000000000000-1'])
    t.deepEqual(makeReportIndex([{ place: other, report, notes: [] }]).reports, {});
  t.is(Object.keys(makeReportIndex([{ place, report, notes: [] }]).reports).length, 1);
});
