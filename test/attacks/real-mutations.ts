// SPDX-License-Identifier: Apache-2.0
/**
 * Seeded mutations of a whole APK. Most are consistent: what is changed has true checksums, lengths and offsets, and the
 * publisher signs it, so that no checksum and no signature refuses it but the comparison alone.
 */
import { deflateRawSync, inflateRawSync, crc32 } from 'node:zlib';
import { BufferSource } from '../../src/bytes.js';
import { readZip } from '../../src/formats/zip.js';
import { buildZip, type ZipMember } from '../helpers/build-zip.js';
import {
  insertBlock,
  newIdentity,
  PAIR,
  signerPair,
  signingBlock,
  type Identity,
  type SignerSpec,
} from '../helpers/sign-apk.js';

/** An APK taken apart, so that it can be put together again with a change in it. */
export interface Subject {
  readonly members: readonly ZipMember[];
  readonly rebuilt: Buffer;
  readonly published: Buffer;
  readonly identity: Identity;
}

const JAR_SIGNATURE = /^META-INF\/([^/]+\.(SF|RSA|DSA|EC)|MANIFEST\.MF)$/;

/** Its entries as they are packed, without its own signatures, signed anew. */
export function subjectOf(apk: Buffer): Subject {
  const source = new BufferSource(apk);
  const { entries, dataOrder } = readZip(source);
  const members = dataOrder.flatMap((index): ZipMember[] => {
    const entry = entries[index];
    if (entry === undefined || JAR_SIGNATURE.test(entry.rawName.toString('latin1'))) return [];
    return [
      {
        name: Buffer.from(entry.rawName),
        method: entry.method,
        raw: apk.subarray(entry.dataOffset, entry.dataOffset + entry.compressedSize),
        crc32: entry.crc32,
        size: entry.size,
        flags: entry.flags & ~8,
        time: apk.readUInt16LE(entry.cdOffset + 12),
        date: apk.readUInt16LE(entry.cdOffset + 14),
        madeBy: apk.readUInt16LE(entry.cdOffset + 4),
        externalAttributes: apk.readUInt32LE(entry.cdOffset + 38),
        ...(entry.method === 0 ? { align: 4 } : {}),
      },
    ];
  });
  const identity = newIdentity();
  const rebuilt = buildZip(members);
  return { members, rebuilt, published: sign(rebuilt, { identity }), identity };
}

function sign(archive: Buffer, spec: SignerSpec, more: Parameters<typeof signingBlock>[0] = []): Buffer {
  return insertBlock(
    archive,
    signingBlock([signerPair('v2', archive, [spec]), signerPair('v3', archive, [spec]), ...more]),
  );
}

/** A generator of numbers from a seed (mulberry32). */
export class Numbers {
  #state: number;
  constructor(seed: number) {
    this.#state = seed >>> 0;
  }
  /** From 0 up to, not including, `end`. */
  below(end: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let x = this.#state;
    x = Math.imul(x ^ (x >>> 15), x | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) % end;
  }
  bytes(length: number): Buffer {
    return Buffer.from(Array.from({ length }, () => this.below(256)));
  }
  of<T>(list: readonly T[]): T {
    const found = list[this.below(list.length)];
    if (found === undefined) throw new Error('a choice of nothing');
    return found;
  }
}

export const MUTATIONS = [
  'content-byte',
  'content-insert',
  'content-delete',
  'content-swap',
  'entry-removed',
  'entry-repeated',
  'entry-added',
  'entries-swapped',
  'entry-renamed',
  'both-headers',
  'local-header',
  'gap',
  'slack',
  'comment',
  'prefix',
  'before-directory',
  'extra-pair',
  'signer-room',
  'padding',
  'raw-flip',
  'raw-insert',
  'raw-delete',
  'raw-swap',
] as const;
export type MutationKind = (typeof MUTATIONS)[number];

export interface Mutation {
  readonly kind: MutationKind;
  readonly published: Buffer;
}

/** Mutation number `seed`. The file may come out unchanged, if rarely. */
export function mutate(subject: Subject, seed: number): Mutation {
  const numbers = new Numbers(seed);
  const kind = numbers.of(MUTATIONS);
  return { kind, published: MAKE[kind](subject, numbers) };
}

type Make = (subject: Subject, numbers: Numbers) => Buffer;

const resigned =
  (change: (members: readonly ZipMember[], numbers: Numbers) => readonly ZipMember[]): Make =>
  ({ members, identity }, numbers) =>
    sign(buildZip(change(members, numbers)), { identity });

