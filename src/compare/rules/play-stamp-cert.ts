// SPDX-License-Identifier: Apache-2.0
import { localHeaderAgrees, zipEntryContent } from '../zip/entry-content.js';
import type { Rule } from './rule.js';

export const playStampCert: Rule = {
  class: 'store-edit',
  title: 'Source stamp certificate digest',
  reason:
    'Google Play adds the SHA-256 of its stamp certificate to every APK that it delivers: one entry of exactly 32 bytes, those of the certificate wherever the signing block has the stamp',
  reference: 'https://source.android.com/docs/security/features/apksigning/v4#source-stamp',
  coversEntry(source, entry, stamps) {
    if (entry.rawName.toString('latin1') !== 'stamp-cert-sha256') return false;
    // no room beside the 32 bytes: no extra fields, no comment, little enough packing, nothing said twice otherwise
    const plain =
      entry.cdExtraLength === 0 && entry.cdSize === 46 + entry.cdNameLength && entry.compressedSize <= 64;
    if (!plain || !localHeaderAgrees(source, entry, 3)) return false;
    const digest = zipEntryContent(source, entry, 32);
    return digest?.length === 32 && stamps.every((certificate) => digest.toString('hex') === certificate);
  },
};
