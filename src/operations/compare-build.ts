// SPDX-License-Identifier: Apache-2.0
/** Published files against a build that was kept: no network, no engine, and the source may be gone. */
import path from 'node:path';
import { findInInputs, originsOf } from '../build/origin.js';
import { compareSet, expandRules } from '../compare/compare-set.js';
import type { SetComparison } from '../compare/types.js';
import type { Limits } from '../compare/walk.js';
import { UsageError } from '../errors.js';
import { partialDirectory } from '../inputs/builds/build-directory.js';
import { noteUse, unlessDamaged } from '../inputs/builds/find-builds.js';
import { loadBuild, type LoadedBuild } from '../inputs/builds/load-build.js';
import { cacheDirectory } from '../inputs/cache.js';
import { localFiles, type LocalFile } from '../inputs/local-files.js';
import type { BuiltFile, KeptBuild, Sha256 } from '../model.js';
import { removeOwned } from '../owned-directory.js';
import { missingTools, toolsOf } from '../pipeline/tools-of.js';
import { assembleReport } from '../report/assemble.js';
import type { Report } from '../report/types.js';
import { damagedBuild, findBuild } from './builds.js';
import { knownRules } from './compare.js';
import { assertVersion, expectationsOf, type AskedChannel, type Expectations } from './expectations.js';
import type { OperationOptions } from './options.js';
import { describeRun } from './run.js';
import { stoppable } from './stoppable.js';

export interface CompareBuildRequest {
  /** Its id, or the beginning of it. */
  readonly build: string;
  /** Files, or directories with the files of one release. */
  readonly published: readonly string[];
  readonly rules?: readonly string[];
  /** A recipe whose channel says what is expected. */
  readonly recipe?: AskedChannel;
  /** Of the recipe of the app that was built; and a version or range of it. */
  readonly channel?: string;
  readonly version?: string;
  readonly limits?: Partial<Limits>;
}

/**
 * Only what was handed over is compared: a file of the build without a published twin is no difference here.
 * @throws UsageError `unknown-build`, `ambiguous-build`, `build-without-files`, `no-twin`, `unknown-rule`
 * @throws FailedHere `build-damaged`, `unreadable-input`, `disk-full`
 */
export async function compareWithBuild(
  request: CompareBuildRequest,
  options: OperationOptions = {},
): Promise<{ readonly report: Report; readonly comparison: SetComparison }> {
  const cache = cacheDirectory();
  const { place, build } = await findBuild(cache, request.build);
  const rules = knownRules(request.rules ?? []);
  const expected = await expectedOf(request, build.plan.app, options);
  const directory = await partialDirectory(cache);
  try {
    await noteUse(cache, place);
    let damage = 'it is gone';
    const loaded = await unlessDamaged(
      cache,
      place,
      (_, why) => (damage = why),
      () => loadBuild(cache, place, build, path.join(directory, 'kept')),
    );
    if (loaded === undefined) throw damagedBuild(place.id, damage);
    const compared = { request, rules: [...rules, ...(expected?.rules ?? [])], expected, directory };
    return await stoppable(options, (stopping) => report(place.id, build, loaded, compared, stopping));
  } finally {
    await removeOwned(directory);
  }
}

async function expectedOf(
  { recipe, channel, version }: CompareBuildRequest,
  app: string,
  options: OperationOptions,
): Promise<Expectations | undefined> {
  if (recipe !== undefined) return await expectationsOf(recipe, options);
  if (channel === undefined && version === undefined) return undefined;
  const asked = {
    app,
    ...(channel === undefined ? {} : { channel }),
    ...(version === undefined ? {} : { version }),
  };
  return await expectationsOf(asked, options);
}

interface Compared {
  readonly request: CompareBuildRequest;
  readonly rules: ReturnType<typeof knownRules>;
  readonly expected: Expectations | undefined;
  readonly directory: string;
}

