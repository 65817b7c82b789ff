// SPDX-License-Identifier: Apache-2.0
/**
 * Who signed: the six published ways to show one certificate to Android and another to who pins it
 * (https://github.com/obfusk/fdroid-fakesigner-poc), and a few beside them. A pin is given each time.
 */
import { createHash } from 'node:crypto';
import type { CompareOptions } from '../../src/compare/compare.js';
import { buildZip } from '../helpers/build-zip.js';
import {
  certificateFor,
  der,
  insertBlock,
  nameOf,
  newIdentity,
  proofOfRotation,
  signerPair,
  signingBlock,
  type Identity,
} from '../helpers/sign-apk.js';
import { jarEntries, jarIdentity, signatureBlock, signJar } from '../helpers/sign-jar.js';
import { FORGED, one, OPEN, type Attack, type Base, type Expected } from './base.js';

const SOURCE = 'certificate pinning by another parser than the verifier';
const ROOM = 'room in a signature that verifies';
const V31 = 0x1b93ad61;

const pin = (certificate: Buffer): CompareOptions => ({
  signers: [
    { sha256: createHash('sha256').update(certificate).digest('hex'), source: 'test', statedBy: 'publisher' },
  ],
});

/** The pinned one has signed something else; the file is the stranger's. */
const spoofed = (
  name: string,
  explanation: string,
  make: (base: Base) => { readonly published: Buffer; readonly pinned: Buffer; readonly rebuilt?: Buffer },
  expected: Expected = FORGED,
): Attack =>
  one(name, 'forged', explanation, SOURCE, expected, (base) => {
    const { published, pinned, rebuilt } = make(base);
    return { published, rebuilt: rebuilt ?? base.unsigned, options: pin(pinned) };
  });

const v2By = (base: Base, archive: Buffer, identity: Identity = base.stranger): Buffer =>
  insertBlock(archive, signingBlock([signerPair('v2', archive, [{ identity }])]));

const commonName = (text: string): Buffer => nameOf(der(0x0c, Buffer.from(text)));

function until<T>(make: () => T, holds: (made: T) => boolean): T {
  for (;;) {
    const made = make();
    if (holds(made)) return made;
  }
}

/** The last element of a PKCS#7 block is the set of its signers: the first of them. */
function signerInfoOf(block: Buffer): Buffer {
  // its version and issuer begin it: SEQUENCE { INTEGER 1, SEQUENCE { issuer, serial } …
  const child = (bytes: Buffer): Buffer[] => {
    const parts: Buffer[] = [];
    for (let at = headerOf(bytes).header; at < bytes.length;) {
      const { header, length } = headerOf(bytes.subarray(at));
      parts.push(bytes.subarray(at, at + header + length));
      at += header + length;
    }
    return parts;
  };
  const content = child(child(block)[1] ?? Buffer.alloc(2))[0] ?? Buffer.alloc(2);
  const set = child(content).at(-1) ?? Buffer.alloc(2);
  return child(set)[0] ?? Buffer.alloc(0);
}

function headerOf(bytes: Buffer): { readonly header: number; readonly length: number } {
  const first = bytes[1] ?? 0;
  if (first < 0x80) return { header: 2, length: first };
  return { header: 2 + (first & 0x7f), length: bytes.readUIntBE(2, first & 0x7f) };
}

/** v2 by the first of them, v3 by the last. */
function rotated(archive: Buffer, keys: readonly Identity[]): Buffer {
  const [oldest, newest] = [keys[0], keys.at(-1)];
  if (oldest === undefined || newest === undefined) throw new Error('a lineage without keys');
  return insertBlock(
    archive,
    signingBlock([
      signerPair('v2', archive, [{ identity: oldest }]),
      signerPair('v3', archive, [{ identity: newest, attributes: [proofOfRotation(keys)] }]),
    ]),
  );
}

