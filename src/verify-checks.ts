// SPDX-License-Identifier: Apache-2.0
/**
 * Where nothing can be built: published files → checks → report. The verdict is `unverifiable` for what keeps the build from
 * being made, or `not-authentic`; no check makes it better.
 */
import { inspectEncryption } from './compare/inspect-published.js';
import { FailedHere, UsageError } from './errors.js';
import {
  obtainPublished,
  type ObtainOptions,
  type PublishedFile,
  type PublishedOutcome,
} from './inputs/published.js';
import type { CheckPlan, Reason, Target, UnverifiableReason } from './model.js';
import { isAskedFor, runChecks, type CheckInputs, type ChecksDone } from './pipeline/run-checks.js';
import { publishedOrigins } from './pipeline/published-origins.js';
import { assembleReport } from './report/assemble.js';
import { redacted } from './report/redact.js';
import type { Report, RunRecord } from './report/types.js';

export interface ChecksOptions extends Pick<CheckInputs, 'earlier' | 'transparencyLog'> {
  readonly obtain: ObtainOptions;
  readonly describeRun: (
    facts: Partial<Omit<RunRecord, 'statements'>>,
  ) => Promise<Omit<RunRecord, 'statements'>>;
  /** Takes out of what a server or a phone said what would name this machine. */
  readonly redact: (text: string) => string;
}

/** @throws UsageError `other-version`; FailedHere of getting the files */
export async function verifyChecks(plan: CheckPlan, options: ChecksOptions): Promise<Report> {
  const { compare, obstacle } = plan;
  const outcome = await obtainIfAtHand(plan, options.obtain);
  const files: readonly PublishedFile[] = outcome.kind === 'obtained' ? outcome.files : [];
  const done = await runChecks(plan, { ...options, files });
  const target = targetOf(plan, done);
  const unverifiable: Reason<UnverifiableReason>[] = [{ code: obstacle.code, detail: obstacle.detail }];
  if (outcome.kind === 'no-published-artifact')
    unverifiable.push({ code: outcome.kind, detail: `${outcome.detail} (${outcome.hint})` });
  if (compare.encryption !== undefined)
    for (const file of files) unverifiable.push(...(await encryptedReason(file, compare.encryption)));
  return assembleReport({
    target,
    builtBy: compare.builtBy,
    published: files,
    rebuilt: [],
    checks: {
      recipeSha256: plan.recipe.sha256,
      compareDigest: plan.compareDigest,
      compare,
      obstacle,
      ...(plan.source === undefined ? {} : { source: plan.source }),
      certificates: done.certificates,
      outcomes: done.outcomes,
    },
    unverifiable,
    notAuthentic: done.notAuthentic,
    knownResults: plan.knownResults,
    // whose signatures they have stands among the checks
    run: await options.describeRun(
      files.length === 0 ? {} : { published: redacted(publishedOrigins(files, []), options.redact) },
    ),
  });
}

/** What is encrypted of the file; nothing where it is not as the channel delivers it. */
async function encryptedReason(
  { name, path }: PublishedFile,
  { scheme, hides }: NonNullable<CheckPlan['compare']['encryption']>,
): Promise<Reason<UnverifiableReason>[]> {
  const found = await inspectEncryption(path);
  if (found === undefined)
    return [{ code: 'encrypted', detail: `whether ${name} is encrypted (${scheme}) was not read; ${hides}` }];
  const { encrypted, unread } = found;
  const programs = encrypted.map(({ path: inside }) => inside.join(' > '));
  const bytes = encrypted.flatMap(({ slices }) => slices).reduce((sum, { size }) => sum + size, 0);
  if (programs.length + unread.length === 0) return [];
  const shown = programs.slice(0, SHOWN).join(', ');
  const more = programs.length > SHOWN ? ` and ${programs.length - SHOWN} more` : '';
  const which =
    programs.length === 0
      ? `of ${unread.length} programs of ${name} it could not be read whether they are encrypted`
      : `${bytes} bytes of ${shown}${more} in ${name} are encrypted`;
  return [{ code: 'encrypted', detail: `${which}; ${hides}` }];
}

const SHOWN = 5;

/** No build waits for the file here: without a phone the verdict is the same, and the checks of the file are not run. */
async function obtainIfAtHand(plan: CheckPlan, options: ObtainOptions): Promise<PublishedOutcome> {
  const pairs = plan.files.map((published) => ({ published, output: '' }));
  try {
    return await obtainPublished({ ...plan.compare, pairs }, options);
  } catch (error) {
    if (!(error instanceof FailedHere) || !NO_PHONE.has(error.code)) throw error;
    return {
      kind: 'no-published-artifact',
      code: 'not-fetched',
      detail: `channel ${plan.target.channel} is read off a phone, and none is at hand: ${error.message}`,
      hint: hintOf(error),
    };
  }
}

function hintOf({ hint = 'connect a phone' }: FailedHere): string {
  return hint.includes('--published') ? hint : `${hint}, or hand the files over with --published DIR`;
}

const NO_PHONE: ReadonlySet<string> = new Set(['missing-tool', 'no-device']);

/** A range is taken as it is given; a file says which version of it it is. */
function targetOf({ target }: CheckPlan, { versionName, notAuthentic }: ChecksDone): Target {
  if (versionName === undefined || notAuthentic.length > 0) return target;
  if (isAskedFor(versionName, target.version)) return { ...target, version: versionName };
  throw new UsageError(
    'other-version',
    `the file is of version ${versionName}, asked for was ${target.version}`,
    {
      hint: 'name the version of the file, or hand over the file of this version',
    },
  );
}
