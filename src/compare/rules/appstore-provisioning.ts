// SPDX-License-Identifier: Apache-2.0
import { BufferSource } from '../../bytes.js';
import { readProvisioningProfile, type ProvisioningProfile } from '../../formats/mobile-provision.js';
import { isPlainRecord, zipEntryContent } from '../zip/entry-content.js';
import { isBundle } from './bundle-beside.js';
import { unlessMalformed } from './malformed.js';
import type { Rule } from './rule.js';

const NAME = /^(Payload\/[^/]+\.app\/(?:(?:[^/]+\/)*[^/]+\.(?:app|appex)\/)?)embedded\.mobileprovision$/;
const LIMIT = 256 << 10;

export const appstoreProvisioning: Rule = {
  class: 'store-edit',
  title: 'Provisioning profile',
  reason:
    'a profile that lets development devices run the app lies beside the program; the App Store takes it out, and who signs anew puts in another one; it reads as a profile, and its signature holds over what it says',
  reference:
    'https://developer.apple.com/documentation/technotes/tn3125-inside-code-signing-provisioning-profiles',
  coversEntry(source, entry, _, zip) {
    const directory = NAME.exec(entry.rawName.toString('latin1'))?.[1];
    if (directory === undefined || entry.size > LIMIT || !isBundle(zip, directory)) return false;
    if (!isPlainRecord(source, entry)) return false;
    const content = zipEntryContent(source, entry, LIMIT);
    return (
      content !== undefined &&
      unlessMalformed(() => isProfile(readProvisioningProfile(new BufferSource(content))))
    );
  },
};

/** It says what every profile says, and nothing between that; whoever signs a build may have signed it. */
function isProfile(profile: ProvisioningProfile): boolean {
  const { plist, uuid, expires, entitlements, teams, signature } = profile;
  return (
    plist.findings.length === 0 &&
    uuid !== undefined &&
    expires !== undefined &&
    teams.length > 0 &&
    entitlements?.kind === 'dict' &&
    (signature.status === 'verified' || signature.status === 'unrooted')
  );
}