const oneOf = (members: readonly ZipMember[], numbers: Numbers): number => numbers.below(members.length);

function contentOf({ raw, method }: ZipMember): Buffer {
  const bytes = raw ?? Buffer.alloc(0);
  return method === 8 ? inflateRawSync(bytes) : Buffer.from(bytes);
}

const samePacked = (one: ZipMember | undefined, other: ZipMember | undefined): boolean =>
  one?.method === other?.method && (one?.raw ?? Buffer.alloc(0)).equals(other?.raw ?? Buffer.alloc(0));

const content = (change: (bytes: Buffer, numbers: Numbers) => Buffer): Make =>
  resigned((members, numbers) => {
    const filled = members.flatMap((member, index) => ((member.size ?? 0) > 0 ? [index] : []));
    return changedAt(members, numbers.of(filled), (member) => {
      const before = contentOf(member);
      const after = change(before, numbers);
      // equal parts that change places change nothing
      const data = after.equals(before) ? flipped(before, numbers) : after;
      const raw = member.method === 8 ? deflateRawSync(data) : data;
      return { raw, crc32: crc32(data), size: data.length };
    });
  });

function changedAt(
  members: readonly ZipMember[],
  at: number,
  change: (member: ZipMember) => Partial<ZipMember>,
): ZipMember[] {
  return members.map((member, index) => (index === at ? { ...member, ...change(member) } : member));
}

function flipped(bytes: Buffer, numbers: Numbers): Buffer {
  const at = numbers.below(bytes.length);
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ (1 << numbers.below(8));
  return copy;
}

function inserted(bytes: Buffer, numbers: Numbers): Buffer {
  const at = numbers.below(bytes.length + 1);
  return Buffer.concat([bytes.subarray(0, at), numbers.bytes(1 + numbers.below(40)), bytes.subarray(at)]);
}

function deleted(bytes: Buffer, numbers: Numbers): Buffer {
  const at = numbers.below(bytes.length);
  return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + numbers.below(40))]);
}

function swapped(bytes: Buffer, numbers: Numbers): Buffer {
  const [a, b] = [numbers.below(bytes.length), numbers.below(bytes.length)];
  const length = Math.min(1 + numbers.below(16), Math.abs(a - b), bytes.length - Math.max(a, b));
  const copy = Buffer.from(bytes);
  bytes.copy(copy, a, b, b + length);
  bytes.copy(copy, b, a, a + length);
  return copy;
}

function extraField(numbers: Numbers): Buffer {
  const data = numbers.bytes(1 + numbers.below(20));
  const head = Buffer.alloc(4);
  head.writeUInt16LE(numbers.of([0x5455, 0x7875, 0xcafe, 0x7777, 0x0001]), 0);
  head.writeUInt16LE(data.length, 2);
  return Buffer.concat([head, data]);
}

const field = (numbers: Numbers): Partial<ZipMember> =>
  numbers.of<() => Partial<ZipMember>>([
    () => ({ time: numbers.below(65_536) }),
    () => ({ date: numbers.below(65_536) }),
    () => ({ flags: numbers.of([1, 16, 32, 64, 128, 2048, 4096, 8192]) }),
    () => ({ madeBy: numbers.below(65_536) }),
    () => ({ externalAttributes: numbers.below(2 ** 32) }),
    () => ({ comment: numbers.bytes(1 + numbers.below(50)) }),
    () => ({ extra: extraField(numbers) }),
  ])();

const localField = (numbers: Numbers, member: ZipMember): Partial<ZipMember> =>
  numbers.of<() => Partial<ZipMember>>([
    () => ({ localCrc32: numbers.below(2 ** 32) }),
    () => ({ localMethod: numbers.of([1, 0, 8, 9, 12, 93].filter((method) => method !== member.method)) }),
    () => ({ localFlags: (member.flags ?? 0) ^ numbers.of([1, 8, 16, 64, 2048, 8192]) }),
    () => ({ localName: numbers.bytes(member.name.length) }),
    () => ({ localExtra: extraField(numbers) }),
  ])();

const withSigner =
  (spec: (numbers: Numbers) => Partial<SignerSpec>): Make =>
  ({ rebuilt, identity }, numbers) =>
    sign(rebuilt, { identity, ...spec(numbers) });

