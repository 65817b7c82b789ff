// SPDX-License-Identifier: Apache-2.0
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { chromium, type Page } from 'playwright-core';
import { html } from '../../src/report/html-template.js';
import type { Difference } from '../../src/compare/types.js';
import { clipped } from '../../src/report/inert.js';
import { renderHtml } from '../../src/report/html.js';
import type { ReportFile } from '../../src/report/publish.js';
import type { Note, Report } from '../../src/report/types.js';
import { REPORTS, reportOf, SOURCE } from '../helpers/a-report.js';
import { aRun } from '../helpers/a-run.js';
import { buildZip } from '../helpers/build-zip.js';
import { need } from '../helpers/need.js';
import { temporaryDirectory } from '../helpers/temp-directory.js';

const PAGE_LIMIT = 3_000_000;

function chromiumPath(): string {
  const found = (process.env['PATH'] ?? '')
    .split(path.delimiter)
    .map((directory) => path.join(directory, 'chromium'))
    .find((file) => existsSync(file));
  return found ?? 'chromium';
}

function written(t: ExecutionContext, files: readonly ReportFile[]): string {
  const directory = temporaryDirectory(t);
  for (const { name, content } of files) {
    mkdirSync(path.dirname(path.join(directory, name)), { recursive: true });
    writeFileSync(path.join(directory, name), content);
  }
  writeFileSync(path.join(directory, 'report.json'), '{}');
  return pathToFileURL(path.join(directory, 'index.html')).href;
}

const QUIET = [
  '--no-sandbox',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
];

async function browse(use: (page: Page) => Promise<void>): Promise<void> {
  const browser = await chromium.launch({ executablePath: chromiumPath(), args: QUIET });
  try {
    await use(await browser.newPage());
  } finally {
    await browser.close();
  }
}

