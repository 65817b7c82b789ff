// SPDX-License-Identifier: Apache-2.0
import type { CommandModule } from 'yargs';
import { printable, type BuildOperationResult } from '../../index.js';
import { runCommand, type CommandContext } from '../command.js';
import { EXIT } from '../exit-code.js';
import { knownText } from '../known-text.js';
import { engineOf, planRequestOf, runOptions, type RunArguments } from '../run-options.js';

interface BuildArguments extends RunArguments {
  readonly app: string;
  readonly release: string;
  readonly output: string | undefined;
}

export const buildCommand: CommandModule<object, BuildArguments> = {
  command: 'build <app> <release>',
  describe: 'only build, and print the SHA-256 of what came out; no published file is needed',
  builder: (yargs) =>
    runOptions(yargs)
      .positional('app', { type: 'string', demandOption: true, describe: 'see `recipes`' })
      .positional('release', { type: 'string', demandOption: true, describe: 'a version or a range' })
      .option('output', { alias: 'o', type: 'string', describe: 'keep the outputs in this directory' })
      .example('$0 build bitlbee 3.x', 'the digests of the rebuilt packages')
      .example('$0 build demo latest -o rebuilt', 'keep the files as well'),
  handler: (argv) =>
    runCommand(argv, async (context) => {
      const { build } = await import('../../index.js');
      const result = await build(
        {
          ...planRequestOf(argv),
          ...engineOf(argv),
          ...(argv.output === undefined ? {} : { outputs: argv.output }),
          out: argv.out,
        },
        context.options,
      );
      return built(result, context);
    }),
};

/** Says what came of it. Returns the exit code. */
export function built(result: BuildOperationResult, { output }: Pick<CommandContext, 'output'>): number {
  output.data(result);
  const { failed } = result;
  if (failed !== undefined) {
    output.print(
      [
        `the published source did not build: the ${failed.phase} phase ended with exit code ${failed.exitCode}`,
        ...(failed.firstError.length === 0 ? failed.tail : failed.firstError).map(
          (line) => `  ${printable(line)}`,
        ),
        ...knownText(failed.known),
      ].join('\n'),
    );
    return EXIT.unverifiable;
  }
  output.print(result.files.map(({ sha256, path, name }) => `${sha256}  ${path ?? name}`).join('\n'));
  if (result.absent.length === 0) return EXIT.ok;
  output.note(`the plan also names outputs that were not made: ${result.absent.join(', ')}`);
  return EXIT.unreproducible;
}
