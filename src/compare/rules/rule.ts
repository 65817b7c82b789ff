// SPDX-License-Identifier: Apache-2.0
/** A named, anchored, reasoned, size-bounded region or entry that is left out of the verdict. */
import type { ByteSource } from '../../bytes.js';
import type { ZipEntry, ZipStructure } from '../../formats/zip.js';
import type { RuleClass } from '../../model.js';
import type { Side } from '../types.js';

export interface Rule {
  readonly class: RuleClass;
  readonly title: string;
  readonly reason: string;
  readonly reference: string;
  /** Of class `signature`: bytes that nobody can verify, so that they are left out; `partly` beside others that are verified. */
  readonly excludes?: 'always' | 'partly';
  /**
   * `store-edit` rules over ZIP entries: full-match name, content check and size bound in one.
   * @param stamps SHA-256 of the certificates of the source stamps in the signing block of that side
   */
  readonly coversEntry?: (
    source: ByteSource,
    entry: ZipEntry,
    stamps: readonly string[],
    zip: ZipStructure,
  ) => boolean;
  /** As `coversEntry`, of an entry that one side has alone. */
  readonly coversAlone?: Rule['coversEntry'];
  /** `store-edit` rules over the content of an entry that both sides have; its container records are compared as ever. */
  readonly content?: ContentRule;
}

/** One entry's content before and after an edit of the store. */
export interface ContentRule {
  /** Of the raw name as Latin-1; anchored at both ends. */
  readonly name: RegExp;
  /** Decoded bytes of the larger side. */
  readonly limit: number;
  /** All of the content, or only the bytes that differ at one place of both sides. */
  readonly leavesOut: 'content' | 'differing-bytes';
  /** The edit, and nothing else, lies between these two; both sides are treated alike. */
  readonly covers: (published: Buffer, rebuilt: Buffer, archives?: EntryArchives) => boolean;
}

/** What lies around the two contents, for a rule about files that say something of others. */
export interface EntryArchives extends Readonly<
  Record<Side, { readonly source: ByteSource; readonly zip: ZipStructure }>
> {
  /** Of the entry on both sides, as UTF-8. */
  readonly name: string;
}
