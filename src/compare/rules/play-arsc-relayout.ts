// SPDX-License-Identifier: Apache-2.0
import { MAX_ARSC, readArsc } from '../../formats/arsc.js';
import { writeCanonicalArsc } from '../../formats/arsc-writer.js';
import { unlessMalformed } from './malformed.js';
import type { Rule } from './rule.js';

export const playArscRelayout: Rule = {
  class: 'store-edit',
  title: 'Resource table in another layout',
  reason:
    'Google Play lays the resource table out anew: order of strings and keys, sizes of headers, offsets. Both tables are read with every byte accounted for and written in one layout; the results are the same bytes',
  reference: 'https://github.com/signalapp/Signal-Android/pull/14828',
  content: {
    name: /^resources\.arsc$/,
    limit: MAX_ARSC,
    leavesOut: 'content',
    covers: (published, rebuilt) =>
      unlessMalformed(() =>
        writeCanonicalArsc(readArsc(published)).equals(writeCanonicalArsc(readArsc(rebuilt))),
      ),
  },
};
