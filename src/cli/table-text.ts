// SPDX-License-Identifier: Apache-2.0
/** Rows as columns of a terminal. */
import { printable } from '../index.js';

/** Every row has as many cells as the first. Cells may be anybody's: they are made printable here. */
export function columns(rows: readonly (readonly string[])[]): string {
  const texts = rows.map((row) => row.map((cell) => printable(cell)));
  const widths = (texts[0] ?? []).map((_, at) => Math.max(...texts.map((row) => row[at]?.length ?? 0)));
  return texts
    .map((row) =>
      row
        .map((cell, at) => cell.padEnd(widths[at] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
