// SPDX-License-Identifier: Apache-2.0
/** Texts as one word of a POSIX shell (Shell Command Language, 2.2.2): nothing in it means anything to the shell. */

export const shellQuote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** A line of a script that calls a command of ours with these words. */
export const shellCall = (command: string, ...words: readonly string[]): string =>
  [command, ...words.map(shellQuote)].join(' ');
