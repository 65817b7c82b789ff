// SPDX-License-Identifier: Apache-2.0
import { localHeaderAgrees, zipEntryContent } from '../zip/entry-content.js';
import type { Rule } from './rule.js';

/** What the store adds beside a program that it encrypts: the key, sealed for the account, and what belongs to it. */
const NAME =
  /^Payload\/[^/]+\.app\/(?:(?:[^/]+\/)*[^/]+\.(?:app|appex|framework|bundle)\/)?SC_Info\/[^/]+\.(sinf|supp|supf|supx)$/;
const LIMIT = 64 << 10;
const SINF = 'sinf';

export const appstoreScInfo: Rule = {
  class: 'store-edit',
  title: 'SC_Info of the App Store',
  reason:
    'the App Store adds keys of its encryption beside each program, sealed for the account that got the app; no program reads them, and nobody else can',
  reference: 'https://github.com/OnionBrowser/OnionBrowser/issues/58',
  coversEntry(source, entry) {
    const kind = NAME.exec(entry.rawName.toString('latin1'))?.[1];
    if (
      kind === undefined ||
      entry.size > LIMIT ||
      entry.cdSize !== 46 + entry.cdNameLength + entry.cdExtraLength
    )
      return false;
    if (entry.cdExtraLength > 64 || !localHeaderAgrees(source, entry, 64)) return false;
    const content = zipEntryContent(source, entry, LIMIT);
    if (content === undefined) return false;
    // a box of its length and name, as in QuickTime files
    return (
      kind !== SINF ||
      (content.length >= 8 &&
        content.readUInt32BE(0) === content.length &&
        content.toString('latin1', 4, 8) === SINF)
    );
  },
};
