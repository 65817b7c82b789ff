// SPDX-License-Identifier: Apache-2.0
/**
 * Every place where two readers of a ZIP archive can disagree, by a stable code; `docs/zip.md` is the table.
 * Specification: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT (6.3.10)
 */

/** Seen while one entry's local header, descriptor and extra fields are read; at most 31, one bit each. */
export const RECORD_CODES = [
  'zip/local-name',
  'zip/local-flags',
  'zip/local-level',
  'zip/local-method',
  'zip/local-time',
  'zip/local-crc32',
  'zip/local-compressed-size',
  'zip/local-size',
  'zip/local-version-needed',
  'zip/local-extra',
  'zip/descriptor-missing',
  'zip/descriptor-and-sizes',
  'zip/descriptor-unsigned',
  'zip/descriptor-ambiguous',
  'zip/descriptor-zip64',
  'zip/descriptor-stored',
  'zip/zip64-extra-unneeded',
  'zip/zip64-extra-length',
  'zip/zip64-local',
  'zip/extra-malformed',
  'zip/extra-repeated',
  'zip/extra-unicode-path',
  'zip/extra-unicode-comment',
  'zip/padding-not-zero',
] as const;
export type RecordCode = (typeof RECORD_CODES)[number];

/** Seen in one name by itself. */
export const NAME_CODES = [
  'zip/name-empty',
  'zip/name-nul',
  'zip/name-control',
  'zip/name-parent',
  'zip/name-absolute',
  'zip/name-backslash',
  'zip/name-dot',
  'zip/name-not-utf8',
  'zip/name-not-flagged',
] as const;
export type NameCode = (typeof NAME_CODES)[number];

/** Seen in the central directory as a whole, between the records, or in a stream that was decoded. */
const OTHER_CODES = [
  'zip/duplicate-name',
  'zip/normalised-collision',
  'zip/case-collision',
  'zip/file-and-directory',
  'zip/encrypted',
  'zip/reserved-flags',
  'zip/unknown-method',
  'zip/version-needed',
  'zip/stored-size',
  'zip/impossible-size',
  'zip/directory-with-data',
  'zip/directory-attribute',
  'zip/symlink',
  'zip/special-file',
  'zip/entry-comment',
  'zip/archive-comment',
  'zip/no-entries',
  'zip/prefix',
  'zip/prefix-executable',
  'zip/gap',
  'zip/virtual-entry',
  'zip/orphan-entry',
  'zip/records-in-gap',
  'zip/directory-gap',
  'zip/trailing-bytes',
  'zip/zip64-end-unneeded',
  'zip/zip64-end-extended',
  'zip/zip64-missing',
  'zip/zip64-disk-count',
  'zip/deflate-slack',
  'zip/deflate-empty-block',
  'zip/deflate-padding-bits',
  'zip/deflate-oversize',
] as const;

/** What `readZip` refuses: such a file is compared as plain bytes. */
export const REFUSALS = [
  'no-end-record',
  'ambiguous-end-record',
  'multi-disk',
  'entry-count',
  'too-many-entries',
  'number-too-large',
  'zip64',
  'directory-out-of-range',
  'directory-too-large',
  'directory-truncated',
  'bad-directory-record',
  'local-header-out-of-range',
  'no-local-header',
  'data-out-of-range',
  'overlap',
] as const;
export type ZipRefusal = (typeof REFUSALS)[number];

export const AMBIGUITIES = [...RECORD_CODES, ...NAME_CODES, ...OTHER_CODES] as const;
export type ZipAmbiguity = (typeof AMBIGUITIES)[number];

/** All that can be said of a ZIP archive beside its bytes. */
export type ZipCode = ZipAmbiguity | `zip/${ZipRefusal}`;

export function isRefusal(code: string): code is `zip/${ZipRefusal}` {
  return REFUSALS.some((refusal) => code === `zip/${refusal}`);
}

/**
 * Two readers can get other content, or another name for it, out of the same entry: bytes that differ there are never
 * merely packed in another way, and no rule leaves them out.
 */
export const CONTESTED: ReadonlySet<ZipAmbiguity> = new Set<ZipAmbiguity>([
  'zip/local-name',
  'zip/local-flags',
  'zip/local-method',
  'zip/local-time',
  'zip/local-crc32',
  'zip/local-compressed-size',
  'zip/local-size',
  'zip/descriptor-missing',
  'zip/descriptor-ambiguous',
  'zip/descriptor-zip64',
  'zip/descriptor-stored',
  'zip/zip64-extra-length',
  'zip/zip64-local',
  'zip/extra-unicode-path',
  'zip/name-nul',
  'zip/duplicate-name',
  'zip/stored-size',
  'zip/impossible-size',
]);
