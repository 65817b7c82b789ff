// SPDX-License-Identifier: Apache-2.0
import { holdsOnlyTimes } from '../zip/time-fields.js';
import type { Rule } from './rule.js';

const NAME = /^(?:Payload|META-INF|Symbols|SwiftSupport|WatchKitSupport2?|[^/]+\.app)\/(?:[^/]+\/)*$/;

export const appstoreEntryRecords: Rule = {
  class: 'store-edit',
  title: 'Records of the archive of an app',
  reason:
    'who packs an app as .ipa writes times, permissions, versions of the packer and entries of directories anew; what an entry is and holds must be the same on both sides',
  // a directory has no content, and installing makes it for what is in it
  coversEntry: (source, entry) =>
    NAME.test(entry.rawName.toString('latin1')) &&
    entry.size === 0 &&
    entry.compressedSize === 0 &&
    entry.flags === 0 &&
    entry.cdSize === 46 + entry.cdNameLength + entry.cdExtraLength &&
    [0, 4].includes(entry.externalAttributes >>> 28) &&
    holdsOnlyTimes(source.read(entry.localOffset + 30 + entry.localNameLength, entry.localExtraLength)) &&
    holdsOnlyTimes(source.read(entry.cdOffset + 46 + entry.cdNameLength, entry.cdExtraLength)),
  reference: 'https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT',
};
