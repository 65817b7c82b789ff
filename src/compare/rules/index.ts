// SPDX-License-Identifier: Apache-2.0
/** Every rule by name; one file each. */
import type { RuleName } from '../../model.js';
import { apkAlignment } from './apk-alignment.js';
import { apkDependencyInfo } from './apk-dependency-info.js';
import { apkSigningBlock } from './apk-signing-block.js';
import { jarSignature } from './jar-signature.js';
import { jarSignatureOnly } from './jar-signature-only.js';
import { playFrosting } from './play-frosting.js';
import { playStampCert } from './play-stamp-cert.js';
import type { Rule } from './rule.js';

export const rules = {
  'apk-signing-block': apkSigningBlock,
  'apk-alignment': apkAlignment,
  'apk-dependency-info': apkDependencyInfo,
  'jar-signature': jarSignature,
  'jar-signature-only': jarSignatureOnly,
  'play-frosting': playFrosting,
  'play-stamp-cert': playStampCert,
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
