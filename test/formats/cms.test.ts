// SPDX-License-Identifier: Apache-2.0
/** Signature blocks to the last byte; what openssl and Java write of them is tested with JAR signatures. */
import test from 'ava';
import fc from 'fast-check';
import { readSignedData } from '../../src/formats/cms.js';
import { supportedOn } from '../../src/formats/cms-algorithms.js';
import { FormatError } from '../../src/errors.js';
import { isInSetOrder, readChildren, readDer, readInteger, readSmallInteger } from '../../src/formats/der.js';
import { outside } from '../../src/formats/sdk-range.js';
import { encodedByJava, isSameName } from '../../src/formats/x500-name.js';
import { der, nameOf } from '../helpers/sign-apk.js';
import { jarIdentity, signatureBlock } from '../helpers/sign-jar.js';

const identity = jarIdentity();
const file = Buffer.from('Signature-Version: 1.0\r\n\r\n');

test('a plain block has nothing loose', (t) => {
  const data = readSignedData(signatureBlock(file, identity));
  t.deepEqual(data.loose, []);
  t.is(data.contentType, '1.2.840.113549.1.7.1');
  t.deepEqual(data.certificates, [identity.certificate]);
  const [signer] = data.signers;
  t.is(data.signers.length, 1);
  t.like(signer, { digest: 'sha256', signedAttributes: undefined, algorithm: { key: 'ec' } });
  t.deepEqual(signer?.serial, identity.serial);
});

test('where something is loose is said by its place in the block', (t) => {
  const block = signatureBlock(file, identity, { content: Buffer.from('hidden') });
  const [loose] = readSignedData(block).loose;
  t.is(loose?.code, 'cms-content');
  t.true(block.subarray(loose?.offset).includes('hidden'));
  t.false(block.subarray((loose?.offset ?? 0) + 4 + 'hidden'.length).includes('hidden'));
});

test('anything else is a FormatError with a code', (t) => {
  const block = signatureBlock(file, identity, { signedAttributes: [] });
  let refused = 0;
  for (let at = 0; at < block.length; at++)
    for (const bit of [1, 0x20, 0x80]) {
      const changed = Buffer.from(block);
      changed[at] = (changed[at] ?? 0) ^ bit;
      try {
        readSignedData(changed);
      } catch (error) {
        refused++;
        if (!(error instanceof FormatError)) t.fail(`byte ${at}: ${String(error)}`);
        else t.regex(error.code, /^(?:cms|der)\/[a-z-]+$/);
      }
    }
  t.true(refused > 100);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        readSignedData(Buffer.from(bytes));
        return false;
      } catch (error) {
        return error instanceof FormatError;
      }
    }),
  );
  t.throws(() => readSignedData(block.subarray(0, -1)), { code: 'der/truncated' });
  t.throws(() => readSignedData(Buffer.concat([block, block])), { code: 'der/trailing-bytes' });
});

test('many signers or certificates are too many', (t) => {
  const certificates = Array.from({ length: 21 }, () => identity.certificate);
  t.throws(() => readSignedData(signatureBlock(file, identity, { certificates })), {
    code: 'cms/too-many-certificates',
  });
  const signers = Array.from({ length: 10 }, () => der(0x30));
  t.throws(() => readSignedData(signatureBlock(file, identity, { signers })), {
    code: 'cms/too-many-signers',
  });
});

test('integers take no needless byte, sets have one order', (t) => {
  const integer = (...bytes: number[]): ReturnType<typeof readDer> => readDer(der(0x02, Buffer.from(bytes)));
  t.deepEqual([...readInteger(integer(0, 0x80))], [0, 0x80]);
  for (const bytes of [[], [0, 0x7f], [0xff, 0x80]]) t.throws(() => readInteger(integer(...bytes)));
  t.is(readSmallInteger(integer(5)), 5);
  for (const bytes of [[0x80], [1, 0]])
    t.throws(() => readSmallInteger(integer(...bytes)), { code: 'der/integer' });
  const set = (...parts: Buffer[]): boolean => isInSetOrder(readChildren(readDer(der(0x31, ...parts))));
  t.true(set(der(0x02, Buffer.from([1])), der(0x02, Buffer.from([2]))));
  t.false(set(der(0x02, Buffer.from([2])), der(0x02, Buffer.from([1]))));
});

test('which versions take which algorithms', (t) => {
  t.deepEqual(supportedOn('sha256', { key: 'rsa' }), [
    { from: 1, to: 8 },
    { from: 18, to: 0x7fffffff },
  ]);
  t.deepEqual(supportedOn('sha256', { key: 'ec', digest: 'sha256' }), [{ from: 21, to: 0x7fffffff }]);
  t.deepEqual(supportedOn('sha256', { key: 'rsa', digest: 'sha1' }), [{ from: 21, to: 21 }]);
  t.deepEqual(supportedOn('sha512', { key: 'dsa' }), []);
  t.deepEqual(outside(supportedOn('sha256', { key: 'rsa' })), [{ from: 9, to: 17 }]);
  t.deepEqual(outside([]), [{ from: 1, to: 0x7fffffff }]);
  t.deepEqual(outside([{ from: 1, to: 0x7fffffff }]), []);
});

test('one name in several encodings', (t) => {
  const name = (tag: number, text: string): Buffer => nameOf(der(tag, Buffer.from(text)));
  t.true(isSameName(name(0x0c, 'Some  Name'), name(0x13, 'some name')));
  t.false(isSameName(name(0x0c, 'Some Name'), name(0x0c, 'Some Other')));
  t.deepEqual(encodedByJava(name(0x0c, 'Some Name')), name(0x13, 'Some Name'));
  t.deepEqual(encodedByJava(name(0x0c, 'Sömé')), name(0x0c, 'Sömé'));
});
