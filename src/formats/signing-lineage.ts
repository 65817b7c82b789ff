// SPDX-License-Identifier: Apache-2.0
/**
 * The proof of rotation of APK Signature Scheme v3: each certificate is signed for by the one before it, from the oldest
 * to the one that signs now. Parsed to its last byte; each signature is checked.
 * https://source.android.com/docs/security/features/apksigning/v3#proof-of-rotation-and-self-trusted-old-certs-structs
 *
 *   u32 version · nodes: u32 size, { signed data: certificate, u32 algorithm of the parent }, u32 flags,
 *   u32 algorithm for the next node, signature by the parent over the signed data
 */
import { FormatError } from '../errors.js';
import { SIGNATURE_ALGORITHMS, verifySignature } from './signature-algorithm.js';
import { SignedCursor, type Close } from './signed-cursor.js';
import { readCertificate, type Certificate } from './x509.js';

/** What an older key may still do; apksig's names (SigningCertificateLineage.SignerCapabilities). */
export const CAPABILITIES = [
  [0x01, 'installed-data'],
  [0x02, 'shared-uid'],
  [0x04, 'permission'],
  [0x08, 'rollback'],
  [0x10, 'auth'],
] as const;
export type Capability = (typeof CAPABILITIES)[number][1];

export interface LineageNode {
  readonly certificate: Certificate;
  readonly capabilities: readonly Capability[];
  readonly offset: number;
}

/** Oldest first; the last one signs. */
export interface SigningLineage {
  readonly nodes: readonly LineageNode[];
  readonly issues: readonly {
    readonly code: LineageIssue;
    readonly message: string;
    readonly offset: number;
  }[];
}

export type LineageIssue =
  'lineage-signature' | 'lineage-algorithm' | 'lineage-repeated' | 'lineage-free-bytes';

const VERSION = 1;
const MAX_NODES = 32;

/**
 * `value` of the attribute, at `offset` of the file. `useKeys: false`: without checking signatures.
 * @throws FormatError `apk-signature/lineage-version`, `…/lineage-size`, and what certificates throw
 */
export function readLineage(value: Buffer, offset: number, useKeys: boolean, close: Close): SigningLineage {
  const cursor = new SignedCursor(value, offset);
  const version = cursor.u32('lineage version');
  if (version !== VERSION)
    throw new FormatError(
      'apk-signature',
      'lineage-version',
      offset,
      `version ${version}, expected ${VERSION}`,
    );
  const nodes: LineageNode[] = [];
  const issues: SigningLineage['issues'][number][] = [];
  const add = (code: LineageIssue, at: number, message: string): void =>
    void issues.push({ code, message, offset: at });
  let parentAlgorithm = 0;
  while (cursor.left > 0) {
    if (nodes.length === MAX_NODES)
      throw new FormatError('apk-signature', 'lineage-size', cursor.offset, `more than ${MAX_NODES} nodes`);
    const at = cursor.offset;
    const node = cursor.region('lineage node');
    const signed = node.region('signed data of a lineage node');
    const flags = node.u32('lineage flags');
    const algorithm = node.u32('lineage algorithm');
    const signature = node.bytes('lineage signature');
    close(node);
    const certificate = readCertificate(signed.bytes('lineage certificate'));
    const signedAlgorithm = signed.u32('algorithm of the parent');
    close(signed);
    const parent = nodes.at(-1)?.certificate;
    if (signedAlgorithm !== parentAlgorithm)
      add(
        'lineage-algorithm',
        at,
        `the node is signed with algorithm ${signedAlgorithm}, its parent names ${parentAlgorithm}`,
      );
    if (parent === undefined) {
      // nobody signs for the oldest one
      if (signature.length > 0)
        add('lineage-free-bytes', at, `a signature of ${signature.length} bytes for the oldest certificate`);
    } else if (useKeys) verifyNode(parent, signedAlgorithm, signed.whole, signature, at, add);
    if (nodes.some((other) => other.certificate.sha256 === certificate.sha256))
      add('lineage-repeated', at, `certificate ${certificate.sha256} occurs twice`);
    const capabilities = CAPABILITIES.filter(([bit]) => (flags & bit) !== 0);
    const unknown = capabilities.reduce((left, [bit]) => left & ~bit, flags);
    if (unknown !== 0) add('lineage-free-bytes', at, `flags 0x${(unknown >>> 0).toString(16)} are not known`);
    nodes.push({ certificate, capabilities: capabilities.map(([, name]) => name), offset: at });
    parentAlgorithm = algorithm;
  }
  if (nodes.length === 0)
    throw new FormatError('apk-signature', 'lineage-size', offset, 'a lineage without nodes');
  if (parentAlgorithm !== 0)
    add('lineage-free-bytes', offset, `the last node names algorithm ${parentAlgorithm} for a next one`);
  return { nodes, issues };
}

function verifyNode(
  parent: Certificate,
  id: number,
  signed: Buffer,
  signature: Buffer,
  at: number,
  add: (code: LineageIssue, at: number, message: string) => void,
): void {
  const algorithm = SIGNATURE_ALGORITHMS.get(id);
  if (algorithm === undefined) return add('lineage-algorithm', at, `algorithm ${id} is not known`);
  const outcome = verifySignature(algorithm, parent.publicKey, signed, signature);
  if (outcome !== 'holds')
    add('lineage-signature', at, `${algorithm.name} by ${parent.sha256} does not hold (${outcome})`);
}
