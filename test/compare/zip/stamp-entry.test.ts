// SPDX-License-Identifier: Apache-2.0
/** The entry of a source stamp: part of the signature where the stamp holds and nothing about the entry could be otherwise. */
import { createHash } from 'node:crypto';
import { deflateRawSync } from 'node:zlib';
import test from 'ava';
import type { RuleName } from '../../../src/model.js';
import { makeKey, signWithApksigner } from '../../helpers/apksigner.js';
import { buildManifest } from '../../helpers/build-axml.js';
import { buildZip, type ZipLayout, type ZipMember } from '../../helpers/build-zip.js';
import { compareBuffers, type Compared } from '../../helpers/compare-buffers.js';
import { need } from '../../helpers/need.js';
import { contentDigest, insertBlock, newIdentity, signerPair, signingBlock } from '../../helpers/sign-apk.js';
import { stampPairV1, stampPairV2, type StampSpec } from '../../helpers/sign-stamp.js';
import { temporaryDirectory } from '../../helpers/temp-directory.js';

const app = newIdentity();
const stamper = newIdentity();
const digest = createHash('sha256').update(stamper.certificate).digest();
const TIMES = { time: 0x0821, date: 0x0221 } as const;
const MEMBERS: readonly ZipMember[] = [
  { name: 'AndroidManifest.xml', data: buildManifest(), ...TIMES },
  { name: 'classes.dex', data: 'code'.repeat(100), ...TIMES },
];
const unsigned = buildZip(MEMBERS);

/** As apksigner writes it. */
const ENTRY: ZipMember = {
  name: 'stamp-cert-sha256',
  data: digest,
  flags: 0x0800,
  madeBy: 20,
  externalAttributes: 0,
  ...TIMES,
};

interface Change {
  readonly entry?: Partial<ZipMember>;
  readonly members?: (entry: ZipMember) => readonly ZipMember[];
  readonly layout?: ZipLayout;
  readonly stamp?: Partial<StampSpec>;
}

/** Signed by the app's key and stamped, both validly unless the change is in the stamp. */
function stamped(pair: typeof stampPairV1, { entry, members, layout, stamp }: Change = {}): Buffer {
  const own: ZipMember = { ...ENTRY, ...entry };
  const archive = buildZip(members?.(own) ?? [...MEMBERS, own], layout);
  const spec: StampSpec = { identity: stamper, schemes: [[2, contentDigest(archive)]], ...stamp };
  return insertBlock(archive, signingBlock([signerPair('v2', archive, [{ identity: app }]), pair(spec)]));
}

const ownersOf = ({ pair }: Compared): readonly string[] => [
  ...new Set(
    pair.nodes[0]?.published.runs
      .filter(({ region }) => region === 'zip/source-stamp')
      .map(({ owner, rule }) => `${owner} ${rule ?? ''}`) ?? [],
  ),
];

test('a stamp that holds, in both versions', async (t) => {
  for (const pair of [stampPairV1, stampPairV2])
    for (const rules of [[], ['play-stamp-cert']] as const satisfies readonly RuleName[][]) {
      const compared = await compareBuffers(stamped(pair), unsigned, { rules: [...rules] });
      t.is(compared.verdict.kind, 'reproducible');
      t.like(compared.pair.proof, { kind: 'transplant', equal: true });
      t.deepEqual(ownersOf(compared), ['signature source-stamp']);
    }
});

test('apksigner writes the entry so', async (t) => {
  if (!need(t, 'apksigner', 'openssl')) return;
  const directory = temporaryDirectory(t);
  const [key, stamp] = [makeKey(directory, 'app', 'rsa2048'), makeKey(directory, 'stamp', 'rsa2048')];
  const extra = ['--stamp-signer', '--key', stamp.key, '--cert', stamp.certificate];
  for (const v1 of [false, true]) {
    const published = signWithApksigner(directory, unsigned, {
      keys: [key],
      v1,
      v3: true,
      minSdk: 21,
      extra,
    });
    const compared = await compareBuffers(published, unsigned);
    t.is(compared.verdict.kind, 'reproducible');
    t.deepEqual(ownersOf(compared), ['signature source-stamp']);
  }
});

const flipped = Buffer.from(digest);
flipped[31] = (flipped[31] ?? 0) ^ 1;
const stranger = newIdentity();

/** Two stored blocks, which no level of a deflater makes of 32 bytes (RFC 1951, section 3.2.4). */
function packedOtherwise(): Buffer {
  const block = (last: boolean, bytes: Buffer): Buffer =>
    Buffer.concat([Buffer.from([last ? 1 : 0, 16, 0, 239, 255]), bytes]);
  return Buffer.concat([block(false, digest.subarray(0, 16)), block(true, digest.subarray(16))]);
}

