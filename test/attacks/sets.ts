// SPDX-License-Identifier: Apache-2.0
/** Deliveries of several files, of which only some have a twin. */
import { ATTRIBUTE, buildAxml } from '../helpers/build-axml.js';
import { buildZip } from '../helpers/build-zip.js';
import { changed, CODE, DIFFERS, evilCode, MANIFEST, one, text, type Attack, type Base } from './base.js';

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

export const sets: readonly Attack[] = [
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
