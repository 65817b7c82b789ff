// SPDX-License-Identifier: Apache-2.0
import type { Rule } from './rule.js';

export const jarSignatureOnly: Rule = {
  class: 'signature',
  excludes: 'always',
  title: 'JAR signature (APK v1) alone',
  reason:
    'signing adds these entries; their signature was verified and a known signing tool writes them so, but it protects the content of entries only, not the file around it',
  reference: 'https://source.android.com/docs/security/features/apksigning#v1',
};
