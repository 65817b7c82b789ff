// SPDX-License-Identifier: Apache-2.0
/**
 * Inputs that are nearly right, made from a seed: each reader is given structures whose lengths, counts, tags and order
 * are wrong here and there. A reader answers or throws a `VerifyError`, in bounded time and memory.
 */
import { BufferSource } from '../../src/bytes.js';
import { VerifyError } from '../../src/errors.js';
import { readAndroidManifest } from '../../src/formats/android-manifest.js';
import { readArsc } from '../../src/formats/arsc.js';
import { readAssetCatalog } from '../../src/formats/asset-catalog.js';
import { writeCanonicalArsc } from '../../src/formats/arsc-writer.js';
import { checkApkSignature } from '../../src/formats/apk-signature.js';
import { readSignedData } from '../../src/formats/cms.js';
import { readCodeResources } from '../../src/formats/code-resources.js';
import { readProvisioningProfile } from '../../src/formats/mobile-provision.js';
import { readManifest } from '../../src/formats/jar-manifest.js';
import { readNibArchive } from '../../src/formats/nib-archive.js';
import { compareNibs } from '../../src/formats/nib-difference.js';
import { comparePlists } from '../../src/formats/plist-difference.js';
import { readPlist } from '../../src/formats/plist.js';
import { readStringsFile } from '../../src/formats/strings-file.js';
import { readCertificate, readPublicKey } from '../../src/formats/x509.js';
import { readZip } from '../../src/formats/zip.js';
import { axmlChunk, buildAxml, buildManifest, type AxmlElementSpec } from '../helpers/build-axml.js';
import { buildZip, type ZipLayout, type ZipMember } from '../helpers/build-zip.js';
import { buildProfile } from '../helpers/build-profile.js';
import { compareBuffers } from '../helpers/compare-buffers.js';
import { der, insertBlock, newIdentity, signerPair, signingBlock, type Pair } from '../helpers/sign-apk.js';
import { jarEntries, jarIdentity, signatureBlock } from '../helpers/sign-jar.js';
import {
  randomBinaryPlist,
  randomCar,
  randomCodeResources,
  randomNib,
  randomStrings,
  randomXmlPlist,
} from './random-apple.js';
import { randomArsc } from './random-arsc.js';
import { comparedProgram, randomMachO, readPrograms } from './random-macho.js';
import { Numbers } from './real-mutations.js';
import { smallArsc } from './small-arsc.js';

export interface FuzzTarget {
  readonly name: string;
  readonly make: (numbers: Numbers) => Buffer;
  readonly read: (bytes: Buffer) => unknown;
}

export interface FuzzFailure {
  readonly target: string;
  readonly seed: number;
  readonly size: number;
  readonly why: string;
}

export interface FuzzCount {
  readonly inputs: number;
  readonly refused: number;
  readonly slowest: number;
  readonly failures: readonly FuzzFailure[];
}

const SECONDS_PER_MEGABYTE = 1;
export const MAX_BYTES = 512 << 20;

/** Input number `seed` of a target. */
export async function fuzzOne(
  target: FuzzTarget,
  seed: number,
): Promise<{ readonly refused: boolean; readonly seconds: number; readonly failure?: FuzzFailure }> {
  const bytes = target.make(new Numbers(seed));
  const failure = (why: string): FuzzFailure => ({ target: target.name, seed, size: bytes.length, why });
  const held = process.memoryUsage().rss;
  // of the process, not of the clock: a busy machine is no hang
  const started = process.cpuUsage();
  let refused = false;
  try {
    await target.read(bytes);
  } catch (error) {
    refused = true;
    if (!(error instanceof VerifyError))
      return {
        refused,
        seconds: 0,
        failure: failure(error instanceof Error ? (error.stack ?? error.message) : String(error)),
      };
  }
  const used = process.cpuUsage(started);
  const seconds = (used.user + used.system) / 1e6;
  const grown = process.memoryUsage().rss - held;
  if (seconds > SECONDS_PER_MEGABYTE * Math.max(1, bytes.length / 1e6))
    return { refused, seconds, failure: failure(`${seconds.toFixed(1)} s`) };
  if (grown > MAX_BYTES) return { refused, seconds, failure: failure(`${grown} bytes more`) };
  return { refused, seconds };
}

