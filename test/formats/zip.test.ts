// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import fc from 'fast-check';
import yauzl from 'yauzl';
import { BufferSource } from '../../src/bytes.js';
import { FormatError } from '../../src/errors.js';
import { readZip } from '../../src/formats/zip.js';
import { buildZip, type ZipLayout, type ZipMember } from '../helpers/build-zip.js';

const read = (zip: Buffer): ReturnType<typeof readZip> => readZip(new BufferSource(zip));

const member: fc.Arbitrary<ZipMember> = fc.record(
  {
    name: fc.string({ minLength: 1, maxLength: 12 }).filter((name) => !/[\\/:\0]|^\.|^$/.test(name)),
    data: fc.uint8Array({ maxLength: 200 }).map((data) => Buffer.from(data)),
    method: fc.constantFrom(0, 8),
    descriptor: fc.constantFrom('signed', 'plain'),
    align: fc.constantFrom(4, 4096),
  },
  { requiredKeys: ['name', 'data', 'method'] },
);

interface Listed {
  readonly name: string;
  readonly size: number;
  readonly offset: number;
}

function listByYauzl(zip: Buffer): Promise<Listed[]> {
  return new Promise((resolve, reject) => {
    yauzl.fromBuffer(zip, { lazyEntries: false, decodeStrings: false }, (error, file) => {
      if (error !== null) return reject(error);
      const list: Listed[] = [];
      file.on('entry', (entry: yauzl.Entry) =>
        list.push({
          name: Buffer.from(entry.fileName).toString('latin1'),
          size: entry.uncompressedSize,
          offset: entry.relativeOffsetOfLocalHeader,
        }),
      );
      file.on('end', () => resolve(list));
      file.on('error', reject);
    });
  });
}

test('another reader lists the same entries', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(member, { maxLength: 8 }), async (members) => {
      const zip = buildZip(members);
      const ours = read(zip).entries.map((entry) => ({
        name: entry.rawName.toString('latin1'),
        size: entry.size,
        offset: entry.localOffset,
      }));
      t.deepEqual(ours, await listByYauzl(zip));
    }),
    { numRuns: 100 },
  );
});

test('entries, directory and end records tile an archive without gaps', (t) => {
  fc.assert(
    fc.property(fc.array(member, { maxLength: 8 }), (members) => {
      const zip = buildZip(members);
      const { entries, dataOrder, centralDirectory, end, comment } = read(zip);
      let at = 0;
      for (const index of dataOrder) {
        const entry = entries[index];
        t.is(entry?.localOffset, at);
        at = entry?.end ?? -1;
      }
      t.is(centralDirectory.offset, at);
      t.is(centralDirectory.offset + centralDirectory.size, end.offset);
      t.is(comment.offset + comment.size, zip.length);
    }),
  );
});

test('an archive stored inside of another does not make it ambiguous', async (t) => {
  const zip = buildZip([{ name: 'in.jar', method: 0, data: buildZip([a]) }]);
  t.is(read(zip).entries.length, 1);
  t.is((await listByYauzl(zip)).length, 1);
});

test('ZIP64 end records are read', async (t) => {
  const zip = buildZip([{ name: 'a', data: 'x' }], { zip64: true });
  t.is(read(zip).entries.length, 1);
  t.is((await listByYauzl(zip)).length, 1);
});

const a: ZipMember = { name: 'a', data: 'content of a' };
const endRecord = buildZip([]);

const refused = test.macro({
  exec(t, zip: Buffer, code: string) {
    const error = t.throws(() => read(zip), { instanceOf: FormatError });
    t.is(error?.code, `zip/${code}`);
  },
  title: (given, _zip, code: string) => `refused as ${code}: ${given ?? ''}`,
});

function patched(members: readonly ZipMember[], layout: ZipLayout, patch: (zip: Buffer) => void): Buffer {
  const zip = buildZip(members, layout);
  patch(zip);
  return zip;
}
const endOf = (zip: Buffer): number => zip.lastIndexOf('PK\x05\x06', undefined, 'latin1');

