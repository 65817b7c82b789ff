// SPDX-License-Identifier: Apache-2.0
/** Resource tables and manifests that a dump shows as equal, with every rule for what a store edits switched on. */
import { expandRules } from '../../src/compare/compare-set.js';
import { axmlChunk, buildAxml, type AxmlElementSpec } from '../helpers/build-axml.js';
import { buildZip } from '../helpers/build-zip.js';
import { bothWays, changed, MANIFEST, type Attack, type Base } from './base.js';
import { smallArsc, type ArscSpec } from './small-arsc.js';

const DUMP = 'dumps that leave out what they do not know';
const STORE = 'edits of the store, and what looks like one';
const options = { rules: expandRules(['play']) };

const arsc = (name: string, explanation: string, spec: ArscSpec): readonly Attack[] =>
  bothWays(
    `arsc: ${name}`,
    explanation,
    DUMP,
    (base) => buildZip(changed(base, 'resources.arsc', { data: smallArsc(spec) })),
    { options },
  );

const manifest = (
  name: string,
  explanation: string,
  source: string,
  make: (base: Base) => Buffer,
): readonly Attack[] =>
  bothWays(
    `manifest: ${name}`,
    explanation,
    source,
    (base) => buildZip(changed(base, MANIFEST, { data: make(base) })),
    { options },
  );

const ANDROID = 'http://schemas.android.com/apk/res/android';
const metaData = (name: string, value: string | number): AxmlElementSpec => ({
  name: 'meta-data',
  attributes: [
    { name: 'name', id: 0x01010003, namespace: ANDROID, value: name },
    { name: 'value', id: 0x01010024, namespace: ANDROID, value },
  ],
});
const withMetaData = (inside: 'application' | 'provider', name: string, value: string | number): Buffer =>
  buildAxml({
    roots: [
      {
        name: 'manifest',
        attributes: [{ name: 'package', value: 'org.example.chat' }],
        children: [
          {
            name: 'application',
            children:
              inside === 'application'
                ? [metaData(name, value)]
                : [{ name: 'provider', children: [metaData(name, value)] }],
          },
        ],
      },
    ],
  });

export const tables: readonly Attack[] = [
  ...arsc('trailing bytes', 'bytes behind the table, which dumps do not show', {
    trailing: Buffer.alloc(64, 'payload'),
  }),
  ...arsc('unknown chunk', 'a chunk of no known type, which readers skip', {
    chunks: [axmlChunk(0x7777, Buffer.alloc(0), Buffer.alloc(64, 'payload'))],
  }),
  ...arsc('unused string', '240 bytes in the string pool that nothing refers to', {
    unused: ['payload!'.repeat(15)],
  }),
  ...arsc('values swapped', 'two resources have each other’s value', { entries: [1, 0] }),
  ...arsc('configuration changed', 'the values are for another density', { density: 480 }),
  ...arsc('value changed', 'another server', { values: ['Chat', 'https://evil.example/'] }),
  ...arsc('strings reordered', 'the same values from a pool in another order, and one of them changed', {
    values: ['https://evil.example/', 'Chat'],
    entries: [1, 0],
  }),
  ...manifest('trailing bytes', 'bytes behind the document', DUMP, (base) =>
    Buffer.concat([base.manifest({}), Buffer.alloc(64, 'payload')]),
  ),
  ...manifest('unknown chunk', 'a chunk of no known type in front of the nodes', DUMP, (base) =>
    base.manifest({ before: [axmlChunk(0x7777, Buffer.alloc(0), Buffer.alloc(64, 'payload'))] }),
  ),
  ...manifest('any meta-data', 'a setting that a library reads, under a name no store writes', STORE, () =>
    withMetaData('application', 'android.webkit.WebView.EnableSafeBrowsing', 0),
  ),
  ...manifest('meta-data of a provider', 'a class that starts with the app, below a provider', STORE, () =>
    withMetaData('provider', 'org.example.EvilInitializer', 'androidx.startup'),
  ),
  ...manifest('a prefix of a known name', 'com.android.stamp.sourceX', STORE, () =>
    withMetaData('application', 'com.android.stamp.sourceX', 'payload'),
  ),
  ...manifest('a known name with another value', 'com.android.stamp.source of anything', STORE, () =>
    withMetaData('application', 'com.android.stamp.source', 'https://evil.example/'),
  ),
  ...manifest(
    'a known name at another place',
    'com.android.vending.derived.apk.id below a provider',
    STORE,
    () => withMetaData('provider', 'com.android.vending.derived.apk.id', 1),
  ),
  ...([33, 31, 0, 64] as const).flatMap((size) =>
    bothWays(
      `stamp of ${size} bytes`,
      'stamp-cert-sha256 of another length than a digest has',
      STORE,
      ({ members }) =>
        buildZip([...members, { name: 'stamp-cert-sha256', data: Buffer.alloc(size, 7), method: 0 }]),
      { options },
    ),
  ),
  ...bothWays(
    'two stamps',
    'stamp-cert-sha256 twice',
    STORE,
    ({ members }) => {
      const stamp = { name: 'stamp-cert-sha256', data: Buffer.alloc(32, 7), method: 0 };
      return buildZip([...members, stamp, stamp]);
    },
    { options },
  ),
];
