// SPDX-License-Identifier: Apache-2.0
/** Two ledgers, one per side: every byte of both gets exactly one owner (see ARCHITECTURE.md, "The ledger"). */
import type { RuleName } from '../model.js';
import { OWNERS, type Owner, type Run, type SideLedger } from './types.js';

const RANK: Readonly<Record<Owner, number>> = {
  identical: 0,
  signature: 1,
  reencoded: 2,
  excluded: 3,
  encrypted: 4,
  unread: 5,
  missing: 6,
  different: 7,
};

/** The worse of the given owners; `different` and `missing` weigh the same, the first one given stays. */
export function worst(...owners: readonly Owner[]): Owner {
  let result: Owner = 'identical';
  for (const owner of owners) if (weight(owner) > weight(result)) result = owner;
  return result;
}

function weight(owner: Owner): number {
  return Math.min(RANK[owner], RANK.missing);
}

/** True when `a` is strictly worse than `b`. */
export function isWorse(a: Owner, b: Owner): boolean {
  return weight(a) > weight(b);
}

/** What a difference is called on each side: a published byte is `different`, a rebuilt byte without partner `missing`. */
export function oneSided(side: 'published' | 'rebuilt'): Owner {
  return side === 'published' ? 'different' : 'missing';
}

const NO_MEMBER = -1;

/**
 * Collects the owners of one side's bytes in any order and tiles them. Neighbouring bytes of one owner, region and
 * member are merged as they arrive: a field-level ledger of a 70 MB APK has half a million segments before that.
 */
export class LedgerBuilder {
  readonly size: number;
  #offsets = new Float64Array(64);
  #lengths = new Float64Array(64);
  #owners = new Uint8Array(64);
  #regions = new Uint16Array(64);
  #members = new Int32Array(64);
  #rules = new Uint16Array(64);
  #count = 0;
  #sorted = true;
  readonly #names: string[] = [''];
  readonly #codes = new Map<string, number>([['', 0]]);

  constructor(size: number) {
    this.size = size;
  }

  /** Gives `[offset, offset + length)` an owner; a length of 0 is nothing. */
  add(offset: number, length: number, owner: Owner, region: string, member = NO_MEMBER, rule = ''): void {
    if (length === 0) return;
    if (length < 0 || offset < 0 || offset + length > this.size)
      throw new RangeError(`ledger: ${length} bytes at ${offset} of ${this.size} (${region})`);
    const code = OWNERS.indexOf(owner);
    const identical = owner === 'identical';
    const regionCode = identical ? 0 : this.#intern(region);
    const memberCode = identical ? NO_MEMBER : member;
    const ruleCode = identical ? 0 : this.#intern(rule);
    const last = this.#count - 1;
    if (last >= 0) {
      const end = (this.#offsets[last] ?? 0) + (this.#lengths[last] ?? 0);
      if (
        end === offset &&
        this.#owners[last] === code &&
        this.#regions[last] === regionCode &&
        this.#members[last] === memberCode &&
        this.#rules[last] === ruleCode
      ) {
        this.#lengths[last] = (this.#lengths[last] ?? 0) + length;
        return;
      }
      if (offset < end) this.#sorted = false;
    }
    if (this.#count === this.#offsets.length) this.#grow();
    const at = this.#count++;
    this.#offsets[at] = offset;
    this.#lengths[at] = length;
    this.#owners[at] = code;
    this.#regions[at] = regionCode;
    this.#members[at] = memberCode;
    this.#rules[at] = ruleCode;
  }

  /**
   * The ledger.
   * @throws Error when a byte has no owner or two: a bug of ours, never a verdict
   */
  finish(): SideLedger {
    const order = new Uint32Array(this.#count).map((_, index) => index);
    if (!this.#sorted) order.sort((a, b) => (this.#offsets[a] ?? 0) - (this.#offsets[b] ?? 0));
    const sums = Object.fromEntries(OWNERS.map((owner) => [owner, 0])) as Record<Owner, number>;
    const runs: Run[] = [];
    let cursor = 0;
    for (const at of order) {
      const offset = this.#offsets[at] ?? 0;
      const length = this.#lengths[at] ?? 0;
      const owner = OWNERS[this.#owners[at] ?? 0] ?? 'different';
      const region = this.#names[this.#regions[at] ?? 0] ?? '';
      if (offset !== cursor)
        throw new Error(
          `ledger does not tile: expected a run at ${cursor}, found ${region || owner} at ${offset} of ${this.size}`,
        );
      cursor += length;
      sums[owner] += length;
      if (owner === 'identical') continue;
      const member = this.#members[at] ?? NO_MEMBER;
      const rule = this.#names[this.#rules[at] ?? 0] ?? '';
      const before = runs.at(-1);
      if (
        before !== undefined &&
        before.offset + before.length === offset &&
        before.owner === owner &&
        before.region === region &&
        (before.member ?? NO_MEMBER) === member &&
        (before.rule ?? '') === rule
      ) {
        runs[runs.length - 1] = { ...before, length: before.length + length };
        continue;
      }
      runs.push({
        offset,
        length,
        owner,
        region,
        ...(member === NO_MEMBER ? {} : { member }),
        ...(rule === '' ? {} : { rule: rule as RuleName }),
      });
    }
    if (cursor !== this.size)
      throw new Error(`ledger does not tile: ${cursor} of ${this.size} bytes have an owner`);
    return { size: this.size, sums, runs };
  }

  #intern(name: string): number {
    let code = this.#codes.get(name);
    if (code === undefined) {
      code = this.#names.length;
      if (code > 0xffff) throw new RangeError('ledger: more than 65,535 region names');
      this.#names.push(name);
      this.#codes.set(name, code);
    }
    return code;
  }

  #grow(): void {
    const capacity = this.#offsets.length * 2;
    this.#offsets = copyInto(new Float64Array(capacity), this.#offsets);
    this.#lengths = copyInto(new Float64Array(capacity), this.#lengths);
    this.#owners = copyInto(new Uint8Array(capacity), this.#owners);
    this.#regions = copyInto(new Uint16Array(capacity), this.#regions);
    this.#members = copyInto(new Int32Array(capacity), this.#members);
    this.#rules = copyInto(new Uint16Array(capacity), this.#rules);
  }
}

function copyInto<A extends { set(from: ArrayLike<number>): void }>(target: A, from: ArrayLike<number>): A {
  target.set(from);
  return target;
}

/** The worst owner of one side. */
export function worstOf(ledger: SideLedger): Owner {
  return worst(...OWNERS.filter((owner) => ledger.sums[owner] > 0));
}
