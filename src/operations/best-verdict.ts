// SPDX-License-Identifier: Apache-2.0
/** What no check of a channel's files can go beyond, as far as the recipe tells. */
import { allCandidates, schemeOf } from '../recipe/candidates.js';
import { missingInputs } from '../recipe/plan-deviations.js';
import type { Recipe } from '../recipe/schema.js';
import { compareVersions } from '../recipe/version.js';

/** What is missing for the newest version that the recipe knows by itself. */
export function missingFor(recipe: Recipe, channel: string): ReturnType<typeof missingInputs> {
  const scheme = schemeOf(recipe);
  const [newest] = allCandidates(recipe, [])
    .map(({ version }) => version)
    .sort((a, b) => compareVersions(b, a, scheme));
  return missingInputs(recipe, newest, channel);
}

export function bestVerdict(recipe: Recipe, id: string): string {
  if (recipe.source === undefined) return '`unverifiable`: no-source';
  const channel = Object.hasOwn(recipe.channels, id) ? recipe.channels[id] : undefined;
  // what nobody can check yet has no bound that was looked at
  if (channel === undefined) return '–';
  if (channel.encryption !== undefined) return '`unverifiable`: encrypted';
  if (
    recipe.hostBuilds.length > 0 &&
    recipe.builds.every(({ environment: { image } }) => image.kind === 'host')
  )
    return '`unverifiable`: needs-host';
  const { unpublished, liveInputs } = missingFor(recipe, id);
  const has = (inputs: Recipe['unpublished'], effect: 'yes' | 'unknown'): boolean =>
    inputs.some(({ canChangeOutput }) => canChangeOutput === effect);
  if (has(unpublished, 'yes')) return '`unreproducible`: unpublished inputs';
  if (has(liveInputs, 'yes')) return '`unreproducible`: inputs of the day, unless unchanged';
  // a store that makes what users install puts its own marks into it
  const edited = channel.builtBy === 'store' || channel.rules.length > 0;
  const best = edited ? '`equivalent`' : '`reproducible`';
  return has([...unpublished, ...liveInputs], 'unknown') ? `${best}, if the stand-ins are right` : best;
}
