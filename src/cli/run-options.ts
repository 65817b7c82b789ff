// SPDX-License-Identifier: Apache-2.0
/** Options of commands that plan and build. */
import type { Argv } from 'yargs';
import { globalOptions, recipesOption, type GlobalArguments } from './command.js';

export const ENGINES = ['docker', 'podman', 'local', 'ssh'] as const;

export const DISK_OPTION = {
  type: 'string',
  describe:
    'keep the whole store below 40G, 1.5GiB: what was not used for longest goes; default: SAMESOURCE_DISK',
} as const;

export const VARY_OPTION = {
  type: 'boolean',
  default: true,
  describe:
    'confirm a mismatch under other conditions where the recipe says which; --no-vary: as the plan says',
} as const;

export const KEEP = ['failed', 'always'] as const;

export interface RunArguments extends GlobalArguments {
  readonly channel: string | undefined;
  readonly source: string | undefined;
  readonly 'as-of': string | undefined;
  readonly engine: (typeof ENGINES)[number] | undefined;
  readonly fresh: boolean;
  readonly disk: string | undefined;
  readonly host: string | undefined;
  readonly 'host-key': string | undefined;
  readonly identity: string | undefined;
  readonly 'allow-local-as-root': boolean;
  readonly record: boolean;
  readonly keep: (typeof KEEP)[number] | undefined;
  readonly out: string;
}

export function runOptions<T>(yargs: Argv<T>): Argv<T & RunArguments> {
  return recipesOption(globalOptions(yargs))
    .option('channel', {
      type: 'string',
      describe: 'where users get it, or several for `verify`: website,play; default: the recipe’s first',
    })
    .option('source', {
      type: 'string',
      describe: 'another repository (https://…) or a directory; the report says so',
    })
    .option('as-of', {
      type: 'string',
      describe: 'YYYY-MM-DD: the newest version that was there on that day',
    })
    .option('engine', { choices: ENGINES, describe: 'what runs the build; default: docker, else podman' })
    .option('fresh', {
      type: 'boolean',
      default: false,
      describe: 'build anew; default: a kept build of the same plan is used again (see `builds`)',
    })
    .option('disk', DISK_OPTION)
    .option('host', {
      type: 'string',
      describe: 'build on another machine, over SSH: user@name or user@name:port',
    })
    .option('host-key', {
      type: 'string',
      describe:
        'the key that it must show: SHA256:… or a known_hosts file; default: the known_hosts of your ssh',
    })
    .option('identity', {
      type: 'string',
      describe: 'file with the private key for it; default: what your ssh takes',
    })
    .option('allow-local-as-root', {
      type: 'boolean',
      default: false,
      describe: 'with --engine local as root: the published source may then do anything to this machine',
    })
    .option('record', {
      type: 'boolean',
      default: true,
      describe: 'containers get our recording proxy for a network; --no-record: that of the engine',
    })
    .option('keep', {
      choices: KEEP,
      describe:
        'build anew, and keep container and work tree of a run that ended badly, or of each: see `runs`, `shell`, `resume`',
    })
    .option('out', {
      type: 'string',
      default: '.',
      describe: 'reports/ and attempts/ go below this directory',
    }) as Argv<T & RunArguments>;
}

/** What runs the build and what stays of it, as requests of the public API have them. */
export function engineOf(argv: RunArguments): {
  readonly engine?: (typeof ENGINES)[number];
  readonly madeSince?: Date;
  readonly disk?: string;
  readonly allowLocalAsRoot?: boolean;
  readonly record?: boolean;
  readonly host?: string;
  readonly hostKey?: string;
  readonly identity?: string;
  readonly keep?: (typeof KEEP)[number];
} {
  return {
    ...(argv.fresh ? { madeSince: new Date() } : {}),
    ...(argv.disk === undefined ? {} : { disk: argv.disk }),
    ...(argv.engine === undefined ? {} : { engine: argv.engine }),
    ...(argv.host === undefined ? {} : { host: argv.host }),
    ...(argv['host-key'] === undefined ? {} : { hostKey: argv['host-key'] }),
    ...(argv.identity === undefined ? {} : { identity: argv.identity }),
    ...(argv['allow-local-as-root'] ? { allowLocalAsRoot: true } : {}),
    ...(argv.record ? {} : { record: false }),
    ...(argv.keep === undefined ? {} : { keep: argv.keep }),
  };
}

export function planRequestOf(
  argv: Pick<RunArguments, 'channel' | 'source' | 'as-of'> & {
    readonly app: string;
    readonly release: string;
  },
): {
  readonly app: string;
  readonly version: string;
  readonly channel?: string;
  readonly source?: string;
  readonly asOf?: string;
} {
  return {
    app: argv.app,
    version: argv.release,
    ...(argv.channel === undefined ? {} : { channel: argv.channel }),
    ...(argv.source === undefined ? {} : { source: argv.source }),
    ...(argv['as-of'] === undefined ? {} : { asOf: argv['as-of'] }),
  };
}
