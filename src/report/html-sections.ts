// SPDX-License-Identifier: Apache-2.0
/** Notes, sentences and blocks of lines, as a browser shows them. */
import { blocksOf } from './blocks.js';
import { pagedList } from './html-list.js';
import { html, joined, multiline, type Html } from './html-template.js';
import { clipped } from './inert.js';
import type { ReportFile } from './publish.js';
import { sectionsOf } from './sections.js';
import type { Note, Report, Statement } from './types.js';

const NAME = 1_000;
const SENTENCE = 8_000;
const NOTE = 20_000;
const LINE = 2_000;
/** What stays on the first page of each list. */
const INLINE = {
  notes: { rows: 20, bytes: 200_000 },
  statements: { rows: 100, bytes: 90_000 },
  blocks: { rows: 200, bytes: 40_000 },
} as const;

/** Pages beside the first one are added to `pages`. */
export function notesHtml(notes: readonly Note[], pages: ReportFile[]): Html {
  const rows = notes.map(
    (note) =>
      html`<div class="note">
        <strong>${note.kind}</strong> by <bdi>${clipped(note.by, NAME)}</bdi>, ${clipped(note.date, NAME)}:
        <bdi>${clipped(note.text, NOTE)}</bdi>
        ${note.url === undefined ? '' : html`<code>${clipped(note.url, NAME)}</code>`}
      </div>`,
  );
  const shown = pagedList(rows, { stem: 'notes', title: 'Notes', wrap: (all) => all, inline: INLINE.notes });
  pages.push(...shown.pages);
  return shown.inline;
}

export function sentencesHtml(report: Report, pages: ReportFile[]): Html {
  return joined(
    sectionsOf(report).map(({ id, title, statements }) => {
      const shown = pagedList(statements.map(statementRow), {
        stem: id,
        title,
        wrap: (rows) =>
          html`<ul>
            ${rows}
          </ul>`,
        inline: INLINE.statements,
      });
      pages.push(...shown.pages);
      return html`<section id="${id}">
        <h2>${title}</h2>
        ${shown.inline}
      </section>`;
    }),
  );
}

function statementRow({ code, sentence, basis, check }: Statement): Html {
  return html`<li>
    <details>
      <summary data-code="${clipped(code, NAME)}"><bdi>${clipped(sentence, SENTENCE)}</bdi></summary>
      <p class="how">check: <code>${clipped(check, SENTENCE)}</code></p>
      <p class="how">in report.json: <code>${clipped(basis.join(' '), NAME)}</code></p>
    </details>
  </li> `;
}

/** Wrong things open, the others folded. */
export function blocksHtml(report: Report, pages: ReportFile[], which: 'wrong' | 'others'): Html {
  const wrong = new Set(['first-error', 'failure-tail', 'unstable']);
  return joined(
    blocksOf(report)
      .filter(({ id }) => wrong.has(id) === (which === 'wrong'))
      .map(({ id, title, pointer, lines }) => {
        const shown = pagedList(
          lines.map((line) => html`${multiline(clipped(line, LINE))}${multiline('\n')}`),
          { stem: id, title, wrap: (all) => html`<pre>${all}</pre>`, inline: INLINE.blocks },
        );
        pages.push(...shown.pages);
        const inner = html`${shown.inline}
          <p class="how">in report.json: <code>${pointer}</code></p>`;
        return which === 'wrong'
          ? html`<section id="${id}">
              <h2>${title}</h2>
              ${inner}
            </section>`
          : html`<h3>${title} (${lines.length})</h3>
              ${inner}`;
      }),
  );
}
