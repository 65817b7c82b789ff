// SPDX-License-Identifier: Apache-2.0
import type { CommandModule } from 'yargs';
import { globalOptions, recipesOption, runCommand, type GlobalArguments } from '../command.js';
import { EXIT } from '../exit-code.js';
import { fetchedText } from '../fetched-text.js';
import type { FetchResult } from '../../index.js';

interface FetchArguments extends GlobalArguments {
  readonly app: string;
  readonly release: string;
  readonly channel: string | undefined;
  readonly out: string;
  readonly serial: string | undefined;
}

export const fetchCommand: CommandModule<object, FetchArguments> = {
  command: 'fetch <app> <release>',
  describe: 'get the published files of a version from their channel, and say who signed them',
  builder: (yargs) =>
    recipesOption(globalOptions(yargs))
      .positional('app', { type: 'string', demandOption: true, describe: 'see `recipes`' })
      .positional('release', { type: 'string', demandOption: true, describe: 'as for `plan`' })
      .option('channel', { type: 'string', describe: 'where users get it; default: the recipe’s first' })
      .option('out', {
        alias: 'o',
        type: 'string',
        default: '.',
        describe: 'directory for the files; beside each, FILE.fetched.json says where it came from',
      })
      .option('serial', {
        type: 'string',
        describe: 'which phone to take the app from, as `adb devices` names it; default: the only one',
      })
      .example('$0 fetch signal-android 7.x -o published', 'the newest known 7.x')
      .example('$0 fetch weechat 3.x --channel debian', 'every file that a channel has of a version')
      .epilogue(
        'Exit 0 when the files are there; 2 when the channel does not give this version; 3 for a file of another app or signer, which is not put anywhere; 75 when the network or this machine failed.',
      ),
  handler: (argv) =>
    runCommand(argv, async ({ output, options }) => {
      const { fetchPublished } = await import('../../index.js');
      const { app, release, channel, out, serial } = argv;
      const result = await fetchPublished(
        {
          app,
          version: release,
          directory: out,
          ...(channel === undefined ? {} : { channel }),
          ...(serial === undefined ? {} : { serial }),
        },
        options,
      );
      output.print(fetchedText(result));
      output.data(result);
      return EXITS[result.outcome];
    }),
};

const EXITS = {
  fetched: EXIT.ok,
  'no-published-artifact': EXIT.unverifiable,
  'not-authentic': EXIT.notAuthentic,
} as const satisfies Readonly<Record<FetchResult['outcome'], number>>;
