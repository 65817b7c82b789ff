// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import zlib from 'node:zlib';
import test from 'ava';
import fc from 'fast-check';
import { deflateRaw } from 'pako';
import { FormatError } from '../../src/errors.js';
import { deflateIssues, DeflateWalker, walkDeflate, type DeflateInfo } from '../../src/formats/deflate.js';
import { BitWriter } from '../helpers/bit-writer.js';
import { need } from '../helpers/need.js';

/** Bytes that do not compress, the same in every run. */
function noise(size: number): Buffer {
  const parts: Buffer[] = [];
  for (let i = 0; i * 32 < size; i++) parts.push(createHash('sha256').update(`noise ${i}`).digest());
  return Buffer.concat(parts).subarray(0, size);
}

const text = Buffer.from(Array.from({ length: 4000 }, (_, i) => `line ${i * i} of the text\n`).join(''));
const samples: readonly Buffer[] = [
  Buffer.alloc(0),
  Buffer.from('a'),
  Buffer.from('hello hello hello hello'),
  text,
  noise(70_000),
  Buffer.alloc(300_000),
  Buffer.concat([noise(40_000), text, noise(40_000), Buffer.alloc(70_000), noise(40_000)]),
];

/** The types of Node do not know what `info: true` yields. */
function hasEngine(
  result: object,
): result is { readonly buffer: Buffer; readonly engine: { readonly bytesWritten: number } } {
  return 'engine' in result && 'buffer' in result;
}

function inflate(raw: Buffer): { readonly decodedSize: number; readonly endOffset: number } | undefined {
  try {
    const result: object = zlib.inflateRawSync(raw, { info: true });
    if (!hasEngine(result)) throw new Error('no engine');
    return { decodedSize: result.buffer.length, endOffset: result.engine.bytesWritten };
  } catch (error) {
    if (error instanceof Error && 'code' in error && /^Z_(DATA|BUF)_ERROR$/.test(String(error.code)))
      return undefined;
    throw error;
  }
}

