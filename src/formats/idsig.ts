// SPDX-License-Identifier: Apache-2.0
/**
 * APK Signature Scheme v4: a file beside the APK with the root of a hash tree over all of it, signed by the key that signed
 * the APK. v4.1 adds a signature for each further signer of the APK (v3.1). Read to the last byte.
 * https://source.android.com/docs/security/features/apksigning/v4
 * https://android.googlesource.com/platform/frameworks/base/+/refs/heads/main/core/java/android/os/incremental/V4Signature.java
 *
 *   u32 version · hashing info · signing infos · tree, each with a u32 size in front; nothing behind a signature without tree
 *   hashing info: u32 algorithm, u8 log2 of the block size, salt, root hash
 *   signing info: digest of the APK, certificate, additional data, public key, u32 algorithm, signature
 *   signing infos: one signing info, then for v4.1: u32 id of a pair of the signing block, signing info
 */
import { eachChunk, type ByteSource } from '../bytes.js';
import { FormatError } from '../errors.js';
import { readSignerBlocks, type SignatureScheme, type SignerBlock } from './apk-signer-block.js';
import { PAIR_ID, type SigningBlock } from './apk-signing-block.js';
import { SIGNATURE_ALGORITHMS, verifySignature } from './signature-algorithm.js';
import { SignedCursor } from './signed-cursor.js';
import { VERITY_BLOCK, VerityTree } from './verity-tree.js';
import { readCertificate, type Certificate } from './x509.js';

export type IdsigIssueCode =
  | 'idsig-malformed'
  | 'idsig-version'
  | 'idsig-trailing-bytes'
  | 'idsig-hash-algorithm'
  | 'idsig-salt'
  | 'idsig-root-hash'
  | 'idsig-tree'
  | 'idsig-no-block'
  | 'idsig-digest'
  | 'idsig-signer'
  | 'idsig-public-key'
  | 'idsig-algorithm'
  | 'idsig-signature'
  | 'idsig-additional-data'
  | 'idsig-block';

/** `invalid`: it says something that is not so. `open`: not understood, or bytes that no reader looks at. */
export interface IdsigIssueMeaning {
  readonly effect: 'invalid' | 'open';
  readonly text: string;
}

const invalid = (text: string): IdsigIssueMeaning => ({ effect: 'invalid', text });
const open = (text: string): IdsigIssueMeaning => ({ effect: 'open', text });

export const IDSIG_ISSUES = {
  'idsig-malformed': invalid('no v4 signature that a reader could take apart'),
  'idsig-version': open('a v4 signature of another version than 2'),
  'idsig-trailing-bytes': open('bytes that no reader looks at'),
  'idsig-hash-algorithm': open('a hash tree of another kind than SHA-256 over blocks of 4,096 bytes'),
  'idsig-salt': open('a salt, which no known tool writes'),
  'idsig-root-hash': invalid('the root hash is that of another file'),
  'idsig-tree': invalid('the hash tree is that of another file'),
  'idsig-no-block': invalid('the APK has no v2 or v3 signature that a v4 signature could go with'),
  'idsig-digest': invalid("the digest is none of those that the APK's signer signed"),
  'idsig-signer': invalid('signed by another key than the APK'),
  'idsig-public-key': invalid("the public key is not the certificate's"),
  'idsig-algorithm': open('a signature algorithm that is not known'),
  'idsig-signature': invalid('the signature does not hold'),
  'idsig-additional-data': open('additional data, which no reader looks at'),
  'idsig-block': open(
    'a signature for a pair of the signing block that is not known, not there, or named twice',
  ),
} as const satisfies Record<IdsigIssueCode, IdsigIssueMeaning>;

/** `offset` in the `.idsig` file. */
export interface IdsigIssue {
  readonly code: IdsigIssueCode;
  readonly message: string;
  readonly offset: number;
}

export interface IdsigSigner {
  /** Whose signature of the APK it goes with. */
  readonly scheme: SignatureScheme | 'none';
  readonly certificate: Certificate;
}

