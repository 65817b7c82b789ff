// SPDX-License-Identifier: Apache-2.0
/** What the shell is offered beside yargs' own commands, options and choices: app ids, where an app is asked for. */
import { COMMAND_WORDS } from './commands/index.js';

/** Commands whose first argument is an app. */
const TAKE_AN_APP: readonly string[] = ['build', 'plan', 'recipes'];

/** How yargs is asked; the program's name and the words so far follow. */
export const COMPLETE = '--get-yargs-completions';

type Answer = (error: Error | null, answers: string[] | undefined) => void;

/** For yargs' `completion`: `byYargs` calls back with what yargs would offer. */
export function complete(
  current: string,
  _argv: unknown,
  byYargs: (onCompleted: Answer) => unknown,
  done: (answers: string[]) => unknown,
): void {
  const words = process.argv.slice(process.argv.indexOf(COMPLETE) + 2, -1);
  const before = words.at(-1) ?? '';
  const named = words.filter((word) => !word.startsWith('-'));
  if (before === '--recipe') void apps().then(done);
  else
    byYargs((_error, answers = []) => {
      const offered = answers.filter((answer) => fits(answer, current, named.length));
      if (current.startsWith('-') || before.startsWith('-') || !wantsApp(named)) done(offered);
      else void apps().then((ids) => done([...offered, ...ids, ...(named[0] === 'recipes' ? ['lint'] : [])]));
    });
}

/** Options only after a dash, so that the shell offers files where files are meant; commands only as first word. */
function fits(answer: string, current: string, named: number): boolean {
  if (answer.startsWith('$0')) return false;
  if (answer.startsWith('-')) return current.startsWith('-');
  return named === 0 || !COMMAND_WORDS.includes(wordOf(answer));
}

function wantsApp(named: readonly string[]): boolean {
  const [first] = named;
  return first === undefined || (named.length === 1 && TAKE_AN_APP.includes(first));
}

const wordOf = (answer: string): string => answer.split(':')[0] ?? '';

/** zsh shows what stands after the colon. */
async function apps(): Promise<string[]> {
  const described = process.env['SHELL']?.includes('zsh') === true;
  const { recipes } = await import('../index.js');
  // a broken recipe is no reason to write into somebody's prompt
  const all = await recipes().catch(() => []);
  return all.map(({ recipe }) => (described ? `${recipe.app}:${recipe.title}` : recipe.app));
}