/** What a page could do that it must not. */
async function watched(page: Page, url: string): Promise<readonly string[]> {
  const seen: string[] = [];
  page.on('dialog', (dialog) => {
    seen.push(`dialog ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('request', (request) => {
    if (request.url() !== url) seen.push(`request ${request.url()}`);
  });
  page.on('console', (message) => seen.push(`console ${message.text()}`));
  page.on('pageerror', (error) => seen.push(`error ${error.message}`));
  await page.goto(url);
  await page.waitForLoadState('networkidle');
  return seen;
}

const HOSTILE = [
  '<img src=x onerror=alert(1)>',
  '"><script>alert(2)</script>',
  "' onmouseover='alert(3)",
  '</title></style><script>alert(4)</script>',
  'javascript:alert(5)',
  'assets/\u202egpj.exe',
  'assets/a\u0000b\u001b[31m\u0085c',
  'assets/\u200b\ufeff\u2028x',
  '<svg onload=alert(6)>.so',
  '&lt;b&gt;',
] as const;

async function hostileReport(): Promise<Report> {
  const zip = (data: string): Buffer =>
    buildZip(HOSTILE.map((name) => ({ name, data: `${name} ${data} <script>alert(7)</script>\n` })));
  const [one] = HOSTILE;
  const all = HOSTILE.join(' ');
  const report = await reportOf(zip('one'), zip('other'), {
    target: { app: 'demo', version: one, channel: one },
    source: {
      ...SOURCE,
      tag: all,
      repository: 'javascript:alert(9)//',
      submodules: [{ path: all, url: all, commit: all }],
    },
    deviations: [{ code: 'x', what: all, reason: '\u202e', canChangeOutput: 'unknown' }],
    carried: [{ path: all, note: '</li></ul><script>alert(8)</script>', reference: 'javascript:alert(10)' }],
    origins: [{ kind: 'carried', member: all, from: all, by: 'bytes' }],
    linkable: [all],
    publisherEnvironment: [{ file: all, from: 'elf-comment', fact: all }],
    knownResults: [
      { by: all, version: all, channel: all, result: all, reason: all, url: 'javascript:alert(11)' },
    ],
    buildFailure: { phase: 'build', exitCode: 1, firstError: HOSTILE },
    run: aRun({
      builds: 2,
      standing: 'unstable',
      unstableMembers: HOSTILE,
      failureTail: HOSTILE,
      missingTools: HOSTILE,
      tools: HOSTILE.map((name) => ({ name, version: name })),
      logs: [{ phase: 'build', name: all, sha256: 'a'.repeat(64), truncatedBytes: 1 }],
      environment: {
        executor: 'docker',
        engineVersion: all,
        image: { name: all, digest: all },
        packages: HOSTILE.map((name) => ({ name, version: name, architecture: name })),
        kernel: all,
        cpuCount: 1,
        architecture: all,
        commands: HOSTILE,
      },
    }),
  });
  const pair = report.statement.comparison?.pairs[0];
  if (pair === undefined) throw new Error('no pair');
  return {
    ...report,
    statement: {
      ...report.statement,
      comparison: {
        pairs: [{ ...pair, differences: [...pair.differences, ...hostileFindings(all)] }],
        unpairedPublished: [{ name: all, size: 1, sha256: all }],
        notObtained: [all],
        unpairedRebuilt: [{ file: { name: all, size: 1, sha256: all }, declared: all }],
      },
    },
  };
}

/** Of every kind, with evidence that no comparison of ours would write. */
function hostileFindings(all: string): Difference[] {
  const cause = { kind: 'build-id', evidence: all } as const;
  const at = { publishedOffset: 0, publishedLength: 1, rebuiltOffset: 0, rebuiltLength: 1 };
  return [
    { kind: 'only-published', path: [all], size: 1, cause },
    { kind: 'only-rebuilt', path: [all], size: 1, cause },
    { kind: 'field', path: [all], field: all, published: all, rebuilt: all, owner: 'different', cause },
    { kind: 'bytes', path: [all], ...at, publishedHex: all, rebuiltHex: `3c${all}`, cause },
    {
      kind: 'text',
      path: [all],
      patch: HOSTILE.map((name) => `+${name}\n-${name}\n ${name}`).join('\n'),
      cutLines: 3,
      cause,
    },
    { kind: 'section', path: [all], section: all, differentBytes: 1, cause },
    { kind: 'hidden', path: [all], side: 'published', region: all, offset: 0, length: 1, hex: all },
    { kind: 'unread', path: [all], code: all, detail: all },
    { kind: 'malformed', path: [all], side: 'rebuilt', code: all, offset: 0, detail: all },
    { kind: 'order', path: [all], moved: 1, detail: all },
  ];
}

const HOSTILE_NOTE: Note = {
  schemaVersion: 1,
  kind: 'vendor-response',
  statementSha256: 'a'.repeat(64),
  date: '2026-01-01',
  by: '<img src=x onerror=alert(12)>',
  text: '</div><script>alert(13)</script>\u202e',
  url: 'javascript:alert(14)',
};

function many(size: number): Promise<Report> {
  const zip = (data: string): Buffer =>
    buildZip(
      Array.from({ length: size }, (_, at) => ({
        name: `assets/part-${at}.txt`,
        data: `${at} ${data}\n`,
        method: 0 as const,
      })),
    );
  return reportOf(zip('one'), zip('two'));
}

test('values are text, whatever they look like', (t) => {
  t.is(html`<i>${'<b>&"\'`'}</i>`.markup, '<i>&lt;b&gt;&amp;&quot;&#39;&#96;</i>');
  t.is(html`${html`<b>${1}</b>`}`.markup, '<b>1</b>');
  t.is(html`${JSON.parse('{"markup":"<b>"}') as { markup: string }}`.markup, '&lt;b&gt;');
  t.is(html`${'a\u202eb\n\\x00'}`.markup, 'a\\u{202e}b\\x0a\\x00');
  t.is(clipped('abcdef', 4), 'abcd … (2 more characters in report.json)');
});

test('no page has a script, an event handler or an address of elsewhere', async (t) => {
  for (const { content } of renderHtml(await hostileReport(), [HOSTILE_NOTE])) {
    const tags = String(content).match(/<[a-z][^>]*>/gi) ?? [];
    for (const tag of tags) {
      t.notRegex(tag, /^<(script|img|svg|iframe|link|object|embed|form|base)\b/i);
      t.notRegex(tag, /\s(on\w+|style|src)=/i);
      const href = / href="([^"]*)"/.exec(tag)?.[1];
      if (href !== undefined)
        t.regex(href, /^(\.\.\/)?(index\.html|report\.json|details\/[a-z0-9-]+\.html)?(#[a-z0-9-]+)?$/);
    }
    t.notRegex(String(content), /(?!\n)[\p{Cc}\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/u);
  }
});

test('the same report gives the same pages', async (t) => {
  const report = await REPORTS.different();
  t.deepEqual(renderHtml(report), renderHtml(structuredClone(report)));
});

test('every member is one row, every finding one entry, no link leads nowhere, no page is too large', async (t) => {
  const report = await many(5_000);
  const files = renderHtml(report);
  const ids = new Map(
    files.map(({ name, content }) => [
      name,
      new Set([...String(content).matchAll(/ id="([^"]*)"/g)].map(([, id]) => id)),
    ]),
  );
  const rows = new Map<string, number>();
  for (const { name, content } of files) {
    const text = String(content);
    t.true(Buffer.byteLength(text) < PAGE_LIMIT, name);
    for (const [, row] of text.matchAll(/<td><bdi>(assets\/part-\d+\.txt)<\/bdi/g))
      rows.set(row ?? '', (rows.get(row ?? '') ?? 0) + 1);
    for (const [, href] of text.matchAll(/ href="([^"]*)"/g)) {
      const [file, id] = (href ?? '').split('#');
      const target = file === '' ? name : path.posix.join(path.posix.dirname(name), file ?? '');
      if (target === 'report.json') continue;
      t.true(ids.has(target), `${name}: ${href}`);
      if (id !== undefined) t.true(ids.get(target)?.has(id), `${name}: ${href}`);
    }
  }
  t.is(rows.size, 5_000);
  t.true([...rows.values()].every((times) => times === 1));
  const findings = report.statement.comparison?.pairs[0]?.differences.length ?? 0;
  t.is(
    [...ids.values()].reduce((sum, each) => sum + [...each].filter((id) => /-\d+$/.test(id ?? '')).length, 0),
    findings,
  );
  t.true((ids.get('index.html')?.size ?? 0) <= 150);
});

test('texts and lists without end stay below the bound of a page', async (t) => {
  const long = '<\u200b'.repeat(500_000);
  const base = await REPORTS.different();
  const report = {
    ...base,
    statement: {
      ...base.statement,
      statements: Array.from({ length: 400 }, (_, at) => ({
        code: 'deviation',
        sentence: `${at}${long}`,
        basis: [long],
        check: long,
      })),
    },
  };
  const note = {
    schemaVersion: 1,
    kind: 'correction',
    statementSha256: 'a',
    date: '2026-01-01',
    by: long,
    text: long,
  } as const;
  for (const { name, content } of renderHtml(
    report,
    Array.from({ length: 60 }, () => note),
  ))
    t.true(Buffer.byteLength(content) < PAGE_LIMIT, name);
});

test('hostile names are inert in a browser', async (t) => {
  if (!need(t, 'chromium')) return;
  const url = written(t, renderHtml(await hostileReport(), [HOSTILE_NOTE]));
  await browse(async (page) => {
    t.deepEqual(await watched(page, url), []);
    t.is(await page.locator('script,img,svg,iframe').count(), 0);
    // unfold everything, go everywhere: nothing may start then either
    for (const summary of await page.locator('main summary').all()) await summary.click();
    t.deepEqual(await page.locator('a[href*=":"],[onerror],[onload],[onmouseover]').count(), 0);
    const text = await page.locator('body').innerText();
    t.true(text.includes('<img src=x onerror=alert(1)>'));
    t.true(text.includes('\\u{202e}gpj.exe'));
    // our style is let in by its hash; any script would be refused
    const policy = await page.locator('meta[http-equiv]').getAttribute('content');
    t.regex(String(policy), /^default-src 'none'; style-src 'sha256-/);
    const width: unknown = await page.evaluate('getComputedStyle(document.body).maxWidth');
    t.is(width, '1200px');
    await t.throwsAsync(page.addScriptTag({ content: 'document.title = "in"' }));
  });
});

test('3,000 differing members open at once, without script', async (t) => {
  if (!need(t, 'chromium')) return;
  const url = written(t, renderHtml(await many(3_000)));
  await browse(async (page) => {
    // the best of three: tests share their machine, and the first one also warms the browser up
    const times: number[] = [];
    for (let round = 0; round < 3; round++) {
      await page.goto('about:blank');
      const start = performance.now();
      await page.goto(url);
      times.push(performance.now() - start);
    }
    const took = Math.min(...times);
    t.log(`opened in ${times.map((time) => Math.round(time)).join(', ')} ms`);
    t.true(took < 1_000, `${took} ms`);
    const why = page.locator('a', { hasText: 'why' }).last();
    await why.click();
    await page.waitForURL(/\/details\/.*#/);
    await page.waitForLoadState();
    await page.locator(':target').waitFor({ state: 'attached', timeout: 10_000 });
    // the link opens what it leads to
    t.true(await page.locator(':target').isVisible());
    await page.goBack();
    await page.locator('a', { hasText: 'why' }).first().click();
    t.true(await page.locator(':target').isVisible());
  });
});
