// SPDX-License-Identifier: Apache-2.0
import type { Rule } from './rule.js';

export const sourceStamp: Rule = {
  class: 'signature',
  title: 'Entry of a source stamp',
  reason:
    'stamping adds this entry: the SHA-256 of the certificate of a stamp that was verified, in the very bytes and at the place that apksigner gives it',
  reference: 'https://source.android.com/docs/security/features/apksigning/v4#source-stamp',
};
