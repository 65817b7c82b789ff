// SPDX-License-Identifier: Apache-2.0
import type { CommandModule } from 'yargs';
import { globalOptions, runCommand, type GlobalArguments } from '../command.js';
import { EXIT } from '../exit-code.js';
import { printable, type TransplantResult } from '../../index.js';

interface TransplantArguments extends GlobalArguments {
  readonly published: string;
  readonly rebuilt: string;
  readonly output: string | undefined;
  readonly force: boolean;
  readonly rule: readonly string[] | undefined;
}

export const transplantCommand: CommandModule<object, TransplantArguments> = {
  command: 'transplant <published> <rebuilt>',
  describe: 'make the published APK again from a rebuilt one plus the published signature',
  builder: (yargs) =>
    globalOptions(yargs)
      .positional('published', { type: 'string', demandOption: true, describe: 'the signed APK' })
      .positional('rebuilt', {
        type: 'string',
        demandOption: true,
        describe: 'the APK that the source gives',
      })
      .option('output', { alias: 'o', type: 'string', describe: 'where the file goes that was made' })
      .option('force', { type: 'boolean', default: false, describe: 'replace a file that is there' })
      .option('rule', {
        type: 'string',
        array: true,
        nargs: 1,
        describe: 'a rule over whole entries, which are then taken as well; may be repeated',
      })
      .example('$0 transplant published.apk rebuilt.apk -o made.apk', 'then compare both with sha256sum')
      .example('$0 transplant --rule play store.apk ours.apk', 'with the stamp that Google Play adds')
      .epilogue(
        'Exit code 0: the file that was made is the published one. 1: it is not, and nothing was written. No signature is verified: for that there is `compare`.',
      ),
  handler: (argv) =>
    runCommand(argv, async ({ output, options }) => {
      const { transplant } = await import('../../index.js');
      const result = await transplant(
        {
          published: argv.published,
          rebuilt: argv.rebuilt,
          replace: argv.force,
          rules: argv.rule ?? [],
          ...(argv.output === undefined ? {} : { output: argv.output }),
        },
        options,
      );
      output.data(result);
      output.print(describe(result));
      return result.kind === 'equal' ? EXIT.ok : EXIT.unreproducible;
    }),
};

function describe(result: TransplantResult): string {
  switch (result.kind) {
    case 'equal':
      return [
        `made again, byte for byte: ${result.size} bytes, SHA-256 ${result.sha256}`,
        `  taken from the published file: ${result.takenBytes} bytes of its signature`,
        `  layout: ${result.profile}`,
        ...(result.output === undefined ? [] : [`  written to ${printable(result.output)}`]),
      ].join('\n');
    case 'departs':
      return `not made again: with the layout of ${result.profile} it is another file from offset ${result.offset} of the published one on (${result.place})`;
    case 'impossible':
      return `not made again: ${result.why}${result.place === undefined ? '' : ` (${result.place})`}`;
  }
}