const MAKE: Readonly<Record<MutationKind, Make>> = {
  'content-byte': content(flipped),
  'content-insert': content(inserted),
  'content-delete': content(deleted),
  'content-swap': content(swapped),
  'entry-removed': resigned((members, numbers) => members.toSpliced(oneOf(members, numbers), 1)),
  'entry-repeated': resigned((members, numbers) => {
    const member = members[oneOf(members, numbers)];
    return member === undefined ? members : members.toSpliced(oneOf(members, numbers), 0, member);
  }),
  'entry-added': resigned((members, numbers) =>
    members.toSpliced(oneOf(members, numbers), 0, {
      name: `assets/${numbers.below(1000)}`,
      data: numbers.bytes(numbers.below(100)),
    }),
  ),
  'entries-swapped': resigned((members, numbers) => {
    const [a, from] = [oneOf(members, numbers), oneOf(members, numbers)];
    const first = members[a];
    // two of the same content in each other's place would be the same archive, signed once more
    const others = [...members.keys()].filter((at) => !samePacked(members[at], first));
    const b = others.find((at) => at >= from) ?? others[0] ?? a;
    const second = members[b];
    if (first === undefined || second === undefined) return members;
    const packed = ({ raw, method, crc32: sum, size }: ZipMember): Partial<ZipMember> => ({
      raw: raw ?? Buffer.alloc(0),
      method: method ?? 8,
      crc32: sum ?? 0,
      size: size ?? 0,
    });
    return changedAt(
      changedAt(members, a, () => packed(second)),
      b,
      () => packed(first),
    );
  }),
  'entry-renamed': resigned((members, numbers) =>
    changedAt(members, oneOf(members, numbers), ({ name }) => ({
      name: numbers.of([flipped(Buffer.from(name), numbers), inserted(Buffer.from(name), numbers)]),
    })),
  ),
  'both-headers': resigned((members, numbers) =>
    changedAt(members, oneOf(members, numbers), () => field(numbers)),
  ),
  'local-header': resigned((members, numbers) =>
    changedAt(members, oneOf(members, numbers), (member) => localField(numbers, member)),
  ),
  gap: resigned((members, numbers) =>
    changedAt(members, oneOf(members, numbers), () => ({ gapBefore: numbers.bytes(1 + numbers.below(100)) })),
  ),
  slack: resigned((members, numbers) => {
    const deflated = members.flatMap(({ method }, index) => (method === 8 ? [index] : []));
    return changedAt(members, numbers.of(deflated), ({ raw }) => ({
      raw: Buffer.concat([raw ?? Buffer.alloc(0), numbers.bytes(1 + numbers.below(100))]),
    }));
  }),
  comment: ({ members, identity }, numbers) =>
    sign(buildZip(members, { comment: numbers.bytes(1 + numbers.below(100)) }), { identity }),
  prefix: ({ members, identity }, numbers) =>
    sign(buildZip(members, { prefix: numbers.bytes(1 + numbers.below(100)) }), { identity }),
  'before-directory': ({ members, identity }, numbers) =>
    sign(buildZip(members, { beforeDirectory: numbers.bytes(1 + numbers.below(100)) }), { identity }),
  'extra-pair': ({ rebuilt, identity }, numbers) =>
    sign(rebuilt, { identity }, [
      { id: 1 + numbers.below(2 ** 32 - 1), value: numbers.bytes(numbers.below(100)) },
    ]),
  'signer-room': withSigner((numbers) =>
    numbers.of<Partial<SignerSpec>>([
      { afterSignedData: numbers.bytes(4 + numbers.below(100)) },
      { afterSigner: numbers.bytes(1 + numbers.below(100)) },
      { afterSignature: numbers.bytes(1 + numbers.below(100)) },
      { attributes: [numbers.bytes(4 + numbers.below(100))] },
      { chain: [newIdentity().certificate] },
    ]),
  ),
  padding: ({ rebuilt, identity }, numbers) => {
    const value = numbers.bytes(1 + numbers.below(4000));
    return insertBlock(
      rebuilt,
      signingBlock([signerPair('v2', rebuilt, [{ identity }]), { id: PAIR.padding, value }], false),
    );
  },
  'raw-flip': ({ published }, numbers) => flipped(published, numbers),
  'raw-insert': ({ published }, numbers) => inserted(published, numbers),
  'raw-delete': ({ published }, numbers) => deleted(published, numbers),
  'raw-swap': ({ published }, numbers) => swapped(published, numbers),
};
