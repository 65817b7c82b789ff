// SPDX-License-Identifier: Apache-2.0
/** Deliveries of several files, of which only some have a twin. */
import { ATTRIBUTE, buildAxml } from '../helpers/build-axml.js';
import { buildZip, type ZipMember } from '../helpers/build-zip.js';
import { endRecord } from '../helpers/sign-apk.js';
import {
  changed,
  CODE,
  DIFFERS,
  evilCode,
  MANIFEST,
  one,
  patched,
  recordOf,
  text,
  type Attack,
  type Base,
} from './base.js';

const SOURCE = 'pairs made by hand, so that a file has no pair';

const splitManifest = (split: string): Buffer =>
  buildAxml({
    roots: [
      {
        name: 'manifest',
        attributes: [
          { name: 'versionCode', id: ATTRIBUTE.versionCode, value: 7 },
          { name: 'package', value: 'org.example.chat' },
          { name: 'split', value: split },
          { name: 'configForSplit', value: '' },
        ],
        children: [{ name: 'application' }],
      },
    ],
  });

const split = (name: string, data = text): Buffer =>
  buildZip([
    { name: MANIFEST, data: splitManifest(name) },
    { name: `res/${name}.txt`, data },
  ]);

const set = (
  name: string,
  explanation: string,
  published: (base: Base) => Readonly<Record<string, Buffer>>,
): Attack =>
  one(`set: ${name}`, 're-signed', explanation, SOURCE, DIFFERS, (base) => ({
    published: published(base),
    rebuilt: { 'base.apk': base.unsigned, 'split_config.en.apk': split('config.en') },
  }));

/** An archive of APKs as a store or a website hands it out. */
const wrapped = (
  name: string,
  explanation: string,
  published: (base: Base, evil: Buffer) => Buffer,
): Attack =>
  one(`archive: ${name}`, 're-signed', explanation, SOURCE, DIFFERS, (base) => ({
    published: {
      'app.xapk': published(base, base.resign(buildZip(changed(base, CODE, { data: evilCode })))),
    },
    rebuilt: { 'app.xapk': buildZip([stored('base.apk', base.unsigned)]) },
  }));

const stored = (name: string, data: Buffer): ZipMember => ({ name, data, method: 0 });

/** With these bytes in front, and every offset mended. */
function behind(prefix: Buffer, archive: Buffer): Buffer {
  const moved = Buffer.from(archive);
  const end = endRecord(moved);
  const directory = moved.readUInt32LE(end + 16);
  for (let at = directory; at < end;) {
    moved.writeUInt32LE(moved.readUInt32LE(at + 42) + prefix.length, at + 42);
    at += 46 + moved.readUInt16LE(at + 28) + moved.readUInt16LE(at + 30) + moved.readUInt16LE(at + 32);
  }
  moved.writeUInt32LE(directory + prefix.length, end + 16);
  return Buffer.concat([prefix, moved]);
}

export const sets: readonly Attack[] = [
  wrapped(
    'another app in front',
    'a local entry that the directory does not name: an installer that reads from the beginning finds it',
    (base, evil) => {
      const other = buildZip([stored('base.apk', evil)]);
      const records = other.subarray(0, other.readUInt32LE(endRecord(other) + 16));
      return behind(records, buildZip([stored('base.apk', base.signed)]));
    },
  ),
  wrapped(
    'an archive in front',
    'a whole archive with another app before the one that is named',
    (base, evil) => behind(buildZip([stored('base.apk', evil)]), buildZip([stored('base.apk', base.signed)])),
  ),
  wrapped(
    'directory that is a file',
    'an empty directory to the directory of the archive, an app to its local header',
    (base, evil) => {
      const archive = buildZip([stored('base.apk', base.signed), stored('evil.apk/', evil)]);
      return patched(archive, recordOf(archive, 'central', 'evil.apk/') + 20, [0, 0, 0, 0, 0, 0, 0, 0]);
    },
  ),
  wrapped(
    'local header of another method',
    'stored for the directory, deflated for the local header',
    (base) => {
      const archive = buildZip([stored('base.apk', base.signed)]);
      return patched(archive, 8, [8, 0]);
    },
  ),
  set('extra split', 'a split that the rebuilt set does not have', (base) => ({
    'base.apk': base.signed,
    'split_config.en.apk': base.resign(split('config.en')),
    'split_evil.apk': base.resign(split('evil')),
  })),
  set('changed base beside an equal split', 'one of two files differs', (base) => ({
    'base.apk': base.resign(buildZip(changed(base, CODE, { data: evilCode }))),
    'split_config.en.apk': base.resign(split('config.en')),
  })),
  set('extra split as cover', 'changed code, and a split that cannot be paired', (base) => ({
    'base.apk': base.resign(buildZip(changed(base, CODE, { data: evilCode }))),
    'split_config.en.apk': base.resign(split('config.en')),
    'split_config.xx.apk': base.resign(split('config.xx')),
  })),
  set('profile beside the base', 'a .dm file with code that is delivered beside the app', (base) => ({
    'base.apk': base.signed,
    'base.dm': buildZip([{ name: 'primary.prof', data: 'payload' }]),
    'split_config.en.apk': base.resign(split('config.en')),
  })),
  set('changed split', 'the language split has other content', (base) => ({
    'base.apk': base.signed,
    'split_config.en.apk': base.resign(split('config.en', 'evil')),
  })),
];
