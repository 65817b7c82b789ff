// SPDX-License-Identifier: Apache-2.0
import type { CommandModule } from 'yargs';
import { globalOptions, runCommand, type CommandContext, type GlobalArguments } from '../command.js';
import { EXIT } from '../exit-code.js';
import { DISK_OPTION } from '../run-options.js';
import { sizeText } from '../size-text.js';
import { printable, STORE_KINDS, type StoreContents, type StoreItem } from '../../index.js';

const KINDS = STORE_KINDS.filter((kind) => kind !== 'others');

interface CleanArguments extends GlobalArguments {
  readonly what: readonly (typeof KINDS)[number][] | undefined;
  readonly 'older-than': string | undefined;
  readonly disk: string | undefined;
  readonly yes: boolean;
}

export const cleanCommand: CommandModule<object, CleanArguments> = {
  command: 'clean [what..]',
  describe: 'show what is kept on this machine, by kind; with --yes: remove it',
  builder: (yargs) =>
    globalOptions(yargs)
      .positional('what', { choices: KINDS, array: true, describe: 'kinds of what is kept that may go' })
      .option('older-than', { type: 'string', describe: 'only what no run used for 12h, 30d, 8w' })
      .option('disk', {
        ...DISK_OPTION,
        describe: 'of all kinds what was not used for longest, until the rest has 40G, 1.5GiB',
      })
      .option('yes', { type: 'boolean', default: false, describe: 'remove it; without it nothing goes' })
      .example('$0 clean', 'sizes by kind')
      .example('$0 clean builds downloads', 'what of these would go')
      .example('$0 clean builds --older-than 30d --yes', 'builds that nothing used for a month')
      .example('$0 clean --disk 40G --yes', 'down to 40 GB')
      .epilogue(
        'What a run may be reading stays. `images` are root file systems in the cache and those that an engine made of them. --disk of `verify` and `build`, or SAMESOURCE_DISK, does the same at each run.',
      ),
  handler: (argv) =>
    runCommand(argv, async (context) => {
      const { what = [], disk, 'older-than': olderThan } = argv;
      const isNamed = what.length > 0 || disk !== undefined || olderThan !== undefined;
      return argv.yes || isNamed ? await clean(context, argv) : await show(context);
    }),
};

async function show({ output, options }: CommandContext): Promise<number> {
  const { showStore } = await import('../../index.js');
  const contents = await showStore(options);
  const { directory, bytes, items, engineImages } = contents;
  const kinds = byKind(contents);
  output.print(
    [
      ...kinds.map(
        ({ kind, count, bytes: size }) =>
          `${kind.padEnd(13)} ${String(count).padStart(6)}  ${sizeText(size).padStart(10)}`,
      ),
      `${'all'.padEnd(13)} ${''.padStart(6)}  ${sizeText(bytes).padStart(10)}  in ${directory}`,
      ...engineImages.map(({ engine, reference, size }) => `${engine} holds ${reference}, ${size}`),
      `to remove some of it: verify clean ${KINDS.join('|')}; to keep it small: --disk 40G`,
    ]
      .map((text) => printable(text))
      .join('\n'),
  );
  output.data({ directory, bytes, kinds, items: items.map(asData), engineImages });
  return EXIT.ok;
}

/** What no item speaks for is `others`. */
function byKind({
  items,
  bytes,
}: StoreContents): readonly { readonly kind: string; readonly count: number; readonly bytes: number }[] {
  const known = KINDS.map((kind) => {
    const those = items.filter((item) => item.kind === kind);
    return { kind, count: those.length, bytes: those.reduce((sum, item) => sum + item.bytes, 0) };
  });
  const rest = bytes - known.reduce((sum, one) => sum + one.bytes, 0);
  return [...known, { kind: 'others', count: 0, bytes: Math.max(0, rest) }];
}

async function clean({ output, options }: CommandContext, argv: CleanArguments): Promise<number> {
  const { bytesOf, cleanStore, durationOf } = await import('../../index.js');
  const { what = [], disk } = argv;
  const olderThan = argv['older-than'];
  const cleaned = await cleanStore(
    {
      kinds: what,
      ...(olderThan === undefined ? {} : { olderThanMs: await durationOf(olderThan) }),
      ...(disk === undefined ? {} : { maxBytes: await bytesOf(disk) }),
      dryRun: !argv.yes,
    },
    options,
  );
  const { removed, inUse, removedImages, bytes } = cleaned;
  const verb = argv.yes ? 'removed ' : 'would go';
  const freed = removed.reduce((sum, one) => sum + one.bytes, 0);
  output.print(
    [
      ...removed.map(({ kind, name, bytes: size }) => `${verb}  ${kind}  ${name}  ${sizeText(size)}`),
      ...removedImages.map(({ engine, reference }) => `${verb}  ${reference} of ${engine}`),
      ...inUse.map((item) => `in use   ${line(item)}`),
      argv.yes
        ? `${removed.length} removed, ${sizeText(freed)}; ${sizeText(bytes)} left`
        : `${removed.length} would go, ${sizeText(freed)}; ${sizeText(bytes)} would be left; --yes removes them`,
    ]
      .map((text) => printable(text))
      .join('\n'),
  );
  output.data({ ...cleaned, inUse: inUse.map(asData) });
  return EXIT.ok;
}

function line({ kind, name, bytes, usedMs, inUse }: StoreItem): string {
  const used = new Date(usedMs).toISOString().slice(0, 16).replace('T', ' ');
  return `${kind}  ${name}  ${sizeText(bytes)}  used ${used}${inUse === undefined ? '' : ` (${inUse})`}`;
}

const asData = ({ kind, name, bytes, usedMs, inUse }: StoreItem): object => ({
  kind,
  name,
  bytes,
  used: new Date(usedMs).toISOString(),
  ...(inUse === undefined ? {} : { inUse }),
});
