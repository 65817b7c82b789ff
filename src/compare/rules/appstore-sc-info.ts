// SPDX-License-Identifier: Apache-2.0
import { BufferSource } from '../../bytes.js';
import { plistStrings, readPlist } from '../../formats/plist.js';
import { isPlainRecord, zipEntryContent } from '../zip/entry-content.js';
import { countIn, isBundle } from './bundle-beside.js';
import { unlessMalformed } from './malformed.js';
import type { Rule } from './rule.js';

/** What the store adds beside a program that it encrypts: the key, sealed for the account, and what belongs to it. */
const NAME =
  /^(Payload\/[^/]+\.app\/(?:(?:[^/]+\/)*[^/]+\.(?:app|appex|framework|bundle)\/)?)SC_Info\/(?:[^/]+\.(sinf|supp|supf|supx)|(Manifest\.plist))$/;
const LIMIT = 64 << 10;
/** Four for the program, as many for another architecture of it, and the list. */
const MOST = 9;

export const appstoreScInfo: Rule = {
  class: 'store-edit',
  title: 'SC_Info of the App Store',
  reason:
    'the App Store adds keys of its encryption beside each program, sealed for the account that got the app, and a list of them; no program reads them, and nobody else can',
  reference: 'https://github.com/majd/ipatool/blob/main/pkg/appstore/appstore_replicate_sinf.go',
  coversEntry(source, entry, _, zip) {
    const [, bundle, kind, list] = NAME.exec(entry.rawName.toString('latin1')) ?? [];
    if (bundle === undefined || entry.size > LIMIT || !isPlainRecord(source, entry)) return false;
    if (!isBundle(zip, bundle) || countIn(zip, `${bundle}SC_Info/`) > MOST) return false;
    const content = zipEntryContent(source, entry, LIMIT);
    if (content === undefined) return false;
    if (list !== undefined) return unlessMalformed(() => isList(content));
    return kind !== 'sinf' || isBox(content, kind);
  },
};

/** A box of its length and name, as in QuickTime files. */
function isBox(content: Buffer, name: string): boolean {
  return (
    content.length >= 8 &&
    content.readUInt32BE(0) === content.length &&
    content.toString('latin1', 4, 8) === name
  );
}

const LISTS = ['SinfPaths', 'SinfReplicationPaths'];
const PATH = /^(?:[^/]+\/)*SC_Info\/[^/]+\.sinf$/;

/** Where the keys lie, and nothing else. @throws FormatError */
function isList(content: Buffer): boolean {
  const { root, findings } = readPlist(new BufferSource(content));
  return (
    findings.length === 0 &&
    root.kind === 'dict' &&
    root.entries.every(
      ({ key }) => LISTS.includes(key) && plistStrings(root, key)?.every((path) => PATH.test(path)) === true,
    )
  );
}
