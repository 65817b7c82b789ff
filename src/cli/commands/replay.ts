// SPDX-License-Identifier: Apache-2.0
import type { CommandModule } from 'yargs';
import { printable } from '../../index.js';
import { globalOptions, runCommand, type GlobalArguments } from '../command.js';
import { EXIT } from '../exit-code.js';
import { ENGINES } from '../run-options.js';

interface ReplayArguments extends GlobalArguments {
  readonly file: string;
  readonly offline: boolean;
  readonly published: string | undefined;
  readonly engine: (typeof ENGINES)[number] | undefined;
  readonly 'allow-local-as-root': boolean;
  readonly out: string | undefined;
}

export const replayCommand: CommandModule<object, ReplayArguments> = {
  command: 'replay <file>',
  describe: 'run the exact plan of a report once more, and say stage by stage whether the same comes of it',
  builder: (yargs) =>
    globalOptions(yargs)
      .positional('file', { type: 'string', demandOption: true, describe: 'report.json, or its directory' })
      .option('offline', {
        type: 'boolean',
        default: false,
        describe: 'only from the cache: what its run recorded; what is missing is named',
      })
      .option('published', {
        type: 'string',
        describe: 'FILE or DIR; default: from the cache, else from the channel',
      })
      .option('engine', { choices: ENGINES, describe: 'what runs the build; default: docker, else podman' })
      .option('allow-local-as-root', {
        type: 'boolean',
        default: false,
        describe: 'with --engine local as root: the published source may then do anything to this machine',
      })
      .option('out', {
        type: 'string',
        describe: 'reports/ and attempts/ go below this directory; default: nothing is stored',
      })
      .example(
        '$0 replay report.json',
        'exit 0: the same statement, 1: another, 75: it could not be done here',
      )
      .example('$0 replay report.json --offline', 'on a machine that has only the cache of another'),
  handler: (argv) =>
    runCommand(argv, async ({ output, options }) => {
      const { replay } = await import('../../index.js');
      const result = await replay(
        {
          report: argv.file,
          offline: argv.offline,
          ...(argv.published === undefined ? {} : { published: argv.published }),
          ...(argv.engine === undefined ? {} : { engine: argv.engine }),
          ...(argv['allow-local-as-root'] ? { allowLocalAsRoot: true } : {}),
          ...(argv.out === undefined ? {} : { out: argv.out }),
        },
        options,
      );
      const { stages, same, now, before, location } = result;
      output.data({
        same,
        stages,
        statementSha256: { before: before.statementSha256, now: now.statementSha256 },
        ...(location === undefined ? {} : { location }),
      });
      output.print(
        [
          same ? 'the same statement' : 'another statement',
          ...stages.map(
            ({ stage, outcome, detail }) => `  ${stage.padEnd(12)}${outcome.padEnd(9)}${printable(detail)}`,
          ),
        ].join('\n'),
      );
      return same ? EXIT.ok : EXIT.unreproducible;
    }),
};