function walked(walk: () => DeflateInfo): DeflateInfo | undefined {
  try {
    return walk();
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
}

function walkInPieces(raw: Buffer, size: number): DeflateInfo {
  const walker = new DeflateWalker();
  for (let at = 0; at < raw.length; at += size) walker.push(raw.subarray(at, at + size));
  return walker.finish();
}

const LEVELS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
const STRATEGIES = [
  zlib.constants.Z_DEFAULT_STRATEGY,
  zlib.constants.Z_FILTERED,
  zlib.constants.Z_HUFFMAN_ONLY,
  zlib.constants.Z_RLE,
  zlib.constants.Z_FIXED,
];

test('what zlib writes at any level and strategy is walked to its end and is tight', (t) => {
  for (const sample of samples)
    for (const level of LEVELS)
      for (const strategy of STRATEGIES) {
        const raw = zlib.deflateRawSync(sample, { level, strategy });
        const info = walkDeflate(raw);
        t.is(info.decodedSize, sample.length);
        t.is(info.endOffset, raw.length);
        t.deepEqual(
          deflateIssues(info, raw.length, sample.length),
          [],
          `level ${level}, strategy ${strategy}`,
        );
      }
});

test('what pako, a port of the vanilla zlib, writes is tight', (t) => {
  for (const sample of samples)
    for (const level of [1, 6, 9] as const) {
      const raw = deflateRaw(sample, { level });
      t.deepEqual(deflateIssues(walkDeflate(raw), raw.length, sample.length), []);
    }
});

test('the empty last block that zlib writes when its buffer fills up where the input ends is tight', (t) => {
  // 16,382 literals and one match
  const sample = Buffer.concat([noise(16_382), noise(16_200).subarray(16_000)]);
  for (const level of [1, 6, 9] as const) {
    const raw = zlib.deflateRawSync(sample, { level });
    const info = walkDeflate(raw);
    t.is(info.emptyBlocks, 1);
    t.deepEqual(info.lastBlock, { type: 'fixed', decodedSize: 0 });
    t.deepEqual(deflateIssues(info, raw.length, sample.length), []);
  }
});

test('flushed streams have empty blocks', (t) => {
  for (const finishFlush of [zlib.constants.Z_SYNC_FLUSH, zlib.constants.Z_FULL_FLUSH]) {
    const raw = Buffer.concat([zlib.deflateRawSync('hello', { finishFlush }), zlib.deflateRawSync(' world')]);
    t.is(zlib.inflateRawSync(raw).toString(), 'hello world');
    t.deepEqual(deflateIssues(walkDeflate(raw), raw.length, 11), ['empty-block']);
  }
});

test('Python zlib is tight, except when told to flush', (t) => {
  if (!need(t, 'python3')) return;
  const script = `
import sys, zlib
data = sys.stdin.buffer.read()
def put(raw): sys.stdout.buffer.write(len(raw).to_bytes(4, 'little') + raw)
for level in range(10):
    for strategy in range(5):
        c = zlib.compressobj(level, zlib.DEFLATED, -15, 8, strategy)
        put(c.compress(data) + c.flush())
    c = zlib.compressobj(level, zlib.DEFLATED, -15)
    put(b''.join(c.compress(data[i:i + 1000]) for i in range(0, len(data), 1000)) + c.flush())
for level in range(10):
    c = zlib.compressobj(level, zlib.DEFLATED, -15)
    put(c.compress(data) + c.flush(zlib.Z_SYNC_FLUSH) + c.flush())
`;
  for (const sample of samples) {
    const output = execFileSync('python3', ['-c', script], { input: sample, maxBuffer: 1 << 28 });
    let at = 0;
    for (let i = 0; at < output.length; i++) {
      const size = output.readUInt32LE(at);
      const issues = deflateIssues(walkDeflate(output.subarray(at + 4, at + 4 + size)), size, sample.length);
      t.is(issues.includes('empty-block'), i >= 60, `stream ${i} of ${sample.length} bytes`);
      if (i < 60) t.deepEqual(issues, []);
      at += 4 + size;
    }
  }
});

/** Raw data of the deflated entries of a plain ZIP file, with the decoded sizes. */
function* deflatedEntries(file: Buffer): Generator<readonly [Buffer, number]> {
  const end = file.lastIndexOf('PK\x05\x06', undefined, 'latin1');
  let at = file.readUInt32LE(end + 16);
  for (let left = file.readUInt16LE(end + 10); left > 0; left--) {
    const local = file.readUInt32LE(at + 42);
    const start = local + 30 + file.readUInt16LE(local + 26) + file.readUInt16LE(local + 28);
    if (file.readUInt16LE(at + 10) === 8)
      yield [file.subarray(start, start + file.readUInt32LE(at + 20)), file.readUInt32LE(at + 24)];
    at += 46 + file.readUInt16LE(at + 28) + file.readUInt16LE(at + 30) + file.readUInt16LE(at + 32);
  }
}

const otherEncoder = test.macro({
  exec(t, tools: readonly string[], commands: readonly (readonly string[])[]) {
    if (!need(t, ...tools)) return;
    const directory = mkdtempSync(path.join(tmpdir(), 'deflate-'));
    t.teardown(() => rmSync(directory, { recursive: true }));
    samples.forEach((sample, i) => writeFileSync(path.join(directory, `sample-${i}`), sample));
    writeFileSync(
      path.join(directory, 'Pack.java'),
      `import java.io.*; import java.nio.file.*; import java.util.zip.*;
       class Pack { public static void main(String[] a) throws Exception {
         ZipOutputStream out = new ZipOutputStream(new FileOutputStream(a[0])); out.setLevel(Integer.parseInt(a[1]));
         for (File f : new File(".").listFiles()) if (f.getName().startsWith("sample")) {
           out.putNextEntry(new ZipEntry(f.getName())); out.write(Files.readAllBytes(f.toPath())); out.closeEntry(); }
         out.close(); } }`,
    );
    let entries = 0;
    commands.forEach(([command = '', ...args], i) => {
      const archive = `${i}.zip`;
      execFileSync(
        command,
        args.map((arg) => (arg === 'OUT' ? archive : arg)),
        { cwd: directory, stdio: 'pipe' },
      );
      const file = execFileSync('cat', [archive], { cwd: directory, maxBuffer: 1 << 28 });
      for (const [raw, decodedSize] of deflatedEntries(file)) {
        entries++;
        t.deepEqual(deflateIssues(walkDeflate(raw), raw.length, decodedSize), []);
      }
    });
    t.true(entries >= 3 * commands.length);
  },
  title: (name) => `what ${name ?? ''} writes is tight`,
});

test(
  'Info-ZIP',
  otherEncoder,
  ['zip'],
  ['-1', '-6', '-9'].map((level) => ['zip', '-q', '-r', level, 'OUT', '.']),
);
test(
  '7-Zip',
  otherEncoder,
  ['7z'],
  ['-mx=1', '-mx=5', '-mx=9'].map((level) => ['7z', 'a', '-tzip', '-mm=Deflate', level, 'OUT', 'sample-*']),
);
test(
  "Java's Deflater",
  otherEncoder,
  ['java'],
  ['0', '1', '6', '9'].map((level) => ['java', 'Pack.java', 'OUT', level]),
);

test('accepts exactly what zlib accepts, with the same sizes, whole or in pieces', (t) => {
  const streams = samples.flatMap((sample) => [
    zlib.deflateRawSync(sample.subarray(0, 40_000)),
    zlib.deflateRawSync(sample.subarray(0, 3_000), { level: 1 }),
    zlib.deflateRawSync(sample.subarray(0, 3_000), { strategy: zlib.constants.Z_FIXED }),
    zlib.deflateRawSync(sample.subarray(0, 3_000), { level: 0 }),
  ]);
  let accepted = 0;
  let refused = 0;
  fc.assert(
    fc.property(
      fc.constantFrom(...streams),
      fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(255)), { maxLength: 2 }),
      // half of the damage lies in the header of the first block
      fc.boolean(),
      fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { freq: 1 }),
      fc.integer({ min: 1, max: 2000 }),
      (stream, changes, early, cut, piece) => {
        let raw = Buffer.from(stream);
        for (const [where, value] of changes)
          raw[Math.floor(where * (early ? Math.min(80, raw.length) : raw.length))] = value;
        if (cut !== null && cut < 0.9) raw = raw.subarray(0, Math.floor((cut / 0.9) * raw.length));
        const expected = inflate(raw);
        for (const info of [walked(() => walkDeflate(raw)), walked(() => walkInPieces(raw, piece))]) {
          t.is(info?.decodedSize, expected?.decodedSize);
          t.is(info?.endOffset, expected?.endOffset);
        }
        if (expected === undefined) refused++;
        else accepted++;
      },
    ),
    { numRuns: 3000, seed: 20 },
  );
  t.true(accepted > 300 && refused > 300, `${accepted} accepted, ${refused} refused`);
});

