// SPDX-License-Identifier: Apache-2.0
/** What came of a later build that gave nothing to compare. */
import type { StoppedBuild, SuppliedBuild } from './build-supply.js';

export function howItEnded(build: SuppliedBuild | StoppedBuild): string {
  if (build.kind === 'stopped') return build.reasons.map(({ detail }) => detail).join('; ');
  if (build.result.kind === 'succeeded') return 'it gave something to compare';
  return `a command of the ${build.result.phase} phase ended with exit code ${build.result.exitCode}, which it did not in the first build`;
}