/** Each validly signed by the app's key, so that only the entry or the stamp is wrong. */
const REFUSED: Readonly<Record<string, Change>> = {
  'another digest': { entry: { data: flipped } },
  'a digest of 31 bytes': { entry: { data: digest.subarray(0, 31) } },
  'a byte behind the digest': { entry: { data: Buffer.concat([digest, Buffer.alloc(1)]) } },
  'a stamp by another certificate': { stamp: { identity: stranger } },
  'a stamp over another digest': { stamp: { schemes: [[2, Buffer.alloc(32, 1)]] } },
  'a stamp without signature': { stamp: { signatures: Buffer.alloc(0) } },
  'bytes in the stamp that nobody looks at': { stamp: { afterStamp: Buffer.alloc(4) } },
  'another time': { entry: { time: 0x0822 } },
  'another date': { entry: { date: 0x0222 } },
  'the time of platform builds': { entry: { time: 0, date: 0x3a21 } },
  'a mode': { entry: { externalAttributes: 0x81a40000 } },
  'made by Unix': { entry: { madeBy: 0x0314 } },
  'another version of the specification': { entry: { madeBy: 24 } },
  'no flag for UTF-8': { entry: { flags: 0 } },
  'another flag': { entry: { flags: 0x0802 } },
  'flags that differ in the local header': { entry: { localFlags: 0 } },
  'a data descriptor': { entry: { descriptor: 'signed' } },
  stored: { entry: { method: 0 } },
  'packed otherwise': { entry: { raw: packedOtherwise() } },
  'a byte behind the packed ones': {
    entry: { raw: Buffer.concat([deflateRawSync(digest), Buffer.from([7])]) },
  },
  'a comment': { entry: { comment: Buffer.from('x') } },
  'an extra field': { entry: { extra: Buffer.from([1, 2, 1, 0, 7]) } },
  'padding in the local header': { entry: { localExtra: Buffer.alloc(3) } },
  'another checksum in the local header': { entry: { localCrc32: 1 } },
  'another checksum': { entry: { crc32: 1 } },
  'another name in the local header': { entry: { localName: 'stamp-cert-sha255' } },
  'in front of the others': { members: (entry) => [entry, ...MEMBERS] },
  'first in the directory only': { layout: { directoryOrder: [2, 0, 1] } },
  twice: { members: (entry) => [...MEMBERS, entry, entry] },
  'a second one in capitals': {
    members: (entry) => [...MEMBERS, entry, { ...entry, name: 'STAMP-CERT-SHA256' }],
  },
};
for (const [what, change] of Object.entries(REFUSED))
  for (const [version, pair] of [
    ['1', stampPairV1],
    ['2', stampPairV2],
  ] as const)
    test(`refused, version ${version}: ${what}`, async (t) => {
      const published = stamped(pair, change);
      t.false(published.equals(stamped(pair)));
      const compared = await compareBuffers(published, unsigned);
      t.is(compared.verdict.kind, 'unreproducible');
      t.deepEqual(ownersOf(compared), []);
    });

/** Beside the entry, which itself is as it should be. */
const AROUND: Readonly<Record<string, Change>> = {
  'bytes in front of it': { entry: { gapBefore: Buffer.from('hidden') } },
  'bytes between it and the signing block': { layout: { beforeDirectory: Buffer.from('hidden') } },
  'zeros between it and the signing block': { layout: { beforeDirectory: Buffer.alloc(16) } },
  'bytes behind the directory': { layout: { betweenDirectoryAndEnd: Buffer.from('hidden') } },
  'a twin in front of it that no directory names': {
    members: (entry) => [...MEMBERS, { ...entry, orphan: true }, entry],
  },
  'a twin behind it that no directory names': {
    members: (entry) => [...MEMBERS, entry, { ...entry, orphan: true }],
  },
  'one entry too few in the count': { layout: { entryCount: 2 } },
  'one entry too many in the count': { layout: { entryCount: 4 } },
};
for (const [what, change] of Object.entries(AROUND))
  test(`refused: ${what}`, async (t) => {
    for (const pair of [stampPairV1, stampPairV2]) {
      const { verdict } = await compareBuffers(stamped(pair, change), unsigned);
      t.is(verdict.kind, 'unreproducible');
    }
  });

test('refused: the entry without a stamp, or without any signature', async (t) => {
  const archive = buildZip([...MEMBERS, ENTRY]);
  const signed = insertBlock(archive, signingBlock([signerPair('v2', archive, [{ identity: app }])]));
  for (const published of [archive, signed])
    t.is((await compareBuffers(published, unsigned)).verdict.kind, 'unreproducible');
});

test('refused: a stamped archive whose own signature does not hold', async (t) => {
  const published = stamped(stampPairV2);
  const at = published.indexOf('classes.dex', 0, 'latin1') + 'classes.dex'.length + 2;
  published[at] = (published[at] ?? 0) ^ 1;
  const compared = await compareBuffers(published, unsigned);
  t.not(compared.verdict.kind, 'reproducible');
  t.not(compared.verdict.kind, 'equivalent');
  t.deepEqual(ownersOf(compared), []);
});

test('refused: inside of another archive', async (t) => {
  const nest = (apk: Buffer): Buffer => buildZip([{ name: 'inner.apk', data: apk, method: 0 }]);
  const compared = await compareBuffers(nest(stamped(stampPairV2)), nest(unsigned));
  t.is(compared.verdict.kind, 'unreproducible');
  t.deepEqual(ownersOf(compared), []);
});
