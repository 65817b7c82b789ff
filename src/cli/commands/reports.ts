// SPDX-License-Identifier: Apache-2.0
import type { CommandModule } from 'yargs';
import { globalOptions, runCommand, type GlobalArguments } from '../command.js';
import { EXIT } from '../exit-code.js';

const ACTIONS = ['index'] as const;

interface ReportsArguments extends GlobalArguments {
  readonly action: (typeof ACTIONS)[number];
  readonly directory: string;
  readonly check: boolean;
}

export const reportsCommand: CommandModule<object, ReportsArguments> = {
  command: 'reports <action> [directory]',
  describe: 'make the index of a directory of reports anew (reports index)',
  builder: (yargs) =>
    globalOptions(yargs)
      .positional('action', {
        choices: ACTIONS,
        demandOption: true,
        describe: 'index: write index.json, which leads from a published SHA-256 to its reports',
      })
      .positional('directory', { type: 'string', default: 'reports', describe: 'directory of reports' })
      .option('check', {
        type: 'boolean',
        default: false,
        describe: 'write nothing; exit 1 where the index is not the one that the reports give',
      })
      .example('$0 reports index', 'after a report was added')
      .example('$0 reports index --check', 'for a test'),
  handler: (argv) =>
    runCommand(argv, async ({ output }) => {
      const { indexReports } = await import('../../index.js');
      const { index, file, changed } = await indexReports(argv.directory, { check: argv.check });
      const [reports, files] = [Object.keys(index.reports).length, Object.keys(index.files).length];
      const state = !changed ? 'is up to date' : argv.check ? 'is out of step' : 'written';
      output.print(`${file} ${state}: ${reports} reports about ${files} files`);
      output.data({ file, changed, reports, files });
      return changed && argv.check ? EXIT.unreproducible : EXIT.ok;
    }),
};
