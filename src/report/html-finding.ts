// SPDX-License-Identifier: Apache-2.0
/** One finding with its evidence, as a browser shows it. */
import type { Difference } from '../compare/types.js';
import type { FindingEntry } from './groups.js';
import { html, multiline, type Html } from './html-template.js';
import { clipped } from './inert.js';
import { describeDifference } from './describe-difference.js';

const LINE = 2_000;
const PATCH_CHARACTERS = 16_000;
const EVIDENCE = 4_000;

export function findingRow({ file, difference, pointer }: FindingEntry, id: string): Html {
  return html`<details id="${id}">
    <summary>
      <bdi>${clipped(file, LINE)}</bdi>: <bdi>${clipped(describeDifference(difference), LINE)}</bdi>
    </summary>
    ${evidenceOf(difference)}in report.json: <code>${pointer}</code>
  </details> `;
}

function evidenceOf(difference: Difference): Html {
  switch (difference.kind) {
    case 'bytes':
      return html`<pre>
published ${hexOf(difference.publishedHex)}
rebuilt   ${hexOf(difference.rebuiltHex)}</pre>`;
    case 'hidden':
      return html`<pre>${hexOf(difference.hex)}</pre>`;
    case 'text':
      return html`<pre>${multiline(clipped(difference.patch, PATCH_CHARACTERS))}</pre>
        ${difference.cutLines === 0 ? '' : html`<p>${difference.cutLines} more lines are counted only</p>`}`;
    case 'field':
      return html`<pre>
published ${clipped(difference.published, EVIDENCE)}
rebuilt   ${clipped(difference.rebuilt, EVIDENCE)}</pre>`;
    case 'only-published':
    case 'only-rebuilt':
    case 'section':
    case 'unread':
    case 'malformed':
    case 'order':
      return html``;
  }
}

const hexOf = (hex: string): string => clipped(hex, EVIDENCE).replace(/[0-9a-f]{8}(?=[0-9a-f])/g, '$& ');
