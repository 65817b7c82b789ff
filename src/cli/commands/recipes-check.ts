// SPDX-License-Identifier: Apache-2.0
import type { CommandModule } from 'yargs';
import { globalOptions, recipesOption, runCommand, type GlobalArguments } from '../command.js';
import { EXIT } from '../exit-code.js';
import { printable, type RecipeCheck } from '../../index.js';

interface CheckArguments extends GlobalArguments {
  readonly name: string;
  readonly online: boolean;
  readonly source: string | undefined;
}

export const recipesCheckCommand: CommandModule<object, CheckArguments> = {
  command: 'check <name>',
  describe: 'tell what a recipe leaves open; --online: what of it is gone, and which versions are new',
  builder: (yargs) =>
    recipesOption(globalOptions(yargs))
      .positional('name', { type: 'string', demandOption: true, describe: 'app of the recipe' })
      .option('online', {
        type: 'boolean',
        default: false,
        describe: 'ask the repository, the servers and the registries that it names',
      })
      .option('source', {
        type: 'string',
        describe: 'another place of its source: an address or a directory',
      })
      .example('$0 recipes check signal-android --online', 'what has changed since it was written')
      .epilogue(
        'Exit 0 if nothing that the recipe names is gone or changed, 64 if something is, 75 if something could not be asked.',
      ),
  handler: (argv) =>
    runCommand(argv, async ({ output, options }) => {
      const { checkRecipeState } = await import('../../index.js');
      const { name, online, source } = argv;
      const result = await checkRecipeState(
        { app: name, online, ...(source === undefined ? {} : { source }) },
        options,
      );
      output.print(textOf(result));
      output.data(result);
      return exitOf(result);
    }),
};

function textOf({ app, file, online, items }: RecipeCheck): string {
  return [
    `${app} (${file})${online ? '' : ', without network'}`,
    ...items.map(({ status, path, message }) => `  ${status.padEnd(8)} ${path}: ${printable(message)}`),
    ...(items.length === 0 ? ['  nothing is open'] : []),
  ].join('\n');
}

function exitOf({ items }: RecipeCheck): number {
  const has = (...statuses: readonly string[]): boolean =>
    items.some(({ status }) => statuses.includes(status));
  if (has('gone', 'changed', 'problem')) return EXIT.usage;
  return has('unknown') ? EXIT.failedHere : EXIT.ok;
}
