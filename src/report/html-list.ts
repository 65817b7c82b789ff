// SPDX-License-Identifier: Apache-2.0
/** Lists without end on pages with one: what does not fit the first page goes to pages beside it, in order. */
import { page } from './html-page.js';
import { html, joined, type Html } from './html-template.js';
import type { ReportFile } from './publish.js';

export interface ListShape {
  /** Of the pages beside: `details/<stem>-<n>.html`. */
  readonly stem: string;
  readonly title: string;
  readonly wrap: (rows: Html) => Html;
  /** Of the rows that stay on the first page. */
  readonly inline: { readonly rows: number; readonly bytes: number };
}

export interface PagedList {
  readonly inline: Html;
  readonly pages: readonly ReportFile[];
  /** The page of each row; undefined for the first page. */
  readonly pageOf: readonly (string | undefined)[];
}

const PAGE_BYTES = 1 << 20;
const PAGE_ROWS = 3_000;
/** Links to pages on the first page: the rest is reached from the page before. */
const LINKS = 100;

export const pageName = (stem: string, n: number): string => `details/${stem}-${n}.html`;

/** `beside`: the same rows as they read on the pages of `details/`, where links start from another place. */
export function pagedList(
  rows: readonly Html[],
  shape: ListShape,
  beside: readonly Html[] = rows,
): PagedList {
  const pages: ReportFile[] = [];
  const pageOf: (string | undefined)[] = [];
  const inline = take(rows, 0, shape.inline);
  for (let at = 0; at < inline; at++) pageOf.push(undefined);
  for (let at = inline, n = 1; at < rows.length; n++) {
    // a row is bounded by whoever made it, so a page always takes one
    const end = Math.max(at + 1, take(beside, at, { rows: PAGE_ROWS, bytes: PAGE_BYTES }));
    const name = pageName(shape.stem, n);
    const title = `${shape.title}, ${at + 1} to ${end} of ${rows.length}`;
    const next = end < rows.length ? html` · <a href="../${pageName(shape.stem, n + 1)}">next</a>` : html``;
    const nav = html`<p><a href="../index.html">report</a>${next}</p>`;
    const body = html`<h1>${title}</h1>
      ${nav}${shape.wrap(joined(beside.slice(at, end)))}${nav}`;
    pages.push({ name, content: page(title, body) });
    while (at < end) {
      pageOf.push(name);
      at++;
    }
  }
  const links = pages.slice(0, LINKS).map(({ name }, at) => html` <a href="${name}">${at + 1}</a>`);
  const more =
    pages.length === 0
      ? html``
      : html`<p>
          ${rows.length - inline} more on
          ${pages.length === 1 ? 'page' : 'pages'}${links}${pages.length > LINKS ? ' …' : ''}
        </p>`;
  const shown = inline === 0 ? html`` : shape.wrap(joined(rows.slice(0, inline)));
  return { inline: html`${shown}${more}`, pages, pageOf };
}

/** Index behind the last row that fits. */
function take(rows: readonly Html[], from: number, limit: { rows: number; bytes: number }): number {
  let bytes = 0;
  let at = from;
  while (at < rows.length && at - from < limit.rows) {
    bytes += Buffer.byteLength((rows[at] as Html).markup);
    if (bytes > limit.bytes) break;
    at++;
  }
  return at;
}
