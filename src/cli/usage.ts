// SPDX-License-Identifier: Apache-2.0
/** What yargs says about a wrong command line, in our words and with the word that was probably meant. */
import { nearestWord, UsageError } from '../index.js';

interface Known {
  readonly commands: readonly string[];
  /** Of the command that was given. */
  readonly options: readonly string[];
  readonly program: string;
}

const UNKNOWN = /^Unknown (?:arguments?|commands?): (.*)$/s;

/** `given`: the words of the command line. */
export function usageError(said: string, given: readonly string[], known: Known): UsageError {
  const help = `see ${[known.program, ...given.slice(0, 1).filter((word) => known.commands.includes(word)), '--help'].join(' ')}`;
  const unknown = UNKNOWN.exec(said)?.[1]?.split(', ') ?? [];
  const [first] = unknown;
  if (first === undefined) return new UsageError('usage', oneLine(said), { hint: help });
  const isOption = given.some(
    (word) => /^--?/.test(word) && word.replace(/^--?(?:no-)?/, '').split('=')[0] === first,
  );
  // the first word may also be an app; too many words after it make a mistyped command of it
  const [word = ''] = given;
  const mistyped =
    !isOption && !known.commands.includes(word) ? nearestWord(word, known.commands) : undefined;
  if (mistyped !== undefined)
    return new UsageError('unknown-command', `there is no command ${word}`, {
      hint: `did you mean ${mistyped}? ${help}`,
    });
  const near = isOption ? nearestWord(first, known.options) : undefined;
  const dash = isOption ? (first.length === 1 ? '-' : '--') : '';
  const what = isOption ? 'option' : 'argument';
  return new UsageError(`unknown-${what}`, `there is no ${what} ${dash}${first}`, {
    hint: near === undefined ? help : `did you mean ${dash === '-' ? '--' : dash}${near}? ${help}`,
  });
}

/** yargs breaks its lines for a terminal. */
function oneLine(said: string): string {
  const line = said.trim().replace(/\s*\n\s*/g, ' ');
  return `${line.slice(0, 1).toLowerCase()}${line.slice(1)}`;
}
