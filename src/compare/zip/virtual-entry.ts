// SPDX-License-Identifier: Apache-2.0
/**
 * The virtual entry that zipflinger leaves at the start of an APK when it signs with v1: a local header without name and
 * without directory record, in the room of the manifest entry that it wrote first and then removed. So its size follows
 * from the main attributes of the published manifest.
 * https://android.googlesource.com/platform/tools/base/+/refs/heads/main/zipflinger/src/com/android/zipflinger/LocalFileHeader.java
 */
import type { Extent } from '../../formats/zip.js';
import type { ZipSide } from './zip-side.js';

const HEADER = 30;
const NAME = 'META-INF/MANIFEST.MF';
/** 1 January 1981, 01:01:02. */
const TIME = 0x02210821;
const LARGEST = 4096;

/** `size` bytes of it. */
export function virtualEntry(size: number): Buffer {
  const entry = Buffer.alloc(size);
  entry.writeUInt32LE(0x04034b50, 0);
  entry.writeUInt32LE(TIME, 10);
  entry.writeUInt16LE(size - HEADER, 28);
  return entry;
}

/** 0 without one. */
export function virtualEntrySize(side: ZipSide): number {
  return side.gaps.find((gap) => isVirtualEntry(side, gap))?.size ?? 0;
}

export function isVirtualEntry({ source, mainAttributes }: ZipSide, { offset, size }: Extent): boolean {
  if (offset !== 0 || size < HEADER || size > LARGEST) return false;
  // as long as the entry that was there: stored, without extra field
  if (mainAttributes === undefined || size !== HEADER + NAME.length + mainAttributes) return false;
  return source.read(0, size).equals(virtualEntry(size));
}
