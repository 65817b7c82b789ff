// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import { BufferSource, eachChunk, FileSource, ForwardReader, SliceSource } from '../src/bytes.js';
import { FormatError } from '../src/errors.js';
import { temporaryDirectory } from './helpers/temp-directory.js';

const SIZE = 3_000_000;
const bytes = randomBytes(SIZE);

test('a reader that goes forward, back and beyond sees the bytes of its source', (t) => {
  const file = path.join(temporaryDirectory(t), 'bytes');
  writeFileSync(file, bytes);
  const source = FileSource.open(file);
  t.teardown(() => source.close());
  const sources = [
    [source, 0],
    [new SliceSource(new SliceSource(source, 1000, SIZE - 1000), 77, SIZE - 2000), 1077],
    [new BufferSource(bytes), 0],
  ] as const;
  const range = fc.tuple(fc.nat(SIZE), fc.oneof(fc.nat(100), fc.nat(SIZE)));
  fc.assert(
    fc.property(fc.array(range, { minLength: 1, maxLength: 20 }), (ranges) => {
      for (const [one, start] of sources) {
        const reader = new ForwardReader(one);
        for (const [at, length] of ranges) {
          const offset = Math.min(at, one.size);
          const n = Math.min(length, one.size - offset);
          if (!reader.read(offset, n).equals(bytes.subarray(start + offset, start + offset + n)))
            return false;
        }
      }
      return true;
    }),
    { numRuns: 30 },
  );
  t.throws(() => new ForwardReader(source).read(SIZE - 1, 2), { instanceOf: FormatError });
});

test('chunks are those of the range, in order', (t) => {
  const file = path.join(temporaryDirectory(t), 'bytes');
  writeFileSync(file, bytes);
  const source = FileSource.open(file);
  t.teardown(() => source.close());
  const seen: Buffer[] = [];
  eachChunk(source, 5, 2_500_000, (chunk) => seen.push(Buffer.from(chunk)), 700_000);
  t.deepEqual(
    seen.map(({ length }) => length),
    [700_000, 700_000, 700_000, 400_000],
  );
  t.true(Buffer.concat(seen).equals(bytes.subarray(5, 2_500_005)));
});
