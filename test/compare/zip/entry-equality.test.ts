// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import fc from 'fast-check';
import { BufferSource } from '../../../src/bytes.js';
import { EntryEquality } from '../../../src/compare/zip/entry-equality.js';
import { readZip } from '../../../src/formats/zip.js';
import { buildZip, type ZipMember } from '../../helpers/build-zip.js';
import { compareBuffers } from '../../helpers/compare-buffers.js';

const member = fc.record({
  data: fc.string({ maxLength: 20 }),
  method: fc.constantFrom(0, 8),
  time: fc.constantFrom(0, 1),
  extra: fc.constantFrom(Buffer.alloc(0), Buffer.from([9, 9, 0, 0])),
});

test('equality of entries is that of their bytes, wherever they lie', (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(member, member, fc.boolean()), { maxLength: 12 }),
      fc.boolean(),
      (all, reversed) => {
        const members = (side: 0 | 1): ZipMember[] =>
          all.map((pair, index) => ({ name: `m${index}`, ...(pair[2] ? pair[0] : pair[side]) }));
        const other = members(1);
        const files = [buildZip(members(0)), buildZip(reversed ? other.reverse() : other)] as const;
        const [p, r] = files.map((file) => {
          const source = new BufferSource(file);
          return { source, structure: readZip(source) };
        });
        if (p === undefined || r === undefined) return false;
        const pairs = all.map((_, index) => ({
          published: index,
          rebuilt: reversed ? all.length - 1 - index : index,
        }));
        const equality = new EntryEquality(p, r, pairs, () => undefined);
        return pairs.every((pair, index) => {
          const a = p.structure.entries[pair.published];
          const b = r.structure.entries[pair.rebuilt];
          if (a === undefined || b === undefined) return false;
          const [x, y] = files;
          const whole = x.subarray(a.localOffset, a.end).equals(y.subarray(b.localOffset, b.end));
          const data = x
            .subarray(a.dataOffset, a.dataOffset + a.compressedSize)
            .equals(y.subarray(b.dataOffset, b.dataOffset + b.compressedSize));
          return equality.whole(index) === whole && equality.data(index) === (whole || data);
        });
      },
    ),
  );
  t.pass();
});

test('entries with equal raw bytes are not decoded: one that no decoder reads stays identical', async (t) => {
  const broken: ZipMember = { name: 'broken', raw: Buffer.from([7, 7, 7]), size: 100, crc32: 5 };
  const { verdict, pair } = await compareBuffers(
    buildZip([broken, { name: 'a', data: 'content '.repeat(9), level: 9 }]),
    buildZip([broken, { name: 'a', data: 'content '.repeat(9), level: 0 }]),
  );
  t.is(verdict.kind, 'equivalent');
  t.is(pair.nodes[0]?.members[0]?.owner, 'identical');
  t.is(pair.nodes[0]?.members[1]?.owner, 'reencoded');
});
