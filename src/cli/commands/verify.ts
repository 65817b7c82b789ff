// SPDX-License-Identifier: Apache-2.0
import type { CommandModule } from 'yargs';
import { runCommand, type CommandContext } from '../command.js';
import { EXIT, exitCodeOf, worstOf, type Demands, EXPECT_OPTION } from '../exit-code.js';
import { fileFirst, isFile, withoutBuild } from '../file-first.js';
import { otherFilesText } from '../lookup-text.js';
import { printFailure, tell } from '../failure.js';
import { nextSteps } from '../next-steps.js';
import { Output } from '../output.js';
import { engineOf, planRequestOf, runOptions, VARY_OPTION, type RunArguments } from '../run-options.js';
import {
  FailedHere,
  UsageError,
  type ChannelResult,
  type VerifyResult,
  type ExpectedVerdict,
  type FailureClass,
  type KnownVersion,
} from '../../index.js';

interface VerifyArguments extends RunArguments {
  readonly app: string;
  readonly release: string | undefined;
  readonly published: string | undefined;
  readonly device: string | undefined;
  readonly serial: string | undefined;
  readonly buildinfo: string | undefined;
  readonly evidence: string | undefined;
  readonly supersedes: string | undefined;
  readonly rebuild: number | undefined;
  readonly confirm: boolean;
  readonly vary: boolean;
  readonly 'build-anyway': boolean;
  readonly recipe: string | undefined;
  readonly reports: string | undefined;
  readonly build: boolean;
  readonly strict: boolean;
  readonly 'require-built': boolean;
  readonly expect: ExpectedVerdict | undefined;
}

