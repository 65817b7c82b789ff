// SPDX-License-Identifier: Apache-2.0
import type { CommandModule } from 'yargs';
import { globalOptions, runCommand, type GlobalArguments } from '../command.js';
import { EXIT } from '../exit-code.js';
import { reconcileText } from '../reconcile-text.js';

interface ReconcileArguments extends GlobalArguments {
  readonly one: string;
  readonly other: string;
}

export const reconcileCommand: CommandModule<object, ReconcileArguments> = {
  command: 'reconcile <one> <other>',
  describe:
    'where two reports about one version part: file, source, plan, environment, inputs, members, rules, verdict',
  builder: (yargs) =>
    globalOptions(yargs)
      .positional('one', { type: 'string', demandOption: true, describe: 'report.json, or its directory' })
      .positional('other', { type: 'string', demandOption: true, describe: 'one of the same target' })
      .example(
        '$0 reconcile mine/report.json theirs/report.json',
        'exit 1 where they part, 0 where they do not',
      )
      .example('$0 reconcile mine theirs --json', 'every fact that is another'),
  handler: (argv) =>
    runCommand(argv, async ({ output }) => {
      const { reconcileReports } = await import('../../index.js');
      const result = await reconcileReports(argv.one, argv.other);
      output.print(reconcileText(result));
      output.data(result);
      return result.first === undefined ? EXIT.ok : EXIT.unreproducible;
    }),
};
