// SPDX-License-Identifier: Apache-2.0
/** What a container format brings along: recognition, a parser, a comparison of its records. */
import type { ByteSource } from '../bytes.js';
import type { LedgerNode } from './types.js';
import type { Place, Walk } from './walk.js';

/** A structure with the bytes that it describes. */
export interface Opened<Structure> {
  readonly source: ByteSource;
  readonly structure: Structure;
}

export interface Container<Structure> {
  readonly format: string;
  /** By content, never by name; cheap. */
  recognizes(source: ByteSource): boolean;
  /** @throws FormatError when the bytes are not exactly one such container */
  parse(source: ByteSource): Structure;
  /** Gives every byte of both sides an owner. */
  compare(
    walk: Walk,
    published: Opened<Structure>,
    rebuilt: Opened<Structure>,
    place: Place,
    index: number,
  ): Promise<LedgerNode>;
}