export const verifyCommand: CommandModule<object, VerifyArguments> = {
  command: '$0 <app> [release]',
  describe:
    'build the published source and compare it with what users get; without a version: list the versions; with a file: what it is, and the verdict on it',
  builder: (yargs) =>
    runOptions(yargs)
      .positional('app', {
        type: 'string',
        demandOption: true,
        describe: 'see `recipes`; or a file, or a directory with the files of one release',
      })
      .positional('release', { type: 'string', describe: '3.8-1, 3.x, ">=10.9 <11", latest' })
      .option('published', {
        type: 'string',
        describe: 'the published file, or a directory with the files of one release',
      })
      .option('device', {
        type: 'string',
        describe: 'for which device splits are: a device.json of bundletool; default: the one beside them',
      })
      .option('serial', {
        type: 'string',
        describe: 'which phone to take the app from, as `adb devices` names it; default: the only one',
      })
      .option('buildinfo', {
        type: 'string',
        describe: 'the publisher’s .buildinfo file: its environment, as a claim',
      })
      .option('evidence', { type: 'string', describe: 'a ZIP for all findings, uncut, and the logs' })
      .option('supersedes', {
        type: 'string',
        describe: 'an earlier report of the same target that this one takes the place of',
      })
      .option('rebuild', { type: 'string', coerce: atLeastOne, describe: 'number of clean builds' })
      .option('confirm', {
        type: 'boolean',
        default: true,
        describe: 'build a mismatch once more; --no-confirm does not',
      })
      .option('vary', VARY_OPTION)
      .option('build-anyway', {
        type: 'boolean',
        default: false,
        describe: 'build although the published file is not the publisher’s',
      })
      .option('recipe', { type: 'string', describe: 'with a file: the app, where several fit' })
      .option('reports', {
        type: 'string',
        describe:
          'with a file: directory or address (https://…) of reports; default: reports/ here, then ours',
      })
      .option('build', {
        type: 'boolean',
        default: false,
        describe: 'with a file on which there is no verdict: do what the plan says',
      })
      .option('strict', { type: 'boolean', default: false, describe: 'exit 1 for equivalent' })
      .option('require-built', {
        type: 'boolean',
        default: false,
        describe: 'exit 1 where executable code was carried in, or may have been',
      })
      .option('expect', EXPECT_OPTION)
      .example('$0 weechat 3.x', 'the newest WeeChat 3 of Debian')
      .example('$0 session-android latest --channel github,fdroid', 'built once, a report for each')
      .example('$0 telegram-android 10.x --published Telegram.apk', 'a file from a phone')
      .example('$0 Telegram.apk', 'what the file is, and the verdict on it')
      .example('$0 signal-android', 'the versions that are known'),
  handler: (argv) =>
    runCommand(argv, async (context) => {
      const { output, options } = context;
      const { verify, verifyChannels, versions } = await import('../../index.js');
      let { app, release, channel, published } = argv;
      if (await isFile(app)) {
        if (release !== undefined || published !== undefined)
          throw new UsageError('file-and-version', `${app} is a file, which says itself what it is`, {
            hint: 'name the file alone, or the app and its version with --published FILE',
          });
        const first = await fileFirst({ ...argv, file: app }, context);
        if (first.kind === 'ends') return first.exitCode;
        published = app;
        ({ app, channel, version: release } = first.fit);
      }
      if (release === undefined) {
        const known = await versions(app, options);
        output.print(
          known.length === 0
            ? `no version of ${app} is known: \`verify plan ${app} latest\` says why, and what can be checked of a file`
            : known.map(versionLine).join('\n'),
        );
        output.data(known);
        return EXIT.ok;
      }
      const channels = channel?.split(',').map((name) => name.trim()) ?? [];
      const { channel: only, ...asked } = planRequestOf({ ...argv, app, release, channel });
      const request = {
        ...asked,
        ...engineOf(argv),
        ...(published === undefined ? {} : { published }),
        ...(argv.device === undefined ? {} : { device: argv.device }),
        ...(argv.serial === undefined ? {} : { serial: argv.serial }),
        ...(argv.buildinfo === undefined ? {} : { buildinfo: argv.buildinfo }),
        ...(argv.evidence === undefined ? {} : { evidence: argv.evidence }),
        ...(argv.supersedes === undefined ? {} : { supersedes: argv.supersedes }),
        ...(argv.rebuild === undefined ? {} : { rebuild: argv.rebuild }),
        ...(argv['build-anyway'] ? { buildAnyway: true } : {}),
        confirm: argv.confirm,
        ...(argv.vary ? {} : { vary: false }),
        out: argv.out,
      };
      // a file that came first was looked up already
      const lookFor = published !== argv.app;
      if (channels.length > 1) {
        const results = await verifyChannels(request, channels, options, async (one) => {
          if (one.kind === 'verified') await show(one.result, lookFor, context);
          else printFailure(one.error, new Output({ quiet: argv.quiet }));
        });
        output.data(results.map(channelData));
        return worstOf(
          results.map((one) =>
            one.kind === 'verified' ? exitCodeOf(one.result.report, demandsOf(argv)) : EXIT.failedHere,
          ),
        );
      }
      const result = await verify(
        { ...request, ...(only === undefined ? {} : { channel: only }) },
        options,
      ).catch(async (error: unknown) => {
        // no plan could run, and the file is there all the same
        const noPlan = error instanceof FailedHere && NO_PLAN.has(error.code);
        if (lookFor && published !== undefined && noPlan && !options.signal.aborted)
          await withoutBuild(
            { file: published, recipe: app, channel: only, reports: argv.reports },
            context,
          ).catch(() => undefined);
        throw error;
      });
      await show(result, lookFor, context);
      output.data(result.report);
      return exitCodeOf(result.report, demandsOf(argv));
    }),
};

const NO_PLAN: ReadonlySet<string> = new Set<FailureClass>(['plan-unresolved', 'network']);

async function show(
  { report, location }: VerifyResult,
  lookForOthers: boolean,
  { output, options }: CommandContext,
): Promise<void> {
  const { otherFilesThanIn, renderSummary } = await import('../../index.js');
  const others = lookForOthers ? await otherFilesThanIn(report, options) : [];
  if (others.length > 0) output.note(otherFilesText(others));
  output.print(`${renderSummary(report)}\n${nextSteps(report, location)}`);
}

/** A report, or why there is none. */
function channelData(one: ChannelResult): unknown {
  if (one.kind === 'verified') return one.result.report;
  const { exitCode: _, ...error } = tell(one.error);
  return { channel: one.channel, error };
}

function demandsOf(argv: VerifyArguments): Demands {
  return {
    strict: argv.strict,
    requireBuilt: argv['require-built'],
    ...(argv.expect === undefined ? {} : { expect: argv.expect }),
  };
}

function versionLine({ version, by, commit, note, withoutSource }: KnownVersion): string {
  const about = withoutSource === undefined ? (commit ?? by) : `no source: ${withoutSource}`;
  return `${version.padEnd(16)} ${about}${note === undefined ? '' : ` (${note})`}`;
}

function atLeastOne(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const builds = Number(value);
  if (!Number.isInteger(builds) || builds < 1 || builds > 99)
    throw new Error(`not a number of builds: ${value} (1 to 99)`);
  return builds;
}
