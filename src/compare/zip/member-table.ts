// SPDX-License-Identifier: Apache-2.0
/** The rows of a ZIP node, published order first; by column, since an archive may have ten thousands of entries. */
import { printableBytes } from '../../printable.js';
import type { ZipEntry } from '../../formats/zip.js';
import { classify } from '../classify.js';
import type { Member, MemberSide, Owner, Side } from '../types.js';
import type { ZipSide } from './zip-side.js';

export class MemberTable {
  readonly #p: ZipSide;
  readonly #r: ZipSide;
  readonly #names: string[] = [];
  readonly #occurrences: number[] = [];
  readonly #published: (ZipEntry | undefined)[] = [];
  readonly #rebuilt: (ZipEntry | undefined)[] = [];
  readonly #owners: Owner[] = [];
  readonly #data: Owner[] = [];
  readonly #nodes = new Map<number, number>();
  readonly #seen = new Map<string, number>();

  constructor(p: ZipSide, r: ZipSide) {
    this.#p = p;
    this.#r = r;
  }

  nameOf(entry: ZipEntry): string {
    return printableBytes(entry.rawName);
  }

  pair(published: number, rebuilt: number, name: string): number {
    return this.#add(this.#p.zip.entries[published], this.#r.zip.entries[rebuilt], name);
  }

  single(side: Side, entry: ZipEntry, owner: Owner): number {
    const row = this.#add(
      side === 'published' ? entry : undefined,
      side === 'rebuilt' ? entry : undefined,
      this.nameOf(entry),
    );
    this.settle(row, owner, owner);
    return row;
  }

  settle(row: number, owner: Owner, data: Owner, child?: number): void {
    this.#owners[row] = owner;
    this.#data[row] = data;
    if (child !== undefined) this.#nodes.set(row, child);
  }

  list(): Member[] {
    return this.#names.map((_, row) => this.#member(row));
  }

  #add(p: ZipEntry | undefined, r: ZipEntry | undefined, name: string): number {
    const occurrence = this.#seen.get(name) ?? 0;
    this.#seen.set(name, occurrence + 1);
    this.#occurrences.push(occurrence);
    this.#published.push(p);
    this.#rebuilt.push(r);
    this.#owners.push('identical');
    this.#data.push('identical');
    return this.#names.push(name) - 1;
  }

  /** Member by member, so that all of them have one compact shape. */
  #member(row: number): Member {
    const name = this.#names[row] ?? '';
    const [p, r, child] = [this.#published[row], this.#rebuilt[row], this.#nodes.get(row)];
    const raw = (p ?? r)?.rawName ?? Buffer.alloc(0);
    const { kind, type } = classify(name);
    const member: { -readonly [Key in keyof Member]?: Member[Key] } = { name };
    if (!raw.equals(Buffer.from(name))) member.rawName = raw.toString('hex');
    member.occurrence = this.#occurrences[row] ?? 0;
    member.owner = this.#owners[row] ?? 'different';
    member.data = this.#data[row] ?? 'different';
    if (child !== undefined) member.node = child;
    member.kind = kind;
    member.type = type;
    if (p !== undefined) member.published = sideOf(p);
    if (r !== undefined) member.rebuilt = sideOf(r);
    return member as Member;
  }
}

function sideOf({ dataOffset: offset, compressedSize: storedSize, size, method }: ZipEntry): MemberSide {
  return method === 8 ? { offset, storedSize, size, encoded: true } : { offset, storedSize, size };
}
