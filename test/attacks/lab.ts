// SPDX-License-Identifier: Apache-2.0
/** The cases with which scripts and tools were fooled in a laboratory, by their numbers there. */
import { deflateRawSync } from 'node:zlib';
import { buildZip, type ZipMember } from '../helpers/build-zip.js';
import { insertBlock, PAIR, signerPair, signingBlock } from '../helpers/sign-apk.js';
import {
  bothWays,
  changed,
  CODE,
  DIFFERS,
  evilCode,
  one,
  OPEN,
  patched,
  payload,
  recordOf,
  type Attack,
  type Edit,
} from './base.js';
import { smallArsc } from './small-arsc.js';

const SERVICE = 'META-INF/services/java.nio.file.spi.FileSystemProvider';
const SYMLINK = 0xa1ff0000;
const BLOCK = 'signing block, which no ZIP library sees';
const IGNORED = 'ignored by name, content unchecked';
const MATCHING = 'a name that matches a rule meant for another';
const READERS = 'readers that disagree';
const UNADDRESSED = 'bytes that no entry owns';
const EXTRACTION = 'comparison of what was extracted';
const CONTENT = 'content that a rule waives';

const adding =
  (...more: readonly ZipMember[]): Edit =>
  ({ members }) =>
    buildZip([...members, ...more]);
const changing =
  (name: string, change: Partial<ZipMember>): Edit =>
  (base) =>
    buildZip(changed(base, name, change));
/** The first entry is moved by this many bytes, and every offset says so. */
const prefixed =
  (prefix: Buffer): Edit =>
  ({ members }) =>
    buildZip(members, { prefix });

