// SPDX-License-Identifier: Apache-2.0
/** Published files against rebuilt ones that are both at hand: no build, no recipe needed, nothing stored. */
import { compareSet, expandRules } from '../compare/compare-set.js';
import type { SetComparison } from '../compare/types.js';
import type { Limits } from '../compare/walk.js';
import { assertTwoSides, localFiles } from '../inputs/local-files.js';
import { UsageError } from '../errors.js';
import { RULE_NAMES, RULE_SETS, type RuleName, type RuleSetName } from '../model.js';
import { missingTools, toolsOf } from '../pipeline/tools-of.js';
import { assembleReport } from '../report/assemble.js';
import type { Report } from '../report/types.js';
import type { OperationOptions } from './options.js';
import { assertVersion, expectationsOf, type AskedChannel, type Expectations } from './expectations.js';
import { stoppable } from './stoppable.js';
import { describeRun } from './run.js';

export interface CompareRequest {
  /** A file, or a directory with the files of one release. */
  readonly published: string;
  readonly rebuilt: string;
  /** Rules of class `store-edit`, or sets of them. */
  readonly rules?: readonly string[];
  /** A recipe whose channel says what is expected: package, signers, rules, unpublished files. */
  readonly recipe?: AskedChannel;
  readonly limits?: Partial<Limits>;
}

/**
 * @throws UsageError `same-file`, `file-and-directory`, `unknown-rule`
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
  await assertTwoSides(request.published, request.rebuilt);
  const rules = knownRules(request.rules ?? []);
  const expected: Expectations | undefined =
    request.recipe === undefined ? undefined : await expectationsOf(request.recipe, options);
  const [published, rebuilt] = [await localFiles(request.published), await localFiles(request.rebuilt)];
  if (expected !== undefined) await assertVersion(published, expected);
  const started = performance.now();
  const comparison = await compareSet(
    { published, rebuilt, ...(expected === undefined ? {} : { notPublished: expected.notPublished }) },
    {
      ...options,
      rules: expandRules([...rules, ...(expected?.rules ?? [])]),
      ...(expected === undefined ? {} : { signers: expected.signers }),
      ...(expected?.packageId === undefined ? {} : { packageId: expected.packageId }),
      ...(request.limits === undefined ? {} : { limits: request.limits }),
    },
  );
  const files = (side: 'published' | 'rebuilt') => comparison.pairs.map((pair) => pair[side]);
  const report = assembleReport({
    published: [...files('published'), ...comparison.unpairedPublished],
    rebuilt: [...files('rebuilt'), ...comparison.unpairedRebuilt.map((entry) => entry.file)],
    comparison,
    run: await describeRun({
      seconds: { compare: (performance.now() - started) / 1000 },
      tools: toolsOf(comparison.pairs),
      missingTools: missingTools(comparison.pairs),
    }),
  });
  return { report, comparison };
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
