// SPDX-License-Identifier: Apache-2.0
/** Takes out of texts what would name a machine, its user or its network: logs and failures are kept without them. */

export interface Private {
  readonly text: string;
  /** What stands in its place, e.g. `<home>`. */
  readonly as: string;
  /** Only as a word of its own: names of users and hosts are ordinary words too. */
  readonly word?: true;
}

export type Redact = (text: string) => string;

/** The longest first, so that a directory's own name does not hide what is inside of it. */
export function redactor(list: readonly Private[]): Redact {
  const rules = list
    .filter(({ text }) => text.length >= MIN)
    .sort((a, b) => b.text.length - a.text.length)
    .map(({ text, as, word }) => {
      const escaped = text.replace(/[\\^$.|?*+()[\]{}]/g, '\\$&');
      return {
        pattern: new RegExp(word === true ? `(?<![\\p{L}\\d_-])${escaped}(?![\\p{L}\\d_-])` : escaped, 'gu'),
        as,
      };
    });
  return (text) => rules.reduce((now, { pattern, as }) => now.replace(pattern, () => as), text);
}

/** Shorter ones would take words apart. */
const MIN = 3;

/** Every string of plain data, keys excepted. */
export function redacted<T>(value: T, redact: Redact): T {
  if (typeof value === 'string') return redact(value) as T;
  if (Array.isArray(value)) return value.map((item: unknown) => redacted(item, redact)) as T;
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, redacted<unknown>(item, redact)]),
    ) as T;
  return value;
}
