// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { briefStatements, renderBrief } from '../../src/report/brief.js';
import { renderHtml } from '../../src/report/html.js';
import { plain, renderMarkdown } from '../../src/report/markdown.js';
import { describeDifference } from '../../src/report/describe-difference.js';
import { quoted } from '../../src/report/say.js';
import { renderText } from '../../src/report/text.js';
import type { Note, Report, Statement } from '../../src/report/types.js';
import { aPlan } from '../helpers/a-plan.js';
import { REPORTS, reportOf } from '../helpers/a-report.js';
import { HOSTILE_NOTE, hostileReport } from '../helpers/hostile-report.js';

function statementsIn({ statement, run }: Report): readonly Statement[] {
  return [...statement.statements, ...statement.doesNotSay, ...statement.publisherCan, ...run.statements];
}

/** RFC 6901. */
function resolve(value: unknown, pointer: string): unknown {
  let at = value;
  for (const part of pointer.split('/').slice(1))
    at = (at as Record<string, unknown> | undefined)?.[part.replaceAll('~1', '/').replaceAll('~0', '~')];
  return at;
}

const NOTE: Note = {
  schemaVersion: 1,
  kind: 'vendor-response',
  statementSha256: 'a'.repeat(64),
  date: '2026-02-03',
  by: 'the <b>publisher</b>',
  text: 'we built with another JDK',
};

