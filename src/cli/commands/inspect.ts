// SPDX-License-Identifier: Apache-2.0
import type { CommandModule } from 'yargs';
import { globalOptions, runCommand, type GlobalArguments } from '../command.js';
import { EXIT } from '../exit-code.js';
import { inspectionText } from '../inspection-text.js';
import type { Inspection } from '../../index.js';

interface InspectArguments extends GlobalArguments {
  readonly file: string;
  readonly idsig: string | undefined;
}

export const inspectCommand: CommandModule<object, InspectArguments> = {
  command: 'inspect <file>',
  describe: 'tell what a file says by itself: signers, versions, bytes, native code',
  builder: (yargs) =>
    globalOptions(yargs)
      .positional('file', {
        type: 'string',
        demandOption: true,
        describe:
          'an APK, a set of them (.apks, .xapk, .apkm, a directory), an app bundle (.aab), an .ipa, .app, .xcarchive, .xcframework or Mach-O file',
      })
      .option('idsig', { type: 'string', describe: 'its v4 signature; default: FILE.idsig, if there is one' })
      .example('$0 inspect app.apk', 'one APK')
      .example('$0 inspect app.ipa', 'an app for iOS: programs, slices, signatures, encryption')
      .example('$0 inspect --json pulled/', 'what `adb pull` brought')
      .epilogue(
        'Exit 0 for a file that could be read, also without signature; 3 when a signature does not hold; 64 for a damaged file, or none that is known.',
      ),
  handler: (argv) =>
    runCommand(argv, async ({ output, options }) => {
      const { inspect } = await import('../../index.js');
      const { file, idsig } = argv;
      const inspection = await inspect({ file, ...(idsig === undefined ? {} : { idsig }) }, options);
      output.print(inspectionText(inspection));
      output.data(inspection);
      return exitOf(inspection);
    }),
};

function exitOf({ files, transparency, app }: Inspection): number {
  const programs = [app, ...files.map((file) => file.app)].flatMap((one) => one?.programs ?? []);
  if (
    programs.some(({ slices }) => slices.some(({ signature }) => signature?.status === 'invalid')) ||
    transparency?.status === 'invalid' ||
    files.some(({ signature }) =>
      [
        signature?.status,
        signature?.idsig?.status,
        ...(signature?.stamps ?? []).map((one) => one.status),
      ].includes('invalid'),
    )
  )
    return EXIT.notAuthentic;
  const isDamaged =
    (files.length === 0 && app === undefined) || files.some(({ damage }) => damage !== undefined);
  return isDamaged ? EXIT.usage : EXIT.ok;
}