export const signers: readonly Attack[] = [
  spoofed(
    'fakesigner 1: v1 for nobody',
    'a v1 block with the pinned certificate in a file whose Android never looks at v1',
    (base) => {
      const archive = buildZip([...base.members, ...jarEntries([], base.jar)]);
      return { published: v2By(base, archive), pinned: base.jar.certificate };
    },
  ),
  spoofed(
    'fakesigner 2: second v2 pair',
    'behind the stranger’s signature stands that of another app, by the pinned signer',
    (base) => {
      const other = buildZip([{ name: 'other', data: 'another app' }]);
      const published = insertBlock(
        base.unsigned,
        signingBlock([
          signerPair('v2', base.unsigned, [{ identity: base.stranger }]),
          signerPair('v2', other, [{ identity: base.identity }]),
        ]),
      );
      return { published, pinned: base.identity.certificate };
    },
  ),
  ...([false, true] as const).map((last) =>
    spoofed(
      `fakesigner 3${last ? 'b' : 'a'}: pinned certificate ${last ? 'last' : 'first'}`,
      'two certificates in the PKCS#7, of which only one belongs to the signature',
      ({ members, jar }) => {
        // the set is sorted: a stranger is made until its certificate stands on the other side
        const stranger = until(
          () => jarIdentity('ec', { serial: Buffer.from([9]) }),
          ({ certificate }) => Buffer.compare(certificate, jar.certificate) < 0 === last,
        );
        return {
          published: signJar(members, stranger, { certificates: [stranger.certificate, jar.certificate] }),
          pinned: jar.certificate,
        };
      },
    ),
  ),
  spoofed(
    'fakesigner 4: nearly the same issuer',
    'a second signer whose issuer and serial number are the pinned ones but for a space',
    ({ members }) => {
      // a longer signature stands behind a shorter one
      const pinned = jarIdentity('rsa', { issuer: commonName('The Publisher') });
      const near = jarIdentity('ec', { issuer: commonName('The\tPublisher') });
      // as the second signer stands in front: its own block, over the same file
      const entries = jarEntries(members, near);
      const file = entries[0]?.data as Buffer;
      const info = signerInfoOf(signatureBlock(file, pinned));
      return {
        published: signJar(members, near, {
          certificates: [near.certificate, pinned.certificate],
          signers: [info],
        }),
        pinned: pinned.certificate,
      };
    },
    { ...FORGED, code: 'signer-not-pinned' },
  ),
  ...(['\n', '\0'] as const).map((odd) =>
    spoofed(
      `fakesigner 5${odd === '\n' ? 'a: newline' : 'b: NUL'} in names`,
      'the signature Android reads has an odd name, and a name that a regular expression accepts shows the pinned certificate',
      ({ members, jar }) => {
        const stranger = jarIdentity();
        const real = jarEntries(members, stranger, { signerName: `CERT${odd}` });
        const block = signatureBlock(Buffer.from('another app'), jar);
        return {
          published: buildZip([...members, ...real, { name: `META-INF/FAKE.RSA${odd}`, data: block }]),
          pinned: jar.certificate,
        };
      },
    ),
  ),
  spoofed(
    'fakesigner 6: v3.1 alone',
    'newer versions of Android read a v3.1 signature by the stranger, older ones v2 by the pinned signer',
    (base) => {
      const published = insertBlock(
        base.unsigned,
        signingBlock([
          signerPair('v2', base.unsigned, [{ identity: base.identity }]),
          {
            ...signerPair('v3', base.unsigned, [{ identity: base.stranger, sdk: [33, 0x7fffffff] }]),
            id: V31,
          },
        ]),
      );
      return { published, pinned: base.identity.certificate };
    },
    { ...FORGED, code: 'signer-not-pinned' },
  ),
  spoofed(
    'another signer',
    'a file of the same content, signed by somebody else',
    (base) => ({
      published: v2By(base, base.unsigned),
      pinned: base.identity.certificate,
    }),
    { ...FORGED, code: 'signer-not-pinned' },
  ),
  spoofed(
    'another signer, equal bytes',
    'both sides are the stranger’s file',
    (base) => {
      const published = v2By(base, base.unsigned);
      return { published, rebuilt: Buffer.from(published), pinned: base.identity.certificate };
    },
    { ...FORGED, code: 'signer-not-pinned' },
  ),
  spoofed('no signature', 'the unsigned file, where a signer is pinned', (base) => ({
    published: base.unsigned,
    rebuilt: Buffer.from(base.unsigned),
    pinned: base.identity.certificate,
  })),
  spoofed(
    'v3 by another signer',
    'v2 by the pinned signer, v3 by a stranger, and no lineage that joins them',
    (base) => ({
      published: insertBlock(
        base.unsigned,
        signingBlock([
          signerPair('v2', base.unsigned, [{ identity: base.identity }]),
          signerPair('v3', base.unsigned, [{ identity: base.stranger }]),
        ]),
      ),
      pinned: base.identity.certificate,
    }),
  ),
  spoofed(
    'signature of another file',
    'the pinned signer’s block, taken from another app',
    (base) => {
      const other = buildZip([{ name: 'other', data: 'another app' }]);
      return {
        published: insertBlock(
          base.unsigned,
          signingBlock([signerPair('v2', other, [{ identity: base.identity }])]),
        ),
        pinned: base.identity.certificate,
      };
    },
    { ...FORGED, code: 'content-digest' },
  ),
  one(
    'certificate as large as a payload',
    'forged',
    'an extension of 20,000 bytes in the signer’s own certificate',
    ROOM,
    { ...FORGED, code: 'malformed-certificate' },
    (base) => {
      const roomy = newIdentity((key) => certificateFor(key, { extra: [der(0xa3, Buffer.alloc(20_000))] }));
      return { published: v2By(base, base.unsigned, roomy), rebuilt: base.unsigned };
    },
  ),
  one(
    'certificates of a lineage as a payload',
    'forged',
    'three keys take turns, and each of their certificates has an extension of 12,000 bytes',
    ROOM,
    { ...OPEN, code: 'certificates-too-large' },
    (base) => {
      const keys = [0, 1, 2].map(() =>
        newIdentity((key) => certificateFor(key, { extra: [der(0xa3, Buffer.alloc(12_000))] })),
      );
      return { published: rotated(base.unsigned, keys), rebuilt: base.unsigned };
    },
  ),
  one(
    'attribute of a signer',
    'forged',
    'an attribute in the signed data that no platform reads',
    ROOM,
    { ...OPEN, code: 'unchecked-attribute' },
    (base) => ({
      published: insertBlock(
        base.unsigned,
        signingBlock([
          signerPair('v2', base.unsigned, [
            { identity: base.identity, attributes: [Buffer.from('payload!')] },
          ]),
        ]),
      ),
      rebuilt: base.unsigned,
    }),
  ),
  one(
    'bytes behind a signer',
    'forged',
    'a length that reaches further than what is in it',
    ROOM,
    { ...OPEN, code: 'unowned-bytes' },
    (base) => ({
      published: insertBlock(
        base.unsigned,
        signingBlock([
          signerPair('v2', base.unsigned, [
            { identity: base.identity, afterSigner: Buffer.from('payload!') },
          ]),
        ]),
      ),
      rebuilt: base.unsigned,
    }),
  ),
];
