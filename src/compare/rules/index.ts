// SPDX-License-Identifier: Apache-2.0
/** Every rule by name; one file each. */
import type { RuleName } from '../../model.js';
import { apkAlignment } from './apk-alignment.js';
import { apkDependencyInfo } from './apk-dependency-info.js';
import { apkSigningBlock } from './apk-signing-block.js';
import { appstoreCodeResources } from './appstore-code-resources.js';
import { appstoreInfoPlist } from './appstore-info-plist.js';
import { appstoreEncryptionInfo } from './appstore-encryption-info.js';
import { appstoreEntryRecords } from './appstore-entry-records.js';
import { appstoreMetadata } from './appstore-metadata.js';
import { appstoreProvisioning } from './appstore-provisioning.js';
import { appstoreScInfo } from './appstore-sc-info.js';
import { jarSignature } from './jar-signature.js';
import { jarSignatureOnly } from './jar-signature-only.js';
import { machoCodeSignature } from './macho-code-signature.js';
import { playArscRelayout } from './play-arsc-relayout.js';
import { playEntryTimes } from './play-entry-times.js';
import { playFrosting } from './play-frosting.js';
import { playManifestMetadata } from './play-manifest-metadata.js';
import { playSplitLanguages } from './play-split-languages.js';
import { playStampCert } from './play-stamp-cert.js';
import { playTypesCount } from './play-types-count.js';
import { sourceStamp } from './source-stamp.js';
import type { Rule } from './rule.js';

export const rules = {
  'apk-signing-block': apkSigningBlock,
  'apk-alignment': apkAlignment,
  'apk-dependency-info': apkDependencyInfo,
  'appstore-code-resources': appstoreCodeResources,
  'appstore-info-plist': appstoreInfoPlist,
  'appstore-encryption-info': appstoreEncryptionInfo,
  'appstore-entry-records': appstoreEntryRecords,
  'appstore-metadata': appstoreMetadata,
  'appstore-provisioning': appstoreProvisioning,
  'appstore-sc-info': appstoreScInfo,
  'jar-signature': jarSignature,
  'jar-signature-only': jarSignatureOnly,
  'macho-code-signature': machoCodeSignature,
  'play-arsc-relayout': playArscRelayout,
  'play-entry-times': playEntryTimes,
  'play-frosting': playFrosting,
  'play-manifest-metadata': playManifestMetadata,
  'play-split-languages': playSplitLanguages,
  'play-stamp-cert': playStampCert,
  'play-types-count': playTypesCount,
  'source-stamp': sourceStamp,
} as const satisfies Record<RuleName, Rule>;

/** Whether bytes may be left out of the verdict by it. */
export function mayExclude(name: RuleName): boolean {
  const rule: Rule = rules[name];
  return rule.class === 'store-edit' || rule.excludes !== undefined;
}

/** Whether bytes by it may be those of a signature. */
export function maySign(name: RuleName): boolean {
  const rule: Rule = rules[name];
  return rule.class === 'signature' && rule.excludes !== 'always';
}