export const lab: readonly Attack[] = [
  one(
    '01 extra pair',
    'forged',
    'a pair with an unknown identifier: no scheme covers it',
    BLOCK,
    { ...OPEN, code: 'unknown-pair' },
    (base) => ({
      published: base.resign(base.unsigned, { id: 0x12345678, value: payload }),
      rebuilt: base.unsigned,
    }),
  ),
  one(
    '02 payload in padding',
    'forged',
    'verity padding that is not zero',
    BLOCK,
    { ...OPEN, code: 'padding-not-zero' },
    (base) => ({
      published: insertBlock(
        base.unsigned,
        signingBlock(
          [
            signerPair('v2', base.unsigned, [{ identity: base.identity }]),
            { id: PAIR.padding, value: Buffer.alloc(3000, payload) },
          ],
          false,
        ),
      ),
      rebuilt: base.unsigned,
    }),
  ),
  one(
    '02b duplicate v2 pair',
    'forged',
    'two v2 pairs: some readers take the first, some the last',
    BLOCK,
    { ...OPEN, code: 'duplicate-pair' },
    (base) => ({
      published: base.resign(base.unsigned, signerPair('v2', base.unsigned, [{ identity: base.identity }])),
      rebuilt: base.unsigned,
    }),
  ),
  one(
    '03 prepended, offsets as they were',
    'as-is',
    'bytes before the archive; readers correct the offsets silently',
    UNADDRESSED,
    DIFFERS,
    (base) => ({
      published: Buffer.concat([payload, base.signed]),
      rebuilt: base.unsigned,
    }),
  ),
  ...bothWays(
    '03b prepended, offsets mended',
    'bytes before the first entry',
    UNADDRESSED,
    prefixed(payload),
  ),
  ...bothWays(
    '04 between entries',
    'bytes between two entries',
    UNADDRESSED,
    changing('res/raw/a.txt', { gapBefore: payload }),
  ),
  ...bothWays(
    '04b orphan',
    'a local entry that the directory does not list',
    UNADDRESSED,
    adding({ name: 'classes9.dex', data: evilCode, orphan: true }),
  ),
  ...bothWays(
    '05 before the directory',
    'bytes between the last entry and the directory',
    UNADDRESSED,
    ({ members }) => buildZip(members, { beforeDirectory: payload }),
  ),
  ...bothWays(
    '06 duplicate, evil first',
    'classes.dex twice: which one is loaded depends on the reader',
    READERS,
    ({ members }) => buildZip([{ name: CODE, data: evilCode }, ...members]),
  ),
  ...bothWays(
    '06b duplicate, evil last',
    'classes.dex twice, the other order',
    READERS,
    adding({ name: CODE, data: evilCode }),
  ),
  ...bothWays(
    '08 service changed',
    'a service file decides which class runs; META-INF was waived as a whole',
    IGNORED,
    changing(SERVICE, { data: 'org.example.Evil\n' }),
  ),
  ...bothWays(
    '08b new code in META-INF',
    'a file below META-INF that the app loads',
    IGNORED,
    adding({ name: 'META-INF/evil.dex', data: evilCode }),
  ),
  ...bothWays(
    '09 payload as signature file',
    'META-INF/CERT.RSA of anything',
    IGNORED,
    adding({ name: 'META-INF/CERT.RSA', data: evilCode }),
  ),
  ...bothWays(
    '09b payload below a directory',
    'META-INF/*.RSA where the star crosses directories',
    IGNORED,
    adding({ name: 'META-INF/sub/dir/evil.RSA', data: evilCode }),
  ),
  ...bothWays(
    '09c payload as stamp',
    'stamp-cert-sha256 of anything',
    IGNORED,
    adding({ name: 'stamp-cert-sha256', data: payload }),
    { options: { rules: ['play-stamp-cert'] } },
  ),
  ...bothWays('10 comment of the archive', 'a comment behind the end record', UNADDRESSED, ({ members }) =>
    buildZip(members, { comment: payload }),
  ),
  ...bothWays(
    '10b comment of an entry',
    'a comment in a directory record',
    UNADDRESSED,
    changing(CODE, { comment: payload }),
  ),
  ...bothWays(
    '11 local extra field',
    'an unknown extra field in a local header',
    UNADDRESSED,
    changing(CODE, { localExtra: extraField(0x7777, payload) }),
  ),
  ...bothWays(
    '11b directory extra field',
    'an unknown extra field in a directory record',
    UNADDRESSED,
    changing(CODE, { extra: extraField(0x7777, payload), localExtra: Buffer.alloc(0) }),
  ),
  ...bothWays(
    '12 other local name',
    'the local header names another file than the directory',
    READERS,
    changing('assets/notes.txt', { localName: 'assets/other.txt' }),
  ),
  ...bothWays(
    '12b other local method and size',
    'the local header says stored, with other sizes',
    READERS,
    (base) => {
      const archive = buildZip(changed(base, CODE, { localMethod: 0 }));
      return patched(archive, recordOf(archive, 'local', CODE) + 22, [1, 0, 0, 0]);
    },
  ),
  ...bothWays(
    '12c unknown method',
    'both headers name a method that nobody knows',
    READERS,
    changing(CODE, { method: 93 }),
  ),
  ...bothWays(
    '13 symbolic link',
    'an entry that unzip restores as a link into the local build',
    EXTRACTION,
    changing('assets/notes.txt', {
      data: '../../rebuilt/assets/notes.txt',
      externalAttributes: SYMLINK,
      madeBy: 0x0314,
    }),
  ),
  ...bothWays(
    '14 methods swapped',
    'stored where it was deflated, and the other way round',
    UNADDRESSED,
    ({ members }) =>
      buildZip(
        members.map(({ align: _, ...member }) => ({ ...member, method: (member.method ?? 8) === 8 ? 0 : 8 })),
      ),
  ),
  ...bothWays(
    '15 encryption flag',
    'a flag that Android ignores and that makes readers refuse the entry',
    READERS,
    changing(CODE, { flags: 1 }),
  ),
  ...bothWays(
    '16 NUL in a name',
    'readers of C strings see META-INF/MANIFEST.MF and waive it',
    MATCHING,
    adding({ name: 'META-INF/MANIFEST.MF\0evil', data: evilCode }),
  ),
  ...bothWays(
    '17 directory with data',
    'an entry whose name ends with a slash and that holds something',
    EXTRACTION,
    adding({ name: 'assets/', data: evilCode }),
  ),
  ...bothWays(
    '18 META-INF in a file name',
    'a line filter waives every path that contains META-INF',
    MATCHING,
    adding({ name: 'assets/META-INF_evil.bin', data: evilCode }),
  ),
  ...bothWays(
    '18b a library named META-INF',
    'the same, loaded as code',
    MATCHING,
    adding({ name: 'lib/arm64-v8a/META-INF.so', data: evilCode }),
  ),
  ...bothWays(
    '19 resource table changed',
    'another string in resources.arsc',
    CONTENT,
    changing('resources.arsc', { data: smallArsc({ values: ['Chat', 'https://evil.example/'] }) }),
  ),
  ...bothWays(
    '19b raw resource changed',
    'a file below res/, of the same length',
    CONTENT,
    changing('res/raw/a.txt', { data: 'equal length: BBBB' }),
  ),
  ...bothWays('21 behind the end', 'bytes behind the end record', UNADDRESSED, ({ members }) =>
    buildZip(members, { trailing: payload }),
  ),
  ...bothWays(
    '23 slack in compressed data',
    'bytes behind the end of a deflate stream, inside of its entry',
    UNADDRESSED,
    (base) =>
      buildZip(
        changed(base, 'res/raw/a.txt', {
          raw: Buffer.concat([deflateRawSync('equal length: AAAA'), payload]),
        }),
      ),
  ),
  ...bothWays(
    '25 order and times',
    'the entries in another order, with other times',
    UNADDRESSED,
    ({ members }) => buildZip(members.map((member) => ({ ...member, time: 0x6000, date: 0x5921 })).reverse()),
  ),
];

function extraField(id: number, data: Buffer): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt16LE(id, 0);
  head.writeUInt16LE(data.length, 2);
  return Buffer.concat([head, data]);
}
