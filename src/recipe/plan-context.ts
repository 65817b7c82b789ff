// SPDX-License-Identifier: Apache-2.0
/** What a plan is made with beside the recipe and the request. */
import type { Fact, VersionLock } from '../model.js';

export interface PlanContext {
  readonly facts: readonly Fact[];
  /** The locks of base images that this package brings along, by name. */
  readonly locks: Readonly<Record<string, { readonly sha256: string; readonly packages: number }>>;
  readonly recipeSha256: string;
  /** What was resolved for this version before. */
  readonly versionLock?: VersionLock | undefined;
  /** The build on a machine of another system is wanted, for which there is one. */
  readonly onHost?: boolean | undefined;
}
