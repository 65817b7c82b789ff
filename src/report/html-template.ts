// SPDX-License-Identifier: Apache-2.0
/**
 * HTML in which every value is text unless it came out of this template itself (https://html.spec.whatwg.org/#escapingString).
 * Values are attacker-controlled: names of members, strings of other people's certificates, texts of notes.
 */
import { inert } from './inert.js';

/** Finished markup; only `html` makes one. */
export interface Html {
  readonly markup: string;
}

export type HtmlValue = string | number | Html | readonly Html[];

const made = new WeakSet<object>();

function finished(markup: string): Html {
  const value: Html = { markup };
  made.add(value);
  return value;
}

export function html(strings: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  const fixed = tightened(strings);
  let markup = fixed[0] ?? '';
  for (const [at, value] of values.entries()) markup += markupOf(value) + (fixed[at + 1] ?? '');
  return finished(markup);
}

const tight = new WeakMap<TemplateStringsArray, readonly string[]>();

/** Without the indentation of our source: a report has thousands of rows. */
function tightened(strings: TemplateStringsArray): readonly string[] {
  let fixed = tight.get(strings);
  if (fixed === undefined) {
    fixed = strings.map((part) => part.replace(/\n\s+/g, '\n'));
    tight.set(strings, fixed);
  }
  return fixed;
}

export function joined(parts: readonly Html[]): Html {
  return finished(parts.map(markupOf).join(''));
}

/** Line ends stay, everything else that could steer is made visible. */
export function multiline(text: string): Html {
  return finished(text.split('\n').map(escaped).join('\n'));
}

function markupOf(value: HtmlValue): string {
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string') return escaped(value);
  if (Array.isArray(value)) return value.map(markupOf).join('');
  const { markup } = value as Html;
  // an object of the same shape that came out of a parsed file is no markup
  return made.has(value) ? markup : escaped(markup);
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '`': '&#96;',
};

function escaped(text: string): string {
  return inert(text).replace(/[&<>"'`]/g, (character) => ENTITIES[character] ?? '');
}