/** From this seed on until the time is over. */
export async function fuzz(target: FuzzTarget, firstSeed: number, milliseconds: number): Promise<FuzzCount> {
  const failures: FuzzFailure[] = [];
  let [inputs, refusals, slowest] = [0, 0, 0];
  const end = performance.now() + milliseconds;
  for (let seed = firstSeed; performance.now() < end && failures.length < 20; seed++) {
    const { refused, seconds, failure } = await fuzzOne(target, seed);
    inputs++;
    if (refused) refusals++;
    slowest = Math.max(slowest, seconds);
    if (failure !== undefined) failures.push(failure);
  }
  return { inputs, refused: refusals, slowest, failures };
}

// ---------------------------------------------------------------- generators

const ODD = [0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff];

/** Few or none of these changes, at places that the structure has: numbers of 2, 4 and 8 bytes that are odd. */
function damaged(bytes: Buffer, numbers: Numbers, places: readonly number[] = []): Buffer {
  const copy = Buffer.from(bytes);
  for (let times = numbers.below(4); times > 0 && copy.length > 8; times--) {
    const at = Math.min(
      places.length > 0 && numbers.below(3) > 0 ? numbers.of(places) : numbers.below(copy.length),
      copy.length - 8,
    );
    const value = numbers.below(2) === 0 ? numbers.of(ODD) : numbers.below(copy.length * 2);
    if (numbers.below(3) === 0) copy.writeUInt16LE(value & 0xffff, at);
    else if (numbers.below(4) === 0) copy.writeBigUInt64LE(BigInt(value) << BigInt(numbers.below(32)), at);
    else copy.writeUInt32LE(value >>> 0, at);
  }
  if (numbers.below(20) === 0) return copy.subarray(0, numbers.below(copy.length + 1));
  return copy;
}

/** A value taken apart as far as it is constructed, so that lengths around a change are mended. */
interface DerTree {
  readonly tag: number;
  readonly content: Buffer | readonly DerTree[];
}

function treeOf(bytes: Buffer): DerTree[] {
  const found: DerTree[] = [];
  for (let at = 0; at + 2 <= bytes.length;) {
    const tag = bytes[at] ?? 0;
    const first = bytes[at + 1] ?? 0;
    const wide = first < 0x80 ? 0 : first & 0x7f;
    const length = wide === 0 ? first : bytes.readUIntBE(at + 2, wide);
    const start = at + 2 + wide;
    const content = bytes.subarray(start, start + length);
    found.push({ tag, content: (tag & 0x20) === 0 ? content : treeOf(content) });
    at = start + length;
  }
  return found;
}

function encoded(tree: DerTree, numbers: Numbers, odds: number): Buffer {
  const { tag, content } = tree;
  const chance = (): boolean => numbers.below(odds) === 0;
  let parts: Buffer[];
  if (Buffer.isBuffer(content)) parts = [content];
  else {
    let children = [...content];
    if (children.length > 0 && chance()) children.splice(numbers.below(children.length), 1);
    if (children.length > 0 && chance())
      children = [...children, ...Array.from({ length: 1 + numbers.below(50) }, () => numbers.of(children))];
    if (chance()) children.reverse();
    parts = children.map((child) => encoded(child, numbers, odds));
    if (chance()) parts.push(numbers.bytes(numbers.below(10)));
  }
  if (chance()) parts = [numbers.bytes(numbers.below(30))];
  if (chance()) parts = [der(tag, ...parts)];
  const value = der(chance() ? numbers.below(256) : tag, ...parts);
  if (!chance()) return value;
  // lengths of other forms: indefinite, not minimal, beyond the end
  return Buffer.concat([
    value.subarray(0, 1),
    numbers.of([
      Buffer.from([0x80]),
      Buffer.from([0x84, 0x7f, 0xff, 0xff, 0xff]),
      Buffer.from([0x85, 1, 0, 0, 0, 0]),
      Buffer.from([0x81, 1]),
      Buffer.from([0xff]),
    ]),
    value.subarray(2),
  ]);
}

function derInput(seeds: readonly Buffer[]): FuzzTarget['make'] {
  const trees = seeds.map((bytes) => treeOf(bytes)[0]);
  return (numbers) => {
    if (numbers.below(50) === 0) {
      // thousands of levels, or of values
      let deep: Buffer = Buffer.alloc(0);
      const levels = numbers.below(4000);
      for (let level = 0; level < levels; level++) deep = der(0x30, deep);
      return deep;
    }
    const tree = numbers.of(trees);
    const bytes = tree === undefined ? Buffer.alloc(0) : encoded(tree, numbers, 10 + numbers.below(60));
    return numbers.below(4) === 0 ? damaged(bytes, numbers) : bytes;
  };
}

