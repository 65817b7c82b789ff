// SPDX-License-Identifier: Apache-2.0
/** What every command shares: global options, an abort signal, one place where errors become exit codes. */
import type { Argv } from 'yargs';
import { printFailure } from './failure.js';
import { EXIT } from './exit-code.js';
import { Output } from './output.js';
import { showProgress } from './progress.js';
import type { OperationOptions } from '../index.js';

export interface GlobalArguments {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly recipes?: string | undefined;
}

export function globalOptions<T>(yargs: Argv<T>): Argv<T & GlobalArguments> {
  return yargs
    .option('json', { type: 'boolean', default: false, describe: 'the result as JSON on standard output' })
    .option('quiet', { type: 'boolean', default: false, describe: 'no progress' });
}

/** For commands that read recipes. */
export function recipesOption<T>(yargs: Argv<T>): Argv<T & Pick<GlobalArguments, 'recipes'>> {
  return yargs.option('recipes', {
    type: 'string',
    describe: 'a directory with recipes of your own; they come before those of this package',
  });
}

export interface CommandContext {
  readonly output: Output;
  readonly options: OperationOptions & Required<Pick<OperationOptions, 'signal' | 'onProgress'>>;
}

type Work = (context: CommandContext) => Promise<number>;

/**
 * Starts a command's work. Nothing is returned to wait for: yargs would render the whole help in advance for a handler
 * that promises something, and every failure becomes an exit code here.
 */
export function runCommand(argv: GlobalArguments, work: Work): void {
  void runToExitCode(argv, work);
}

/** The first Ctrl-C stops in good order, the second at once. */
async function runToExitCode(argv: GlobalArguments, work: Work): Promise<void> {
  const output = new Output(argv);
  const progress = showProgress(output);
  const controller = new AbortController();
  const stop = (): void => {
    if (controller.signal.aborted) process.exit(EXIT.interrupted);
    output.note('stopping; once more to stop at once');
    controller.abort();
  };
  process.on('SIGINT', stop).on('SIGTERM', stop);
  try {
    process.exitCode = await work({
      output,
      options: {
        signal: controller.signal,
        onProgress: progress.onProgress,
        ...(argv.recipes === undefined ? {} : { recipes: argv.recipes }),
      },
    });
    progress.close();
  } catch (error) {
    progress.close();
    process.exitCode = controller.signal.aborted ? EXIT.interrupted : printFailure(error, output);
    if (controller.signal.aborted) printFailure(error, output);
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop);
  }
}
