// SPDX-License-Identifier: Apache-2.0
import type { Rule } from './rule.js';

export const apkSigningBlock: Rule = {
  class: 'signature',
  title: 'APK Signing Block',
  reason:
    'signing adds this block; every byte of it belongs to a signature that was verified, to lengths that are determined, or to zero padding',
  reference: 'https://source.android.com/docs/security/features/apksigning/v2',
};
