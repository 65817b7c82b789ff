// SPDX-License-Identifier: Apache-2.0
/** What the bytes of a ZIP archive are for: sums that add up to the size of the file. */
import type { ByteSource } from '../../bytes.js';
import type { SigningBlock } from '../../formats/apk-signing-block.js';
import type { ZipSide } from '../zip/zip-side.js';
import { REGION_KINDS, type ByteRegion, type RegionKind } from './types.js';

const LOCAL_HEADER = 30;
const DIRECTORY_HEADER = 46;
const ALIGNMENT_EXTRA = 0xd935;

/** In the order of `REGION_KINDS`; kinds that do not occur are left out. */
export function byteMap(source: ByteSource, { zip, gaps, block, signature }: ZipSide): ByteRegion[] {
  const sums = new Map<RegionKind, { count: number; bytes: number }>();
  const add = (kind: RegionKind, bytes: number, count = 1): void => {
    if (bytes === 0) return;
    const sum = sums.get(kind) ?? { count: 0, bytes: 0 };
    sums.set(kind, { count: sum.count + count, bytes: sum.bytes + bytes });
  };
  for (const entry of zip.entries) {
    add('local-header', LOCAL_HEADER);
    add('local-name', entry.localNameLength);
    const at = entry.dataOffset - entry.localExtraLength;
    if (entry.localExtraLength > 0)
      add(
        onlyAligns(source.read(at, entry.localExtraLength)) ? 'padding' : 'local-extra',
        entry.localExtraLength,
      );
    add('data', entry.compressedSize);
    add('descriptor', entry.descriptorSize);
    add('directory-header', DIRECTORY_HEADER);
    add('directory-name', entry.cdNameLength);
    add('directory-extra', entry.cdExtraLength);
    add('directory-comment', entry.cdSize - DIRECTORY_HEADER - entry.cdNameLength - entry.cdExtraLength);
  }
  for (const { size } of gaps) add('gap', size);
  if (block !== undefined) {
    add('page-fill', block.fill);
    addBlock(signature.block, add);
  }
  add('zip64-end', zip.zip64?.size ?? 0);
  add('end', zip.end.size);
  add('comment', zip.comment.size);
  return Object.keys(REGION_KINDS).flatMap((name) => {
    const kind = name as RegionKind;
    const sum = sums.get(kind);
    return sum === undefined ? [] : [{ kind, ...sum }];
  });
}

function addBlock(
  block: SigningBlock | undefined,
  add: (kind: RegionKind, bytes: number, count?: number) => void,
): void {
  if (block === undefined) return;
  const pairs = block.pairs.reduce((sum, { size }) => sum + 12 + size, 0);
  add('signing-block-pair', pairs, block.pairs.length);
  add('signing-block', block.size - pairs);
}

/** Zeros, or one field of the kind that apksigner aligns with, with a body of zeros behind its two bytes of alignment. */
function onlyAligns(extra: Buffer): boolean {
  if (extra.every((byte) => byte === 0)) return true;
  return (
    extra.length >= 6 &&
    extra.readUInt16LE(0) === ALIGNMENT_EXTRA &&
    extra.readUInt16LE(2) === extra.length - 4 &&
    extra.subarray(6).every((byte) => byte === 0)
  );
}
