// SPDX-License-Identifier: Apache-2.0
import type { CommandModule } from 'yargs';
import { globalOptions, runCommand, type GlobalArguments } from '../command.js';
import { exitCodeOf, EXPECT_OPTION } from '../exit-code.js';
import { printable, type ExpectedVerdict, type Report } from '../../index.js';

interface CompareArguments extends GlobalArguments {
  readonly published: string;
  readonly rebuilt: readonly string[] | undefined;
  readonly build: string | undefined;
  readonly recipe: string | undefined;
  readonly channel: string | undefined;
  readonly release: string | undefined;
  readonly evidence: string | undefined;
  readonly pull: readonly string[] | undefined;
  readonly device: string | undefined;
  readonly rule: readonly string[] | undefined;
  readonly out: string | undefined;
  readonly strict: boolean;
  readonly expect: ExpectedVerdict | undefined;
  readonly 'max-member': number | undefined;
  readonly 'max-decoded': number | undefined;
}

export const compareCommand: CommandModule<object, CompareArguments> = {
  command: 'compare <published> [rebuilt..]',
  describe:
    'compare published files with rebuilt ones: files, directories, or sets of splits; or with a kept build',
  builder: (yargs) =>
    globalOptions(yargs)
      .positional('published', { type: 'string', demandOption: true, describe: 'what users get' })
      .positional('rebuilt', {
        type: 'string',
        array: true,
        describe: 'what the source gives; with --build: more published files',
      })
      .option('build', {
        type: 'string',
        describe: 'compare with this kept build instead (see `builds`): its id, or the beginning of it',
      })
      .option('recipe', { type: 'string', describe: 'app whose recipe says what is expected' })
      .option('channel', { type: 'string', describe: 'channel of that recipe' })
      .option('release', {
        type: 'string',
        describe: 'version of that recipe: its rules, its version code; without it only what holds for all',
      })
      .option('pull', {
        type: 'string',
        array: true,
        nargs: 1,
        describe: 'the same release as another device got it; may be repeated',
      })
      .option('device', {
        type: 'string',
        describe:
          'for which device the splits are: a device.json of bundletool; default: the one beside them',
      })
      .option('rule', {
        type: 'string',
        array: true,
        nargs: 1,
        describe: 'a rule of class store-edit, or a set of them (play, appstore); may be repeated',
      })
      .option('out', { type: 'string', describe: 'store the report below this directory' })
      .option('evidence', { type: 'string', describe: 'a ZIP for all findings, uncut' })
      .option('strict', { type: 'boolean', default: false, describe: 'exit 1 for equivalent' })
      .option('expect', EXPECT_OPTION)
      .option('max-member', { type: 'string', coerce: bytes, describe: 'decoded bytes of one member' })
      .option('max-decoded', { type: 'string', coerce: bytes, describe: 'decoded bytes in all' })
      .example('$0 compare published.apk rebuilt.apk', 'two APKs')
      .example(
        '$0 compare --recipe telegram-android --release 10.14.5 Telegram.apk app.apk',
        'with its signers',
      )
      .example('$0 compare pixel/ app.apks', 'splits pulled from a device, and all that bundletool makes')
      .example('$0 compare --build 3f9a2c41 Telegram.apk', 'a file with what was built days ago')
      .example(
        '$0 compare --rule appstore store.ipa ours.ipa',
        'two apps, with what signing and the store change',
      )
      .example('$0 compare --rule play store/ ours/', 'two directories, with what Google Play adds'),
  handler: (argv) =>
    runCommand(argv, async ({ output, options }) => {
      const {
        assertAbsent,
        compareInFull,
        compareWithBuild,
        renderText,
        storeReport,
        UsageError,
        writeEvidence,
      } = await import('../../index.js');
      const { evidence: file } = argv;
      if (file !== undefined) await assertAbsent(file);
      if (
        argv.recipe === undefined &&
        argv.build === undefined &&
        (argv.channel !== undefined || argv.release !== undefined)
      )
        throw new UsageError('no-recipe', '--channel and --release are those of a recipe', {
          hint: 'name it with --recipe APP',
        });
      const { build, rebuilt = [] } = argv;
      const about = {
        rules: argv.rule ?? [],
        limits: {
          ...(argv['max-member'] === undefined ? {} : { memberBytes: argv['max-member'] }),
          ...(argv['max-decoded'] === undefined ? {} : { decodedBytes: argv['max-decoded'] }),
        },
      };
      const asked = {
        ...(argv.channel === undefined ? {} : { channel: argv.channel }),
        ...(argv.release === undefined ? {} : { version: argv.release }),
      };
      const recipe = argv.recipe === undefined ? {} : { recipe: { app: argv.recipe, ...asked } };
      if (build !== undefined && (argv.pull !== undefined || argv.device !== undefined))
        throw new UsageError('build-and-sides', 'a kept build is compared file by file', {
          hint: 'take --pull and --device away, or hand over what it made: `verify builds ID` names its files',
        });
      const [side, ...others] = rebuilt;
      if (build === undefined && (side === undefined || others.length > 0))
        throw new UsageError('usage', 'name one published and one rebuilt file or directory', {
          hint: 'or name a kept build: verify compare --build ID FILE; see verify compare --help',
        });
      const { report, comparison } =
        build === undefined
          ? await compareInFull(
              {
                ...about,
                ...recipe,
                published: argv.published,
                rebuilt: side ?? '',
                ...(argv.pull === undefined ? {} : { pulls: argv.pull }),
                ...(argv.device === undefined ? {} : { device: argv.device }),
              },
              options,
            )
          : await compareWithBuild(
              { ...about, ...recipe, ...asked, build, published: [argv.published, ...rebuilt] },
              options,
            );
      const evidence = file === undefined ? undefined : { file, comparison };
      const location =
        argv.out === undefined
          ? undefined
          : await storeReport(report, { out: argv.out, ...(evidence === undefined ? {} : { evidence }) });
      if (argv.out === undefined && evidence !== undefined) await writeEvidence(report, evidence);
      output.print(renderText(report, location === undefined ? {} : { location }));
      for (const hint of hintsFor(report)) output.note(hint);
      output.data(report);
      return exitCodeOf(report, {
        strict: argv.strict,
        ...(argv.expect === undefined ? {} : { expect: argv.expect }),
      });
    }),
};

/** What to do about files that are not what they should be. */
function hintsFor({ statement }: Report): readonly string[] {
  return (statement.comparison?.pairs ?? []).flatMap((pair) =>
    pair.differences.flatMap((found) =>
      found.kind === 'malformed' && found.path.length === 0
        ? [
            `  ${printable(pair[found.side].name)} is damaged or of another kind: get the ${found.side} file again, and compare its size and SHA-256 with those of its source`,
          ]
        : [],
    ),
  );
}

const UNITS: Readonly<Record<string, number>> = { '': 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 };

function bytes(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const match = /^(\d+)\s*([kmgt]?)(?:i?b)?$/i.exec(value);
  const size =
    match === null ? Number.NaN : Number(match[1]) * (UNITS[(match[2] ?? '').toLowerCase()] ?? Number.NaN);
  if (!Number.isSafeInteger(size)) throw new Error(`not a size in bytes: ${value} (examples: 500M, 16G)`);
  return size;
}
