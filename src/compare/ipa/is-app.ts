// SPDX-License-Identifier: Apache-2.0
/** Whether an archive is an app of Apple's platforms: as the App Store delivers it (.ipa), or one of macOS in a ZIP. */
import type { ZipStructure } from '../../formats/zip.js';
import { kindOfArchive } from '../archive-kind.js';

const IN_PAYLOAD = /^Payload\/[^/]+\.app\//;
const IN_MAC_APP = /^[^/]+\.app\/Contents\//;
const IN_APP = /\.app\//;

/** By content; what Android installs is none, whatever lies in it. */
export function appFormat(zip: ZipStructure): 'ipa' | 'mac-app' | undefined {
  const has = (pattern: RegExp): boolean =>
    zip.entries.some(({ rawName }) => pattern.test(rawName.toString('latin1')));
  const format = has(IN_PAYLOAD) ? 'ipa' : has(IN_MAC_APP) ? 'mac-app' : undefined;
  return format !== undefined && kindOfArchive(zip) === 'zip' ? format : undefined;
}

/** Whether programs of Apple's platforms may lie in it, whatever else it is. */
export function mayHoldApp({ entries }: ZipStructure): boolean {
  return entries.some(({ rawName }) => IN_APP.test(rawName.toString('latin1')));
}

export function isApp(zip: ZipStructure): boolean {
  return appFormat(zip) !== undefined;
}