for (const [name, make] of Object.entries(REPORTS)) {
  test(`every sentence has a code, a check and a basis in the report: ${name}`, async (t) => {
    const report = JSON.parse(JSON.stringify(await make())) as Report;
    for (const { code, sentence, basis, check } of statementsIn(report)) {
      t.regex(code, /^[a-z0-9]+(-[a-z0-9]+)*$/);
      t.regex(sentence, /\.$/);
      t.not(check, '');
      t.true(basis.length > 0, code);
      for (const pointer of basis) t.not(resolve(report, pointer), undefined, `${code}: ${pointer}`);
    }
    t.is(report.statement.doesNotSay.length, 4);
    const negative = !['reproducible', 'equivalent'].includes(report.statement.verdict.kind);
    t.is(report.statement.publisherCan.length > 0, negative);
  });

  test(`no rendering has a sentence that is no statement of the report: ${name}`, async (t) => {
    const report = await make();
    const sentences = statementsIn(report).map(({ sentence }) => sentence);
    const findings = (report.statement.comparison?.pairs ?? []).flatMap((pair) =>
      pair.differences.map((difference) => `${pair.published.name}: ${describeDifference(difference)}`),
    );
    const allowed = new Set([...sentences, ...findings]);
    const items = (lines: string, start: string): string[] =>
      lines
        .split('\n')
        .filter((line) => line.startsWith(start))
        .map((line) => line.slice(start.length))
        .filter((line) => !line.startsWith('… and '));
    for (const line of items(renderText(report), '  - ')) t.true(allowed.has(line), line);
    const escaped = new Set([...allowed].map(plain));
    const markdown = items(renderMarkdown(report), '- ').map((line) => line.replace(/ Check: `.*$/, ''));
    t.true(markdown.length > 0);
    for (const line of markdown) t.true(escaped.has(line), line);
    const html = renderHtml(report)[0]?.content as string;
    const unescape = (text: string): string =>
      text
        .replaceAll('&#39;', "'")
        .replaceAll('&quot;', '"')
        .replaceAll('&gt;', '>')
        .replaceAll('&lt;', '<')
        .replaceAll('&amp;', '&');
    const shown = [...html.matchAll(/<summary(?! class="fold")[^>]*>(.*?)<\/summary>/gs)].map(([, inner]) =>
      unescape((inner ?? '').replace(/<[^>]*>/g, '').trim()),
    );
    t.true(sentences.every((sentence) => shown.includes(sentence)));
    for (const line of shown) t.true(allowed.has(line), line);
  });

  test(`notes stand under the verdict in every rendering: ${name}`, async (t) => {
    const report = await make();
    const html = renderHtml(report, [NOTE])[0]?.content as string;
    for (const rendered of [
      renderText(report, { notes: [NOTE] }),
      renderBrief(report, [NOTE]),
      renderMarkdown(report, [NOTE]),
      html,
    ]) {
      const at = rendered.indexOf('we built with another JDK');
      t.true(at > rendered.indexOf(report.statement.verdict.kind));
      const first = report.statement.doesNotSay[0]?.sentence ?? '';
      t.true(at < rendered.indexOf(first));
    }
    t.false(html.includes('<b>publisher'));
  });
}

test('there is a report of every verdict kind', async (t) => {
  const kinds = new Set<string>();
  for (const make of Object.values(REPORTS)) kinds.add((await make()).statement.verdict.kind);
  t.deepEqual([...kinds].sort(), [
    'equivalent',
    'not-authentic',
    'reproducible',
    'unbuildable',
    'unreproducible',
    'unverifiable',
  ]);
});

test('no text rendering lets hostile texts through', async (t) => {
  const report = await hostileReport();
  const notes = [HOSTILE_NOTE];
  const text = renderText(report, { notes });
  const markdown = renderMarkdown(report, notes);
  for (const rendered of [text, markdown, renderBrief(report, notes)])
    t.notRegex(rendered, /(?!\n)[\p{Cc}\p{Cf}\u2028\u2029]/u);
  t.is(renderBrief(report, notes).trimEnd().split('\n').length, 10);
  let fenced = false;
  for (const line of markdown.split('\n')) {
    if (line.startsWith('```')) fenced = !fenced;
    else if (fenced) t.true(line.startsWith('    '), line);
    // outside of code spans no bracket is left that could start a tag
    else t.notRegex(line.replace(/(?<!\\)(`+)[^]*?\1(?!`)/g, '').replaceAll('\\<', ''), /</, line);
  }
  t.false(fenced);
});

test('the text fits a screen', async (t) => {
  for (const make of Object.values(REPORTS)) t.true(renderText(await make()).split('\n').length <= 90);
});

test('the brief is ten statements with date and digests, whatever is noted', async (t) => {
  const long: Note = { ...NOTE, text: 'a long answer\n'.repeat(5_000) };
  for (const make of Object.values(REPORTS))
    for (const notes of [[], [NOTE], [NOTE, long, long]]) {
      const report = JSON.parse(JSON.stringify(await make())) as Report;
      const brief = renderBrief(report, notes).trimEnd().split('\n');
      t.is(brief.length, 10);
      t.true(brief[0]?.startsWith('On 2026-01-02'));
      t.true(brief.at(-1)?.includes(report.statementSha256));
      t.true(brief.every((line) => line.length < 2_000));
      const [file] = report.statement.subject.published;
      if (file !== undefined) t.true(brief.some((line) => line.includes(file.sha256)));
      for (const { sentence } of report.statement.doesNotSay)
        t.true(brief.some((line) => line.includes(sentence)));
      const { source } = report.statement;
      if (source?.kind === 'git') t.true(brief.some((line) => line.includes(source.commit)));
      for (const { code, sentence, basis, check } of briefStatements(report, notes)) {
        t.regex(code, /^brief-[a-z-]+$/);
        t.regex(sentence, /\.$/);
        t.not(check, '');
        for (const pointer of basis) t.not(resolve(report, pointer), undefined, `${code}: ${pointer}`);
      }
    }
});

test('every rendering says what the report does not say, and what the publisher can do', async (t) => {
  for (const make of Object.values(REPORTS)) {
    const report = await make();
    const html = renderHtml(report)[0]?.content as string;
    for (const rendered of [renderText(report), renderMarkdown(report), html])
      for (const { sentence } of [...report.statement.doesNotSay, ...report.statement.publisherCan])
        t.true(rendered.replaceAll('\\', '').includes(sentence), sentence);
    const [advice] = report.statement.publisherCan;
    if (advice !== undefined) t.true(renderBrief(report).includes(advice.sentence));
  }
});

test('environment, first error and members of unstable builds stand in every rendering', async (t) => {
  const everywhere = (report: Report, ...words: readonly string[]): void => {
    const html = renderHtml(report)[0]?.content as string;
    for (const rendered of [renderText(report), renderMarkdown(report), html])
      for (const word of words) t.true(rendered.replaceAll('\\', '').includes(word), word);
  };
  const failed = await REPORTS.unbuildable();
  everywhere(failed, 'main.c:3: error: no rule', 'Error 1', 'docker 28.0.1', 'sh -eu -c ./fetch');
  everywhere(await REPORTS.unstable(), 'app.apk', 'res/text', 'not deterministic');
  everywhere(
    await REPORTS.different(),
    '7'.repeat(64),
    'GCC 12.2.0',
    'another JDK',
    'lib/libold.so',
    'third_party/zlib',
  );
  const unknown = 'The environment in which the publisher built is unknown';
  everywhere(await reportOf(Buffer.from('one'), Buffer.from('other'), { plan: aPlan() }), unknown);
  // of two files that were only compared nobody asked for it
  t.false(renderText(await REPORTS.plain()).includes(unknown));
});

test('a mismatch in a differing environment says so, and how often it was built', async (t) => {
  const text = renderText(await REPORTS.different());
  t.true(text.startsWith('Not reproduced in a differing environment (2 builds, 1 machine)'));
  t.true(text.includes('The mismatch is confirmed'));
});

test('markdown keeps hostile names as text', (t) => {
  t.is(plain('<img src=x onerror=a>'), '\\<img src=x onerror=a\\>');
  t.is(
    plain('@all see https://evil.example www.evil.example'),
    '&#64;all see https:&#47;&#47;evil.example www&#46;evil.example',
  );
  t.is(plain('[a](b) `c` |'), '\\[a\\](b) \\`c\\` \\|');
  t.is(plain('1. x'), '1\\. x');
  t.false(plain('a\nb\u202ec').includes('\n'));
});

test('a mismatch names content before records, and nothing that was only packed differently', async (t) => {
  const report = await REPORTS.different();
  const [line] = report.statement.statements.filter(({ code }) => code === 'pair-different');
  t.regex(line?.sentence ?? '', /; first (res\/text|assets\/inner\.zip > a): text differs/);
});

test('check lines are quoted for the shell', async (t) => {
  t.is(quoted('https://example.org/a'), 'https://example.org/a');
  t.is(quoted('https://example.org/a?b=1&c'), "'https://example.org/a?b=1&c'");
  t.is(quoted('-rf'), './-rf');
  t.is(quoted("a'; rm b"), "'a'\\''; rm b'");
  t.is(quoted('~root'), "'~root'");
  const lines = (await REPORTS.different()).statement.statements.map(({ check }) => check);
  t.true(lines.includes('git clone https://example.org/demo.git && git rev-parse v1.0'));
  t.true(lines.includes('curl -L https://example.org/result'));
});
