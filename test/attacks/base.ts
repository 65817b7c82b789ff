// SPDX-License-Identifier: Apache-2.0
/** What attacks are made from: one small app, its keys, and the two ways to put a change into a signed file. */
import type { CompareOptions } from '../../src/compare/compare.js';
import type { VerdictKind } from '../../src/model.js';
import { buildManifest, type ManifestSpec } from '../helpers/build-axml.js';
import { buildZip, type ZipMember } from '../helpers/build-zip.js';
import {
  endRecord,
  insertBlock,
  newIdentity,
  signerPair,
  signingBlock,
  type Identity,
  type Pair,
} from '../helpers/sign-apk.js';
import { jarIdentity, type JarIdentity } from '../helpers/sign-jar.js';
import { smallArsc } from './small-arsc.js';

/** The publisher owns every key here but the stranger's. */
export interface Base {
  readonly members: readonly ZipMember[];
  readonly unsigned: Buffer;
  /** v2 and v3. */
  readonly signed: Buffer;
  readonly identity: Identity;
  readonly stranger: Identity;
  readonly jar: JarIdentity;
  /** v2 and v3 over this archive, and these pairs beside them. */
  readonly resign: (archive: Buffer, ...more: readonly Pair[]) => Buffer;
  /** The publisher's signature over the file without the change, put into the changed one. */
  readonly putOver: (archive: Buffer) => Buffer;
  /** Its manifest, with something else in it. */
  readonly manifest: (spec: ManifestSpec) => Buffer;
}

/** One file, or the files of a delivery by name. */
export type Side = Buffer | Readonly<Record<string, Buffer>>;

export interface Sides {
  readonly published: Side;
  readonly rebuilt: Side;
  readonly options?: CompareOptions;
}

export interface Expected {
  readonly kind: VerdictKind;
  readonly exit: number;
  /** One of the codes in the report. */
  readonly code?: string;
}

/**
 * `as-is`: over the signed file, whose signature is then invalid where it covers the change. `re-signed`: the publisher
 * signed the changed file. `forged`: the attack is the signature itself.
 */
export type Manner = 'as-is' | 're-signed' | 'forged';

export interface Attack {
  readonly name: string;
  readonly manner: Manner;
  /** What is done, and who would believe it. */
  readonly explanation: string;
  /** The catalogue's family: where a comparison of this kind was fooled. */
  readonly source: string;
  readonly make: (base: Base) => Sides;
  readonly expected: Expected;
}

export const DIFFERS: Expected = { kind: 'unreproducible', exit: 1 };
export const NOT_SIGNED_SO: Expected = { kind: 'not-authentic', exit: 3, code: 'content-digest' };
export const FORGED: Expected = { kind: 'not-authentic', exit: 3 };
export const OPEN: Expected = { kind: 'unverifiable', exit: 2 };

export const text = 'the quick brown fox jumps over the lazy dog, '.repeat(20);
export const payload = Buffer.from('payload: not what was built. '.repeat(4));
export const MANIFEST = 'AndroidManifest.xml';
export const CODE = 'classes.dex';
const dex = (body: string): Buffer => Buffer.concat([Buffer.from('dex\n035\0'), Buffer.from(body)]);
export const evilCode = dex('evil'.repeat(200));

const MEMBERS: readonly ZipMember[] = [
  { name: MANIFEST, data: buildManifest() },
  { name: CODE, data: dex(text) },
  { name: 'resources.arsc', data: smallArsc(), method: 0, align: 4 },
  { name: 'lib/arm64-v8a/libx.so', data: text.toUpperCase(), method: 0, align: 4096 },
  { name: 'res/raw/a.txt', data: 'equal length: AAAA' },
  { name: 'META-INF/services/java.nio.file.spi.FileSystemProvider', data: 'org.example.Good\n' },
  { name: 'assets/notes.txt', data: text, descriptor: 'signed' },
];

export function makeBase(members: readonly ZipMember[] = MEMBERS): Base {
  const identity = newIdentity();
  const unsigned = buildZip(members);
  const block = (archive: Buffer, more: readonly Pair[]): Buffer =>
    signingBlock([
      signerPair('v2', archive, [{ identity }]),
      signerPair('v3', archive, [{ identity }]),
      ...more,
    ]);
  const clean = block(unsigned, []);
  return {
    members,
    unsigned,
    signed: insertBlock(unsigned, clean),
    identity,
    stranger: newIdentity(),
    jar: jarIdentity(),
    resign: (archive, ...more) => insertBlock(archive, block(archive, more)),
    putOver: (archive) => insertBlock(archive, clean),
    manifest: buildManifest,
  };
}

/** The unsigned archive with the change in it. */
export type Edit = (base: Base) => Buffer;

/** A change that is put over the signed file, and one that the publisher signs. */
export function bothWays(
  name: string,
  explanation: string,
  source: string,
  edit: Edit,
  expected: {
    readonly asIs?: Expected;
    readonly resigned?: Expected;
    readonly options?: CompareOptions;
  } = {},
): Attack[] {
  const sides = (published: Buffer, { unsigned }: Base): Sides => ({
    published,
    rebuilt: unsigned,
    ...(expected.options === undefined ? {} : { options: expected.options }),
  });
  return [
    {
      name,
      manner: 'as-is',
      explanation,
      source,
      make: (base) => sides(base.putOver(edit(base)), base),
      expected: expected.asIs ?? NOT_SIGNED_SO,
    },
    {
      name,
      manner: 're-signed',
      explanation,
      source,
      make: (base) => sides(base.resign(edit(base)), base),
      expected: expected.resigned ?? DIFFERS,
    },
  ];
}

export function one(
  name: string,
  manner: Manner,
  explanation: string,
  source: string,
  expected: Expected,
  make: Attack['make'],
): Attack {
  return { name, manner, explanation, source, make, expected };
}

/** These members, one of them changed. */
export function changed(
  { members }: Pick<Base, 'members'>,
  name: string,
  change: Partial<ZipMember>,
): ZipMember[] {
  return members.map((member) => (member.name === name ? { ...member, ...change } : member));
}

/** Where a record of this name begins; `PK\3\4` or `PK\1\2`. */
export function recordOf(archive: Buffer, kind: 'local' | 'central', name: string): number {
  const [signature, at] = kind === 'local' ? ['PK\x03\x04', 30] : ['PK\x01\x02', 46];
  // an archive inside has records too
  const start = kind === 'local' ? 0 : archive.readUInt32LE(endRecord(archive) + 16);
  for (let from = archive.indexOf(signature, start, 'latin1'); from !== -1;) {
    if (archive.toString('latin1', from + at, from + at + name.length) === name) return from;
    from = archive.indexOf(signature, from + 4, 'latin1');
  }
  throw new Error(`no ${kind} record of ${name}`);
}

/** A copy with these bytes at that place. */
export function patched(archive: Buffer, at: number, bytes: readonly number[]): Buffer {
  const copy = Buffer.from(archive);
  copy.set(bytes, at);
  return copy;
}
