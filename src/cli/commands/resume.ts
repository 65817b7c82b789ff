// SPDX-License-Identifier: Apache-2.0
import type { CommandModule } from 'yargs';
import { runCommand } from '../command.js';
import { globalOptions, recipesOption, type GlobalArguments } from '../command.js';
import { built } from './build.js';
import { EXIT, exitCodeOf } from '../exit-code.js';
import { nextSteps } from '../next-steps.js';
import { KEEP } from '../run-options.js';

const FROM = ['prepare', 'build', 'compare'] as const;

interface ResumeArguments extends GlobalArguments {
  readonly run: string;
  readonly from: (typeof FROM)[number];
  readonly keep: (typeof KEEP)[number] | undefined;
  readonly output: string | undefined;
  readonly out: string;
}

export const resumeCommand: CommandModule<object, ResumeArguments> = {
  command: 'resume <run>',
  describe:
    'take up a run that --keep kept, from the beginning of a phase; what was touched gives no verdict',
  builder: (yargs) =>
    recipesOption(globalOptions(yargs))
      .positional('run', { type: 'string', demandOption: true, describe: 'see `runs`' })
      .option('from', {
        choices: FROM,
        demandOption: true,
        describe: 'the first phase that is done again; those before it are used by their digests',
      })
      .option('keep', { choices: KEEP, describe: 'as for `verify`: keep the new run, too' })
      .option('output', {
        alias: 'o',
        type: 'string',
        describe: 'of a run of `build`: keep the outputs in this directory',
      })
      .option('out', {
        type: 'string',
        default: '.',
        describe: 'reports/ and attempts/ go below this directory',
      })
      .example('$0 resume 20261129t101500-3f9a2c --from build', 'build again from what was prepared')
      .example('$0 resume 20261129t101500-3f9a2c --from compare', 'compare what is there')
      .epilogue(
        'A run whose recipe gives another plan by now is refused. Exit 75 where it is assisted: touched by hand, or what a phase left that did not end well.',
      ),
  handler: (argv) =>
    runCommand(argv, async (context) => {
      const { output, options } = context;
      const { renderSummary, resume } = await import('../../index.js');
      const result = await resume(
        {
          run: argv.run,
          from: argv.from,
          out: argv.out,
          ...(argv.keep === undefined ? {} : { keep: argv.keep }),
          ...(argv.output === undefined ? {} : { outputs: argv.output }),
        },
        options,
      );
      switch (result.kind) {
        case 'verified':
          output.print(`${renderSummary(result.report)}\n${nextSteps(result.report, result.location)}`);
          output.data(result.report);
          return exitCodeOf(result.report);
        case 'built': {
          const code = built(result, context);
          if (result.assisted === undefined) return code;
          output.print(`no clean build: ${result.assisted}`);
          return EXIT.failedHere;
        }
        case 'assisted':
          output.print(
            `${result.text}\nNext\n${result.location === undefined ? '' : `  - what is known of it: ${result.location}\n`}  - for a verdict, begin anew: verify ${result.record.target?.app ?? ''} ${result.record.target?.version ?? ''}`,
          );
          output.data(result.record);
          return EXIT.failedHere;
      }
    }),
};
