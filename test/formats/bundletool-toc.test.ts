// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import { BufferSource } from '../../src/bytes.js';
import { FormatError } from '../../src/errors.js';
import { readBundletoolToc, type BundletoolToc } from '../../src/formats/bundletool-toc.js';
import { protobufFields } from '../../src/formats/protobuf.js';
import { field, varint } from '../helpers/build-protobuf.js';
import { buildApks, buildBundle, membersOf, needBundletool } from '../helpers/bundletool.js';

const read = (bytes: Buffer): BundletoolToc => readBundletoolToc(new BufferSource(bytes));

const message = (...fields: readonly Buffer[]): Buffer => Buffer.concat(fields);
const apk = (name: string, ...more: readonly Buffer[]): Buffer => field(2, message(field(2, name), ...more));
const variant = (...fields: readonly Buffer[]): Buffer => field(1, message(...fields));

test('a table by hand: variants, modules, what devices get what', (t) => {
  const targeting = message(
    field(1, message(field(1, field(1, 3)))),
    field(3, message(field(1, 'de'), field(1, 'pt'))),
    field(4, message(field(1, field(1, 7)), field(1, field(2, 421)))),
    field(5, message(field(1, field(1, field(1, 30))))),
    field(6, message(field(1, field(1, 9)))),
  );
  const set = message(field(1, message(field(1, 'extra'), field(6, 2))), apk('a.apk', field(1, targeting)));
  const toc = read(
    message(
      field(4, 'org.example'),
      field(2, field(2, '1.18.3')),
      variant(field(1, field(1, field(1, field(1, field(1, 29))))), field(2, set), field(3, 5)),
    ),
  );
  t.deepEqual(toc, {
    package: 'org.example',
    bundletool: '1.18.3',
    variants: [
      {
        number: 5,
        targeting: { abis: [], densities: [], languages: [], minSdk: 29, otherDimensions: false },
        apks: [
          {
            path: 'a.apk',
            module: 'extra',
            delivery: 'on-demand',
            conditional: false,
            standalone: false,
            targeting: {
              abis: ['arm64-v8a'],
              densities: [480, 421],
              languages: ['de', 'pt'],
              minSdk: 30,
              otherDimensions: true,
            },
          },
        ],
      },
    ],
    assetSlices: [],
  });
});

test('what bundletool writes', async (t) => {
  if (!needBundletool(t)) return;
  const directory = mkdtempSync(path.join(realpathSync(tmpdir()), 'samesource-test-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  const members = await membersOf(buildApks(buildBundle(directory)));
  const toc = read(members.get('toc.pb') ?? Buffer.alloc(0));
  t.is(toc.package, 'org.example.chat');
  t.deepEqual(
    toc.variants.map(({ number, targeting, apks }) => [number, targeting.minSdk, apks.length]),
    [
      [0, 21, 15],
      [1, 23, 15],
      [2, 29, 15],
    ],
  );
  const paths = toc.variants.flatMap(({ apks }) => apks.map((one) => one.path));
  t.deepEqual(paths.sort(), [...members.keys()].filter((name) => name !== 'toc.pb').sort());
  const targetings = Object.fromEntries(
    (toc.variants[2]?.apks ?? []).map(({ path: name, targeting }) => [name, targeting]),
  );
  t.like(targetings['splits/base-arm64_v8a_3.apk'], { abis: ['arm64-v8a'], densities: [], languages: [] });
  t.like(targetings['splits/base-xxhdpi_3.apk'], { abis: [], densities: [480], languages: [] });
  t.like(targetings['splits/base-iw_3.apk'], { abis: [], densities: [], languages: ['iw'] });
  t.like(targetings['splits/base-master_3.apk'], { abis: [], densities: [], languages: [] });
});

const MALFORMED: readonly (readonly [string, string, Buffer])[] = [
  ['a field beyond the end', 'protobuf/past-end', Buffer.from([0x0a, 5, 0])],
  ['a number beyond the end', 'protobuf/past-end', Buffer.from([0x80])],
  ['a number without end', 'protobuf/varint', Buffer.alloc(11, 0x80)],
  ['a group', 'protobuf/wire-type', Buffer.from([0x0b])],
  ['field number 0', 'protobuf/field-number', Buffer.from([0x00, 0])],
  ['a gigabyte', 'protobuf/past-end', message(Buffer.from([0x0a]), varint(2 ** 30))],
  ['a variant that is a number', 'toc/type', field(1, 7)],
  ['a variant number that is a text', 'toc/type', variant(field(3, 'x'))],
  ['two packages', 'toc/field-twice', message(field(4, 'a'), field(4, 'b'))],
  ['two variants of one number', 'toc/variant-twice', message(variant(field(3, 1)), variant(field(3, 1)))],
  ['an APK without a path', 'toc/no-path', variant(field(2, field(2, Buffer.alloc(0))))],
  ['a path that is no text', 'toc/text', variant(field(2, field(2, field(2, Buffer.from([0xff])))))],
  ['a path of 5,000 bytes', 'toc/too-long', variant(field(2, apk('x'.repeat(5000))))],
  ['an ABI of the future', 'toc/abi', variant(field(1, field(2, field(1, field(1, 99)))))],
  ['a density of the future', 'toc/density', variant(field(1, field(3, field(1, field(1, 99)))))],
  ['too many fields', 'protobuf/too-many-fields', Buffer.concat(Array(20_000).fill(field(9, 1)))],
  ['nine megabytes', 'toc/too-large', Buffer.alloc(9 << 20)],
];

for (const [title, code, bytes] of MALFORMED)
  test(`refused: ${title}`, (t) => {
    const error = t.throws(() => read(bytes), { instanceOf: FormatError });
    t.is(error.code, code);
  });

test('anything is read or refused with an offset inside', (t) => {
  const start = variant(field(2, apk('a.apk', field(1, message(field(1, message(field(1, field(1, 3)))))))));
  const check = (bytes: Buffer): void => {
    try {
      read(bytes);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      t.true(error.offset >= 0 && error.offset <= bytes.length, `${error.code} ${error.offset}`);
    }
  };
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => check(Buffer.from(bytes))));
  for (let at = 0; at < start.length; at++)
    for (let bit = 0; bit < 8; bit++) {
      const changed = Buffer.from(start);
      changed[at] = (changed[at] ?? 0) ^ (1 << bit);
      check(changed);
    }
});

test('all wire types have their value', (t) => {
  const bytes = Buffer.concat([
    Buffer.from([1 * 8 + 1, 1, 2, 3, 4, 5, 6, 7, 8]),
    Buffer.from([2 * 8 + 5, 1, 2, 3, 4]),
    Buffer.from([3 * 8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]),
    field(4, 'text'),
  ]);
  t.deepEqual(
    protobufFields({ bytes, offset: 100 }, 10).map((one) => [
      one.number,
      one.offset,
      one.kind === 'number' ? one.value : one.value.bytes.toString(),
    ]),
    [
      [1, 100, 0x0807060504030201n],
      [2, 109, 0x04030201n],
      [3, 114, 0xffffffffffffffffn],
      [4, 125, 'text'],
    ],
  );
});