export interface IdsigCheck {
  readonly status: 'verified' | 'invalid' | 'unchecked';
  readonly signers: readonly IdsigSigner[];
  readonly rootHash: string;
  readonly tree: boolean;
  readonly issues: readonly IdsigIssue[];
}

interface SigningInfo {
  readonly offset: number;
  readonly digest: Buffer;
  readonly certificate: Buffer;
  readonly additionalData: Buffer;
  readonly publicKey: Buffer;
  readonly algorithm: number;
  readonly signature: Buffer;
}

const VERSION = 2;
const SHA256 = 1;
const LOG2_BLOCK = 12;
/** What the kernel takes (V4Signature.MAX_SIGNING_INFOS_SIZE); hashing infos are smaller. */
const MAX_INFOS = 7168;
const MAX_HASHING_INFO = 4096;
const MAX_BLOCKS = 8;
const INVALID: ReadonlySet<IdsigIssueCode> = new Set(
  (Object.keys(IDSIG_ISSUES) as IdsigIssueCode[]).filter((code) => IDSIG_ISSUES[code].effect === 'invalid'),
);

/** `block`: the signing block of the APK. Never throws for what either file holds. */
export function checkIdsig(idsig: ByteSource, apk: ByteSource, block: SigningBlock | undefined): IdsigCheck {
  const issues: IdsigIssue[] = [];
  const add = (code: IdsigIssueCode, offset: number, message: string): void => {
    issues.push({ code, offset, message });
  };
  const signers: IdsigSigner[] = [];
  let rootHash = '';
  let tree = false;
  try {
    const file = readFile(idsig, add);
    rootHash = file.hashing.rootHash.toString('hex');
    tree = file.tree !== undefined;
    checkTree(idsig, file, apk, add);
    const expected = signersOf(apk, block);
    const [first, ...blocks] = file.infos;
    // the newest scheme that Android 11 knew
    const primary = expected.get(PAIR_ID.v3) ?? expected.get(PAIR_ID.v2);
    if (first !== undefined) signers.push(checkInfo(first.info, primary, apk.size, file.hashing, add));
    const seen = new Set<number>();
    for (const { id, info } of blocks) {
      const known = id !== PAIR_ID.v31 || seen.has(id) ? undefined : expected.get(id);
      seen.add(id);
      if (known === undefined)
        add(
          'idsig-block',
          info.offset,
          `pair 0x${id.toString(16).padStart(8, '0')} is not that of a v3.1 signer`,
        );
      signers.push(checkInfo(info, known, apk.size, file.hashing, add));
    }
    if (expected.has(PAIR_ID.v31) && !seen.has(PAIR_ID.v31))
      add('idsig-block', 0, 'the APK has a v3.1 signer, and nothing is signed by it');
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    add('idsig-malformed', error.offset, `${error.code}: ${error.message}`);
  }
  const status = issues.some(({ code }) => INVALID.has(code))
    ? 'invalid'
    : issues.length > 0
      ? 'unchecked'
      : 'verified';
  return { status, signers, rootHash, tree, issues };
}

type Add = (code: IdsigIssueCode, offset: number, message: string) => void;

interface HashingInfo {
  readonly offset: number;
  readonly algorithm: number;
  readonly log2BlockSize: number;
  readonly salt: Buffer;
  readonly rootHash: Buffer;
}

interface IdsigFile {
  readonly hashing: HashingInfo;
  readonly infos: readonly { readonly id: number; readonly info: SigningInfo }[];
  /** Where the tree lies in the file. */
  readonly tree: { readonly offset: number; readonly size: number } | undefined;
}

