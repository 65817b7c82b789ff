// SPDX-License-Identifier: Apache-2.0
import type { CommandModule } from 'yargs';
import { globalOptions, runCommand, type CommandContext, type GlobalArguments } from '../command.js';
import { EXIT } from '../exit-code.js';
import type { CacheEntry } from '../../index.js';

const ACTIONS = ['show', 'prune', 'verify'] as const;

interface CacheArguments extends GlobalArguments {
  readonly action: (typeof ACTIONS)[number];
  readonly 'older-than': string | undefined;
  readonly 'max-size': string | undefined;
}

export const cacheCommand: CommandModule<object, CacheArguments> = {
  command: 'cache [action]',
  describe: 'show what was fetched and kept, make it smaller, or check it',
  builder: (yargs) =>
    globalOptions(yargs)
      .positional('action', { choices: ACTIONS, default: 'show' as const, describe: 'what to do' })
      .option('older-than', { type: 'string', describe: 'prune: what no run asked for in 12h, 30d, 8w' })
      .option('max-size', {
        type: 'string',
        describe: 'prune: what was not used for longest, until the rest has 500M, 2G, 1.5GiB',
      })
      .example('$0 cache', 'each file with its size, last use and where it came from')
      .example('$0 cache prune --older-than 30d --max-size 2G', 'both limits hold')
      .example('$0 cache verify', 'read every file again; what is damaged goes')
      .epilogue(
        'What was used within the hour stays, and what was used since the start of a run that lives. Exit 75 when verify found damaged files: they were removed, and are fetched again when a run asks for them.',
      ),
  handler: (argv) => runCommand(argv, (context) => ACTION[argv.action](context, argv)),
};

const ACTION: Readonly<
  Record<CacheArguments['action'], (context: CommandContext, argv: CacheArguments) => Promise<number>>
> = { show, prune, verify: check };

const size = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
const files = (n: number): string => `${n} ${n === 1 ? 'file' : 'files'}`;

async function show({ output }: CommandContext): Promise<number> {
  const { printable, showCache } = await import('../../index.js');
  const contents = await showCache();
  const { directory, entries, rooms, bytes } = contents;
  output.print(
    [
      ...entries.map(line),
      `${files(entries.length)}, ${size(bytes)}, in ${directory}`,
      ...rooms.map((room) => `beside them: ${room.name}, ${files(room.files)}, ${size(room.bytes)}`),
    ]
      .map((text) => printable(text))
      .join('\n'),
  );
  output.data({ ...contents, entries: entries.map(asData) });
  return EXIT.ok;
}

async function prune({ output }: CommandContext, argv: CacheArguments): Promise<number> {
  const { bytesOf, durationOf, printable, pruneCachedFiles } = await import('../../index.js');
  const [olderThan, maxSize] = [argv['older-than'], argv['max-size']];
  const pruned = await pruneCachedFiles({
    ...(olderThan === undefined ? {} : { olderThanMs: await durationOf(olderThan) }),
    ...(maxSize === undefined ? {} : { maxBytes: await bytesOf(maxSize) }),
  });
  const { removed, inUse, left } = pruned;
  const freed = removed.reduce((sum, entry) => sum + entry.size, 0);
  output.print(
    [
      ...removed.map((entry) => `removed  ${line(entry)}`),
      ...inUse.map((entry) => `in use   ${line(entry)}`),
      `${files(removed.length)} removed, ${size(freed)}; ${files(left.files)} left, ${size(left.bytes)}`,
    ]
      .map((text) => printable(text))
      .join('\n'),
  );
  output.data({ ...pruned, removed: removed.map(asData), inUse: inUse.map(asData) });
  return EXIT.ok;
}

async function check({ output, options }: CommandContext): Promise<number> {
  const { checkCachedFiles } = await import('../../index.js');
  const checked = await checkCachedFiles(options);
  output.print(
    [
      ...checked.damaged.map(({ sha256, found }) => `damaged  ${sha256} was ${found}; removed`),
      `${files(checked.files)} are what their names say, ${size(checked.bytes)}`,
    ].join('\n'),
  );
  output.data(checked);
  return checked.damaged.length === 0 ? EXIT.ok : EXIT.failedHere;
}

function line({ sha256, size: bytes, usedMs, origins }: CacheEntry): string {
  const [first] = origins;
  const used = new Date(usedMs).toISOString().slice(0, 10);
  return `${sha256}  ${size(bytes).padStart(10)}  used ${used}  ${first === undefined ? 'from where is not known' : first.url}`;
}

const asData = ({ usedMs, ...entry }: CacheEntry): object => ({
  ...entry,
  used: new Date(usedMs).toISOString(),
});