async function report(
  id: Sha256,
  { plan, key, made }: KeptBuild,
  { prepared, result }: LoadedBuild,
  { request, rules, expected, directory }: Compared,
  options: OperationOptions,
): Promise<{ readonly report: Report; readonly comparison: SetComparison }> {
  if (result.kind === 'failed')
    throw new UsageError(
      'build-without-files',
      `the build ${id.slice(0, 12)} of ${plan.app} ${plan.version} failed: there are no files of it`,
    );
  const published = await filesOf(request.published);
  if (expected !== undefined) await assertVersion(published, expected);
  const started = performance.now();
  const twins = twinsOf(published, result.outputs);
  const output = (at: number): string => `twin-${at}`;
  const temporary = {
    temporaryDirectory: directory,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  };
  const comparison = await compareSet(
    {
      published,
      rebuilt: twins.map(({ twin: { name, path: file } }, at) => ({ name, path: file, output: output(at) })),
      pairs: twins.map(({ file }, at) => ({ published: file.name, output: output(at) })),
    },
    {
      ...options,
      ...temporary,
      rules: expandRules(rules),
      ...(expected === undefined ? {} : { signers: expected.signers }),
      ...(expected?.packageId === undefined ? {} : { packageId: expected.packageId }),
      ...(request.limits === undefined ? {} : { limits: request.limits }),
    },
  );
  const compared = [...new Set(twins.map(({ twin }) => twin))];
  const { origins, unopened } = await originsOf(compared, prepared.inventory, temporary);
  const { executor, engineVersion } = prepared.environment;
  const assembled = assembleReport({
    published: [],
    rebuilt: [],
    comparison,
    unverifiable: comparison.pairs.flatMap((pair) => {
      const where = findInInputs(prepared.inventory, pair.published.sha256);
      return where === undefined
        ? []
        : [
            {
              code: 'artifact-in-inputs' as const,
              detail: `${pair.published.name} lies among the inputs: ${where}`,
            },
          ];
    }),
    origins,
    linkable: prepared.inventory.linkable,
    unopened: { inputs: prepared.inventory.unopened, outputs: unopened },
    run: await describeRun({
      seconds: { compare: (performance.now() - started) / 1000 },
      tools: toolsOf(comparison.pairs),
      missingTools: missingTools(comparison.pairs),
      environment: prepared.environment,
      usedBuilds: [
        {
          id,
          made,
          executor,
          ...(engineVersion === undefined ? {} : { engineVersion }),
          reused: true,
          of: { app: plan.app, version: plan.version, buildDigest: key.buildDigest },
        },
      ],
    }),
  });
  return { report: assembled, comparison };
}

async function filesOf(places: readonly string[]): Promise<readonly LocalFile[]> {
  const files: LocalFile[] = [];
  for (const place of places)
    for (const file of await localFiles(place)) {
      if (files.some(({ name }) => name === file.name))
        throw new UsageError('same-name', `two published files are called ${file.name}`, {
          hint: 'compare them one after the other',
        });
      files.push(file);
    }
  return files;
}

interface Twins {
  readonly file: LocalFile;
  readonly twin: BuiltFile;
}

/** A v4 signature belongs to the file beside it. */
const ALONE = /\.idsig$/;

/**
 * For each published file the output of its name, or at its path in an output that is a directory; a single file also the
 * only output of its kind, whatever both are called. @throws UsageError `no-twin`
 */
function twinsOf(published: readonly LocalFile[], outputs: readonly BuiltFile[]): readonly Twins[] {
  const kind = ({ name }: { readonly name: string }): string => path.posix.extname(name).toLowerCase();
  const files = published.filter(({ name }) => !ALONE.test(name));
  return published.flatMap((file) => {
    const same = outputs.find(({ name, member }) => name === file.name || member === file.name);
    const like = outputs.filter((output) => kind(output) === kind(file));
    const twin = same ?? (files.length === 1 && like.length === 1 ? like[0] : undefined);
    if (twin !== undefined) return [{ file, twin }];
    if (ALONE.test(file.name)) return [];
    throw new UsageError('no-twin', `no file of the build is that of ${file.name}`, {
      hint: `give the published file the name of the one it is to be compared with: ${outputs
        .slice(0, 10)
        .map(({ name }) => name)
        .join(', ')}`,
    });
  });
}
