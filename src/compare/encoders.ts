// SPDX-License-Identifier: Apache-2.0
/**
 * Which encoder packed the published members that are packed differently. Equal content can be packed in very many ways,
 * and which way was chosen can carry information; where a known encoder gives the same bytes again, it carries none.
 * Nothing here touches an owner or a verdict. Node's zlib is not the vanilla one (it differs in most real streams), `pako`
 * 2 is a port of that (version 3 hashes otherwise and gives other bytes).
 */
import { inflateRawSync } from 'node:zlib';
import type { deflateRaw } from 'pako';
import type { ByteSource } from '../bytes.js';
import type { EncoderFindings, LedgerNode, Member } from './types.js';

/** Decoded bytes that are packed again: of one member, and of all together. */
const MEMBER_BYTES = 256 << 10;
const ALL_BYTES = 1 << 20;
/** What build tools use first. */
const LEVELS = [9, 6, 1, 5, 8, 7, 4, 3, 2] as const;
type Level = (typeof LEVELS)[number];

/** `undefined` where nothing is packed differently. `published`: the bytes of the root. */
export async function nameEncoders(
  nodes: readonly LedgerNode[],
  published: ByteSource,
): Promise<EncoderFindings | undefined> {
  const [root] = nodes;
  const packed = nodes.flatMap((node) => node.members.filter(isRepacked));
  if (root === undefined || packed.length === 0) return undefined;
  // loaded when something is packed differently
  const { deflateRaw: pack } = await import('pako');
  const named = new Map<string, number>();
  let unnamed = 0;
  let tried = 0;
  let left = ALL_BYTES;
  let usual: Level = LEVELS[0];
  for (const member of root.format === 'zip' ? root.members.filter(isRepacked) : []) {
    const { size = 0, offset = 0, storedSize = 0 } = member.published ?? {};
    if (size > MEMBER_BYTES || size > left) continue;
    left -= size;
    tried += 1;
    const level = levelOf(published.read(offset, storedSize), size, usual, pack);
    if (level === undefined) unnamed += 1;
    else {
      usual = level;
      named.set(`zlib level ${level}`, (named.get(`zlib level ${level}`) ?? 0) + 1);
    }
  }
  return {
    named: [...named].sort().map(([encoder, members]) => ({ encoder, members })),
    unnamed,
    untried: packed.length - tried,
  };
}

const isRepacked = (member: Member): boolean =>
  member.data === 'reencoded' && member.published?.encoded === true;

function levelOf(raw: Buffer, size: number, usual: Level, pack: typeof deflateRaw): Level | undefined {
  let content: Buffer;
  try {
    content = inflateRawSync(raw, { maxOutputLength: Math.max(1, size) });
  } catch {
    return undefined;
  }
  const levels = [usual, ...LEVELS.filter((level) => level !== usual)];
  return levels.find((level) => raw.equals(pack(content, { level })));
}
