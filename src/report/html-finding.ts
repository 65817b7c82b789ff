// SPDX-License-Identifier: Apache-2.0
/** One finding with its evidence, as a browser shows it. */
import type { Difference } from '../compare/types.js';
import { describeDifference } from './describe-difference.js';
import type { FindingEntry } from './groups.js';
import { hexDump } from './html-hex.js';
import { html, multiline, type Html, joined } from './html-template.js';
import { clipped } from './inert.js';

const LINE = 2_000;
const PATCH_CHARACTERS = 16_000;
const EVIDENCE = 4_000;

/** The id is inside, so that a link to it opens the details. */
export function findingRow({ file, difference, pointer }: FindingEntry, id: string, open: boolean): Html {
  const summary = html`<summary>
    <bdi>${clipped(file, LINE)}</bdi>: <bdi>${clipped(describeDifference(difference), LINE)}</bdi>
  </summary>`;
  const inner = html`${summary}
    <div id="${id}">
      ${evidenceOf(difference)}
      <p class="how">in report.json: <code>${pointer}</code></p>
    </div>`;
  return open
    ? html`<details class="finding" open>${inner}</details> `
    : html`<details class="finding">${inner}</details> `;
}

function evidenceOf(difference: Difference): Html {
  switch (difference.kind) {
    case 'bytes': {
      const { publishedHex, rebuiltHex, publishedOffset, rebuiltOffset } = difference;
      return html`<pre>
published
${hexDump(publishedHex, publishedOffset, rebuiltHex)}
rebuilt
${hexDump(rebuiltHex, rebuiltOffset, publishedHex)}</pre>`;
    }
    case 'hidden':
      return html`<pre>${hexDump(difference.hex, difference.offset)}</pre>`;
    case 'text':
      return html`<pre>${patch(clipped(difference.patch, PATCH_CHARACTERS))}</pre>
        ${
          difference.cutLines === 0
            ? ''
            : html`<p class="how">${difference.cutLines} more lines are counted only</p>`
        }`;
    case 'field':
      return html`<pre>
<del>published ${clipped(difference.published, EVIDENCE)}</del>
<ins>rebuilt   ${clipped(difference.rebuilt, EVIDENCE)}</ins></pre>`;
    case 'only-published':
    case 'only-rebuilt':
    case 'section':
    case 'unread':
    case 'malformed':
    case 'order':
      return html``;
  }
}

/** Neighbouring lines of one kind share a mark. */
function patch(text: string): Html {
  const parts: Html[] = [];
  let lines: string[] = [];
  let mark = '';
  const flush = (): void => {
    if (lines.length === 0) return;
    const inner = multiline(lines.join('\n'));
    parts.push(
      mark === '+' ? html`<ins>${inner}</ins>` : mark === '-' ? html`<del>${inner}</del>` : inner,
      multiline('\n'),
    );
    lines = [];
  };
  for (const line of text.split('\n')) {
    const next = line.startsWith('+') ? '+' : line.startsWith('-') ? '-' : '';
    if (next !== mark) flush();
    mark = next;
    lines.push(line);
  }
  flush();
  return joined(parts);
}