function readFile(idsig: ByteSource, add: Add): IdsigFile {
  let at = 0;
  const u32 = (what: string): number => {
    if (at + 4 > idsig.size)
      throw new FormatError('idsig', 'truncated', at, `${what} of 4 bytes, ${idsig.size - at} left`);
    at += 4;
    return idsig.read(at - 4, 4).readUInt32LE(0);
  };
  const part = (what: string, limit: number): { readonly cursor: SignedCursor; readonly offset: number } => {
    const size = u32(`size of ${what}`);
    if (size > limit)
      throw new FormatError('idsig', 'too-large', at, `${what} of ${size} bytes, at most ${limit}`);
    if (at + size > idsig.size)
      throw new FormatError('idsig', 'truncated', at, `${what} of ${size} bytes, ${idsig.size - at} left`);
    const offset = at;
    at += size;
    return { cursor: new SignedCursor(Buffer.from(idsig.read(offset, size)), offset), offset };
  };
  const version = u32('version');
  if (version !== VERSION) add('idsig-version', 0, `version ${version}, expected ${VERSION}`);
  const hashing = readHashing(part('hashing info', MAX_HASHING_INFO).cursor, add);
  const { cursor } = part('signing infos', MAX_INFOS);
  const infos = [{ id: 0, info: readInfo(cursor) }];
  while (cursor.left > 0) {
    if (infos.length > MAX_BLOCKS)
      throw new FormatError('idsig', 'too-many-blocks', cursor.offset, `more than ${MAX_BLOCKS} blocks`);
    const id = cursor.u32('block id');
    const inner = cursor.region('signing info');
    infos.push({ id, info: readInfo(inner) });
    if (inner.left > 0)
      add('idsig-trailing-bytes', inner.offset, `${inner.left} bytes behind a signing info`);
  }
  if (at === idsig.size) return { hashing, infos, tree: undefined };
  const size = u32('size of the tree');
  if (at + size > idsig.size)
    throw new FormatError('idsig', 'truncated', at, `tree of ${size} bytes, ${idsig.size - at} left`);
  if (at + size < idsig.size)
    add('idsig-trailing-bytes', at + size, `${idsig.size - at - size} bytes behind the tree`);
  return { hashing, infos, tree: { offset: at, size } };
}

function readHashing(cursor: SignedCursor, add: Add): HashingInfo {
  const { offset } = cursor;
  const algorithm = cursor.u32('hash algorithm');
  const log2BlockSize = cursor.u8('block size');
  const salt = cursor.bytes('salt');
  const rootHash = cursor.bytes('root hash');
  if (cursor.left > 0)
    add('idsig-trailing-bytes', cursor.offset, `${cursor.left} bytes behind the hashing info`);
  return { offset, algorithm, log2BlockSize, salt, rootHash };
}

function readInfo(cursor: SignedCursor): SigningInfo {
  const { offset } = cursor;
  return {
    offset,
    digest: cursor.bytes('APK digest'),
    certificate: cursor.bytes('certificate'),
    additionalData: cursor.bytes('additional data'),
    publicKey: cursor.bytes('public key'),
    algorithm: cursor.u32('algorithm'),
    signature: cursor.bytes('signature'),
  };
}

function checkTree(idsig: ByteSource, { hashing, tree }: IdsigFile, apk: ByteSource, add: Add): void {
  const { offset, algorithm, log2BlockSize, salt, rootHash } = hashing;
  if (algorithm !== SHA256 || log2BlockSize !== LOG2_BLOCK) {
    const text = `algorithm ${algorithm} over blocks of 2^${log2BlockSize} bytes`;
    add('idsig-hash-algorithm', offset, `${text}, expected ${SHA256} and 2^${LOG2_BLOCK}`);
    return;
  }
  if (salt.length > 0) {
    add('idsig-salt', offset, `a salt of ${salt.length} bytes`);
    return;
  }
  const verity = new VerityTree(salt);
  eachChunk(apk, 0, apk.size, (chunk) => verity.push(chunk));
  const { root, levels } = verity.finish();
  if (!root.equals(rootHash))
    add('idsig-root-hash', offset, `root ${rootHash.toString('hex')}, of this file ${root.toString('hex')}`);
  if (tree === undefined) return;
  // topmost level first
  const size = levels.reduce((sum, level) => sum + level.length, 0);
  let at = tree.offset;
  const same =
    size === tree.size &&
    [...levels].reverse().every((level) => {
      at += level.length;
      return idsig.read(at - level.length, level.length).equals(level);
    });
  if (!same)
    add(
      'idsig-tree',
      tree.offset,
      `a tree of ${tree.size} bytes that is not the one of ${size} bytes (${VERITY_BLOCK} a block) over this file`,
    );
}

