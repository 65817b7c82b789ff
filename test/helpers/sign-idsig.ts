// SPDX-License-Identifier: Apache-2.0
/** v4 signatures without any tool, the odd ones too: every field can be set by hand. */
import { createHash, sign } from 'node:crypto';
import { counted, u32, type Identity } from './sign-apk.js';

export interface IdsigSignerSpec {
  readonly identity: Identity;
  readonly digest: Buffer;
  readonly publicKey?: Buffer;
  readonly algorithm?: number;
  readonly additionalData?: Buffer;
  /** All but the first: which pair of the signing block it goes with. */
  readonly block?: number;
}

export interface IdsigSpec {
  readonly signers: readonly IdsigSignerSpec[];
  readonly version?: number;
  readonly hashAlgorithm?: number;
  readonly log2BlockSize?: number;
  readonly salt?: Buffer;
  readonly rootHash?: Buffer;
  readonly tree?: boolean;
  readonly treeBytes?: Buffer;
  /** Of the file, as signed. */
  readonly size?: number;
  readonly after?: Buffer;
  readonly afterHashing?: Buffer;
  readonly afterInfo?: Buffer;
}

const BLOCK = 4096;
const pad = (bytes: Buffer): Buffer => Buffer.concat([bytes, Buffer.alloc(-bytes.length & (BLOCK - 1))]);

function hashes(bytes: Buffer): Buffer {
  const blocks: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += BLOCK)
    blocks.push(
      createHash('sha256')
        .update(pad(bytes.subarray(at, at + BLOCK)))
        .digest(),
    );
  return Buffer.concat(blocks);
}

/** Topmost level first, each padded to a block. */
function hashTree(file: Buffer): { readonly root: Buffer; readonly tree: Buffer } {
  let level = pad(hashes(file));
  let tree = level;
  while (level.length > BLOCK) {
    level = pad(hashes(level));
    tree = Buffer.concat([level, tree]);
  }
  return { root: hashes(level), tree };
}

export function buildIdsig(apk: Buffer, spec: IdsigSpec): Buffer {
  const { root, tree } = hashTree(apk);
  const hashing = Buffer.concat([
    u32(spec.hashAlgorithm ?? 1),
    Buffer.from([spec.log2BlockSize ?? 12]),
    counted(spec.salt ?? Buffer.alloc(0)),
    counted(spec.rootHash ?? root),
  ]);
  const infos = spec.signers.map((signer, index) => {
    const { identity, digest, additionalData = Buffer.alloc(0), algorithm = 0x0201 } = signer;
    const size = Buffer.alloc(8);
    size.writeBigUInt64LE(BigInt(spec.size ?? apk.length));
    const described = [counted(digest), counted(identity.certificate), counted(additionalData)];
    const body = Buffer.concat([size, hashing, ...described]);
    const signed = Buffer.concat([u32(body.length + 4), body]);
    const info = Buffer.concat([
      ...described,
      counted(signer.publicKey ?? identity.publicKey),
      u32(algorithm),
      counted(sign('sha256', signed, identity.privateKey)),
    ]);
    return index === 0 ? info : Buffer.concat([u32(signer.block ?? 0), counted(info)]);
  });
  const treeBytes = spec.treeBytes ?? (spec.tree === true ? tree : undefined);
  return Buffer.concat([
    u32(spec.version ?? 2),
    counted(hashing, spec.afterHashing ?? Buffer.alloc(0)),
    counted(...infos, spec.afterInfo ?? Buffer.alloc(0)),
    treeBytes === undefined ? Buffer.alloc(0) : counted(treeBytes),
    spec.after ?? Buffer.alloc(0),
  ]);
}
