// SPDX-License-Identifier: Apache-2.0
/** Every rule by name; one file each. */
import type { RuleName } from '../../model.js';
import { apkAlignment } from './apk-alignment.js';
import { apkSigningBlock } from './apk-signing-block.js';
import { jarSignature } from './jar-signature.js';
import { jarSignatureOnly } from './jar-signature-only.js';
import { playStampCert } from './play-stamp-cert.js';
import type { Rule } from './rule.js';

export const rules = {
  'apk-signing-block': apkSigningBlock,
  'apk-alignment': apkAlignment,
  'jar-signature': jarSignature,
  'jar-signature-only': jarSignatureOnly,
  'play-stamp-cert': playStampCert,
} as const satisfies Record<RuleName, Rule>;
