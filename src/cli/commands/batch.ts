// SPDX-License-Identifier: Apache-2.0
import type { CommandModule } from 'yargs';
import { batchMarkdown, batchText, preflightText } from '../batch-text.js';
import { globalOptions, recipesOption, runCommand, type GlobalArguments } from '../command.js';
import { EXIT } from '../exit-code.js';
import { VARY_OPTION } from '../run-options.js';
import type { BatchRow } from '../../index.js';

interface BatchArguments extends GlobalArguments {
  readonly list: string;
  readonly jobs: number;
  readonly since: 'last' | undefined;
  readonly out: string;
  readonly markdown: boolean;
  readonly vary: boolean;
}

export const batchCommand: CommandModule<object, BatchArguments> = {
  command: 'batch <list>',
  describe: 'check a list of apps: those that changed, side by side, on and on; a killed batch goes on',
  builder: (yargs) =>
    recipesOption(globalOptions(yargs))
      .positional('list', {
        type: 'string',
        demandOption: true,
        describe: 'a YAML file: apps with version, channel, engine, minutes, published, expect',
      })
      .option('jobs', {
        alias: 'j',
        type: 'string',
        coerce: jobCount,
        default: 1,
        describe: 'how many are checked at once, as far as disk and memory reach',
      })
      .option('since', {
        choices: ['last'] as const,
        describe: 'last: every version that came out since the last batch, not only the newest',
      })
      .option('out', {
        type: 'string',
        default: '.',
        describe: 'reports/, attempts/ and batch/ (the journal) go below this directory',
      })
      .option('markdown', { type: 'boolean', default: false, describe: 'the table as Markdown' })
      .option('vary', VARY_OPTION)
      .example('$0 batch apps.yaml', 'what has no verdict yet on this version, plan and published file')
      .example('$0 batch apps.yaml -j 3 --since last', 'three at once; no version is left out')
      .epilogue(
        'Exit 0: all as expected (`expect` of the list, else no verdict less good than the last one); 1: a verdict got worse; 64: an entry asks for what there is not; 75: only our side failed.',
      ),
  handler: (argv) =>
    runCommand(argv, async ({ output, options }) => {
      const { batch } = await import('../../index.js');
      const result = await batch(
        {
          list: argv.list,
          out: argv.out,
          jobs: argv.jobs,
          ...(argv.since === undefined ? {} : { since: argv.since }),
          ...(argv.vary ? {} : { vary: false }),
        },
        { ...options, onPreflight: (rows) => output.note(preflightText(rows)) },
      );
      output.print(argv.markdown ? batchMarkdown(result) : batchText(result));
      output.data(result);
      return exitCodeOfBatch(result.rows);
    }),
};

/** What got worse is said before what was asked wrongly, and that before what failed here. */
export function exitCodeOfBatch(rows: readonly Pick<BatchRow, 'state' | 'worse'>[]): number {
  if (rows.some(({ worse }) => worse)) return EXIT.unreproducible;
  if (rows.some(({ state }) => state === 'refused')) return EXIT.usage;
  return rows.some(({ state }) => state === 'failed-here' || state === 'not-done')
    ? EXIT.failedHere
    : EXIT.ok;
}

function jobCount(value: string | number): number {
  const jobs = Number(value);
  if (!Number.isInteger(jobs) || jobs < 1 || jobs > 64)
    throw new Error(`not a number of jobs: ${value} (1 to 64)`);
  return jobs;
}
