// SPDX-License-Identifier: Apache-2.0
import type { CommandModule } from 'yargs';
import type { Plan } from '../../index.js';
import { globalOptions, recipesOption, runCommand, type GlobalArguments } from '../command.js';
import { EXIT } from '../exit-code.js';
import { checksInBrief, planInBrief, wholePlan } from '../plan-text.js';
import { planRequestOf } from '../run-options.js';

interface PlanArguments extends GlobalArguments {
  readonly app: string;
  readonly release: string;
  readonly channel: string | undefined;
  readonly source: string | undefined;
  readonly 'as-of': string | undefined;
  readonly script: boolean;
}

export const planCommand: CommandModule<object, PlanArguments> = {
  command: 'plan <app> <release>',
  describe: 'print what `verify` would do, fully pinned; fetches nothing but indexes',
  builder: (yargs) =>
    recipesOption(globalOptions(yargs))
      .positional('app', { type: 'string', demandOption: true, describe: 'see `recipes`' })
      .positional('release', {
        type: 'string',
        demandOption: true,
        describe: '10.14.5, 10.x, ">=10.9 <11", latest',
      })
      .option('channel', { type: 'string', describe: 'where users get it' })
      .option('source', { type: 'string', describe: 'another repository or a directory' })
      .option('as-of', { type: 'string', describe: 'YYYY-MM-DD: what was current on that day' })
      .option('script', {
        type: 'boolean',
        default: false,
        describe: 'print it as a shell script, for what only another system builds',
      })
      .example('$0 plan telegram-android 10.x', 'the newest known 10.x')
      .example('$0 plan signal-android 7.x --json', 'as data')
      .example('$0 plan telegram-ios 12.x --script', 'as a script for a Mac'),
  handler: (argv) =>
    runCommand(argv, async ({ output, options }) => {
      const { planAnything, planScript } = await import('../../index.js');
      if (argv.script) {
        const script = await planScript(planRequestOf(argv), options);
        output.print(script);
        output.data({ script });
        return EXIT.ok;
      }
      const result = await planAnything(planRequestOf(argv), options);
      if (result.kind === 'build') {
        output.print(wholly(result.plan));
        output.data(result.plan);
        return EXIT.ok;
      }
      const { plan, onHost } = result;
      output.print(
        [
          checksInBrief(plan),
          ...(onHost === undefined ? [] : ['', `on a machine that fits:`, wholly(onHost)]),
        ].join('\n'),
      );
      output.data(onHost === undefined ? plan : { ...plan, onHost });
      return EXIT.ok;
    }),
};

const wholly = (plan: Plan): string => `${planInBrief(plan)}\n\n${wholePlan(plan)}`;
