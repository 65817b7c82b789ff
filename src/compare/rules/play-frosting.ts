// SPDX-License-Identifier: Apache-2.0
import type { Rule } from './rule.js';

export const playFrosting: Rule = {
  class: 'store-edit',
  title: 'Google Play metadata in the signing block',
  reason:
    'Google Play adds this pair to the signing block of what it delivers, signed with a key of its own that is not published; nobody else can say what is in it',
  reference: 'https://android-developers.googleblog.com/2018/06/google-play-security-metadata-and.html',
};
