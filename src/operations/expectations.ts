// SPDX-License-Identifier: Apache-2.0
/** What a channel of a recipe says about published files, for a comparison without a build. */
import { checkIdentity } from '../compare/identity.js';
import { inspectPublished } from '../compare/inspect-published.js';
import { UsageError } from '../errors.js';
import type { ComparePlan, RuleName, RuleSetName, SignerPin } from '../model.js';
import { channelOf } from '../recipe/compare-plan.js';
import type { OperationOptions } from './options.js';
import { plan } from './plan.js';
import { recipeOf } from './recipes.js';

export interface Expectations {
  readonly packageId?: string;
  readonly signers: readonly SignerPin[];
  readonly rules: readonly (RuleName | RuleSetName)[];
  readonly notPublished: readonly { readonly pattern: string; readonly reason: string }[];
  /** Of the version that was named. */
  readonly version?: { readonly name: string; readonly codes?: readonly number[] };
}

export interface AskedChannel {
  readonly app: string;
  readonly channel?: string;
  /** A version or a range, as for a plan. */
  readonly version?: string;
}

/** @throws UsageError `unknown-app`, `unknown-channel`, `unknown-version` …; FailedHere `network`, where a version is looked up */
export async function expectationsOf(
  { app, channel: asked, version }: AskedChannel,
  options: OperationOptions,
): Promise<Expectations> {
  const channel = asked === undefined ? {} : { channel: asked };
  if (version !== undefined) {
    const { target, compare } = (await plan({ app, version, ...channel }, options)).plan;
    const name = compare.versionName ?? target.version;
    return { ...expected(compare), version: nameAndCode(name, compare.versionCodes) };
  }
  const { recipe } = await recipeOf(app, options.recipes);
  const found = channelOf(recipe, asked).channel;
  return expected({
    ...(found.packageId === undefined ? {} : { packageId: found.packageId }),
    signers: found.signers.map(({ sha256, minSdk, maxSdk, statedBy, source }) => ({
      sha256,
      ...(minSdk === undefined ? {} : { minSdk }),
      ...(maxSdk === undefined ? {} : { maxSdk }),
      statedBy,
      source,
    })),
    // a rule for some versions is not for a version that nobody named
    rules: found.rules.filter(({ versions }) => versions === '*'),
    notPublished: found.notPublished.map(({ pattern, reason }) => ({
      pattern: pattern.replace(/\{[A-Za-z]+\}/g, '*'),
      reason,
    })),
  });
}

function expected({
  packageId,
  signers,
  rules,
  notPublished,
}: Pick<ComparePlan, 'packageId' | 'signers' | 'rules' | 'notPublished'>): Expectations {
  return {
    ...(packageId === undefined ? {} : { packageId }),
    signers,
    rules: rules.map((use) => use.rule),
    notPublished,
  };
}

const nameAndCode = (
  name: string,
  codes: readonly number[] | undefined,
): NonNullable<Expectations['version']> => (codes === undefined ? { name } : { name, codes });

/**
 * Before an hour is spent on a file of another version; what cannot be read is for the comparison to say.
 * @throws UsageError `other-version`
 */
export async function assertVersion(
  files: readonly { readonly name: string; readonly path: string }[],
  { packageId, version }: Expectations,
): Promise<void> {
  if (version === undefined || packageId === undefined) return;
  const { name, codes } = version;
  for (const file of files) {
    const { reading } = await inspectPublished(file.path);
    // another app is not another version of this one
    if (reading.identity.package !== packageId) continue;
    const other = checkIdentity(
      reading,
      codes === undefined ? { versionName: name } : { versionCodes: codes },
    ).find((finding) => finding.kind === 'other-version');
    if (other !== undefined)
      throw new UsageError(
        'other-version',
        `${file.name} has ${other.field} ${other.kind === 'other-version' ? other.found : ''}, expected ${other.expected}: not the version ${name}`,
        { hint: 'name the version of the file with --release, or hand over the file of this version' },
      );
  }
}
