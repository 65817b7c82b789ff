// SPDX-License-Identifier: Apache-2.0
import { zipEntryContent } from '../zip/entry-content.js';
import type { Rule } from './rule.js';

export const playStampCert: Rule = {
  class: 'store-edit',
  title: 'Source stamp certificate digest',
  reason:
    'Google Play adds the SHA-256 of its stamp certificate to every APK that it delivers: one entry of exactly 32 bytes',
  reference: 'https://source.android.com/docs/security/features/apksigning/v4#source-stamp',
  coversEntry(source, entry) {
    if (entry.rawName.toString('latin1') !== 'stamp-cert-sha256') return false;
    // no room beside the 32 bytes: no extra fields, no comment, and little enough packing
    const plain =
      entry.cdExtraLength === 0 && entry.localExtraLength < 4 && entry.cdSize === 46 + entry.cdNameLength;
    return plain && entry.compressedSize <= 64 && zipEntryContent(source, entry, 32)?.length === 32;
  },
};
