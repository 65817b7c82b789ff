// SPDX-License-Identifier: Apache-2.0
/**
 * The report for a browser: `index.html` and pages beside it, no script, no page above 3 MB, everything within two
 * clicks. It has no sentence of its own (see `statements.ts`).
 */
import type { MemberSide, PairComparison } from '../compare/types.js';
import { groupsOf, GROUP_TITLES, type FindingEntry, type Group, type MemberEntry } from './groups.js';
import { findingRow } from './html-finding.js';
import { pagedList, type ListShape } from './html-list.js';
import { page } from './html-page.js';
import { html, joined, type Html } from './html-template.js';
import { clipped } from './inert.js';
import type { ReportFile } from './publish.js';
import { sectionsOf } from './sections.js';
import { percent } from './say.js';
import { count } from './say.js';
import { headline } from './title.js';
import type { Note, Report, Statement } from './types.js';

const NAME = 1_000;
const TYPE_NAME = 100;
const SENTENCE = 8_000;
const NOTE = 20_000;

/** What the first page may hold of each list: together with the rest they stay below 3 MB. */
const INLINE = {
  notes: { rows: 20, bytes: 200_000 },
  statements: { rows: 100, bytes: 100_000 },
  files: { rows: 200, bytes: 150_000 },
  findings: { rows: 50, bytes: 150_000 },
  members: { rows: 3_000, bytes: 350_000 },
  tools: { rows: 50, bytes: 50_000 },
} as const;

interface Out {
  readonly pages: ReportFile[];
}

const list = (rows: Html): Html =>
  html`<ul>
    ${rows}
  </ul>`;

/** `index.html` first. */
export function renderHtml(report: Report, notes: readonly Note[] = []): readonly ReportFile[] {
  const out: Out = { pages: [] };
  const groups = groupsOf(report);
  const title = `${headline(report)}: ${subjectOf(report)}`;
  const body = html`<header>
      <h1>${headline(report)}</h1>
      <p class="verdict ${tone(report)}">
        ${subjectOf(report)}<br />verdict <code>${report.statement.verdict.kind}</code>,
        ${report.run.time.slice(0, 10)}${coverageOf(report)}
      </p>
      ${notesOf(notes, out)}
    </header>
    <main>
      ${overviewOf(groups)} ${filesOf(report, out)} ${sectionsHtml(report, out)}
      ${groups.map((group) => groupHtml(group, out))} ${runOf(report, out)}
    </main>
    <footer>
      <p>statement SHA-256 <code>${report.statementSha256}</code> · <a href="report.json">report.json</a></p>
    </footer>`;
  return [{ name: 'index.html', content: page(title, body) }, ...out.pages];
}

function subjectOf({ statement }: Report): string {
  const { target, published } = statement.subject;
  if (target !== undefined) return clipped(`${target.app} ${target.version} (${target.channel})`, NAME);
  const [first] = published;
  if (first === undefined) return 'no file';
  const more = published.length === 1 ? '' : ` and ${published.length - 1} more`;
  return `${clipped(first.name, NAME)}${more}`;
}

