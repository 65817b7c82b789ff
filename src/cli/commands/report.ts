// SPDX-License-Identifier: Apache-2.0
import type { CommandModule } from 'yargs';
import { UsageError } from '../../index.js';
import { globalOptions, runCommand, type GlobalArguments } from '../command.js';
import { EXIT } from '../exit-code.js';
import type { Output } from '../output.js';

const FORMATS = ['text', 'brief', 'json', 'markdown', 'html'] as const;

/** Of --note; a withdrawal is an option of its own, since it takes a verdict away. */
const KINDS = ['correction', 'vendor-response'] as const;

interface ReportArguments extends GlobalArguments {
  readonly file: string;
  readonly format: (typeof FORMATS)[number];
  readonly out: string | undefined;
  readonly check: boolean;
  readonly note: string | undefined;
  readonly withdraw: string | undefined;
  readonly kind: (typeof KINDS)[number] | undefined;
  readonly by: string | undefined;
  readonly date: string | undefined;
  readonly url: string | undefined;
}

export const reportCommand: CommandModule<object, ReportArguments> = {
  command: 'report <file>',
  describe: 'show a report in another form, check that it agrees with itself, or put a note beside it',
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
      .option('note', {
        type: 'string',
        requiresArg: true,
        describe: 'put this TEXT beside the report, shown under its verdict; nothing is ever replaced',
      })
      .option('withdraw', {
        type: 'string',
        requiresArg: true,
        describe: 'take the report back for this REASON: it stands no more',
      })
      .option('by', {
        type: 'string',
        requiresArg: true,
        describe: 'who says so, with --note and --withdraw',
      })
      .option('kind', {
        choices: KINDS,
        describe: 'whose note it is: ours, or what the makers answered (default: correction)',
      })
      .option('date', { type: 'string', requiresArg: true, describe: 'YYYY-MM-DD; default today' })
      .option('url', { type: 'string', requiresArg: true, describe: 'where it can be read' })
      .example('$0 report report.json --check', 'exit 1 for a report that does not agree with itself')
      .example('$0 report report.json --format brief', 'ten lines to quote')
      .example('$0 report report.json --format html -o pages', 'pages/index.html and details beside it')
      .example('$0 report report.json --format markdown -o report.md', 'for an issue or a forum')
      .example(
        '$0 report report.json --withdraw "built with another JDK" --by "A. Auditor"',
        'a verdict that was wrong',
      ),
  handler: (argv) =>
    runCommand(argv, async ({ output }) => {
      const text = argv.withdraw ?? argv.note;
      assertNoteOptions(argv);
      if (text !== undefined) return await note(argv, text, output);
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

function assertNoteOptions({ note: text, withdraw, by, kind, date, url }: ReportArguments): void {
  const wrong =
    text !== undefined && withdraw !== undefined
      ? '--note and --withdraw are two notes: put one after the other'
      : (text ?? withdraw) !== undefined && by === undefined
        ? 'a note says whose it is: --by NAME'
        : kind !== undefined && text === undefined
          ? '--kind is of a note: --note TEXT'
          : (text ?? withdraw) === undefined && (by ?? date ?? url) !== undefined
            ? '--by, --date and --url are of a note: --note TEXT or --withdraw REASON'
            : undefined;
  if (wrong !== undefined) throw new UsageError('note-options', wrong, { hint: 'verify report --help' });
}

async function note(argv: ReportArguments, text: string, output: Output): Promise<number> {
  const { noteReport } = await import('../../index.js');
  const { by = '', date, url } = argv;
  const written = await noteReport({
    file: argv.file,
    kind: argv.withdraw === undefined ? (argv.kind ?? 'correction') : 'withdrawal',
    text,
    by,
    ...(date === undefined ? {} : { date }),
    ...(url === undefined ? {} : { url }),
  });
  output.print(written.file);
  output.data(written);
  output.note('its index does not know it yet: verify reports index DIR, with the directory of reports');
  return EXIT.ok;
}