function randomMember(numbers: Numbers): ZipMember {
  const maybe = (share = 6): boolean => numbers.below(share) === 0;
  const data = Buffer.from('some text, '.repeat(numbers.below(40)));
  return {
    name: numbers.of(['a', 'b', 'AndroidManifest.xml', 'd/', '../x', 'META-INF/A.SF', 'META-INF/A.RSA', '']),
    data,
    method: numbers.of([0, 8, 8, 8, 93]),
    ...(maybe() ? { flags: numbers.below(65_536) } : {}),
    ...(maybe() ? { extra: oddExtra(numbers) } : {}),
    ...(maybe() ? { localExtra: oddExtra(numbers) } : {}),
    ...(maybe() ? { comment: numbers.bytes(numbers.below(20)) } : {}),
    ...(maybe() ? { descriptor: numbers.of(['signed', 'plain'] as const) } : {}),
    ...(maybe() ? { gapBefore: numbers.bytes(numbers.below(40)) } : {}),
    ...(maybe() ? { size: numbers.of(ODD) } : {}),
    ...(maybe() ? { crc32: numbers.of(ODD) } : {}),
    ...(maybe() ? { localMethod: numbers.of([0, 8, 12]) } : {}),
    ...(maybe(20) ? { orphan: true as const } : {}),
    ...(maybe() ? { raw: numbers.bytes(numbers.below(60)) } : {}),
    ...(maybe() ? { align: numbers.of([4, 4096]) } : {}),
  };
}

function oddExtra(numbers: Numbers): Buffer {
  const field = Buffer.alloc(4 + numbers.below(40));
  field.writeUInt16LE(numbers.of([1, 0xd935, 0x7075, 0x5455, 0xcafe]), 0);
  field.writeUInt16LE(numbers.of([field.length - 4, 0, 2, 8, 0xffff]), 2);
  return field;
}

function randomZip(numbers: Numbers): Buffer {
  const members = Array.from({ length: numbers.below(8) }, () => randomMember(numbers));
  const maybe = (): boolean => numbers.below(10) === 0;
  const layout: ZipLayout = {
    ...(maybe() ? { prefix: numbers.bytes(numbers.below(40)) } : {}),
    ...(maybe() ? { beforeDirectory: numbers.bytes(numbers.below(40)) } : {}),
    ...(maybe() ? { betweenDirectoryAndEnd: numbers.bytes(numbers.below(40)) } : {}),
    ...(maybe() ? { comment: numbers.bytes(numbers.below(40)) } : {}),
    ...(maybe() ? { trailing: numbers.bytes(numbers.below(40)) } : {}),
    ...(maybe() ? { zip64: true as const } : {}),
    ...(maybe() ? { entryCount: numbers.below(65_536) } : {}),
  };
  const bytes = buildZip(members, layout);
  const places = ['PK\x03\x04', 'PK\x01\x02', 'PK\x05\x06', 'PK\x06\x06', 'PK\x06\x07'].flatMap(
    (signature) => {
      const found: number[] = [];
      for (
        let at = bytes.indexOf(signature, 0, 'latin1');
        at !== -1;
        at = bytes.indexOf(signature, at + 1, 'latin1')
      )
        for (let field = 4; field < 46; field += 2) found.push(at + field);
      return found;
    },
  );
  return numbers.below(3) === 0 ? bytes : damaged(bytes, numbers, places);
}

const signedArchive = buildZip([{ name: 'classes.dex', data: 'code'.repeat(50) }]);
const identity = newIdentity();
const jar = jarIdentity();
const KNOWN_PAIRS = [
  0x7109871a, 0xf05368c0, 0x1b93ad61, 0x42726577, 0x504b4453, 0x2146444e, 0x2b09189e, 0x6dff800d,
];

