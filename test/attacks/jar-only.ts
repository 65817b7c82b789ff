// SPDX-License-Identifier: Apache-2.0
/** Files signed with v1 alone: the signature covers contents of entries and nothing else, and still verifies. */
import { buildZip, type ZipMember } from '../helpers/build-zip.js';
import { jarEntries, signJar, type JarOptions } from '../helpers/sign-jar.js';
import {
  changed,
  CODE,
  DIFFERS,
  evilCode,
  FORGED,
  one,
  OPEN,
  payload,
  type Attack,
  type Base,
  type Expected,
} from './base.js';

const SOURCE = 'v1 alone: covers no byte outside of contents';
const SERVICE = 'META-INF/services/java.nio.file.spi.FileSystemProvider';
const PINNED_TO_OTHER = 'signature that names another signer';

/** v1 ignores descriptors; the rebuilt file is the same members without signature. */
const signed = (
  { members, jar }: Base,
  layout: Parameters<typeof buildZip>[1] = {},
  options: JarOptions = {},
): Buffer => signJar(members, jar, options, layout);

const jar = (
  name: string,
  explanation: string,
  published: (base: Base) => Buffer,
  expected: Expected = DIFFERS,
  source = SOURCE,
): Attack =>
  one(name, 're-signed', explanation, source, expected, (base) => ({
    published: published(base),
    rebuilt: base.unsigned,
  }));

const withEntries = (base: Base, change: (entries: ZipMember[]) => ZipMember[]): Buffer =>
  buildZip(change([...base.members, ...jarEntries(base.members, base.jar)]));

export const jarOnly: readonly Attack[] = [
  jar('v1 prepended', 'bytes before the first entry', (base) => signed(base, { prefix: payload })),
  jar('v1 between entries', 'bytes before a signed entry', (base) =>
    signed({ ...base, members: changed(base, 'res/raw/a.txt', { gapBefore: payload }) }),
  ),
  jar('v1 before the directory', 'bytes between the last entry and the directory', (base) =>
    signed(base, { beforeDirectory: payload }),
  ),
  jar('v1 comment', 'a comment behind the end record', (base) => signed(base, { comment: payload })),
  jar('v1 service changed', 'a service file below META-INF, signed anew', (base) =>
    signed({ ...base, members: changed(base, SERVICE, { data: 'org.example.Evil\n' }) }),
  ),
  jar(
    'Janus',
    'a DEX file in front: the runtime loads it, and the installer verifies the archive behind it',
    (base) => signed(base, { prefix: evilCode }),
    { ...FORGED, code: 'v1-starts-with-dex' },
  ),
  jar('v1 ZIP64 end record', 'a second set of counts and offsets', (base) => signed(base, { zip64: true })),
  jar(
    'v1 unsigned entry',
    'an entry that the manifest does not list',
    (base) => withEntries(base, (entries) => [...entries, { name: 'classes2.dex', data: evilCode }]),
    FORGED,
  ),
  jar('v1 unsigned entry in META-INF', 'below META-INF Android lets it pass', (base) =>
    withEntries(base, (entries) => [...entries, { name: 'META-INF/evil.dex', data: evilCode }]),
  ),
  jar(
    'v1 content changed',
    'the content is another one than the manifest says',
    (base) =>
      withEntries(base, (entries) =>
        entries.map((entry) => (entry.name === CODE ? { ...entry, data: evilCode } : entry)),
      ),
    FORGED,
  ),
  jar(
    'v1 text in the manifest',
    'an attribute that no tool writes, signed',
    (base) =>
      signed(
        base,
        {},
        { manifest: (text) => text.replace('\r\n\r\n', `\r\nX-Payload: ${'a'.repeat(60)}\r\n\r\n`) },
      ),
    OPEN,
  ),
  jar(
    'v1 text in the signature file',
    'an attribute that no tool writes, signed',
    (base) =>
      signed(
        base,
        {},
        { file: (text) => text.replace('\r\n\r\n', `\r\nX-Payload: ${'a'.repeat(60)}\r\n\r\n`) },
      ),
    OPEN,
  ),
  jar(
    'v1 unsigned attribute',
    'a field of PKCS#7 that nothing verifies',
    (base) => signed(base, {}, { unsignedAttributes: Buffer.from('300b06032a030431040402abcd', 'hex') }),
    OPEN,
  ),
  jar(
    'v1 comment of a signature entry',
    'header fields of signature entries are covered by nothing',
    (base) => signed(base, {}, { header: { comment: payload } }),
    { ...OPEN, code: 'v1-entry-header' },
  ),
  jar(
    'v1 time of a signature entry',
    'four bytes for each of three entries',
    (base) => signed(base, {}, { header: { time: 0x1234, date: 0x4321 } }),
    OPEN,
  ),
  jar(
    'v1 packing of a signature entry',
    'how it is deflated says something',
    (base) => signed(base, {}, { header: { method: 93 } }),
    FORGED,
  ),
  jar(
    'v1 payload as second signature',
    'a block for a signer that does not exist',
    (base) => withEntries(base, (entries) => [...entries, { name: 'META-INF/EVIL.RSA', data: evilCode }]),
    { ...OPEN, code: 'v1-block-without-file' },
    PINNED_TO_OTHER,
  ),
];
