// SPDX-License-Identifier: Apache-2.0
/** Bytes in hex with offsets; those that the other side does not have are marked. */
import { html, joined, multiline, type Html } from './html-template.js';
import { clipped } from './inert.js';

const ROW = 16;
/** Marks in one dump: what changes back and forth is told by the first ones. */
const MARKS = 8;
const SHOWN = 4_000;

/** `hex` comes from a report, so it may be anything. */
export function hexDump(hex: string, offset: number, other?: string): Html {
  if (hex === '') return html`<i>no bytes</i>`;
  if (!/^(?:[0-9a-f]{2})+$/.test(hex) || hex.length > SHOWN) return multiline(clipped(hex, SHOWN));
  const bytes = pairs(hex);
  const others = other === undefined ? undefined : pairs(other);
  const rows: Html[] = [];
  let marks = 0;
  for (let at = 0; at < bytes.length; at += ROW) {
    const row = bytes.slice(at, at + ROW);
    const cells: Html[] = [];
    for (let from = 0; from < row.length;) {
      const differs = (i: number): boolean => others !== undefined && others[at + i] !== row[i];
      const mayMark = marks < MARKS;
      const marked = mayMark && differs(from);
      let to = from + 1;
      while (to < row.length && (mayMark ? differs(to) : false) === marked) to++;
      const text = row.slice(from, to).join(' ');
      const space = to < row.length ? ' ' : '';
      cells.push(marked ? html`<b>${text}</b>${space}` : html`${text}${space}`);
      if (marked) marks++;
      from = to;
    }
    const pad = '   '.repeat(ROW - row.length);
    const place = (offset + at).toString(16).padStart(8, '0');
    rows.push(html`${place} ${joined(cells)}${pad} ${characters(row)}`);
  }
  return joined(rows.flatMap((row, at) => (at === 0 ? [row] : [multiline('\n'), row])));
}

const pairs = (hex: string): string[] => hex.match(/../g) ?? [];

/** Letters, digits and what no page could mistake for markup. */
function characters(row: readonly string[]): string {
  return row
    .map((byte) => String.fromCharCode(Number.parseInt(byte, 16)))
    .map((character) => (/^[\w .,:;/+=()[\]{}@#%$!?*|~^-]$/.test(character) ? character : '.'))
    .join('');
}
