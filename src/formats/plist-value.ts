// SPDX-License-Identifier: Apache-2.0
/** What a property list can hold, and what both readers of it share. */

export interface PlistEntry {
  readonly key: string;
  readonly value: PlistValue;
}

export type PlistValue =
  /** In the order of the file; a key may be there twice, which is then a finding. */
  | { readonly kind: 'dict'; readonly entries: readonly PlistEntry[] }
  | { readonly kind: 'array' | 'set'; readonly items: readonly PlistValue[] }
  /** UTF-16 code units, as stored. */
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'integer' | 'uid'; readonly value: bigint }
  | { readonly kind: 'real'; readonly value: number; readonly bits: 32 | 64 }
  | { readonly kind: 'boolean'; readonly value: boolean }
  /** Seconds from the beginning of 2001, UTC. */
  | { readonly kind: 'date'; readonly seconds: number }
  | { readonly kind: 'data'; readonly value: Buffer };

/** What nobody's writer leaves behind: room for bytes that no value shows, or two ways to take the file. */
export type PlistFindingCode =
  /** A second value under a key: readers take the first or the last. */
  | 'duplicate-key'
  /** Bytes of no object. */
  | 'gap'
  /** An object that nothing refers to. */
  | 'unreferenced'
  /** A length, number, text or reference that takes more bytes than it needs. */
  | 'not-minimal'
  /** Unused bytes of the trailer are not zero. */
  | 'trailer'
  | 'comment'
  | 'byte-order-mark'
  /** A document type other than Apple's. */
  | 'doctype'
  /** Bits of base64 that belong to no byte. */
  | 'base64-slack';

export interface PlistFinding {
  readonly code: PlistFindingCode;
  readonly offset: number;
  readonly length: number;
  readonly detail: string;
}

export interface PlistDocument {
  readonly form: 'binary' | 'xml';
  readonly root: PlistValue;
  /** The first ones; `findingsCut` more were found. */
  readonly findings: readonly PlistFinding[];
  readonly findingsCut: number;
}

/** Values inside of values. */
export const MAX_PLIST_DEPTH = 256;
/** Values of a document, one for each place that shows it: objects may be shared many times over. */
export const MAX_PLIST_VALUES = 2_000_000;
const MAX_FINDINGS = 100;

export function isBinaryPlist(bytes: Buffer): boolean {
  return bytes.length >= 8 && bytes.toString('latin1', 0, 6) === 'bplist';
}

export class PlistFindings {
  readonly kept: PlistFinding[] = [];
  cut = 0;

  add(code: PlistFindingCode, offset: number, length: number, detail: string): void {
    if (this.kept.length < MAX_FINDINGS) this.kept.push({ code, offset, length, detail });
    else this.cut++;
  }
}
