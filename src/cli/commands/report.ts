// SPDX-License-Identifier: Apache-2.0
import type { CommandModule } from 'yargs';
import { globalOptions, runCommand, type GlobalArguments } from '../command.js';
import { EXIT } from '../exit-code.js';

const FORMATS = ['text', 'brief', 'json', 'markdown', 'html'] as const;

interface ReportArguments extends GlobalArguments {
  readonly file: string;
  readonly format: (typeof FORMATS)[number];
  readonly out: string | undefined;
  readonly check: boolean;
}

export const reportCommand: CommandModule<object, ReportArguments> = {
  command: 'report <file>',
  describe: 'show a report in another form, or check that it agrees with itself',
  builder: (yargs) =>
    globalOptions(yargs)
      .positional('file', { type: 'string', demandOption: true, describe: 'report.json, or its directory' })
      .option('format', { choices: FORMATS, default: 'text' as const, describe: 'form' })
      .option('out', {
        alias: 'o',
        type: 'string',
        describe:
          'new FILE to write to; for html a new DIR (default: samesource-<statement> here; --out=- for standard output, if it is one page)',
      })
      .option('check', {
        type: 'boolean',
        default: false,
        describe: 'make sums, verdict and sentences again from the ledgers',
      })
      .example('$0 report report.json --check', 'exit 1 for a report that does not agree with itself')
      .example('$0 report report.json --format brief', 'ten lines to quote')
      .example('$0 report report.json --format html -o pages', 'pages/index.html and details beside it')
      .example('$0 report report.json --format markdown -o report.md', 'for an issue or a forum'),
  handler: (argv) =>
    runCommand(argv, async ({ output }) => {
      const { packageVersion, printable, readNotes, readReport, renderReport, writeReport } =
        await import('../../index.js');
      const result = await readReport(argv.file);
      if (result.kind === 'inconsistent') {
        output.print(
          [
            `report-inconsistent: ${argv.file} does not agree with itself`,
            ...result.problems.map(({ code, at, detail }) => `  ${code} ${at}: ${detail}`),
          ].join('\n'),
        );
        const ours = await packageVersion();
        if (result.madeBy !== undefined && result.madeBy !== ours)
          output.note(
            `  it was made by samesource ${printable(result.madeBy)}, this is ${ours}: check it with that version, whose sentences it has`,
          );
        output.data({ consistent: false, problems: result.problems });
        return EXIT.unreproducible;
      }
      const { report } = result;
      if (argv.check) {
        output.print(
          `consistent: verdict ${report.statement.verdict.kind}, statement sha256:${report.statementSha256}`,
        );
        output.data({
          consistent: true,
          verdict: report.statement.verdict,
          statementSha256: report.statementSha256,
        });
        return EXIT.ok;
      }
      const options = { notes: await readNotes(argv.file, report.statementSha256), location: argv.file };
      const toFile = argv.out !== undefined ? argv.out !== '-' : argv.format === 'html' && !argv.json;
      if (toFile) {
        const written = await writeReport(report, argv.format, argv.out, options);
        output.print(written);
        output.data({ written });
      } else if (argv.json) output.data(report);
      else output.print(await renderReport(report, argv.format, options));
      return EXIT.ok;
    }),
};
