// SPDX-License-Identifier: Apache-2.0
/** Signs APKs with v2 and v3 without any tool, the odd ones too: every part of the signing block can be set by hand. */
import { createHash, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';

export const PAIR = { v2: 0x7109871a, v3: 0xf05368c0, padding: 0x42726577 } as const;

export interface Pair {
  readonly id: number;
  readonly value: Buffer;
}

export interface Identity {
  readonly privateKey: KeyObject;
  readonly publicKey: Buffer;
  readonly certificate: Buffer;
}

export interface SignerSpec {
  readonly identity: Identity;
  /** Beside the signer's own. */
  readonly chain?: readonly Buffer[];
  readonly attributes?: readonly Buffer[];
  /** Appended inside of the signed data, of the signer, or of its first signature. */
  readonly afterSignedData?: Buffer;
  readonly afterSigner?: Buffer;
  readonly afterSignature?: Buffer;
  /** v3. */
  readonly sdk?: readonly [min: number, max: number];
}

/** Little-endian, as all numbers of the signing block. */
export const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes;
};
/** Behind their length. */
export const counted = (...parts: readonly Buffer[]): Buffer => {
  const body = Buffer.concat(parts);
  return Buffer.concat([u32(body.length), body]);
};

export function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const size = body.length;
  const length =
    size < 0x80
      ? Buffer.from([size])
      : size < 0x100
        ? Buffer.from([0x81, size])
        : size < 0x10000
          ? Buffer.from([0x82, size >> 8, size & 255])
          : Buffer.from([0x83, size >> 16, (size >> 8) & 255, size & 255]);
  return Buffer.concat([Buffer.from([tag]), length, body]);
}

/** A certificate that nobody signed: Android and we look at its key only. */
export function certificateFor(
  publicKey: Buffer,
  options: { readonly name?: Buffer; readonly extra?: readonly Buffer[] } = {},
): Buffer {
  const algorithm = der(0x30, der(0x06, Buffer.from('2a8648ce3d040302', 'hex')));
  const name = options.name ?? nameOf(der(0x0c, Buffer.from('test')));
  const time = der(0x17, Buffer.from('250101000000Z'));
  return der(
    0x30,
    der(
      0x30,
      der(0xa0, der(0x02, Buffer.from([2]))),
      der(0x02, Buffer.from([1])),
      algorithm,
      name,
      der(0x30, time, time),
      name,
      publicKey,
      ...(options.extra ?? []),
    ),
    algorithm,
    der(0x03, Buffer.from([0, 1, 2, 3])),
  );
}

/** One common name with this value. */
export function nameOf(value: Buffer): Buffer {
  return der(0x30, der(0x31, der(0x30, der(0x06, Buffer.from('550403', 'hex')), value)));
}

export function newIdentity(certificate: (publicKey: Buffer) => Buffer = certificateFor): Identity {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const publicKey = pair.publicKey.export({ type: 'spki', format: 'der' });
  return { privateKey: pair.privateKey, publicKey, certificate: certificate(publicKey) };
}

/** Where its end record begins, by Android's rule: the last one whose comment reaches the end of the file. */
export function endRecord(archive: Buffer): number {
  for (let at = archive.length - 22; at >= 0; at--)
    if (archive.readUInt32LE(at) === 0x06054b50 && archive.readUInt16LE(at + 20) === archive.length - at - 22)
      return at;
  // bytes behind the end: no Android installs that
  return archive.lastIndexOf('PK\x05\x06', undefined, 'latin1');
}

/** The SHA-256 content digest of an unsigned archive. */
export function contentDigest(unsigned: Buffer): Buffer {
  const end = endRecord(unsigned);
  const directory = unsigned.readUInt32LE(end + 16);
  const sections = [
    unsigned.subarray(0, directory),
    unsigned.subarray(directory, end),
    unsigned.subarray(end),
  ];
  const chunks: Buffer[] = [];
  for (const section of sections)
    for (let at = 0; at < section.length; at += 1 << 20) {
      const chunk = section.subarray(at, at + (1 << 20));
      chunks.push(
        createHash('sha256')
          .update(Buffer.concat([Buffer.from([0xa5]), u32(chunk.length)]))
          .update(chunk)
          .digest(),
      );
    }
  return createHash('sha256')
    .update(Buffer.concat([Buffer.from([0x5a]), u32(chunks.length), ...chunks]))
    .digest();
}

