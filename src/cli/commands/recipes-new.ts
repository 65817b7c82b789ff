// SPDX-License-Identifier: Apache-2.0
import { createInterface } from 'node:readline/promises';
import type { CommandModule } from 'yargs';
import { globalOptions, runCommand, type GlobalArguments } from '../command.js';
import { EXIT } from '../exit-code.js';
import { writeNew } from './recipes-import.js';
import { RECIPE_QUESTIONS, type RecipeQuestion } from '../../index.js';

type NewArguments = GlobalArguments & { readonly output: string | undefined } & Readonly<
    Partial<Record<RecipeQuestion, string>>
  >;

const QUESTIONS = Object.entries(RECIPE_QUESTIONS) as [RecipeQuestion, string][];

export const recipesNewCommand: CommandModule<object, NewArguments> = {
  command: 'new',
  describe: 'make a first recipe: asks on a terminal for what no option says',
  builder: (yargs) =>
    QUESTIONS.reduce(
      (all, [name, describe]) => all.option(name, { type: 'string', describe }),
      globalOptions(yargs).option('output', {
        alias: 'o',
        type: 'string',
        describe: 'file to write; default standard output',
      }),
    ).example('$0 recipes new -o chat-android.yaml', 'asks for each part'),
  handler: (argv) =>
    runCommand(argv, async ({ output, options }) => {
      const { newRecipe } = await import('../../index.js');
      const answers = Object.fromEntries(
        QUESTIONS.flatMap(([name]) => (argv[name] === undefined ? [] : [[name, argv[name]]])),
      );
      const terminal = process.stdin.isTTY
        ? createInterface({ input: process.stdin, output: process.stderr })
        : undefined;
      try {
        const result = await newRecipe({
          answers,
          date: new Date().toISOString().slice(0, 10),
          ...(terminal === undefined
            ? {}
            : {
                ask: async (_: RecipeQuestion, text: string) =>
                  await terminal.question(`${text}: `, { signal: options.signal }),
              }),
        });
        if (argv.output !== undefined) {
          writeNew(argv.output, result.text);
          output.print(`${argv.output}: ${result.app}`);
        } else if (!argv.json) output.print(result.text);
        output.data(result);
        return EXIT.ok;
      } finally {
        terminal?.close();
      }
    }),
};
