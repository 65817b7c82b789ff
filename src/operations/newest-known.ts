// SPDX-License-Identifier: Apache-2.0
/** In words that a version is only the newest that its recipe knows. */
import type { NewestKnown, Target } from '../model.js';

export function newestKnownText({
  target,
  newestKnown,
}: {
  readonly target: Target;
  readonly newestKnown?: NewestKnown | undefined;
}): string | undefined {
  if (newestKnown === undefined) return undefined;
  const { asked, why } = newestKnown;
  return `${target.version} is the newest of ${asked} that the recipe knows: ${why}`;
}