test('accepts exactly what zlib accepts of random code lengths', (t) => {
  const symbol = fc.oneof(
    fc.tuple(fc.integer({ min: 0, max: 15 })),
    fc.tuple(fc.constant(16), fc.integer({ min: 3, max: 6 })),
    fc.tuple(fc.constant(17), fc.integer({ min: 3, max: 10 })),
    fc.tuple(fc.constant(18), fc.integer({ min: 11, max: 138 })),
  );
  fc.assert(
    fc.property(
      fc.integer({ min: 257, max: 288 }),
      fc.integer({ min: 1, max: 32 }),
      fc.array(symbol, { maxLength: 100 }),
      fc.uint8Array({ maxLength: 200 }),
      (literals, distances, symbols, body) => {
        const raw = Buffer.concat([new BitWriter().dynamic(literals, distances, symbols).done(), body]);
        const expected = inflate(raw);
        const info = walked(() => walkDeflate(raw));
        t.is(info?.decodedSize, expected?.decodedSize);
        t.is(info?.endOffset, expected?.endOffset);
      },
    ),
    { numRuns: 2000, seed: 3 },
  );
});

test('codes of all lengths up to 15 bits are decoded', (t) => {
  // literal i has a code of i + 1 bits; 15 bits for the last literal and for the end of the block
  const lengths = [...Array.from({ length: 14 }, (_, i) => i + 1), 15];
  const symbols = lengths.map((length) => [length] as const);
  const writer = new BitWriter().dynamic(257, 1, [...symbols, [18, 138], [18, 103], [15], [0]]);
  let decoded = '';
  for (let round = 0; round < 40; round++)
    for (let i = 0; i < 15; i++) {
      writer.code(i < 14 ? `${'1'.repeat(i)}0` : `${'1'.repeat(14)}0`);
      decoded += String.fromCharCode(i);
    }
  const raw = writer.code('1'.repeat(15)).done();
  t.is(zlib.inflateRawSync(raw).toString('latin1'), decoded);
  t.is(walkDeflate(raw).decodedSize, decoded.length);
  t.is(walkInPieces(raw, 1).decodedSize, decoded.length);
});

test('sizes beyond 32 bits are counted', (t) => {
  // one block, flushed: 64 MiB of zeros in 65 KB, repeated 70 times, then the end
  const block = zlib.deflateRawSync(Buffer.alloc(1 << 26), { finishFlush: zlib.constants.Z_FULL_FLUSH });
  const walker = new DeflateWalker();
  for (let i = 0; i < 70; i++) walker.push(block);
  walker.push(zlib.deflateRawSync(''));
  const info = walker.finish();
  t.is(info.decodedSize, 70 * 2 ** 26);
  t.is(info.endOffset, 70 * block.length + 2);
});

