// SPDX-License-Identifier: Apache-2.0
/** Published files against rebuilt ones that are both at hand: no build, no recipe needed, nothing stored. */
import type { SetOptions } from '../compare/compare.js';
import { FactThread, WORTH_A_THREAD } from '../compare/fact-thread.js';
import type { SetComparison } from '../compare/types.js';
import type { Limits } from '../compare/walk.js';
import { assertTwoSides, fileAndDirectory, isEmpty, localTree } from '../inputs/local-files.js';
import { UsageError } from '../errors.js';
import { RULE_NAMES, RULE_SETS, type RuleName, type RuleSetName } from '../model.js';
import { missingTools, toolsOf } from '../pipeline/tools-of.js';
import type { Report } from '../report/types.js';
import type { AskedChannel, Expectations } from './expectations.js';
import type { OperationOptions } from './options.js';
import { stoppable } from './stoppable.js';

export interface CompareRequest {
  /** A file, or a directory with the files of one release. */
  readonly published: string;
  /** … or an `.apks`, `.xapk` or `.apkm` archive; what makes a set of splits is compared as one. */
  readonly rebuilt: string;
  /** The same release as other devices got it. */
  readonly pulls?: readonly string[];
  /** A device.json, as bundletool writes it: for which device the splits are. */
  readonly device?: string;
  /** Rules of class `store-edit`, or sets of them. */
  readonly rules?: readonly string[];
  /** A recipe whose channel says what is expected: package, signers, rules, unpublished files. */
  readonly recipe?: AskedChannel;
  readonly limits?: Partial<Limits>;
}

/**
 * @throws UsageError `same-file`, `file-and-directory`, `unknown-rule`, `app-bundle`
 * @throws FailedHere `unreadable-input`, `disk-full`
 */
export async function compare(request: CompareRequest, options: OperationOptions = {}): Promise<Report> {
  return (await compareInFull(request, options)).report;
}

/** As `compare`; with all findings, of which the report keeps the first ones. */
export async function compareInFull(
  request: CompareRequest,
  options: OperationOptions = {},
): Promise<{ readonly report: Report; readonly comparison: SetComparison }> {
  return await stoppable(options, () => compared(request, options));
}

async function compared(
  request: CompareRequest,
  options: OperationOptions,
): Promise<{ readonly report: Report; readonly comparison: SetComparison }> {
  const { bytes, mixed } = await assertTwoSides(request.published, request.rebuilt);
  const pulls = request.pulls ?? [];
  for (const pull of pulls) await assertTwoSides(pull, request.rebuilt);
  assertDelivered(request);
  if (bytes >= WORTH_A_THREAD) FactThread.startEarly();
  const [{ compareSet, expandRules }, { assembleReport }, { describeRun }] = [
    await import('../compare/compare-set.js'),
    await import('../report/assemble.js'),
    await import('./run.js'),
  ];
  const rules = knownRules(request.rules ?? []);
  const expected: Expectations | undefined =
    request.recipe === undefined ? undefined : await expectationsFrom(request.recipe, options);
  const started = performance.now();
  const setOptions: SetOptions = {
    ...options,
    rules: expandRules([...rules, ...(expected?.rules ?? [])]),
    ...(expected === undefined ? {} : { signers: expected.signers }),
    ...(expected?.packageId === undefined ? {} : { packageId: expected.packageId }),
    ...(request.limits === undefined ? {} : { limits: request.limits }),
  };
  const notPublished = expected === undefined ? {} : { notPublished: expected.notPublished };
  const comparison = (await splitsCompared()) ?? (await filesCompared());
  const files = (side: 'published' | 'rebuilt') => comparison.pairs.map((pair) => pair[side]);
  const report = assembleReport({
    published: [...files('published'), ...comparison.unpairedPublished],
    rebuilt: [...files('rebuilt'), ...comparison.unpairedRebuilt],
    comparison,
    run: await describeRun({
      seconds: { compare: (performance.now() - started) / 1000 },
      tools: toolsOf(comparison.pairs),
      missingTools: missingTools(comparison.pairs),
    }),
  });
  return { report, comparison };

  async function splitsCompared(): Promise<SetComparison | undefined> {
    // two files with plain names are no set: what is common must not wait for what is rare
    if (!mixed && pulls.length === 0 && request.device === undefined && (await bothPlain(request)))
      return undefined;
    if (mixed && ((await isEmpty(request.published)) || (await isEmpty(request.rebuilt))))
      throw fileAndDirectory(request.published, request.rebuilt);
    const { compareSplitSides } = await import('./compare-splits.js');
    const codes = expected?.version?.codes;
    const found = await compareSplitSides(
      {
        published: [request.published, ...pulls],
        rebuilt: request.rebuilt,
        ...(request.device === undefined ? {} : { device: request.device }),
        ...(codes === undefined ? {} : { versionCodes: codes }),
        ...notPublished,
      },
      setOptions,
    );
    if (found === undefined && mixed) throw fileAndDirectory(request.published, request.rebuilt);
    return found;
  }

  async function filesCompared(): Promise<SetComparison> {
    const [p, r] = [await localTree(request.published), await localTree(request.rebuilt)];
    if (expected !== undefined) {
      const { assertVersion } = await import('./expectations.js');
      await assertVersion(p.files, expected);
    }
    return await compareSet(
      {
        published: p.files,
        rebuilt: r.files,
        links: { published: p.links, rebuilt: r.links },
        ...notPublished,
      },
      setOptions,
    );
  }
}

const BUNDLE = /\.aab$/i;

/** A bundle is what APKs are made of: compared with one, nothing would match. */
function assertDelivered({ published, rebuilt }: CompareRequest): void {
  if (!BUNDLE.test(rebuilt) || BUNDLE.test(published)) return;
  throw new UsageError('app-bundle', `${rebuilt} is an app bundle, of which users get APKs`, {
    hint: 'make them with bundletool build-apks, and hand over the archive that it writes',
  });
}

const SET = /\.(?:apks|xapk|apkm)$/i;

/** Two files, neither with the name of an archive of splits. */
async function bothPlain({ published, rebuilt }: CompareRequest): Promise<boolean> {
  for (const side of [published, rebuilt]) {
    const { files } = await localTree(side);
    const [first] = files;
    if (first?.path !== side || SET.test(side)) return false;
  }
  return true;
}

/** Without a recipe there is no need to load what reads one. */
async function expectationsFrom(asked: AskedChannel, options: OperationOptions): Promise<Expectations> {
  const { expectationsOf } = await import('./expectations.js');
  return await expectationsOf(asked, options);
}

/** @throws UsageError `unknown-rule` */
export function knownRules(names: readonly string[]): (RuleName | RuleSetName)[] {
  const known: readonly string[] = [...RULE_NAMES, ...Object.keys(RULE_SETS)];
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw new UsageError('unknown-rule', `there is no rule ${JSON.stringify(unknown)}`, {
      hint: `rules and sets: ${known.join(', ')}`,
    });
  return names as (RuleName | RuleSetName)[];
}
