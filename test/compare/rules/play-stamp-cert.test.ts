// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import test from 'ava';
import { BufferSource } from '../../../src/bytes.js';
import { rules } from '../../../src/compare/rules/index.js';
import { readZip } from '../../../src/formats/zip.js';
import { buildManifest } from '../../helpers/build-axml.js';
import { buildZip } from '../../helpers/build-zip.js';
import { compareBuffers } from '../../helpers/compare-buffers.js';
import { contentDigest, insertBlock, newIdentity, signerPair, signingBlock } from '../../helpers/sign-apk.js';
import { stampPairV1, stampPairV2 } from '../../helpers/sign-stamp.js';

const app = newIdentity();
const stamper = newIdentity();
const members = [
  { name: 'AndroidManifest.xml', data: buildManifest() },
  { name: 'classes.dex', data: 'code'.repeat(100) },
];
const sha256 = (bytes: Buffer): Buffer => createHash('sha256').update(bytes).digest();
const digest = sha256(stamper.certificate);
const unsigned = buildZip(members);
const withEntry = (data: Buffer): Buffer =>
  buildZip([...members, { name: 'stamp-cert-sha256', data, method: 0 }]);

function stamped(entry: Buffer, pair: typeof stampPairV1): Buffer {
  const from = withEntry(entry);
  const stamp = pair({ identity: stamper, schemes: [[2, contentDigest(from)]] });
  return insertBlock(from, signingBlock([signerPair('v2', from, [{ identity: app }]), stamp]));
}

const options = { rules: ['play-stamp-cert'] } as const;

test('the digest of the certificate that stamps, in both versions', async (t) => {
  for (const pair of [stampPairV1, stampPairV2]) {
    const { verdict, pair: compared } = await compareBuffers(stamped(digest, pair), unsigned, options);
    t.is(verdict.kind, 'equivalent');
    t.false(compared.differences.some((one) => one.kind === 'unread'));
  }
});

test('another digest than that of the stamp is not covered', async (t) => {
  const bit = Buffer.from(digest);
  bit[31] = (bit[31] ?? 0) ^ 1;
  for (const pair of [stampPairV1, stampPairV2]) {
    const { verdict } = await compareBuffers(stamped(bit, pair), unsigned, options);
    t.is(verdict.kind, 'unreproducible');
  }
  const source = new BufferSource(withEntry(digest));
  const zip = readZip(source);
  const entry = zip.entries.at(-1);
  if (entry === undefined) throw new Error('no entry');
  const { coversEntry } = rules['play-stamp-cert'];
  const hex = digest.toString('hex');
  t.true(coversEntry?.(source, entry, [hex], zip));
  t.false(coversEntry?.(source, entry, [bit.toString('hex')], zip));
  t.false(coversEntry?.(source, entry, [hex, bit.toString('hex')], zip));
});

test('without a stamp the bytes are left out unseen, and that is told', async (t) => {
  const { verdict, pair } = await compareBuffers(withEntry(digest), unsigned, options);
  t.is(verdict.kind, 'equivalent');
  t.like(
    pair.differences.find((one) => one.kind === 'unread'),
    { code: 'stamp-unchecked', path: ['stamp-cert-sha256'] },
  );
});
