// SPDX-License-Identifier: Apache-2.0
import type { Rule } from './rule.js';

export const apkAlignment: Rule = {
  class: 'signature',
  title: 'Alignment written while signing',
  reason: 'the named tool, run again on the rebuilt file, writes exactly these padding bytes',
  reference: 'https://developer.android.com/tools/zipalign',
};
