// SPDX-License-Identifier: Apache-2.0
import type { CommandModule } from 'yargs';
import { globalOptions, runCommand, type GlobalArguments } from '../command.js';
import { EXIT } from '../exit-code.js';
import { sizeText } from '../size-text.js';
import { printable, type ListedBuild } from '../../index.js';

interface BuildsArguments extends GlobalArguments {
  readonly which: string | undefined;
}

export const buildsCommand: CommandModule<object, BuildsArguments> = {
  command: 'builds [which]',
  describe: 'the builds that are kept, and used again for the same plan; one of them in full',
  builder: (yargs) =>
    globalOptions(yargs)
      .positional('which', { type: 'string', describe: 'an app, or the id of a build or its beginning' })
      .example('$0 builds', 'all of them: id, app, version, plan, date, engine, size')
      .example('$0 builds telegram-android', 'those of one app')
      .example('$0 builds 3f9a2c41', 'one: source, image, files with their SHA-256')
      .epilogue(
        '`verify compare --build ID FILE` compares with one, `verify clean builds` removes them, --fresh uses none.',
      ),
  handler: (argv) =>
    runCommand(argv, async ({ output, options }) => {
      const { listBuilds, showBuild } = await import('../../index.js');
      const { which } = argv;
      const all =
        which === undefined || !/^[0-9a-f]{4,64}$/.test(which) ? await listBuilds(which, options) : [];
      if (which !== undefined && all.length === 0) {
        const one = await showBuild(which);
        output.print(inFull(one));
        output.data(asData(one));
        return EXIT.ok;
      }
      const bytes = all.reduce((sum, { ownBytes }) => sum + ownBytes, 0);
      output.print(
        [
          ...all.map(line),
          all.length === 0
            ? 'no build is kept: `verify APP VERSION` and `verify build APP VERSION` keep theirs'
            : `${all.length} ${all.length === 1 ? 'build' : 'builds'}, ${sizeText(bytes)} that no other build shares`,
        ].join('\n'),
      );
      output.data(all.map(asData));
      return EXIT.ok;
    }),
};

const outcome = ({ build: { result } }: ListedBuild): string =>
  result.kind === 'failed'
    ? `did not build (exit code ${result.exitCode})`
    : `${result.outputs.length} files`;

function line(one: ListedBuild): string {
  const { id, build, bytes } = one;
  const { plan, key, made, prepared } = build;
  return printable(
    [
      id.slice(0, 12),
      `${plan.app} ${plan.version}`,
      `plan ${key.buildDigest.slice(0, 12)}`,
      made.slice(0, 16).replace('T', ' '),
      prepared.environment.executor,
      outcome(one),
      sizeText(bytes),
    ].join('  '),
  );
}

function inFull(one: ListedBuild): string {
  const { id, build, bytes, ownBytes, used } = one;
  const { plan, key, made, run, attempt, source, prepared, result } = build;
  const { executor, engineVersion, image, packages } = prepared.environment;
  const rows: readonly (readonly [string, string])[] = [
    ['build', id],
    ['of', `${plan.app} ${plan.version}, plan ${key.buildDigest}`],
    ['made', `${made}, build ${attempt} of run ${run}, by samesource ${key.tool} on ${key.architecture}`],
    ['used', used],
    ['engine', `${executor}${engineVersion === undefined ? '' : ` ${engineVersion}`}`],
    [
      'image',
      image === undefined
        ? 'none'
        : `${image.name} ${image.digest ?? image.rootfsSha256 ?? ''}, ${packages.length} packages`,
    ],
    [
      'source',
      source === undefined
        ? 'not known'
        : source.kind === 'git'
          ? `${source.repository} at ${source.commit}`
          : `${source.package} ${source.version} of Debian`,
    ],
    ['took', `${Math.round(prepared.seconds)} s to prepare, ${Math.round(result.seconds)} s to build`],
    ['size', `${sizeText(bytes)}, of which ${sizeText(ownBytes)} no other build shares`],
    ['outcome', outcome(one)],
  ];
  const files = result.kind === 'failed' ? [] : [...result.outputs, ...result.extra];
  return [
    ...rows.map(([name, value]) => printable(`${name.padEnd(9)} ${value}`)),
    ...(result.kind === 'failed' ? result.firstError.map((text) => `  | ${printable(text)}`) : []),
    ...files.map(({ sha256, name }) => `${sha256}  ${printable(name)}`),
  ].join('\n');
}

function asData({ id, bytes, ownBytes, used, build }: ListedBuild): object {
  const { plan, key, made, run, attempt, source, prepared, result } = build;
  return {
    id,
    app: plan.app,
    version: plan.version,
    buildDigest: key.buildDigest,
    made,
    used,
    tool: key.tool,
    run,
    attempt,
    environment: { ...prepared.environment, packages: prepared.environment.packages.length },
    ...(source === undefined ? {} : { source }),
    deviations: prepared.deviations,
    seconds: { prepare: prepared.seconds, build: result.seconds },
    outcome: result.kind,
    ...(result.kind === 'failed'
      ? { exitCode: result.exitCode, firstError: result.firstError }
      : { outputs: result.outputs, absent: result.absent, extra: result.extra }),
    bytes,
    ownBytes,
  };
}