/** By the id of their pair: Android goes by the first signer of each scheme. */
function signersOf(apk: ByteSource, block: SigningBlock | undefined): Map<number, ExpectedSigner> {
  const found = new Map<number, ExpectedSigner>();
  const schemes = [
    [PAIR_ID.v2, 'v2'],
    [PAIR_ID.v3, 'v3'],
    [PAIR_ID.v31, 'v3.1'],
  ] as const satisfies readonly (readonly [number, SignatureScheme])[];
  for (const [id, scheme] of schemes) {
    const pair = block?.pairs.find((one) => one.id === id);
    if (pair === undefined) continue;
    const [signer] = signersIn(apk, scheme, pair);
    if (signer !== undefined) found.set(id, { scheme, signer });
  }
  return found;
}

/** What is wrong with the signature of the APK is told there. */
function signersIn(
  apk: ByteSource,
  scheme: SignatureScheme,
  { offset, size }: { readonly offset: number; readonly size: number },
): readonly SignerBlock[] {
  try {
    return readSignerBlocks(scheme, Buffer.from(apk.read(offset, size)), offset).signers;
  } catch (error) {
    if (error instanceof FormatError) return [];
    throw error;
  }
}

interface ExpectedSigner {
  readonly scheme: SignatureScheme;
  readonly signer: SignerBlock;
}

function checkInfo(
  info: SigningInfo,
  expected: ExpectedSigner | undefined,
  size: number,
  hashing: HashingInfo,
  add: Add,
): IdsigSigner {
  const at = info.offset;
  const certificate = readCertificate(info.certificate);
  if (!certificate.publicKeyInfo.equals(info.publicKey))
    add('idsig-public-key', at, "the public key is not the certificate's");
  if (info.additionalData.length > 0)
    add('idsig-additional-data', at, `${info.additionalData.length} bytes of additional data`);
  if (expected === undefined) add('idsig-no-block', at, 'no signature of the APK to go with');
  else {
    const { scheme, signer } = expected;
    if (signer.certificates[0]?.equals(info.certificate) !== true)
      add('idsig-signer', at, `signed by ${certificate.sha256}, which is not the ${scheme} signer`);
    if (!signer.digests.some(({ value }) => value.equals(info.digest)))
      add('idsig-digest', at, `digest ${info.digest.toString('hex')} is none of the ${scheme} signer's`);
  }
  const known = SIGNATURE_ALGORITHMS.get(info.algorithm);
  if (known === undefined)
    add('idsig-algorithm', at, `algorithm 0x${info.algorithm.toString(16).padStart(8, '0')}`);
  else {
    const outcome = verifySignature(
      known,
      certificate.publicKey,
      signedData(size, hashing, info),
      info.signature,
    );
    if (outcome !== 'holds') add('idsig-signature', at, `${known.name} does not hold (${outcome})`);
  }
  return { scheme: expected?.scheme ?? 'none', certificate };
}

/** V4Signature.getSignedData: its own size, that of the APK, the hashing info, and the signing info without key. */
function signedData(size: number, hashing: HashingInfo, info: SigningInfo): Buffer {
  const head = Buffer.alloc(17);
  head.writeBigUInt64LE(BigInt(size), 4);
  head.writeUInt32LE(hashing.algorithm, 12);
  head.writeUInt8(hashing.log2BlockSize, 16);
  const parts = [hashing.salt, hashing.rootHash, info.digest, info.certificate, info.additionalData];
  const counted = parts.flatMap((part) => {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(part.length);
    return [length, part];
  });
  const data = Buffer.concat([head, ...counted]);
  data.writeUInt32LE(data.length, 0);
  return data;
}
