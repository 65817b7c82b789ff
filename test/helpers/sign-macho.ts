// SPDX-License-Identifier: Apache-2.0
/** Signs Mach-O files as codesign does, the odd ones too. */
import { createHash } from 'node:crypto';
import { BufferSource } from '../../src/bytes.js';
import { readMachO } from '../../src/formats/macho.js';
import { numbers } from './build-macho.js';
import { der } from './sign-apk.js';
import { attribute, signatureBlock, type BlockOptions, type JarIdentity } from './sign-jar.js';

export interface MachOSignOptions {
  readonly identifier?: string;
  readonly teamId?: string;
  readonly flags?: number;
  readonly entitlements?: string | Buffer;
  readonly entitlementsDer?: Buffer;
  readonly requirements?: Buffer;
  /** Content of the files of the bundle, by slot (1: Info.plist, 3: CodeResources). */
  readonly files?: Readonly<Record<number, Buffer>>;
  readonly hashes?: readonly ('sha1' | 'sha256' | 'sha384')[];
  /** log2. */
  readonly pageShift?: number;
  /** None: ad hoc. */
  readonly identity?: JarIdentity;
  readonly cms?: BlockOptions;
  /** Replaces the CMS signature; without header. */
  readonly rawCms?: Buffer;
  readonly moreBlobs?: readonly { readonly slot: number; readonly bytes: Buffer }[];
  /** Zeros up to this size of the range; codesign leaves room. */
  readonly room?: number;
  /** Written over the end of the room. */
  readonly parked?: Buffer;
  /** The file whose pages are hashed, in place of the one that is signed. */
  readonly hashed?: Buffer;
  readonly version?: number;
  /** Behind the hashes; the directory is then of version 0x20600. */
  readonly linkage?: Buffer;
  /** Behind the hashes. */
  readonly scatter?: Buffer;
}

const { word, long } = numbers(false);
const HASH_TYPES = { sha1: [1, 20], sha256: [2, 32], sha384: [4, 48] } as const;
const align = (value: number, to: number): number => Math.ceil(value / to) * to;

export const blob = (magic: number, body: Buffer): Buffer =>
  Buffer.concat([word(magic), word(8 + body.length), body]);

/** Requirements without any. */
export const NO_REQUIREMENTS = blob(0xfade0c01, word(0));

/** The range that LC_CODE_SIGNATURE names once the file is signed: offset and the command. */
export function signatureRange(file: Buffer): { readonly offset: number; readonly size: number } {
  const range = readMachO(new BufferSource(file)).signature;
  if (range === undefined) throw new Error('not signed');
  return range;
}

/** Any signature that is there is replaced. */
export function signMachO(unsigned: Buffer, options: MachOSignOptions = {}): Buffer {
  const bare = unsignMachO(unsigned);
  const start = align(bare.length, 16);
  const draft = superBlob(Buffer.alloc(start), start, options);
  const size = options.room ?? align(draft.length, 16);
  const prepared = withSignatureCommand(
    Buffer.concat([bare, Buffer.alloc(start - bare.length)]),
    start,
    size,
  );
  const hashed =
    options.hashed === undefined
      ? prepared
      : withSignatureCommand(
          Buffer.concat([unsignMachO(options.hashed), Buffer.alloc(start - bare.length)]),
          start,
          size,
        );
  const signature = Buffer.alloc(size);
  superBlob(hashed, start, options).copy(signature);
  if (options.parked !== undefined) options.parked.copy(signature, size - options.parked.length);
  return Buffer.concat([prepared, signature]);
}

/** As `codesign --remove-signature`: without the command and without the bytes. */
export function unsignMachO(signed: Buffer): Buffer {
  const file = readMachO(new BufferSource(signed));
  const command = file.commands.find(({ name }) => name === 'LC_CODE_SIGNATURE');
  if (command === undefined || file.signature === undefined) return signed;
  const linkEdit = file.segments.find(({ name }) => name === '__LINKEDIT');
  const end = Math.max(
    ...file.ranges.filter((range) => range !== file.signature).map((range) => range.offset + range.size),
  );
  const out = Buffer.from(signed.subarray(0, end));
  const n = numbers(file.littleEndian);
  out.fill(0, command.offset, command.offset + command.size);
  n.word(file.commands.length - 1).copy(out, 16);
  n.word(file.commandsSize - command.size).copy(out, 20);
  if (linkEdit !== undefined)
    setLinkEdit(out, file.bits === 64, file.littleEndian, linkEdit.command.offset, end - linkEdit.offset);
  return out;
}

function setLinkEdit(
  out: Buffer,
  wide: boolean,
  littleEndian: boolean,
  commandOffset: number,
  size: number,
): void {
  const n = numbers(littleEndian);
  const put = wide ? n.long : n.word;
  const step = wide ? 8 : 4;
  put(align(size, 0x1000)).copy(out, commandOffset + 24 + step);
  put(size).copy(out, commandOffset + 24 + 3 * step);
}

function withSignatureCommand(padded: Buffer, start: number, size: number): Buffer {
  const file = readMachO(new BufferSource(padded));
  const out = Buffer.from(padded);
  const n = numbers(file.littleEndian);
  const at = file.headerSize + file.commandsSize;
  Buffer.concat([n.word(0x1d), n.word(16), n.word(start), n.word(size)]).copy(out, at);
  n.word(file.commands.length + 1).copy(out, 16);
  n.word(file.commandsSize + 16).copy(out, 20);
  const linkEdit = file.segments.find(({ name }) => name === '__LINKEDIT');
  if (linkEdit !== undefined)
    setLinkEdit(
      out,
      file.bits === 64,
      file.littleEndian,
      linkEdit.command.offset,
      start + size - linkEdit.offset,
    );
  return out;
}

