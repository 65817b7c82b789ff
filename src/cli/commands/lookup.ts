// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import type { CommandModule } from 'yargs';
import { globalOptions, runCommand, type GlobalArguments } from '../command.js';
import { EXIT, exitCodeOf } from '../exit-code.js';
import { lookupData, lookupText, otherFilesText } from '../lookup-text.js';
import type { LookupResult, OtherFile } from '../../index.js';

interface LookupArguments extends GlobalArguments {
  readonly what: string;
  readonly reports: string | undefined;
  readonly strict: boolean;
}

export const lookupCommand: CommandModule<object, LookupArguments> = {
  command: 'lookup <what>',
  describe: 'the standing verdict on a file, by its SHA-256; exit 4 where there is none',
  builder: (yargs) =>
    globalOptions(yargs)
      .positional('what', {
        type: 'string',
        demandOption: true,
        describe: 'a SHA-256, a file, or a directory with the files of one release',
      })
      .option('reports', {
        type: 'string',
        describe: 'directory or address (https://…) of reports; default: reports/ here, then ours',
      })
      .option('strict', { type: 'boolean', default: false, describe: 'exit 1 for equivalent' })
      .example('$0 lookup Telegram.apk', 'a file from a phone')
      .example('$0 lookup 14dbe037… --json', 'a digest; exits as the verdict does')
      .example('$0 lookup app.apk --reports https://example.org/reports', 'the reports of others'),
  handler: (argv) =>
    runCommand(argv, async ({ output, options }) => {
      const { identify, lookup } = await import('../../index.js');
      const { what, reports } = argv;
      const place = reports === undefined ? {} : { reports };
      let found: LookupResult;
      let otherFiles: readonly OtherFile[] = [];
      if (/^(?:sha256:)?[0-9a-f]{64}$/i.test(what) && !existsSync(what))
        found = await lookup({ sha256: [what], ...place }, options);
      else ({ lookup: found, otherFiles } = await identify({ file: what, ...place }, options));
      if (otherFiles.length > 0) output.note(otherFilesText(otherFiles));
      output.print(lookupText(found, what));
      output.data(lookupData(found, otherFiles));
      const [newest] = found.standing;
      return newest === undefined ? EXIT.unknownFile : exitCodeOf(newest.report, { strict: argv.strict });
    }),
};
