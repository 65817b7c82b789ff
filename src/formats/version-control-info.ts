// SPDX-License-Identifier: Apache-2.0
/**
 * `META-INF/version-control-info.textproto`: the commit that the Android Gradle Plugin (8.3 and later) writes into an APK.
 * https://developer.android.com/build/releases/past-releases/agp-8-3-0-release-notes
 *
 *   repositories { system: GIT local_root_path: "$PROJECT_DIR" revision: "<commit>" }
 */

export const VERSION_CONTROL_INFO = 'META-INF/version-control-info.textproto';

export interface VersionControlInfo {
  /** Each once, in order; hex of 40 or 64 digits. */
  readonly revisions: readonly string[];
  /** Why there is none, as the plugin says it. */
  readonly error?: string;
}

const MAX_REVISIONS = 16;
const REVISION = /(?:^|[\s{])revision\s?:\s?"([0-9a-f]{40}|[0-9a-f]{64})"/g;
const ERROR = /(?:^|[\s{])generate_error_reason\s?:\s?([A-Z_]{1,100})/;

/** Whatever the bytes are: what is not such a line is not looked at. */
export function readVersionControlInfo(bytes: Uint8Array): VersionControlInfo {
  const text = Buffer.from(bytes)
    .toString('latin1')
    .split('\n')
    .filter((line) => !line.trimStart().startsWith('#'))
    .join('\n');
  const revisions = [...new Set(Array.from(text.matchAll(REVISION), ([, revision]) => revision ?? ''))];
  const error = ERROR.exec(text)?.[1];
  return { revisions: revisions.slice(0, MAX_REVISIONS), ...(error === undefined ? {} : { error }) };
}
