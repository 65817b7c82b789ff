// SPDX-License-Identifier: Apache-2.0
import type { CommandModule } from 'yargs';
import { globalOptions, runCommand, type GlobalArguments } from '../command.js';
import { EXIT } from '../exit-code.js';

interface ImageArguments extends GlobalArguments {
  readonly name: string | undefined;
  readonly update: boolean;
}

export const imageCommand: CommandModule<object, ImageArguments> = {
  command: 'image [name]',
  describe: 'make a base image from its lock of packages, or renew the lock; without a name all images',
  builder: (yargs) =>
    globalOptions(yargs)
      .positional('name', { type: 'string', describe: 'directory below docker/, e.g. debian-12' })
      .option('update', {
        type: 'boolean',
        default: false,
        describe: "renew the lock from the archive's signed index first",
      })
      .example('$0 image debian-12', 'the same bytes on every machine')
      .example('$0 image debian-12 --update', 'with the packages that Debian has now'),
  handler: (argv) =>
    runCommand(argv, async ({ output, options }) => {
      const { imageNames, printable, rootFileSystem, updateImageLock } = await import('../../index.js');
      const results: object[] = [];
      for (const name of argv.name === undefined ? await imageNames() : [argv.name]) {
        const update = argv.update ? await updateImageLock(name, options) : undefined;
        if (update !== undefined)
          output.print(
            update.changes.length === 0
              ? `lock of ${name}: as the archive is`
              : `lock of ${name} renewed:\n${update.changes.map((change) => `  ${printable(change)}`).join('\n')}`,
          );
        const image = await rootFileSystem(name, options);
        output.print(
          [
            `image      ${image.name}`,
            `lock       sha256:${image.lockSha256} (${image.packages} packages)`,
            `rootfs     sha256:${image.sha256} (${(image.size / 1e6).toFixed(1)} MB)`,
            `file       ${image.path}`,
            ...image.deviations.map(({ code, what, reason }) => `deviation  ${code}: ${what}; ${reason}`),
          ]
            .map((line) => printable(line))
            .join('\n'),
        );
        results.push({ ...image, ...(update === undefined ? {} : { changes: update.changes }) });
      }
      output.data({ images: results });
      return EXIT.ok;
    }),
};
