// SPDX-License-Identifier: Apache-2.0
/** Texts of others made harmless for a person's eyes and terminal, and kept short. */
import { printable } from '../printable.js';

/** As `printable`, without a second backslash: most texts of a report are printable forms already. */
export function inert(text: string): string {
  return printable(text).replaceAll('\\\\', '\\');
}

/** Long texts stay in report.json; here the rest is counted. */
export function clipped(text: string, limit: number): string {
  if (text.length <= limit) return text;
  return `${text.slice(0, limit).toWellFormed()} … (${text.length - limit} more characters in report.json)`;
}