function superBlob(file: Buffer, limit: number, options: MachOSignOptions): Buffer {
  const parts: { readonly slot: number; readonly bytes: Buffer }[] = [];
  if (options.requirements !== undefined) parts.push({ slot: 2, bytes: options.requirements });
  if (options.entitlements !== undefined)
    parts.push({ slot: 5, bytes: blob(0xfade7171, Buffer.from(options.entitlements)) });
  if (options.entitlementsDer !== undefined)
    parts.push({ slot: 7, bytes: blob(0xfade7172, options.entitlementsDer) });
  parts.push(...(options.moreBlobs ?? []));
  const hashes = options.hashes ?? ['sha256'];
  const directories = hashes.map((hash, i) => ({
    slot: i === 0 ? 0 : 0x1000 + i - 1,
    bytes: codeDirectory(file, limit, hash, parts, options),
  }));
  const cms =
    options.rawCms ??
    cmsOf(
      directories.map(({ bytes }) => bytes),
      options,
    );
  const all = [
    ...directories.slice(0, 1),
    ...parts,
    ...directories.slice(1),
    ...(cms === undefined ? [] : [{ slot: 0x10000, bytes: blob(0xfade0b01, cms) }]),
  ];
  let at = 12 + all.length * 8;
  const index = all.map(({ slot, bytes }) => {
    const entry = Buffer.concat([word(slot), word(at)]);
    at += bytes.length;
    return entry;
  });
  return Buffer.concat([
    word(0xfade0cc0),
    word(at),
    word(all.length),
    ...index,
    ...all.map(({ bytes }) => bytes),
  ]);
}

/** Signed attributes as Apple's: the digests of all directories. */
function cmsOf(directories: readonly Buffer[], options: MachOSignOptions): Buffer | undefined {
  const [primary] = directories;
  if (options.identity === undefined || primary === undefined) return undefined;
  const digests = directories.map((directory) =>
    der(
      0x30,
      der(0x06, Buffer.from('608648016503040201', 'hex')),
      der(0x04, createHash('sha256').update(directory).digest()),
    ),
  );
  return signatureBlock(primary, options.identity, {
    signedAttributes: [
      attribute('2a864886f763640902', Buffer.concat(digests.sort((a, b) => Buffer.compare(a, b)))),
    ],
    ...options.cms,
  });
}

function codeDirectory(
  file: Buffer,
  limit: number,
  hash: 'sha1' | 'sha256' | 'sha384',
  parts: readonly { readonly slot: number; readonly bytes: Buffer }[],
  options: MachOSignOptions,
): Buffer {
  const [type, size] = HASH_TYPES[hash];
  const { linkage, scatter = Buffer.alloc(0) } = options;
  const version = options.version ?? (linkage === undefined ? 0x20400 : 0x20600);
  const digest = (bytes: Buffer): Buffer => createHash(hash).update(bytes).digest();
  const special = new Map<number, Buffer>(
    parts.filter(({ slot }) => slot < 16).map(({ slot, bytes }) => [slot, digest(bytes)]),
  );
  for (const [slot, bytes] of Object.entries(options.files ?? {})) special.set(Number(slot), digest(bytes));
  const specialCount = Math.max(0, ...special.keys());
  const slots: Buffer[] = [];
  for (let slot = specialCount; slot >= 1; slot--) slots.push(special.get(slot) ?? Buffer.alloc(size));
  const page = 2 ** (options.pageShift ?? 12);
  const pages: Buffer[] = [];
  const covered = file.subarray(0, limit);
  for (let at = 0; at < limit; at += page)
    pages.push(digest(covered.subarray(at, Math.min(limit, at + page))));
  const header = linkage === undefined ? 88 : 108;
  const identifier = Buffer.from(`${options.identifier ?? 'org.example.app'}\0`);
  const team = options.teamId === undefined ? Buffer.alloc(0) : Buffer.from(`${options.teamId}\0`);
  const hashOffset = header + identifier.length + team.length + specialCount * size;
  const behind = hashOffset + pages.length * size;
  const total = behind + scatter.length + (linkage?.length ?? 0);
  return Buffer.concat([
    word(0xfade0c02),
    word(total),
    word(version),
    word(options.flags ?? (options.identity === undefined ? 2 : 0)),
    word(hashOffset),
    word(header),
    word(specialCount),
    word(pages.length),
    word(limit),
    Buffer.from([size, type, 0, options.pageShift ?? 12]),
    word(0),
    word(scatter.length === 0 ? 0 : behind),
    word(team.length === 0 ? 0 : header + identifier.length),
    word(0),
    long(0),
    long(0),
    long(0),
    long(1),
    // runtime, hashes before encryption, type of the linkage, where it is
    ...(linkage === undefined
      ? []
      : [word(0), word(0), word(0x02000000), word(behind + scatter.length), word(linkage.length)]),
    identifier,
    team,
    ...slots,
    ...pages,
    scatter,
    ...(linkage === undefined ? [] : [linkage]),
  ]);
}
