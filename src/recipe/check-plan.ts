// SPDX-License-Identifier: Apache-2.0
/** Where nothing can be built here: why, what would be done elsewhere, and what can be checked of the published file by itself. */
import { digestOf } from '../canonical-json.js';
import { UsageError } from '../errors.js';
import type { CheckPlan, Fact, KnownResult, Obstacle, PlannedCheck, ComparePlan } from '../model.js';
import { rangeOf, schemeOf } from './candidates.js';
import { channelOf, comparePlan } from './compare-plan.js';
import type { PlanRequest } from './lookups.js';
import { resolveVersion, type Resolution } from './resolve.js';
import type { Recipe } from './schema.js';
import { expand, placeholdersIn } from './template.js';
import { inRange } from './version.js';

/** The entry that says that only another system builds this version. */
export function hostBuildOf(recipe: Recipe, version: string): Recipe['hostBuilds'][number] | undefined {
  return recipe.hostBuilds.find(({ versions }) => inRange(version, rangeOf(versions), schemeOf(recipe)));
}

/**
 * `undefined`: the version can be built, or nobody knows it; `makePlan` says which.
 * A version of an app without source is taken as it is given, also a range.
 */
export function makeCheckPlan(
  recipe: Recipe,
  request: PlanRequest,
  context: { readonly facts: readonly Fact[]; readonly recipeSha256: string },
): CheckPlan | undefined {
  const closed = recipe.source === undefined;
  rangeOf(request.version);
  if (closed && request.asOf !== undefined)
    throw new UsageError(
      'as-of-unsupported',
      `${recipe.app}: no published source is known, and no day of any version is known`,
      { hint: 'leave --as-of out; a file says which version it is: --published FILE' },
    );
  const resolution: Resolution | undefined = closed
    ? { candidate: { version: request.version, by: 'pinned' }, skipped: [] }
    : recipe.hostBuilds.length === 0
      ? undefined
      : resolveVersion(recipe, request.version, context.facts, request);
  if (resolution === undefined) return undefined;
  const { candidate, newestKnown } = resolution;
  const { version } = candidate;
  const obstacle = closed ? noSource(recipe) : needsHost(recipe, version);
  if (obstacle === undefined) return undefined;
  const channel = channelOf(recipe, request.channel);
  const values = closed ? {} : { version };
  const target = { app: recipe.app, version, channel: channel.id };
  const compare = comparePlan(recipe, channel, { target, candidate, values, outputs: [] });
  const { source } = recipe;
  return {
    schemaVersion: 1,
    target,
    ...(newestKnown === undefined ? {} : { newestKnown }),
    obstacle,
    ...(source?.kind === 'git'
      ? {
          source: {
            repository: source.repository,
            commit: candidate.commit ?? 'unresolved',
            ...(candidate.ref === undefined ? {} : { ref: candidate.ref }),
          },
        }
      : {}),
    compare,
    files: channel.channel.files.map((file) => expand(file, values)),
    checks: checksOf(compare),
    recipe: { app: recipe.app, sha256: context.recipeSha256 },
    compareDigest: digestOf(compare),
    unconfirmed: recipe.evidence
      .filter(
        ({ confirmed, versions }) =>
          !confirmed && (closed || inRange(version, rangeOf(versions), schemeOf(recipe))),
      )
      .map(({ what }) => what),
    knownResults: knownResultsOf(recipe, version),
  };
}

/** A file of a version whose source nobody published, which is at hand: whose it is can be checked all the same. */
export function checkPlanWithoutSource(
  recipe: Recipe,
  request: PlanRequest,
  { detail, recipeSha256 }: { readonly detail: string; readonly recipeSha256: string },
): CheckPlan {
  const { id, channel } = channelOf(recipe, request.channel);
  const { version } = request;
  const target = { app: recipe.app, version, channel: id };
  const { pairs = [], versionName, ...rest } = channel;
  const values = { version };
  // of no build, and of no build number
  const fits = (template: string): boolean => placeholdersIn(template).every((name) => name === 'version');
  const names = [...new Set([...channel.files, ...pairs.map(({ published }) => published)])].filter(fits);
  const compare = comparePlan(
    recipe,
    {
      id,
      channel: {
        ...rest,
        ...(versionName !== undefined && fits(versionName) ? { versionName } : {}),
        acquisition: { kind: 'handed-over', how: 'get it from the channel' },
        notPublished: [],
      },
    },
    { target, candidate: { version, by: 'pinned' }, values, outputs: [] },
  );
  return {
    schemaVersion: 1,
    target,
    obstacle: { code: 'source-missing-for-version', detail, needs: [], steps: [] },
    compare,
    files: names.length === 0 ? [recipe.app] : names.map((name) => expand(name, values)),
    checks: checksOf(compare),
    recipe: { app: recipe.app, sha256: recipeSha256 },
    compareDigest: digestOf(compare),
    unconfirmed: [],
    knownResults: knownResultsOf(recipe, version),
  };
}

/** What others found about this version. */
export function knownResultsOf(recipe: Recipe, version: string): readonly KnownResult[] {
  return recipe.knownResults
    .filter((known) => known.versions.includes(version))
    .map(({ by, channel, result, reason, url }) => ({
      by,
      version,
      channel,
      result,
      url,
      ...(reason === undefined ? {} : { reason }),
    }));
}

function noSource({ title, status }: Recipe): Obstacle {
  return {
    code: 'no-source',
    detail: `${title}: no published source is known (${status.kind})${status.note === undefined ? '' : `; ${status.note}`}`,
    needs: [],
    steps: [],
  };
}

function needsHost(recipe: Recipe, version: string): Obstacle | undefined {
  const host = hostBuildOf(recipe, version);
  if (host === undefined) return undefined;
  return {
    code: 'needs-host',
    detail: `${recipe.title} ${version} is built on ${host.system}: ${host.reason} (${host.reference})`,
    needs: host.needs,
    steps: host.steps,
  };
}

function checksOf({ packageId, signers, transparencyLog, encryption }: ComparePlan): readonly PlannedCheck[] {
  const sealed =
    encryption === undefined ? {} : { impossible: `the store encrypts it (${encryption.scheme})` };
  return [
    {
      check: 'package',
      what:
        packageId === undefined
          ? 'which app the file says that it is'
          : `the file says that it is ${packageId}`,
      ...(packageId === undefined ? { impossible: 'the recipe knows no package id for this channel' } : {}),
    },
    { check: 'version', what: 'the file says that it is of the version that was asked for' },
    {
      check: 'signer',
      what:
        signers.length === 0
          ? 'who signed the file'
          : `the file is signed by one of ${signers.length} pinned certificates`,
      ...(signers.length === 0 ? { impossible: 'no certificate of this channel is known' } : sealed),
    },
    {
      check: 'continuity',
      what: 'the same signer, or one that follows from it, as in the reports about earlier versions',
      ...sealed,
    },
    {
      check: 'transparency-log',
      what:
        transparencyLog === undefined
          ? 'a public log lists the file'
          : `the log ${transparencyLog} lists the file`,
      ...(transparencyLog === undefined ? { impossible: 'no log is known to hold this package' } : {}),
    },
  ];
}
