// SPDX-License-Identifier: Apache-2.0
import type { CommandModule } from 'yargs';
import { printable } from '../../index.js';
import { globalOptions, runCommand, type GlobalArguments } from '../command.js';
import { EXIT } from '../exit-code.js';

interface PackArguments extends GlobalArguments {
  readonly what: string;
  readonly out: string | undefined;
}

export const packCommand: CommandModule<object, PackArguments> = {
  command: 'pack <what>',
  describe:
    'one archive to hand to a publisher: plan, findings, logs, rebuilt files, and not the published one',
  builder: (yargs) =>
    globalOptions(yargs)
      .positional('what', {
        type: 'string',
        demandOption: true,
        describe: 'directory of a report, report.json, a run below attempts/, or one that is kept',
      })
      .option('out', {
        alias: 'o',
        type: 'string',
        requiresArg: true,
        describe: 'new FILE (default: samesource-<app>-<statement>.tar.gz here)',
      })
      .example('$0 pack reports/chat/1.0/website/0123456789ab-1', 'everything that is kept of that report')
      .example('$0 pack 20261129t160000-3f9a2c -o failed.tar.gz', 'a run that ended without a verdict'),
  handler: (argv) =>
    runCommand(argv, async ({ output, options }) => {
      const { pack } = await import('../../index.js');
      const { what, out } = argv;
      const packed = await pack({ what, ...(out === undefined ? {} : { out }) }, options);
      output.print(
        [packed.file, ...packed.files.map(({ name, what: is }) => `  ${name}: ${printable(is)}`)].join('\n'),
      );
      for (const one of packed.missing) output.note(`not inside: ${printable(one)}`);
      output.data(packed);
      return EXIT.ok;
    }),
};