test('empty file', refused, Buffer.alloc(0), 'no-end-record');
test('text', refused, Buffer.from('not an archive, but long enough to hold an end record'), 'no-end-record');
test('end record inside the comment', refused, buildZip([a], { comment: endRecord }), 'ambiguous-end-record');
test(
  'end record inside the comment that stops short',
  refused,
  buildZip([a], { comment: Buffer.concat([endRecord, Buffer.from('!')]) }),
  'ambiguous-end-record',
);
test('wrong count', refused, buildZip([a], { entryCount: 2 }), 'entry-count');
test(
  'count smaller than the directory',
  refused,
  buildZip([a, { name: 'b' }], { entryCount: 1 }),
  'entry-count',
);
test(
  'another disk',
  refused,
  patched([a], {}, (zip) => zip.writeUInt16LE(1, endOf(zip) + 4)),
  'multi-disk',
);
test(
  'directory behind the file',
  refused,
  patched([a], {}, (zip) => zip.writeUInt32LE(zip.length, endOf(zip) + 16)),
  'directory-out-of-range',
);
test(
  'directory that is none',
  refused,
  patched([a], {}, (zip) => zip.writeUInt32LE(0, endOf(zip) + 16)),
  'bad-directory-record',
);
test(
  'directory cut short',
  refused,
  patched([a], {}, (zip) => zip.writeUInt32LE(20, endOf(zip) + 12)),
  'directory-truncated',
);
test(
  'local header elsewhere',
  refused,
  patched([a], {}, (zip) => zip.writeUInt32LE(1, endOf(zip) - 47 + 42)),
  'no-local-header',
);
test(
  'local header behind the directory',
  refused,
  patched([a], {}, (zip) => zip.writeUInt32LE(0x7fffffff, endOf(zip) - 47 + 42)),
  'local-header-out-of-range',
);
test(
  'data longer than the file',
  refused,
  patched([a], {}, (zip) => zip.writeUInt32LE(0x7fffffff, endOf(zip) - 47 + 20)),
  'data-out-of-range',
);
test(
  'two entries over one local header',
  refused,
  patched([a, { name: 'b', data: 'x' }], {}, (zip) => zip.writeUInt32LE(0, endOf(zip) - 47 + 42)),
  'overlap',
);
test(
  'saturated size without ZIP64 field',
  refused,
  patched([a], {}, (zip) => zip.writeUInt32LE(0xffffffff, endOf(zip) - 47 + 24)),
  'zip64',
);

test('262,144 entries are read and not one more', (t) => {
  for (const [count, code] of [
    [262_144, 'zip/entry-count'],
    [262_145, 'zip/too-many-entries'],
  ] as const) {
    const zip = buildZip([a], { zip64: true });
    for (const at of [24, 32]) zip.writeUInt32LE(count, zip.length - 22 - 76 + at);
    t.is(t.throws(() => read(zip), { instanceOf: FormatError })?.code, code);
  }
});

test('cut or corrupted anywhere, it is read or refused with a code, never more', (t) => {
  const zip = buildZip(
    [a, { name: 'b', data: 'bbbb', descriptor: 'signed' }, { name: 'c', method: 0, data: 'c', align: 4 }],
    { zip64: true },
  );
  for (let length = 0; length < zip.length; length++) {
    const error = t.throws(() => read(zip.subarray(0, length)), { instanceOf: FormatError });
    t.regex(error?.code ?? '', /^(zip|source)\//);
  }
  for (let at = 0; at < zip.length; at++)
    for (const flip of [0x01, 0x80, 0xff]) {
      const corrupt = Buffer.from(zip);
      corrupt[at] = (corrupt[at] ?? 0) ^ flip;
      try {
        read(corrupt);
      } catch (error) {
        t.true(error instanceof FormatError, `byte ${at}: ${String(error)}`);
      }
    }
});
