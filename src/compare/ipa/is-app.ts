// SPDX-License-Identifier: Apache-2.0
/** Whether an archive is an app of Apple's platforms as stores deliver it (.ipa). */
import type { ZipStructure } from '../../formats/zip.js';

const IN_APP = /^Payload\/[^/]+\.app\//;

/** By content: a directory `Payload` with an app in it. */
export function isApp({ entries }: ZipStructure): boolean {
  return entries.some(({ rawName }) => IN_APP.test(rawName.toString('latin1')));
}