const ECDSA_SHA256 = u32(0x0201);

/** The v3 attribute in which each of these keys signs for the next one, oldest first. */
export function proofOfRotation(keys: readonly Identity[], flags = 0x17): Buffer {
  const nodes = keys.map(({ certificate }, index) => {
    const parent = keys[index - 1];
    const signed = Buffer.concat([counted(certificate), parent === undefined ? u32(0) : ECDSA_SHA256]);
    return counted(
      counted(signed),
      u32(flags),
      index === keys.length - 1 ? u32(0) : ECDSA_SHA256,
      counted(parent === undefined ? Buffer.alloc(0) : sign('sha256', signed, parent.privateKey)),
    );
  });
  return Buffer.concat([u32(0x3ba06f8c), u32(1), ...nodes]);
}

/** The value of a v2 or v3 pair over this unsigned archive (with page fill, if it has any). */
export function signerPair(
  scheme: 'v2' | 'v3',
  unsigned: Buffer,
  signers: readonly SignerSpec[],
  trailing = Buffer.alloc(0),
): Pair {
  const digest = contentDigest(unsigned);
  const blocks = signers.map((spec) => {
    const { identity } = spec;
    const [min, max] = spec.sdk ?? [28, 0x7fffffff];
    const sdk = scheme === 'v3' ? [u32(min), u32(max)] : [];
    const signed = Buffer.concat([
      counted(counted(ECDSA_SHA256, counted(digest))),
      counted(...[identity.certificate, ...(spec.chain ?? [])].map((one) => counted(one))),
      ...sdk,
      counted(...(spec.attributes ?? []).map((one) => counted(one))),
      spec.afterSignedData ?? Buffer.alloc(0),
    ]);
    const signature = sign('sha256', signed, identity.privateKey);
    return counted(
      counted(signed),
      ...sdk,
      counted(counted(ECDSA_SHA256, counted(signature), spec.afterSignature ?? Buffer.alloc(0))),
      counted(identity.publicKey),
      spec.afterSigner ?? Buffer.alloc(0),
    );
  });
  return {
    id: scheme === 'v2' ? PAIR.v2 : PAIR.v3,
    value: Buffer.concat([counted(...blocks), trailing]),
  };
}

/** The block with these pairs, and verity padding up to the page unless `pad` is false. */
export function signingBlock(pairs: readonly Pair[], pad = true): Buffer {
  const encode = ({ id, value }: Pair): Buffer => {
    const head = Buffer.alloc(12);
    head.writeBigUInt64LE(BigInt(value.length + 4));
    head.writeUInt32LE(id, 8);
    return Buffer.concat([head, value]);
  };
  let body = Buffer.concat(pairs.map(encode));
  const missing = (4096 - ((body.length + 32) % 4096)) % 4096;
  if (pad && missing > 0) {
    const size = missing < 12 ? missing + 4096 : missing;
    body = Buffer.concat([body, encode({ id: PAIR.padding, value: Buffer.alloc(size - 12) })]);
  }
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(body.length + 24));
  return Buffer.concat([size, body, size, Buffer.from('APK Sig Block 42')]);
}

/** Puts a block in front of the central directory. */
export function insertBlock(unsigned: Buffer, block: Buffer): Buffer {
  const end = endRecord(unsigned);
  const directory = unsigned.readUInt32LE(end + 16);
  const tail = Buffer.from(unsigned.subarray(directory));
  tail.writeUInt32LE(directory + block.length, end - directory + 16);
  return Buffer.concat([unsigned.subarray(0, directory), block, tail]);
}

/** Zeros up to the page in front of the directory, as apksigner writes them in front of its block. */
export function withPageFill(unsigned: Buffer, fill = 0): Buffer {
  const directory = unsigned.readUInt32LE(unsigned.length - 6);
  return insertBlock(unsigned, Buffer.alloc((4096 - (directory % 4096)) % 4096, fill));
}

/** Signed with v2 alone by one signer. */
export function signedApk(unsigned: Buffer, spec: SignerSpec): Buffer {
  return insertBlock(unsigned, signingBlock([signerPair('v2', unsigned, [spec])]));
}