const header = (): BitWriter => new BitWriter().bits(1, 1);
const faulty: Readonly<Record<string, readonly Buffer[]>> = {
  'block-type': [header().bits(3, 2).done()],
  'stored-length': [header().bits(0, 2).align().bits(5, 16).bits(5, 16).align().done()],
  'symbol-count': [new BitWriter().dynamic(287, 1, []).done(), new BitWriter().dynamic(257, 31, []).done()],
  repeat: [
    new BitWriter().dynamic(257, 1, [[16, 3]]).done(),
    new BitWriter()
      .dynamic(257, 1, [
        [18, 138],
        [18, 138],
      ])
      .done(),
  ],
  'no-end-of-block': [new BitWriter().dynamic(257, 1, [[1], [1], [18, 138], [18, 118]]).done()],
  oversubscribed: [new BitWriter().dynamic(257, 1, [[1], [1], [18, 138], [18, 116], [1], [0]]).done()],
  incomplete: [
    new BitWriter().dynamic(257, 1, [[2], [18, 138], [18, 117], [2], [0]]).done(),
    // no code length code at all
    header().bits(2, 2).bits(0, 14).bits(0, 12).align().bits(0, 32).done(),
  ],
  'invalid-symbol': [
    header().bits(1, 2).code('11000110').done(),
    header().bits(1, 2).code('11000111').done(),
    // one code of one bit, and the other bit
    new BitWriter()
      .dynamic(257, 1, [[18, 138], [18, 118], [1], [0]])
      .code('1')
      .done(),
  ],
  'invalid-distance': [
    header().bits(1, 2).code('00110000 0000001 11110').done(),
    new BitWriter()
      .dynamic(258, 1, [[1], [18, 138], [18, 117], [2], [2], [0]])
      .code('0 11 0')
      .align()
      .bits(0, 32)
      .done(),
  ],
  'distance-too-far': [
    header().bits(1, 2).code('00110000 0000001 00001').done(),
    header().bits(1, 2).code('0000001 00000').done(),
  ],
  truncated: [
    Buffer.alloc(0),
    new BitWriter().stored(false, 'hello').done(),
    new BitWriter().stored(true, 'hello').done().subarray(0, 9),
    new BitWriter().fixed(true, 'hello').done().subarray(0, 6),
  ],
};

for (const [code, streams] of Object.entries(faulty))
  test(`refuses with deflate/${code}`, (t) => {
    for (const raw of streams) {
      t.is(inflate(raw), undefined);
      // followed by enough bytes that no fault could be one of truncation
      const padded = code === 'truncated' ? raw : Buffer.concat([raw, Buffer.alloc(16)]);
      const error = t.throws(() => walkDeflate(padded), { instanceOf: FormatError });
      t.is(error?.code, `deflate/${code}`);
    }
  });

const loose = test.macro({
  exec(t, raw: Buffer, decodedSize: number, issues: readonly string[]) {
    t.deepEqual(deflateIssues(walkDeflate(raw), raw.length, decodedSize), issues);
  },
  title: (name) => `${name ?? ''} is an issue`,
});

test(
  'a byte after the stream',
  loose,
  Buffer.concat([new BitWriter().fixed(true, 'a').done(), Buffer.of(0)]),
  1,
  ['slack'],
);
test('another decoded size', loose, new BitWriter().fixed(true, 'ab').done(), 1, ['decoded-size']);
test('a padding bit after the last block', loose, new BitWriter().fixed(true, 'ab').align(1).done(), 2, [
  'padding-bits',
]);
test('a padding bit before a stored block', loose, new BitWriter().stored(true, 'ab', 1).done(), 2, [
  'padding-bits',
]);
test('an empty block in front', loose, new BitWriter().fixed(false, '').fixed(true, 'a').done(), 1, [
  'empty-block',
]);
test(
  'an empty block in between',
  loose,
  new BitWriter().fixed(false, 'a').stored(false, '').stored(true, 'b').done(),
  2,
  ['empty-block'],
);
test(
  'a second empty block at the end',
  loose,
  new BitWriter().fixed(false, 'a').fixed(false, '').fixed(true, '').done(),
  1,
  ['empty-block'],
);
test(
  'an empty dynamic block, even if alone,',
  loose,
  new BitWriter()
    .dynamic(257, 1, [[1], [18, 138], [18, 117], [1], [0]])
    .code('1')
    .done(),
  0,
  ['empty-block'],
);
test(
  'a stored block for every byte',
  loose,
  new BitWriter()
    .stored(false, 'a')
    .stored(false, 'b')
    .stored(false, 'c')
    .stored(false, 'd')
    .stored(true, 'e')
    .done(),
  5,
  ['oversize'],
);

test('an empty stream is one empty block', (t) => {
  for (const raw of [new BitWriter().fixed(true, '').done(), new BitWriter().stored(true, '').done()])
    t.deepEqual(deflateIssues(walkDeflate(raw), raw.length, 0), []);
});
