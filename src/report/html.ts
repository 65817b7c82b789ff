// SPDX-License-Identifier: Apache-2.0
/**
 * The report for a browser: `index.html` and pages beside it, no script, no page above 3 MB, everything within two
 * clicks. It has no sentence of its own (see `statements.ts`).
 */
import { groupsOf, GROUP_TITLES, type Group } from './groups.js';
import { fileRows, fileTable } from './html-files.js';
import { pagedList } from './html-list.js';
import { cardsOf, groupHtml } from './html-members.js';
import { page } from './html-page.js';
import { blocksHtml, notesHtml, sentencesHtml } from './html-sections.js';
import { html, type Html } from './html-template.js';
import { clipped } from './inert.js';
import type { ReportFile } from './publish.js';
import { percent } from './say.js';
import { sectionsOf } from './sections.js';
import { headline } from './title.js';
import type { Note, Report } from './types.js';

const NAME = 1_000;
const FILES = { rows: 200, bytes: 150_000 } as const;

/** `index.html` first. */
export function renderHtml(report: Report, notes: readonly Note[] = []): readonly ReportFile[] {
  const pages: ReportFile[] = [];
  const groups = groupsOf(report).filter(({ members, findings }) => members.length + findings.length > 0);
  const noted = notesHtml(notes, pages);
  const files = filesHtml(report, pages);
  const wrong = blocksHtml(report, pages, 'wrong');
  const sentences = sentencesHtml(report, pages);
  const pairs = report.statement.comparison?.pairs.length ?? 0;
  const parts = groups.map((group) => groupHtml(group, pairs));
  for (const part of parts) pages.push(...part.pages);
  const body = html`${navigation(report, groups)}
    <header id="top">${banner(report)} ${noted}</header>
    <main>
      ${cardsOf(groups)} ${files} ${wrong} ${sentences} ${parts.map(({ section }) => section)}
      ${machineHtml(report, pages)}
    </main>
    <footer>
      <p>statement SHA-256 <code>${report.statementSha256}</code> · <a href="report.json">report.json</a></p>
    </footer>`;
  const index = page(`${headline(report)}: ${subjectOf(report)}`, body);
  return [{ name: 'index.html', content: index }, ...pages];
}

function navigation(report: Report, groups: readonly Group[]): Html {
  const sections = sectionsOf(report).map(({ id, title }) => html`<a href="#${id}">${title}</a> `);
  const members = groups.map(({ name }) => html`<a href="#group-${name}">${GROUP_TITLES[name]}</a> `);
  return html`<nav>
    <a href="#top"><strong>${report.statement.verdict.kind}</strong></a> ${members} ${sections}
    <a href="#machine">Machine</a>
  </nav>`;
}

// ---------------------------------------------------------------- verdict

function banner(report: Report): Html {
  const { statement, run } = report;
  const [published] = statement.subject.published;
  const { source } = statement;
  const facts: (readonly [string, Html | string])[] = [
    ['verdict', html`<code>${statement.verdict.kind}</code>`],
    ['date', run.time.slice(0, 10)],
  ];
  if ((statement.comparison?.pairs.length ?? 0) > 0)
    facts.push(['coverage', `${percent(statement.coverage.ratio)} of content bytes`]);
  if (statement.builtBy !== undefined) facts.push(['published file built by', statement.builtBy]);
  if (source !== undefined)
    facts.push([
      'source',
      source.kind === 'git'
        ? html`<code>${source.tag ?? ''} ${source.commit}</code>`
        : html`<bdi>${clipped(`${source.package} ${source.version}`, NAME)}</bdi>`,
    ]);
  if (published !== undefined && statement.subject.published.length === 1)
    facts.push(['published SHA-256', html`<code>${published.sha256}</code>`]);
  return html`<div class="banner ${tone(report)}">
    <h1>${headline(report)}</h1>
    <p class="subject">${subjectOf(report)}</p>
    <dl>
      ${facts.map(
        ([name, value]) =>
          html`<div>
            <dt>${name}</dt>
            <dd>${value}</dd>
          </div>`,
      )}
    </dl>
  </div>`;
}

function subjectOf({ statement }: Report): string {
  const { target, published } = statement.subject;
  if (target !== undefined) return clipped(`${target.app} ${target.version} (${target.channel})`, NAME);
  const [first] = published;
  if (first === undefined) return 'no file';
  const more = published.length === 1 ? '' : ` and ${published.length - 1} more`;
  return `${clipped(first.name, NAME)}${more}`;
}

function tone({ statement }: Report): 'good' | 'bad' | 'open' {
  switch (statement.verdict.kind) {
    case 'reproducible':
    case 'equivalent':
      return 'good';
    case 'unreproducible':
    case 'not-authentic':
      return 'bad';
    case 'unverifiable':
    case 'unbuildable':
      return 'open';
  }
}

// ---------------------------------------------------------------- files and machine

function filesHtml(report: Report, pages: ReportFile[]): Html {
  const rows = fileRows(report);
  if (rows.length === 0) return html``;
  const shown = pagedList(rows, { stem: 'files', title: 'Files', wrap: fileTable, inline: FILES });
  pages.push(...shown.pages);
  return html`<section id="files">
    <h2>Files</h2>
    ${shown.inline}
  </section>`;
}

function machineHtml(report: Report, pages: ReportFile[]): Html {
  const { run } = report;
  const facts: readonly (readonly [string, string])[] = [
    ['time', run.time],
    ['tool', `${run.tool.name} ${run.tool.version}, Node ${run.node}`],
    ['machine', `${run.architecture}, ${run.kernel}, ${run.cpuCount} CPUs, ${run.memoryMiB} MiB`],
    ['builds', `${run.builds}, ${run.matchingBuilds} matching`],
    ...Object.entries(run.seconds)
      .slice(0, 20)
      .map(([phase, seconds]) => [`seconds of ${phase}`, String(seconds)] as const),
  ];
  return html`<section id="machine">
    <h2>Machine</h2>
    <dl>
      ${facts.map(
        ([name, value]) =>
          html`<div>
            <dt>${clipped(name, NAME)}</dt>
            <dd><bdi>${clipped(value, NAME)}</bdi></dd>
          </div>`,
      )}
    </dl>
    ${blocksHtml(report, pages, 'others')}
  </section>`;
}
