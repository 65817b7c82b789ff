// SPDX-License-Identifier: Apache-2.0
/** Applied field by field where entries are compared: `compare/zip/entry-times.ts` has the table. */
import type { Rule } from './rule.js';

export const playEntryTimes: Rule = {
  class: 'store-edit',
  title: 'Times and modes of the entries',
  reason:
    'the tool that writes the splits gives all entries one time and one mode; bundletool and Google Play have other ones. All entries of one file have one row of a closed table',
  reference: 'https://github.com/google/bundletool',
};
