// SPDX-License-Identifier: Apache-2.0
import type { CommandModule } from 'yargs';
import { runCommand, type GlobalArguments } from '../command.js';

interface ShellArguments extends GlobalArguments {
  readonly run: string;
  readonly phase: 'prepare' | 'build' | undefined;
  readonly command: string | undefined;
}

export const shellCommand: CommandModule<object, ShellArguments> = {
  command: 'shell <run>',
  describe: 'look inside of a run that --keep kept; no verdict comes of what was touched',
  builder: (yargs) =>
    yargs
      .positional('run', { type: 'string', demandOption: true, describe: 'see `runs`' })
      .option('json', { type: 'boolean', default: false, describe: 'only a failure is told as JSON' })
      .option('quiet', { type: 'boolean', default: false, describe: 'nothing but what the shell prints' })
      .option('phase', {
        choices: ['prepare', 'build'] as const,
        describe: 'where this phase ended; default: the last one that began',
      })
      .option('command', { type: 'string', describe: 'run this instead of a shell that waits for words' })
      .example('$0 shell 20261129t101500-3f9a2c', 'a shell in the work tree of the failed phase')
      .example('$0 shell 20261129t101500-3f9a2c --command "tail config.log"', 'one command; its exit code')
      .epilogue(
        'The shell sees what the phase saw: image, user, environment, directory, network. It works on a copy, which stays as it is left. Exits with the exit code of what ran.',
      ),
  handler: (argv) =>
    runCommand(argv, async ({ options }) => {
      const { shell } = await import('../../index.js');
      return await shell(
        {
          run: argv.run,
          ...(argv.phase === undefined ? {} : { phase: argv.phase }),
          ...(argv.command === undefined ? {} : { command: argv.command }),
          terminal: process.stdin.isTTY && process.stdout.isTTY,
        },
        options,
      );
    }),
};
