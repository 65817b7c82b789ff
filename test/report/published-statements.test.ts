// SPDX-License-Identifier: Apache-2.0
/** What a report tells of where its published files came from: in the run part, and true of the statement's files. */
import test from 'ava';
import { PUBLISHED_FROM, type Fetched } from '../../src/model.js';
import { checkReport } from '../../src/report/check.js';
import { publishedStatements } from '../../src/report/published-statements.js';
import { runStatements } from '../../src/report/run-statements.js';
import type { PublishedOrigin, Report } from '../../src/report/types.js';
import { REPORTS } from '../helpers/a-report.js';

const sha256 = 'ab'.repeat(32);
const fetched = (more: Partial<Fetched> = {}): Fetched => ({
  url: 'https://example.org/app.apk',
  hops: [],
  time: '2026-01-02T03:04:05.000Z',
  size: 7,
  sha256,
  digestExpected: false,
  ...more,
});
const origin = (more: Partial<PublishedOrigin> = {}): PublishedOrigin => ({
  file: 'app.apk',
  from: 'url',
  signatures: [],
  ...more,
});
const codes = (one: PublishedOrigin): string[] =>
  publishedStatements({ published: [one] }).map(({ code }) => code);
const sentence = (one: PublishedOrigin): string =>
  publishedStatements({ published: [one] })[0]?.sentence ?? '';

test('each place that gives a published file has a sentence', (t) => {
  t.deepEqual(
    PUBLISHED_FROM.map((from) => codes(origin({ from, fetched: fetched() }))[0]),
    [
      'published-handed-over',
      'published-fetched',
      'published-fetched',
      'published-fetched',
      'published-from-archive',
      'published-fetched',
      'published-fetched',
      'published-from-phone',
      'published-from-site',
      'published-bundled',
    ],
  );
});

test('address, time, redirects, and whether anybody had stated the digest', (t) => {
  t.is(
    sentence(origin({ fetched: fetched() })),
    'app.apk was fetched from https://example.org/app.apk at 2026-01-02T03:04:05.000Z; nobody had stated its SHA-256 beforehand.',
  );
  const hops = [
    { to: 'https://a.example.org/1', status: 302 },
    { to: 'https://b.example.org/2?…', status: 302 },
  ];
  t.is(
    sentence(origin({ fetched: fetched({ hops, digestExpected: true }), digestFrom: 'the API of GitHub' })),
    'app.apk was fetched from https://example.org/app.apk at 2026-01-02T03:04:05.000Z, over 2 redirects to https://b.example.org/2?…; its SHA-256 is the one that the API of GitHub stated.',
  );
  t.deepEqual(codes(origin()), ['published-from-cache']);
});

test('the signature that was found is told, also where no comparison follows', (t) => {
  const of = (status: PublishedOrigin['signatures'][number]['status']): PublishedOrigin =>
    origin({ from: 'handed-over', signatures: [{ file: 'app.apk', status, signers: [sha256] }] });
  t.deepEqual(codes(of('verified')), ['published-handed-over', 'published-verified']);
  t.deepEqual(codes(of('invalid')), ['published-handed-over', 'published-invalid']);
  t.deepEqual(codes(of('not-applicable')), ['published-handed-over']);
  t.regex(publishedStatements({ published: [of('verified')] })[1]?.sentence ?? '', new RegExp(sha256));
});

/** A report of ours with this in its run part. */
function telling({ run, ...report }: Report, published: readonly PublishedOrigin[]): Report {
  const { statements: _said, ...facts } = run;
  const told = { ...facts, published };
  return { ...report, run: { ...told, statements: runStatements(told, report.statement) } };
}

async function ours(): Promise<{
  readonly report: Report;
  readonly file: string;
  readonly size: number;
  readonly sha256: string;
}> {
  const report = await REPORTS.different();
  const [subject] = report.statement.subject.published;
  if (subject === undefined) throw new Error('no published file');
  return { report, file: subject.name, size: subject.size, sha256: subject.sha256 };
}

test('a report whose run tells of its own file agrees with itself', async (t) => {
  const { report, file, ...content } = await ours();
  const result = checkReport(telling(report, [origin({ file, fetched: fetched(content) })]));
  t.is(result.kind, 'consistent', JSON.stringify(result));
});

for (const [what, change] of Object.entries({
  'another digest': { fetched: { sha256 } },
  'another size': { fetched: { size: 1 } },
  'a digest that nobody expected': { digestFrom: 'the publisher' },
}))
  test(`a report whose run tells of ${what} does not`, async (t) => {
    const { report, file, ...content } = await ours();
    const { fetched: more, ...rest } = { fetched: {}, ...change };
    const result = checkReport(
      telling(report, [origin({ file, fetched: fetched({ ...content, ...more }), ...rest })]),
    );
    t.is(result.kind, 'inconsistent');
    t.true(JSON.stringify(result).includes('/run/published/0'));
  });
