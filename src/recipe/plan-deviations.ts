// SPDX-License-Identifier: Apache-2.0
/** Deviations that follow from what a recipe knows of a version: what is not published, not fixed, not proven, not confirmed. */
import type { Deviation, Extrapolation, ResolvedReference } from '../model.js';
import { rangeOf, schemeOf } from './candidates.js';
import type { Recipe } from './schema.js';
import { inRange } from './version.js';

export interface PlanKnowledge {
  readonly extrapolated: Extrapolation | undefined;
  readonly unconfirmed: readonly string[];
  readonly references: readonly ResolvedReference[];
  readonly asOf: string | undefined;
}

/** What the official build of this version had and nobody else has, as far as it is in the files of this channel. */
export function missingInputs(
  recipe: Recipe,
  version: string | undefined,
  channel: string,
): Pick<Recipe, 'unpublished' | 'liveInputs'> {
  const applies = ({ versions, channels }: Recipe['unpublished'][number]): boolean =>
    (version === undefined || inRange(version, rangeOf(versions), schemeOf(recipe))) &&
    (channels === undefined || channels.includes(channel));
  return { unpublished: recipe.unpublished.filter(applies), liveInputs: recipe.liveInputs.filter(applies) };
}

export function planDeviations(
  recipe: Recipe,
  { version, channel }: { readonly version: string; readonly channel: string },
  { extrapolated, unconfirmed, references, asOf }: PlanKnowledge,
): readonly Deviation[] {
  const found: Deviation[] = [];
  const { unpublished, liveInputs } = missingInputs(recipe, version, channel);
  for (const { what, note, reference, canChangeOutput } of unpublished)
    found.push({ code: 'unpublished-value', what, reason: `${note} (${reference})`, canChangeOutput });
  for (const { what, note, reference, canChangeOutput } of liveInputs)
    found.push({ code: 'live-input', what, reason: `${note} (${reference})`, canChangeOutput });
  for (const { reference, digest } of references)
    found.push({
      code: 'floating-image',
      what: `${reference} is taken as ${digest}`,
      reason:
        asOf === undefined
          ? 'the makers name it without a digest, and it can have been another image on the day of their build'
          : `the makers name it without a digest; what it was on ${asOf} is not known, this is what it was when it was resolved`,
      canChangeOutput: 'unknown',
    });
  if (extrapolated !== undefined) {
    const { since, by, changed, unread } = extrapolated;
    if (changed.length > 0)
      found.push({
        code: 'extrapolated',
        what: `since ${since} these have changed: ${changed.join(', ')}`,
        reason: `${since} is the newest version of this range that was rebuilt (${by})`,
        canChangeOutput: 'unknown',
      });
    if (unread.length > 0)
      found.push({
        code: 'extrapolation-unread',
        what: `whether these have changed since ${since} could not be read: ${unread.join(', ')}`,
        reason: `${since} is the newest version of this range that was rebuilt (${by})`,
        canChangeOutput: 'unknown',
      });
  }
  if (unconfirmed.length > 0)
    found.push({
      code: 'unconfirmed',
      what: `not confirmed in the makers' own source: ${unconfirmed.join('; ')}`,
      reason: 'the recipe has them from others',
      canChangeOutput: 'unknown',
    });
  return found;
}
