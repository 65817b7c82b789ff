// SPDX-License-Identifier: Apache-2.0
import { writeFileSync } from 'node:fs';
import type { CommandModule } from 'yargs';
import { globalOptions, runCommand, type GlobalArguments } from '../command.js';
import { EXIT } from '../exit-code.js';
import { UsageError, type ImportFormat } from '../../index.js';

interface ImportArguments extends GlobalArguments {
  readonly format: ImportFormat;
  readonly metadata: string;
  readonly app: string | undefined;
  readonly versions: string | undefined;
  readonly variant: string | undefined;
  readonly output: string | undefined;
}

export const recipesImportCommand: CommandModule<object, ImportArguments> = {
  command: 'import <format> <metadata>',
  describe: "make a recipe of F-Droid's metadata or of a recipe of rbtlog",
  builder: (yargs) =>
    globalOptions(yargs)
      .positional('format', {
        choices: ['fdroiddata', 'rbtlog'] as const,
        demandOption: true,
        describe: 'whose file it is',
      })
      .positional('metadata', {
        type: 'string',
        demandOption: true,
        describe: 'the file, named after its package; with fdroiddata, ../srclibs is read as well',
      })
      .option('app', { type: 'string', describe: 'name of the recipe; default the package with hyphens' })
      .option('versions', { type: 'string', describe: 'so many of the newest versions; default 3' })
      .option('variant', {
        type: 'string',
        describe: 'which of several files of one version, counted from 1; default the last',
      })
      .option('output', { alias: 'o', type: 'string', describe: 'file to write; default standard output' })
      .example('$0 recipes import fdroiddata fdroiddata/metadata/org.example.chat.yml', 'F-Droid')
      .example('$0 recipes import rbtlog recipes/org.example.chat.yml -o chat.yaml', 'an rbtlog')
      .epilogue('What could not be taken over stands in the recipe as a comment that begins with TODO.'),
  handler: (argv) =>
    runCommand(argv, async ({ output }) => {
      const { importRecipe } = await import('../../index.js');
      const { format, metadata, app } = argv;
      const versions = numberOf('versions', argv.versions);
      const variant = numberOf('variant', argv.variant);
      const result = await importRecipe({
        format,
        file: metadata,
        ...(app === undefined ? {} : { app }),
        ...(versions === undefined ? {} : { versions }),
        ...(variant === undefined ? {} : { variant }),
      });
      if (argv.output !== undefined) {
        writeNew(argv.output, result.text);
        output.print(`${argv.output}: ${result.app}, ${result.todos.length} TODOs`);
      } else if (!argv.json) output.print(result.text);
      output.data(result);
      return EXIT.ok;
    }),
};

function numberOf(name: string, given: string | undefined): number | undefined {
  if (given === undefined) return undefined;
  if (/^[1-9]\d{0,3}$/.test(given)) return Number(given);
  throw new UsageError('usage', `--${name}: expected a number from 1 to 9999, got ${JSON.stringify(given)}`);
}

/** A recipe that somebody has worked on is not written over. */
export function writeNew(file: string, text: string): void {
  try {
    writeFileSync(file, text, { flag: 'wx' });
  } catch (cause) {
    const { code = '', message } = cause as NodeJS.ErrnoException;
    throw new UsageError(
      'not-writable',
      `cannot write ${file}: ${code === 'EEXIST' ? 'it is there' : message}`,
      {
        cause,
        hint: 'choose another file with -o',
      },
    );
  }
}
