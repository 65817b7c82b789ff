// SPDX-License-Identifier: Apache-2.0
import type { CommandModule } from 'yargs';
import { globalOptions, runCommand, type GlobalArguments } from '../command.js';
import { EXIT } from '../exit-code.js';
import { columns } from '../table-text.js';
import type { StatusRow } from '../../index.js';

interface StatusArguments extends GlobalArguments {
  readonly reports: string | undefined;
  readonly last: number;
}

export const statusCommand: CommandModule<object, StatusArguments> = {
  command: 'status',
  describe: 'the verdicts on the last versions of each app, channel by channel, from the reports',
  builder: (yargs) =>
    globalOptions(yargs)
      .option('reports', {
        type: 'string',
        describe: 'directory or address (https://…) of reports; default: reports/ here and ours',
      })
      .option('last', { type: 'string', coerce: count, default: 3, describe: 'how many versions are shown' })
      .example('$0 status', 'every app that has a recipe')
      .example('$0 status --json', 'as data, with all versions'),
  handler: (argv) =>
    runCommand(argv, async ({ output, options }) => {
      const { status } = await import('../../index.js');
      const rows = await status(argv.reports === undefined ? {} : { reports: argv.reports }, options);
      output.print(table(rows, argv.last));
      output.data(rows);
      return EXIT.ok;
    }),
};

function table(rows: readonly StatusRow[], last: number): string {
  const cells = rows.map(({ app, platform, channel, versions, summary }) => {
    const shown = versions
      .slice(0, last)
      .map(({ version, verdict, date }) => `${version} ${verdict} (${date})`)
      .join(', ');
    return [app, platform ?? '-', channel, summary, shown];
  });
  return columns([['app', 'platform', 'channel', 'summary', 'last versions'], ...cells]);
}

function count(value: string): number {
  const last = Number(value);
  if (!Number.isInteger(last) || last < 1) throw new Error(`not a number of versions: ${value}`);
  return last;
}
