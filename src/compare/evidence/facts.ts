// SPDX-License-Identifier: Apache-2.0
/** What a file says about the environment that made it, collected: each value once, with one member that says it. */
import type { EvidenceKind } from '../types.js';

export interface EvidenceFact {
  readonly from: EvidenceKind;
  /** Printable. */
  readonly value: string;
  /** One of the members that say it, the first by name; absent: the file as a whole says it. */
  readonly member?: string;
  readonly members: number;
}

const MAX_VALUE = 300;
/** Different values of one kind in one file; what is more is counted. */
const MAX_VALUES = 200;

interface Seen {
  member: string | undefined;
  members: number;
}

export class FactCollector {
  readonly #kinds = new Map<EvidenceKind, Map<string, Seen>>();
  readonly #beyond = new Map<EvidenceKind, number>();

  /** `value` and `member` are printable. */
  add(from: EvidenceKind, value: string, member?: string): void {
    const text = value.length > MAX_VALUE ? `${value.slice(0, MAX_VALUE)}…` : value;
    if (text === '') return;
    const values = this.#kinds.get(from) ?? new Map<string, Seen>();
    this.#kinds.set(from, values);
    const seen = values.get(text);
    if (seen !== undefined) {
      seen.members++;
      if (member !== undefined && (seen.member === undefined || member < seen.member)) seen.member = member;
    } else if (values.size < MAX_VALUES) values.set(text, { member, members: 1 });
    else this.#beyond.set(from, (this.#beyond.get(from) ?? 0) + 1);
  }

  /** By kind in the order of the first found, then by value. */
  facts(): EvidenceFact[] {
    return [...this.#kinds].flatMap(([from, values]) =>
      [...values]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([value, { member, members }]) => ({
          from,
          value,
          ...(member === undefined ? {} : { member }),
          members,
        })),
    );
  }

  /** How often a further value was not kept, by kind. */
  beyond(): ReadonlyMap<EvidenceKind, number> {
    return this.#beyond;
  }
}