function tone({ statement }: Report): string {
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

function coverageOf({ statement }: Report): Html {
  if ((statement.comparison?.pairs.length ?? 0) === 0) return html``;
  return html`<br />coverage ${percent(statement.coverage.ratio)} of content bytes`;
}

function paged(rows: readonly Html[], shape: ListShape, out: Out): Html {
  const { inline, pages } = pagedList(rows, shape);
  out.pages.push(...pages);
  return inline;
}

// ---------------------------------------------------------------- notes and sentences

function notesOf(notes: readonly Note[], out: Out): Html {
  const rows = notes.map(
    (note) =>
      html`<div class="note">
        <strong>${note.kind}</strong> by <bdi>${clipped(note.by, NAME)}</bdi>, ${note.date}:
        <bdi>${clipped(note.text, NOTE)}</bdi
        >${note.url === undefined ? '' : html` <code>${clipped(note.url, NAME)}</code>`}
      </div>`,
  );
  return paged(rows, { stem: 'notes', title: 'Notes', wrap: (all) => all, inline: INLINE.notes }, out);
}

function sectionsHtml(report: Report, out: Out): Html {
  return joined(
    sectionsOf(report).map(({ title, statements }) => {
      const stem = title.toLowerCase().replaceAll(' ', '-');
      const rows = statements.map(statementRow);
      const shown = paged(rows, { stem, title, wrap: list, inline: INLINE.statements }, out);
      return html`<section>
        <h2>${title}</h2>
        ${shown}
      </section>`;
    }),
  );
}

function statementRow({ code, sentence, basis, check }: Statement): Html {
  return html`<li>
    <details>
      <summary data-code="${clipped(code, NAME)}"><bdi>${clipped(sentence, SENTENCE)}</bdi></summary>
      check: <code>${clipped(check, SENTENCE)}</code><br />in report.json:
      <code>${clipped(basis.join(' '), NAME)}</code>
    </details>
  </li> `;
}

// ---------------------------------------------------------------- files

function filesOf({ statement }: Report, out: Out): Html {
  const { comparison, subject } = statement;
  const pairs = comparison?.pairs ?? [];
  if (pairs.length === 0 && subject.published.length === 0) return html``;
  const rows =
    pairs.length > 0
      ? pairs.map(pairRow)
      : subject.published.map(
          (file) =>
            html`<tr>
              <td><bdi>${clipped(file.name, NAME)}</bdi><br /><code>${file.sha256}</code></td>
              <td class="n">${file.size}</td>
              <td></td>
              <td></td>
              <td></td>
            </tr> `,
        );
  const wrap = (all: Html): Html =>
    html`<table>
      <thead>
        <tr>
          <th>published</th>
          <th>bytes</th>
          <th>rebuilt</th>
          <th>bytes</th>
          <th>worst</th>
        </tr>
      </thead>
      <tbody>
        ${all}
      </tbody>
    </table>`;
  const shown = paged(rows, { stem: 'files', title: 'Files', wrap, inline: INLINE.files }, out);
  return html`<section>
    <h2>Files</h2>
    ${shown}
  </section>`;
}

function pairRow({ published, rebuilt, worst }: PairComparison): Html {
  return html`<tr>
    <td><bdi>${clipped(published.name, NAME)}</bdi><br /><code>${published.sha256}</code></td>
    <td class="n">${published.size}</td>
    <td><bdi>${clipped(rebuilt.name, NAME)}</bdi><br /><code>${rebuilt.sha256}</code></td>
    <td class="n">${rebuilt.size}</td>
    <td class="o-${worst}">${worst}</td>
  </tr> `;
}

// ---------------------------------------------------------------- members and findings

/** Of one group, on the first screen. */
const TYPES = 8;

function overviewOf(groups: readonly Group[]): Html {
  const rows = groups.flatMap((group) => {
    const types = [...countTypes(group)].sort(([, a], [, b]) => b.unequal - a.unequal || b.all - a.all);
    const shown = types.slice(0, TYPES).map(([type, { all, unequal }], at) => {
      const title = at === 0 ? html`<a href="#group-${group.name}">${GROUP_TITLES[group.name]}</a>` : '';
      return html`<tr>
        <td>${title}</td>
        <td>${clipped(type, TYPE_NAME)}</td>
        <td class="n">${all}</td>
        <td class="n">${unequal}</td>
      </tr>`;
    });
    const left = types.length - shown.length;
    return left === 0
      ? shown
      : [
          ...shown,
          html`<tr>
            <td></td>
            <td>${left} other types</td>
            <td></td>
            <td></td>
          </tr>`,
        ];
  });
  if (rows.length === 0) return html``;
  return html`<table>
    <thead>
      <tr>
        <th>kind</th>
        <th>type</th>
        <th>members</th>
        <th>not identical</th>
      </tr>
    </thead>
    <tbody>
      ${rows}
    </tbody>
  </table>`;
}

function countTypes({ members }: Group): ReadonlyMap<string, { all: number; unequal: number }> {
  const types = new Map<string, { all: number; unequal: number }>();
  for (const { member } of members) {
    const counted = types.get(member.type) ?? { all: 0, unequal: 0 };
    counted.all++;
    if (member.owner !== 'identical') counted.unequal++;
    types.set(member.type, counted);
  }
  return types;
}

function groupHtml({ name, members, findings }: Group, out: Out): Html {
  if (members.length === 0 && findings.length === 0) return html``;
  const title = GROUP_TITLES[name];
  const found = pagedList(
    findings.map((entry, at) => findingRow(entry, findingId(name, at))),
    { stem: `${name}-findings`, title: `${title}: findings`, wrap: (all) => all, inline: INLINE.findings },
  );
  const wrap = (all: Html): Html =>
    html`<table>
      <thead>
        <tr>
          <th>member</th>
          <th>type</th>
          <th>owner</th>
          <th>published</th>
          <th>rebuilt</th>
          <th></th>
        </tr>
      </thead>
      <tbody>
        ${all}
      </tbody>
    </table>`;
  const shape = { stem: `${name}-members`, title: `${title}: members`, wrap, inline: INLINE.members };
  const rowsFrom = (up: string): readonly Html[] => {
    const links = linksOf(findings, found.pageOf, name, up);
    return members.map((entry) => memberRow(entry, links.get(entry.key)));
  };
  const linked = pagedList(rowsFrom(''), shape, rowsFrom('../'));
  out.pages.push(...found.pages, ...linked.pages);
  const counts = `${count(members.length, 'member')}, ${count(findings.length, 'finding')}`;
  return html`<section id="group-${name}">
    <h2>${title}</h2>
    <p>${counts}</p>
    ${found.inline}${linked.inline}
  </section>`;
}

const findingId = (group: string, at: number): string => `${group}-${at}`;

/** From a member to its first finding. */
function linksOf(
  findings: readonly FindingEntry[],
  pageOf: readonly (string | undefined)[],
  group: string,
  up: string,
): ReadonlyMap<string, Html> {
  const links = new Map<string, Html>();
  for (const [at, { key }] of findings.entries())
    if (!links.has(key)) {
      const file = pageOf[at] ?? (up === '' ? '' : 'index.html');
      links.set(key, html`<a href="${file === '' ? '' : up}${file}#${findingId(group, at)}">why</a>`);
    }
  return links;
}

function memberRow({ place, member }: MemberEntry, link: Html | undefined): Html {
  const size = (side: MemberSide | undefined): string => (side === undefined ? '–' : String(side.size));
  const again = member.occurrence === 0 ? '' : ` (${member.occurrence + 1})`;
  return html`<tr>
    <td><bdi>${clipped(place.join(' > '), NAME)}</bdi>${again}</td>
    <td>${clipped(member.type, NAME)}</td>
    <td class="o-${member.owner}">${member.owner}</td>
    <td class="n">${size(member.published)}</td>
    <td class="n">${size(member.rebuilt)}</td>
    <td>${link ?? ''}</td>
  </tr> `;
}

// ---------------------------------------------------------------- the run

function runOf({ run }: Report, out: Out): Html {
  const facts: readonly (readonly [string, string])[] = [
    ['time', run.time],
    ['tool', `${run.tool.name} ${run.tool.version}, Node ${run.node}`],
    ['machine', `${run.architecture}, ${run.kernel}, ${run.cpuCount} CPUs, ${run.memoryMiB} MiB`],
    [
      'builds',
      `${run.builds}, ${run.matchingBuilds} matching${run.standing === undefined ? '' : `, ${run.standing}`}`,
    ],
    ...(run.supersedes === undefined ? [] : [['supersedes statement', run.supersedes] as const]),
    ...run.tools.map(({ name, version }) => [name, version] as const),
    ...run.logs.map(({ phase, name, sha256 }) => [`log of ${phase}: ${name}`, sha256] as const),
  ];
  const rows = facts.map(
    ([name, value]) =>
      html`<tr>
        <th>${clipped(name, NAME)}</th>
        <td><bdi>${clipped(value, NAME)}</bdi></td>
      </tr> `,
  );
  const wrap = (all: Html): Html =>
    html`<table>
      <tbody>
        ${all}
      </tbody>
    </table>`;
  return html`<section>
    <h2>Run</h2>
    ${paged(rows, { stem: 'run', title: 'Run', wrap, inline: INLINE.tools }, out)}
  </section>`;
}
