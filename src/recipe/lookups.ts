// SPDX-License-Identifier: Apache-2.0
/** What must be looked up outside before a plan can be made: nothing where the recipe's own map has the answer. */
import type { Lookup } from '../model.js';
import { rangeOf } from './candidates.js';
import { neededLookups } from './resolve.js';
import type { Recipe } from './schema.js';

export interface PlanRequest {
  /** A version or a range; the newest version that the range holds is taken. */
  readonly version: string;
  readonly channel?: string | undefined;
  /** Another place to take the source from: an address or a local directory. */
  readonly source?: string | undefined;
}

/** A plan can be made without the answer to an `optional` look-up; it may then be unresolved. */
export function lookupsFor(recipe: Recipe, request: Pick<PlanRequest, 'version'>): readonly Lookup[] {
  return neededLookups(recipe, rangeOf(request.version));
}
