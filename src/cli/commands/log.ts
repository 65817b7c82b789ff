// SPDX-License-Identifier: Apache-2.0
import type { CommandModule } from 'yargs';
import { globalOptions, runCommand, type GlobalArguments } from '../command.js';
import { EXIT } from '../exit-code.js';
import { printable, type LogResult } from '../../index.js';

interface LogArguments extends GlobalArguments {
  readonly apk: string;
  readonly log: string | undefined;
  readonly key: string | undefined;
}

export const logCommand: CommandModule<object, LogArguments> = {
  command: 'log <apk>',
  describe: 'tell whether its publisher listed a file in a transparency log',
  builder: (yargs) =>
    globalOptions(yargs)
      .positional('apk', { type: 'string', demandOption: true, describe: 'one APK' })
      .option('log', { type: 'string', describe: 'address of the log; default all logs that are known' })
      .option('key', {
        type: 'string',
        describe: 'note key (<name>+<id>+<base64>) of a log that is not known',
      })
      .example('$0 log com.google.android.apps.messaging.apk', 'ask the logs of Google for its apps')
      .example('$0 log app.apk --log https://log.example --key log.example+…', 'another log')
      .epilogue(
        'Exit 0 if it is listed, 2 if not, 3 if a log does not hold together or contradicts itself, 75 if no log could be asked.',
      ),
  handler: (argv) =>
    runCommand(argv, async ({ output, options }) => {
      const { checkLog } = await import('../../index.js');
      const { apk, log, key } = argv;
      const result = await checkLog(
        { file: apk, ...(log === undefined ? {} : { log }), ...(key === undefined ? {} : { key }) },
        options,
      );
      output.print(textOf(result));
      output.data(result);
      return EXIT_BY_STATUS[result.status];
    }),
};

const EXIT_BY_STATUS = {
  listed: EXIT.ok,
  'not-listed': EXIT.unverifiable,
  refused: EXIT.notAuthentic,
} as const satisfies Record<LogResult['status'], number>;

function textOf({ status, file, logs, shows, doesNotShow }: LogResult): string {
  return [
    `${status}: ${file.package} ${file.versionCode} sha256:${file.sha256}`,
    ...logs.flatMap(logLines),
    shows,
    doesNotShow,
  ].join('\n');
}

function logLines(answer: LogResult['logs'][number]): readonly string[] {
  const { log } = answer;
  const head = `  ${log.name}: ${log.url}`;
  if (answer.status === 'failed') return [head, `    could not be asked: ${printable(answer.message)}`];
  const { checkpoint, before } = answer;
  const lines = [head];
  if (checkpoint !== undefined)
    lines.push(`    signed checkpoint: ${checkpoint.size} entries, root ${checkpoint.root}`);
  if (before !== undefined) lines.push(`    seen before: ${before.size} entries, root ${before.root}`);
  else if (checkpoint !== undefined) lines.push('    seen here for the first time');
  switch (answer.status) {
    case 'listed':
      lines.push(`    entry ${answer.index} is this file and leads to the root`);
      break;
    case 'not-listed':
      lines.push(
        `    no entry is this file; ${answer.otherFiles} are other files of this version, ${answer.samePackage} of this package`,
      );
      break;
    case 'refused':
      lines.push(`    refused [${answer.code}]: ${printable(answer.message)}`);
  }
  return lines;
}
