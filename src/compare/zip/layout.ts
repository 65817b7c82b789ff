// SPDX-License-Identifier: Apache-2.0
/**
 * What the signing tools do to the layout of an APK, run again on the rebuilt file. Where one of them explains every
 * offset and every extra field of the published file, the padding that it wrote is part of the signature.
 *
 * https://android.googlesource.com/platform/tools/apksig/+/refs/heads/main/src/main/java/com/android/apksig/ApkSigner.java
 * https://android.googlesource.com/platform/build/+/refs/heads/main/tools/zipalign/ZipAlign.cpp
 */
import type { ByteSource } from '../../bytes.js';
import type { ZipEntry } from '../../formats/zip.js';
import { rawNameOf, type ZipSide } from './zip-side.js';

export interface LayoutProfile {
  readonly name: string;
  /** The local extra field that the tool writes for this entry when its local header starts at `offset`. */
  readonly extra: (entry: ZipEntry, original: Buffer, offset: number) => Buffer;
}

/** zipalign pads the extra field of stored entries with zeros. */
function zipalign(name: string, libraries: number): LayoutProfile {
  return {
    name,
    extra(entry, original, offset) {
      if (entry.method !== 0) return original;
      const alignment = rawNameOf(entry).endsWith('.so') ? libraries : 4;
      const data = offset + 30 + entry.localNameLength + original.length;
      return Buffer.concat([original, Buffer.alloc((alignment - (data % alignment)) % alignment)]);
    },
  };
}

/** apksigner from 35 on replaces all padding by a 0xd935 field (createExtraFieldToAlignData). */
const apksigner35: LayoutProfile = {
  name: 'apksigner-35',
  extra(entry, original, offset) {
    if (entry.method !== 0) return original;
    const alignment = rawNameOf(entry).endsWith('.so') ? 16384 : 4;
    const kept: Buffer[] = [];
    for (let at = 0; at + 4 <= original.length;) {
      const id = original.readUInt16LE(at);
      const size = original.readUInt16LE(at + 2);
      if (at + 4 + size > original.length) break;
      if (!(id === 0 && size === 0) && id !== 0xd935) kept.push(original.subarray(at, at + 4 + size));
      at += 4 + size;
    }
    const fields = Buffer.concat(kept);
    const smallest = offset + 30 + entry.localNameLength + fields.length + 6;
    const zeros = (alignment - (smallest % alignment)) % alignment;
    const field = Buffer.alloc(6 + zeros);
    field.writeUInt16LE(0xd935, 0);
    field.writeUInt16LE(2 + zeros, 2);
    field.writeUInt16LE(alignment, 4);
    return Buffer.concat([fields, field]);
  },
};

const NOTHING = Buffer.alloc(0);
const PLAIN: LayoutProfile = { name: 'plain', extra: (_entry, original) => original };

/** Tried in this order. `plain` covers every signer that leaves the layout alone (apksigner before 35 on aligned input). */
const PROFILES: readonly LayoutProfile[] = [
  PLAIN,
  zipalign('zipalign', 4),
  zipalign('zipalign -p', 4096),
  zipalign('zipalign -P 16', 16384),
  apksigner35,
];

export interface Layout {
  readonly profile: string;
  /** By index in the rebuilt side's data order: where the local header goes and the extra field that it gets. */
  readonly placed: readonly { readonly entry: ZipEntry; readonly offset: number; readonly extra: Buffer }[];
  /** End of the last entry. */
  readonly end: number;
}

export function localExtra(source: ByteSource, entry: ZipEntry): Buffer {
  if (entry.localExtraLength === 0) return NOTHING;
  return Buffer.from(source.read(entry.localOffset + 30 + entry.localNameLength, entry.localExtraLength));
}

/**
 * The first profile that, applied to the rebuilt side alone, yields the published side's offsets and extra fields.
 * `undefined` when none does: other entries, another order, bytes between entries.
 */
export function findLayout(published: ZipSide, rebuilt: ZipSide): Layout | undefined {
  const count = published.zip.entries.length;
  if (count !== rebuilt.zip.entries.length) return undefined;
  if (published.gaps.length > 0 || rebuilt.gaps.length > 0) return undefined;
  for (const profile of PROFILES) {
    const layout = applyProfile(profile, published, rebuilt);
    if (layout !== undefined) return layout;
  }
  return undefined;
}

function applyProfile(profile: LayoutProfile, published: ZipSide, rebuilt: ZipSide): Layout | undefined {
  const placed: Layout['placed'][number][] = [];
  let offset = 0;
  for (const [position, index] of rebuilt.zip.dataOrder.entries()) {
    const entry = rebuilt.zip.entries[index];
    const target = published.zip.entries[published.zip.dataOrder[position] ?? -1];
    if (
      entry === undefined ||
      target === undefined ||
      target.localOffset !== offset ||
      !target.rawName.equals(entry.rawName)
    )
      return undefined;
    const original = localExtra(rebuilt.source, entry);
    const extra = profile.extra(entry, original, offset);
    if (extra.length !== target.localExtraLength || !extra.equals(localExtra(published.source, target)))
      return undefined;
    placed.push({ entry, offset, extra });
    offset += entry.end - entry.localOffset + extra.length - original.length;
  }
  return { profile: profile.name, placed, end: offset };
}
