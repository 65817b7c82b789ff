// SPDX-License-Identifier: Apache-2.0
import type { CommandModule } from 'yargs';
import { globalOptions, runCommand, type GlobalArguments } from '../command.js';
import { EXIT } from '../exit-code.js';

const FORMATS = ['text', 'brief', 'json'] as const;

interface ReportArguments extends GlobalArguments {
  readonly file: string;
  readonly format: (typeof FORMATS)[number];
  readonly check: boolean;
}

export const reportCommand: CommandModule<object, ReportArguments> = {
  command: 'report <file>',
  describe: 'show a report in another form, or check that it agrees with itself',
  builder: (yargs) =>
    globalOptions(yargs)
      .positional('file', { type: 'string', demandOption: true, describe: 'report.json, or its directory' })
      .option('format', { choices: FORMATS, default: 'text' as const, describe: 'form' })
      .option('check', {
        type: 'boolean',
        default: false,
        describe: 'make sums, verdict and sentences again from the ledgers',
      })
      .example('$0 report report.json --check', 'exit 1 for a report that does not agree with itself')
      .example('$0 report report.json --format brief', 'ten lines to quote'),
  handler: (argv) =>
    runCommand(argv, async ({ output }) => {
      const { readNotes, readReport, renderBrief, renderJson, renderText } = await import('../../index.js');
      const result = await readReport(argv.file);
      if (result.kind === 'inconsistent') {
        output.print(
          [
            `report-inconsistent: ${argv.file} does not agree with itself`,
            ...result.problems.map(({ code, at, detail }) => `  ${code} ${at}: ${detail}`),
          ].join('\n'),
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
      const notes = await readNotes(argv.file, report.statementSha256);
      const render = {
        text: () => renderText(report, { notes, location: argv.file }),
        brief: () => renderBrief(report, notes),
        json: () => renderJson(report),
      }[argv.format];
      if (argv.json) output.data(report);
      else output.print(render());
      return EXIT.ok;
    }),
};