function randomBlock(numbers: Numbers): Buffer {
  const pair = (): Pair => {
    const scheme = numbers.of(['v2', 'v3'] as const);
    const signers = Array.from({ length: 1 + (numbers.below(10) === 0 ? numbers.below(30) : 0) }, () => ({
      identity,
      ...(numbers.below(5) === 0 ? { attributes: [numbers.bytes(numbers.below(60))] } : {}),
      ...(numbers.below(5) === 0 ? { chain: [numbers.bytes(numbers.below(60))] } : {}),
      ...(numbers.below(5) === 0 ? { afterSigner: numbers.bytes(numbers.below(20)) } : {}),
    }));
    const { id, value } = signerPair(scheme, signedArchive, signers);
    // lengths stand at the front of each structure
    const places = Array.from({ length: Math.min(40, value.length >> 2) }, (_, index) => index * 4);
    return {
      id: numbers.below(4) === 0 ? numbers.of(KNOWN_PAIRS) : id,
      value: numbers.below(8) === 0 ? numbers.bytes(numbers.below(100)) : damaged(value, numbers, places),
    };
  };
  const block = signingBlock(Array.from({ length: 1 + numbers.below(3) }, pair), numbers.below(2) === 0);
  return insertBlock(
    signedArchive,
    numbers.below(3) === 0 ? damaged(block, numbers, [0, 8, 16, block.length - 24]) : block,
  );
}

function randomElement(numbers: Numbers, depth = 0): AxmlElementSpec {
  return {
    name: numbers.of(['manifest', 'application', 'uses-sdk', 'meta-data', '']),
    attributes: Array.from({ length: numbers.below(4) }, () => ({
      name: numbers.of(['versionCode', 'package', 'split', 'minSdkVersion', '']),
      ...(numbers.below(2) === 0 ? { id: numbers.of([0x0101021b, 0x0101021c, 0x0101020c, 0]) } : {}),
      value: numbers.of([
        { type: numbers.below(256), data: numbers.of(ODD) },
        7,
        'org.example',
        { reference: numbers.of(ODD) },
      ]),
    })),
    children:
      depth > 3 ? [] : Array.from({ length: numbers.below(3) }, () => randomElement(numbers, depth + 1)),
    ...(numbers.below(20) === 0 ? { open: true as const } : {}),
  };
}

function randomAxml(numbers: Numbers): Buffer {
  const chunk = (): Buffer =>
    axmlChunk(numbers.below(0x400), numbers.bytes(numbers.below(4) * 4), numbers.bytes(numbers.below(40)));
  const chunks = {
    utf8: numbers.below(2) === 0,
    ...(numbers.below(6) === 0 ? { before: [chunk()] } : {}),
    ...(numbers.below(6) === 0 ? { after: [chunk()] } : {}),
    ...(numbers.below(30) === 0 ? { withoutPool: true as const } : {}),
  };
  const bytes =
    numbers.below(3) > 0
      ? buildManifest(chunks)
      : buildAxml({
          ...chunks,
          roots: Array.from({ length: numbers.below(3) }, () => randomElement(numbers)),
        });
  return damaged(bytes, numbers, multiplesOfFour(bytes));
}

/** Where chunk headers, counts and offsets stand. */
const multiplesOfFour = (bytes: Buffer): number[] =>
  Array.from({ length: bytes.length >> 2 }, (_, index) => index * 4);

function randomTable(numbers: Numbers): Buffer {
  const bytes = randomArsc(numbers);
  return numbers.below(3) === 0 ? bytes : damaged(bytes, numbers, multiplesOfFour(bytes));
}

/** What is written is read again as itself, where its index has one word for each entry. */
function writtenTable(bytes: Buffer): void {
  const table = readArsc(bytes);
  const written = writeCanonicalArsc(table);
  const isPlain = table.packages.every(({ chunks }) =>
    chunks.every((chunk) => chunk.kind !== 'type' || chunk.flags === 0),
  );
  if (isPlain && !writeCanonicalArsc(readArsc(written)).equals(written))
    throw new Error('the one layout is not its own');
}

const inArchive = (table: Buffer): Buffer =>
  buildZip([{ name: 'resources.arsc', data: table, align: 4, method: 0 }]);
const plainTable = inArchive(smallArsc());

/** A table is left out only against another layout of it. */
async function relaidTable(bytes: Buffer): Promise<void> {
  const rules = ['play-arsc-relayout', 'play-types-count'] as const;
  const { verdict } = await compareBuffers(inArchive(bytes), plainTable, { rules });
  if (verdict.kind === 'equivalent') throw new Error('another table was left out');
  if (verdict.kind !== 'unreproducible') throw new Error(verdict.kind);
}

const manifestText = (jarEntries(
  [
    { name: 'a', data: 'a' },
    { name: 'b'.repeat(90), data: 'b' },
  ],
  jar,
)[2]?.data ?? '') as Buffer;

