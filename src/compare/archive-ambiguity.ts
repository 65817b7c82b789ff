// SPDX-License-Identifier: Apache-2.0
/**
 * What of a published archive of APKs an installer may take otherwise than we do: some read it from its beginning to its
 * end and never see the directory. An app that only such a reader finds is published like any other.
 */
import type { ByteSource } from '../bytes.js';
import type { ZipAmbiguity } from '../formats/zip-code.js';
import type { Extent, ZipEntry, ZipStructure } from '../formats/zip.js';
import { openZipSide } from './zip/zip-side.js';

export interface ArchiveAmbiguity {
  /** Entries that have other content or another name for somebody, and by which codes. */
  readonly entries: ReadonlyMap<ZipEntry, string>;
  /** Bytes that the directory does not speak of, with records in them. */
  readonly hidden: readonly (Extent & { readonly codes: string })[];
}

/** Times are no content, streams end where the directory says; what comes again or is hidden is a member of its own. */
const TOLD_APART: ReadonlySet<ZipAmbiguity> = new Set<ZipAmbiguity>([
  'zip/local-time',
  'zip/descriptor-stored',
  'zip/descriptor-zip64',
  'zip/duplicate-name',
  'zip/orphan-entry',
  'zip/directory-gap',
]);
const RECORDS: ReadonlySet<ZipAmbiguity> = new Set<ZipAmbiguity>([
  'zip/orphan-entry',
  'zip/records-in-gap',
  'zip/directory-gap',
]);

export function archiveAmbiguity(source: ByteSource, zip: ZipStructure): ArchiveAmbiguity {
  const { gaps, ambiguities } = openZipSide('published', source, zip, true);
  const entries = new Map<ZipEntry, string>();
  for (const [entry, found] of ambiguities.contested) {
    const codes = [...found].filter((code) => !TOLD_APART.has(code));
    if (codes.length > 0) entries.set(entry, codes.sort().join(', '));
  }
  const hidden = gaps.flatMap(({ offset, size }) => {
    const codes = new Set(
      ambiguities.elsewhere
        .filter((seen) => RECORDS.has(seen.code) && seen.offset >= offset && seen.offset < offset + size)
        .map(({ code }) => code),
    );
    return codes.size === 0 ? [] : [{ offset, size, codes: [...codes].sort().join(', ') }];
  });
  return { entries, hidden };
}
