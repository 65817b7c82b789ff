// SPDX-License-Identifier: Apache-2.0
import { derFromBer } from '../../formats/ber.js';
import { zipEntryContent } from '../zip/entry-content.js';
import { unlessMalformed } from './malformed.js';
import type { Rule } from './rule.js';

const NAME = /^Payload\/[^/]+\.app\/(?:(?:[^/]+\/)*[^/]+\.(?:app|appex)\/)?embedded\.mobileprovision$/;
const LIMIT = 256 << 10;
/** OID of CMS signed data, behind the head of its sequence. */
const SIGNED_DATA = Buffer.from('06092a864886f70d010702', 'hex');

export const appstoreProvisioning: Rule = {
  class: 'store-edit',
  title: 'Provisioning profile',
  reason:
    'a profile that lets development devices run the app lies beside the program; the App Store takes it out, and who signs anew puts in another one',
  reference:
    'https://developer.apple.com/documentation/technotes/tn3125-inside-code-signing-provisioning-profiles',
  coversEntry(source, entry) {
    if (!NAME.test(entry.rawName.toString('latin1')) || entry.size > LIMIT) return false;
    const content = zipEntryContent(source, entry, LIMIT);
    return (
      content !== undefined &&
      unlessMalformed(() => {
        const { der, consumed } = derFromBer(content);
        return consumed === content.length && der.subarray(2, 32).includes(SIGNED_DATA);
      })
    );
  },
};
