// SPDX-License-Identifier: Apache-2.0
/** How sentences are made: code, words, basis, and a check for the shell. */
import type { ReportStatement, Statement } from './types.js';

/** A statement part before its conclusions. */
export type StatementFacts = Omit<
  ReportStatement,
  'verdict' | 'title' | 'coverage' | 'statements' | 'doesNotSay' | 'publisherCan'
>;
/** … and before its sentences. */
export type DecidedFacts = Omit<ReportStatement, 'statements' | 'doesNotSay' | 'publisherCan'>;

/** `basis`: pointers below `/statement`. */
export function say(code: string, sentence: string, basis: readonly string[], check: string): Statement {
  return { code, sentence, basis: basis.map((pointer) => `/statement${pointer}`), check };
}

/** For the shell: single quotes, whatever is inside; what looks like an option becomes a path. */
export function quoted(name: string): string {
  const safe = name.startsWith('-') ? `./${name}` : name;
  return /^[\w.+~@%/:-]+$/.test(safe) && !safe.startsWith('~') ? safe : `'${safe.replaceAll("'", `'\\''`)}'`;
}

/** A command that fetches an address, or none for what is no web address (`javascript:`, `file:`). */
export function fetching(url: string): string {
  return /^https?:\/\//i.test(url) ? `curl -L ${quoted(url)}` : `printf '%s\\n' ${quoted(url)}`;
}

export function count(n: number, noun: string, nouns = `${noun}s`): string {
  return `${n.toLocaleString('en-US')} ${n === 1 ? noun : nouns}`;
}

/** Rounded down, so that 100 % is said only of all. */
export function percent(ratio: number): string {
  return ratio === 1 ? '100 %' : `${(Math.floor(ratio * 10_000) / 100).toFixed(2)} %`;
}

/** At most `limit` of them, the rest counted. */
export function some(items: readonly string[], limit: number): string {
  const shown = items.slice(0, limit).join(', ');
  return items.length > limit ? `${shown} and ${items.length - limit} more` : shown;
}

/** The same text in a sentence's middle: control over its end is ours. */
export function clause(text: string): string {
  return text.trim().replace(/[.\s]+$/, '');
}
