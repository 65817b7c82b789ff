// SPDX-License-Identifier: Apache-2.0
/** Archives that two readers understand differently, and parts of the rebuilt file that are passed off as all of it. */
import { deflateRawSync } from 'node:zlib';
import { buildZip } from '../helpers/build-zip.js';
import { endRecord } from '../helpers/sign-apk.js';
import {
  bothWays,
  changed,
  CODE,
  DIFFERS,
  evilCode,
  MANIFEST,
  one,
  patched,
  payload,
  recordOf,
  text,
  type Attack,
  type Expected,
} from './base.js';

const MASTER_KEY = 'master-key bugs of Android’s own readers';
const READERS = 'readers that disagree';
const UNADDRESSED = 'bytes that no entry owns';
const EXTRACTION = 'comparison of what was extracted';
const PART = 'a part passed off as the whole';
const NAMES = 'names that become other names';

const OVERLAP: Expected = { ...DIFFERS, code: 'zip/overlap' };

const named = (name: string | Buffer, what: string): readonly Attack[] =>
  bothWays(`name: ${what}`, 'a file that is extracted elsewhere, or over another one', NAMES, ({ members }) =>
    buildZip([...members, { name, data: evilCode }]),
  );

export const structure: readonly Attack[] = [
  ...bothWays(
    'master key 8219321',
    'classes.dex twice, the verifier takes one and the loader the other',
    MASTER_KEY,
    ({ members }) => buildZip([...members.slice(0, 1), { name: CODE, data: evilCode }, ...members.slice(1)]),
  ),
  ...bothWays(
    'master key 9695860',
    'a local extra field of 0xfffd bytes: negative for a reader with signed numbers',
    MASTER_KEY,
    (base) => {
      const archive = buildZip(changed(base, CODE, { localExtra: Buffer.alloc(0xfffd, evilCode) }));
      return patched(archive, recordOf(archive, 'central', CODE) + 30, [0, 0]);
    },
  ),
  ...bothWays(
    'master key 9950697',
    'the local name is longer than the directory’s: readers that take its length begin the data elsewhere',
    MASTER_KEY,
    (base) => buildZip(changed(base, CODE, { localName: Buffer.concat([Buffer.from(CODE), evilCode]) })),
  ),
  ...bothWays('local flags differ', 'encrypted, says the local header alone', READERS, (base) =>
    buildZip(changed(base, CODE, { localFlags: 1 })),
  ),
  ...bothWays('local CRC differs', 'the local header has another CRC', READERS, (base) =>
    buildZip(changed(base, CODE, { localCrc32: 0x12345678 })),
  ),
  ...bothWays(
    'CRC is wrong on both',
    'the content is not what the CRC says: one reader checks, another does not',
    READERS,
    (base) => buildZip(changed(base, CODE, { crc32: 0x12345678 })),
  ),
  ...bothWays(
    'size larger than the content',
    'the directory states more bytes than the stream has',
    READERS,
    (base) => buildZip(changed(base, CODE, { size: 1_000_000 })),
  ),
  ...bothWays(
    'two records, one local entry',
    'two names for the same data',
    READERS,
    ({ members }) => {
      const archive = buildZip([...members, { name: 'assets/other.txt', data: text, descriptor: 'signed' }]);
      const to = recordOf(archive, 'central', 'assets/other.txt') + 42;
      const from = recordOf(archive, 'central', 'assets/notes.txt') + 42;
      return patched(archive, to, [...archive.subarray(from, from + 4)]);
    },
    { asIs: OVERLAP, resigned: OVERLAP },
  ),
  ...bothWays(
    'overlapping entries',
    'an entry that begins inside of another one’s data',
    READERS,
    ({ members }) => {
      const inner = buildZip([{ name: 'classes9.dex', data: evilCode }]);
      const archive = buildZip([
        ...members,
        { name: 'assets/outer.zip', data: inner, method: 0 },
        { name: 'classes9.dex', data: evilCode },
      ]);
      const from = archive.indexOf(inner);
      const offset = Buffer.alloc(4);
      offset.writeUInt32LE(from);
      return patched(archive, recordOf(archive, 'central', 'classes9.dex') + 42, [...offset]);
    },
    { asIs: OVERLAP, resigned: OVERLAP },
  ),
  ...bothWays(
    'second end record',
    'a whole archive in the comment: readers that search from the other end open that one',
    READERS,
    ({ members }) => buildZip(members, { comment: buildZip([{ name: CODE, data: evilCode }]) }),
    { asIs: DIFFERS, resigned: DIFFERS },
  ),
  ...bothWays('descriptor that lies', 'the record behind the data has another CRC', READERS, (base) => {
    const at = base.unsigned.indexOf('PK\x07\x08', 0, 'latin1');
    return patched(base.unsigned, at + 4, [1, 2, 3, 4]);
  }),
  ...bothWays('payload in alignment', 'the padding of a stored entry is not zero', UNADDRESSED, (base) => {
    const at =
      recordOf(base.unsigned, 'local', 'lib/arm64-v8a/libx.so') + 30 + 'lib/arm64-v8a/libx.so'.length;
    return patched(base.unsigned, at, [...payload.subarray(0, 32)]);
  }),
  ...bothWays(
    'payload in an alignment field',
    'the body of field 0xd935 is not zero',
    UNADDRESSED,
    (base) => {
      const field = Buffer.alloc(46);
      field.writeUInt16LE(0xd935, 0);
      field.writeUInt16LE(42, 2);
      field.writeUInt16LE(4, 4);
      payload.copy(field, 6, 0, 40);
      return buildZip(changed(base, 'resources.arsc', { localExtra: field, extra: Buffer.alloc(0) }));
    },
  ),
  ...bothWays(
    'empty blocks in a stream',
    'thousands of empty blocks before the content: a free channel of any size',
    UNADDRESSED,
    (base) => {
      const raw = Buffer.concat([
        Buffer.alloc(5000, Buffer.from([0, 0, 0, 0xff, 0xff])),
        deflateRawSync('equal length: AAAA'),
      ]);
      return buildZip(changed(base, 'res/raw/a.txt', { raw }));
    },
  ),
  ...bothWays('bits behind a stream', 'the unused bits of a stream’s last byte', UNADDRESSED, (base) => {
    const raw = deflateRawSync('equal length: AAAA');
    const last = raw.length - 1;
    // unused bits are the high ones, and zero where a tool wrote them
    const bit = [7, 6, 5, 4, 3, 2, 1].find((at) => (raw[last] ?? 0) >> at === 0) ?? 7;
    return buildZip(
      changed(base, 'res/raw/a.txt', {
        raw: patched(raw, last, [(raw[last] ?? 0) | (1 << Math.max(bit, 7))]),
      }),
    );
  }),
  ...named('../evil.so', 'parent directory'),
  ...named('/system/evil.so', 'absolute'),
  ...named('assets\\notes.txt', 'backslash'),
  ...named('ASSETS/NOTES.TXT', 'other case'),
  ...named('assets/notes.txt\n', 'newline'),
  ...named(Buffer.from([0x61, 0xff, 0xfe]), 'not UTF-8'),
  ...named('$(touch evil)', 'shell'),
  ...named('AndroidManifest.xmlX', 'a prefix rule’s name'),
  ...bothWays(
    'directory as a file',
    'a directory entry where the rebuilt file has a file',
    EXTRACTION,
    (base) => buildZip(changed(base, 'assets/notes.txt', { name: 'assets/notes.txt/', data: '' })),
  ),
  ...bothWays('an entry left out', 'the published file lacks one', PART, ({ members }) =>
    buildZip(members.filter(({ name }) => name !== 'res/raw/a.txt')),
  ),
  ...bothWays('the first entries alone', 'a valid archive of the first entries', PART, ({ members }) =>
    buildZip(members.slice(0, 3)),
  ),
  ...bothWays('no entry', 'an archive of nothing', PART, () => buildZip([])),
  one(
    'cut off in the middle',
    'as-is',
    'the first half of the signed file',
    PART,
    { kind: 'unreproducible', exit: 1 },
    (base) => ({
      published: base.signed.subarray(0, base.signed.length >> 1),
      rebuilt: base.unsigned,
    }),
  ),
  one('cut off before the end', 'as-is', 'the signed file without its end record', PART, DIFFERS, (base) => ({
    published: base.signed.subarray(0, endRecord(base.signed)),
    rebuilt: base.unsigned,
  })),
  one('empty file', 'as-is', 'nothing at all', PART, DIFFERS, (base) => ({
    published: Buffer.alloc(0),
    rebuilt: base.unsigned,
  })),
  one(
    'rebuilt file is the larger',
    'as-is',
    'the rebuilt file has an entry that the published one does not',
    PART,
    DIFFERS,
    (base) => ({
      published: base.signed,
      rebuilt: buildZip([...base.members, { name: 'assets/more.txt', data: text }]),
    }),
  ),
  ...bothWays(
    'minimum SDK changed',
    'another variant of the app, with another minimum SDK',
    'waived attributes of the manifest',
    (base) => buildZip(changed(base, MANIFEST, { data: base.manifest({ minSdk: 32 }) })),
  ),
  ...bothWays(
    'version rolled back',
    'an older version of the app',
    'waived attributes of the manifest',
    (base) => buildZip(changed(base, MANIFEST, { data: base.manifest({ versionCode: 6 }) })),
  ),
];
