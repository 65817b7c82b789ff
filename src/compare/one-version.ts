// SPDX-License-Identifier: Apache-2.0
/** Splits of one version: Android installs no others together, so that two pulls were mixed up by whoever made them. */
import { UsageError } from '../errors.js';
import type { SetMember } from './set-members.js';

/**
 * Splits of two packages are for others to tell: they are no mistake.
 * @throws UsageError `mixed-versions`, `other-version`
 */
export function assertOneVersion(members: readonly SetMember[], versionCodes?: readonly number[]): void {
  const splits = members.flatMap(({ name, facts }) => (facts === undefined ? [] : [{ name, ...facts }]));
  const [first] = splits;
  if (first === undefined || splits.some((split) => split.package !== first.package)) return;
  const other = splits.find((split) => split.versionCode !== first.versionCode);
  if (other !== undefined)
    throw new UsageError(
      'mixed-versions',
      `${first.name} has versionCode ${first.versionCode}, ${other.name} has ${other.versionCode}`,
      { hint: 'pull all splits of one installed version into an empty directory' },
    );
  if (versionCodes !== undefined && !versionCodes.map(String).includes(first.versionCode))
    throw new UsageError(
      'other-version',
      `${first.name} has versionCode ${first.versionCode}, expected ${versionCodes.join(' or ')}`,
      { hint: 'name the version of the files with --release, or hand over the files of this version' },
    );
}