function randomManifest(numbers: Numbers): Buffer {
  const lines = manifestText.toString('latin1').split(/(?<=\n)/);
  for (let times = numbers.below(6); times > 0; times--) {
    const at = numbers.below(lines.length);
    lines.splice(
      at,
      numbers.below(2),
      numbers.of([
        ' ',
        '\r\n',
        '\n',
        '\r',
        ': ',
        'Name: a\r\n',
        'Name:a',
        '\0\r\n',
        ' x\r\n',
        'a'.repeat(80_000),
      ]),
    );
  }
  return damaged(Buffer.from(lines.join(''), 'latin1'), numbers);
}

// ---------------------------------------------------------------- targets

const profile = buildProfile();
const profileTrees = derInput([profile, buildProfile({ Name: 'x', Entitlements: {} })]);

const wholeArchive = (archive: Buffer): unknown => {
  const directory = archive.readUInt32LE(archive.length - 6);
  return checkApkSignature(new BufferSource(archive), {
    centralDirectoryOffset: directory,
    centralDirectorySize: archive.length - 22 - directory,
    endOffset: archive.length - 22,
  });
};

/** Also what explains a difference, against itself. */
function comparedPlist(bytes: Buffer): void {
  const { root } = readPlist(new BufferSource(bytes));
  const { found, reordered } = comparePlists(root, root);
  if (found.length > 0 || reordered > 0) throw new Error('a property list differs from itself');
}

function comparedNib(bytes: Buffer): void {
  const nib = readNibArchive(new BufferSource(bytes));
  if (compareNibs(nib, nib, 10).found.length > 0) throw new Error('a nib differs from itself');
}

/** Some as they were made, some with numbers that are odd. */
const some =
  (make: FuzzTarget['make']): FuzzTarget['make'] =>
  (numbers) =>
    numbers.below(2) === 0 ? make(numbers) : damaged(make(numbers), numbers);

export const FUZZ_TARGETS: readonly FuzzTarget[] = [
  { name: 'ZIP', make: randomZip, read: (bytes) => readZip(new BufferSource(bytes)) },
  { name: 'ZIP, compared', make: randomZip, read: (bytes) => compareBuffers(bytes, signedArchive) },
  { name: 'signing block', make: randomBlock, read: wholeArchive },
  {
    name: 'signing block, compared',
    make: randomBlock,
    read: (bytes) => compareBuffers(bytes, signedArchive),
  },
  {
    name: 'DER: certificate',
    make: derInput([identity.certificate, jar.certificate, jarIdentity('rsa').certificate]),
    read: readCertificate,
  },
  { name: 'DER: public key', make: derInput([identity.publicKey]), read: readPublicKey },
  { name: 'DER: PKCS#7', make: derInput([signatureBlock(Buffer.from('file'), jar)]), read: readSignedData },
  { name: 'JAR manifest', make: randomManifest, read: readManifest },
  { name: 'AXML', make: randomAxml, read: (bytes) => readAndroidManifest(new BufferSource(bytes)) },
  { name: 'resource table', make: randomTable, read: writtenTable },
  { name: 'resource table, compared', make: randomTable, read: relaidTable },
  { name: 'property list, binary', make: some(randomBinaryPlist), read: comparedPlist },
  { name: 'property list, XML', make: some(randomXmlPlist), read: comparedPlist },
  {
    name: 'CodeResources',
    make: some(randomCodeResources),
    read: (bytes) => readCodeResources(new BufferSource(bytes)),
  },
  {
    name: 'asset catalog',
    make: some(randomCar),
    read: (bytes) => readAssetCatalog(new BufferSource(bytes)),
  },
  { name: 'nib', make: some(randomNib), read: comparedNib },
  {
    name: 'provisioning profile',
    // nearly every one of the trees is changed somewhere
    make: (numbers) => (numbers.below(2) === 0 ? damaged(profile, numbers) : profileTrees(numbers)),
    read: (bytes) => readProvisioningProfile(new BufferSource(bytes)),
  },
  { name: 'Mach-O', make: (numbers) => randomMachO(numbers, damaged), read: readPrograms },
  {
    name: 'Mach-O, compared',
    make: (numbers) => randomMachO(numbers, damaged),
    read: comparedProgram,
  },
  { name: 'texts', make: some(randomStrings), read: (bytes) => readStringsFile(new BufferSource(bytes)) },
];
