// SPDX-License-Identifier: Apache-2.0
/**
 * What the signing tools do to the layout of an APK, run again on the rebuilt file without its own signature, with the
 * published signature's entries where they lie. Where one of them explains every offset and every extra field of the
 * published file, the padding that it wrote is part of the signature.
 *
 * https://android.googlesource.com/platform/tools/apksig/+/refs/heads/main/src/main/java/com/android/apksig/ApkSigner.java
 * https://android.googlesource.com/platform/build/+/refs/heads/main/tools/zipalign/ZipAlign.cpp
 */
import type { ByteSource } from '../../bytes.js';
import type { ZipEntry } from '../../formats/zip.js';
import { alignedByField, alignedByZeros, PLAIN, type LayoutProfile } from './layout-profiles.js';
import { isVirtualEntry, virtualEntrySize } from './virtual-entry.js';
import { rawNameOf, type ZipSide } from './zip-side.js';

/** Tried in this order, so that the first of those that give the same bytes is named. */
const PROFILES: readonly LayoutProfile[] = [
  PLAIN,
  alignedByZeros('zipalign 4', 4, 'added'),
  alignedByZeros('zipalign -p 4', 4096, 'added'),
  alignedByZeros('zipalign -P 16 4', 16384, 'added'),
  alignedByZeros('zipflinger 4', 4096, 'replaced'),
  alignedByZeros('zipflinger 16', 16384, 'replaced'),
  alignedByField('apksigner-31', 4096, 'where moved'),
  alignedByField('apksigner-35', 16384, 'always'),
  alignedByField('apksigner-35 --lib-page-alignment 4096', 4096, 'always'),
];

/** Where the next bytes of the file that is made come from. */
export type Placed =
  /** An entry of the rebuilt file, with this extra field. `target`: its twin, the index of which is `published`. */
  | {
      readonly kind: 'rebuilt';
      readonly entry: ZipEntry;
      readonly index: number;
      readonly published: number;
      readonly offset: number;
      readonly extra: Buffer;
    }
  /** An entry of the published signature, as it is. */
  | { readonly kind: 'taken'; readonly entry: ZipEntry; readonly published: number; readonly offset: number };

export interface Layout {
  readonly profile: string;
  /** Bytes in front that zipflinger leaves where it removed its own manifest; 0 without. */
  readonly prefix: number;
  /** In data order. */
  readonly placed: readonly Placed[];
  /** End of the last entry. */
  readonly end: number;
}

/** Why a profile does not give the published layout: the first place, by offset in the published file. */
export interface LayoutMiss {
  readonly profile: string;
  readonly offset: number;
  readonly why: string;
}

export type LayoutSearch =
  { readonly layout: Layout } | { readonly layout: undefined; readonly misses: readonly LayoutMiss[] };

/** What signing adds to the published file, and what it takes the place of in the rebuilt one; by index of entry. */
export interface SignatureEntries {
  readonly taken: ReadonlySet<number>;
  readonly dropped: ReadonlySet<number>;
}

const NOTHING = Buffer.alloc(0);

export function localExtra(source: ByteSource, entry: ZipEntry): Buffer {
  if (entry.localExtraLength === 0) return NOTHING;
  return Buffer.from(source.read(entry.localOffset + 30 + entry.localNameLength, entry.localExtraLength));
}

/** The first profile that, applied to the rebuilt side alone, yields the published side's offsets and extra fields. */
export function findLayout(published: ZipSide, rebuilt: ZipSide, signature: SignatureEntries): LayoutSearch {
  const prefix = virtualEntrySize(published);
  const unexplained =
    published.gaps.find((gap) => !isVirtualEntry(published, gap)) ??
    rebuilt.gaps.find((gap) => !isVirtualEntry(rebuilt, gap));
  if (unexplained !== undefined) {
    const side = published.gaps.includes(unexplained) ? 'published' : 'rebuilt';
    const why = `${unexplained.size} bytes of the ${side} file that no record owns`;
    return { layout: undefined, misses: [{ profile: 'any', offset: unexplained.offset, why }] };
  }
  const misses: LayoutMiss[] = [];
  for (const profile of PROFILES) {
    const found = applyProfile(profile, published, rebuilt, signature, prefix);
    if ('placed' in found) return { layout: found };
    misses.push(found);
    // other entries, or another order of them, are so with each profile
    if (found.why.startsWith('entry ')) break;
  }
  return { layout: undefined, misses };
}

function applyProfile(
  profile: LayoutProfile,
  published: ZipSide,
  rebuilt: ZipSide,
  { taken, dropped }: SignatureEntries,
  prefix: number,
): Layout | LayoutMiss {
  const placed: Placed[] = [];
  const own = rebuilt.zip.dataOrder.filter((index) => !dropped.has(index));
  let next = 0;
  let offset = prefix;
  const miss = (at: number, why: string): LayoutMiss => ({ profile: profile.name, offset: at, why });
  for (const targetIndex of published.zip.dataOrder) {
    const target = published.zip.entries[targetIndex];
    if (target === undefined) continue;
    if (target.localOffset !== offset)
      return miss(target.localOffset, `an entry begins here, expected at ${offset}`);
    if (taken.has(targetIndex)) {
      placed.push({ kind: 'taken', entry: target, published: targetIndex, offset });
      offset = target.end;
      continue;
    }
    const index = own[next++] ?? -1;
    const entry = rebuilt.zip.entries[index];
    if (entry === undefined) return miss(offset, 'entry that the rebuilt file does not have');
    if (!target.rawName.equals(entry.rawName))
      return miss(offset, 'entry that the rebuilt file does not have in this place');
    const original = localExtra(rebuilt.source, entry);
    const extra = profile.extra({ name: rawNameOf(entry), entry, original, offset });
    if (!extra.equals(localExtra(published.source, target)))
      return miss(
        offset + 30 + entry.localNameLength,
        `an extra field of ${target.localExtraLength} bytes, the profile writes ${extra.length}`,
      );
    placed.push({ kind: 'rebuilt', entry, index, published: targetIndex, offset, extra });
    offset += entry.end - entry.localOffset + extra.length - original.length;
  }
  if (next < own.length) return miss(offset, 'entry of the rebuilt file is not there');
  return {
    profile: prefix === 0 ? profile.name : `${profile.name}, zipflinger`,
    prefix,
    placed,
    end: offset,
  };
}
