// SPDX-License-Identifier: Apache-2.0
/**
 * What a build leaves beside its outputs and the recipe declares unpublished: records of the build, such as Debian's
 * `.buildinfo`, are other ones each time. They are told of the run, so that a statement says the same of the same outputs.
 */
import { matches } from '../compare/name-pattern.js';
import type { BuiltFile, ComparePlan } from '../model.js';

export function isDeclared({ notPublished }: ComparePlan, { name }: Pick<BuiltFile, 'name'>): boolean {
  return notPublished.some(({ pattern }) => matches(pattern, name));
}
