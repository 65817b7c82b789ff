// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { digestOf } from '../../../src/canonical-json.js';
import { BufferSource } from '../../../src/bytes.js';
import type { Observation } from '../../../src/compare/types.js';
import { AMBIGUITIES, CONTESTED, REFUSALS } from '../../../src/formats/zip-code.js';
import { readZip } from '../../../src/formats/zip.js';
import { AMBIGUOUS, DEFLATE, deflateZip, plainZip, REFUSED, TEXT } from '../../helpers/ambiguous-zips.js';
import { buildZip, type ZipMember } from '../../helpers/build-zip.js';
import { compareBuffers, type Compared } from '../../helpers/compare-buffers.js';
import { reportOf } from '../../helpers/a-report.js';
import { checkReport } from '../../../src/report/check.js';
import { renderHtml } from '../../../src/report/html.js';
import { renderJson } from '../../../src/report/json.js';
import { renderMarkdown } from '../../../src/report/markdown.js';
import { renderText } from '../../../src/report/text.js';

const seen = ({ pair }: Compared, code: string): Observation | undefined =>
  pair.observations?.find((observation) => observation.code === code);
const codes = ({ pair }: Compared): string[] => (pair.observations ?? []).map(({ code }) => code);

test('an archive without ambiguities has no observation', async (t) => {
  t.deepEqual(codes(await compareBuffers(plainZip(), plainZip())), []);
  const packed = await compareBuffers(plainZip(9), plainZip(1));
  t.is(packed.verdict.kind, 'equivalent');
  t.deepEqual(codes(packed), []);
});

test('every code has an archive', (t) => {
  const made = [
    ...AMBIGUOUS.map(({ code }) => code),
    ...DEFLATE.map(([code]) => code),
    'zip/zip64-missing',
    'zip/no-entries',
  ];
  t.deepEqual([...new Set(made)].sort(), [...AMBIGUITIES].sort());
  t.deepEqual([...new Set(REFUSED.map(([code]) => code))].sort(), [...REFUSALS].sort());
});

for (const { code, build, repacked } of AMBIGUOUS) {
  test(`${code}: on both sides it is said, and bytes decide`, async (t) => {
    const compared = await compareBuffers(build(6), build(6));
    t.is(compared.verdict.kind, 'reproducible');
    const { published, rebuilt } = seen(compared, code) ?? {};
    t.true((published?.count ?? 0) >= 1);
    t.deepEqual(published, rebuilt);
    const offset = published?.first[0]?.offset ?? -1;
    t.true(offset >= 0 && offset < build(6).length);
  });

  test(`${code}: on one side it is a difference with a name`, async (t) => {
    // bits that only say how hard deflate tried are packing
    const expected = code === 'zip/local-level' ? 'equivalent' : 'unreproducible';
    const there = await compareBuffers(build(6), plainZip());
    const back = await compareBuffers(plainZip(), build(6));
    if (code !== 'zip/descriptor-unsigned' && code !== 'zip/descriptor-and-sizes') {
      t.is(there.verdict.kind, expected);
      t.is(back.verdict.kind, expected);
    } else {
      // a descriptor that tells the truth is another way of packing
      t.is(there.verdict.kind, 'equivalent');
      t.is(back.verdict.kind, 'equivalent');
    }
    t.true((seen(there, code)?.published?.count ?? 0) >= 1);
    t.is(seen(there, code)?.rebuilt, undefined);
    t.true((seen(back, code)?.rebuilt?.count ?? 0) >= 1);
    t.is(seen(back, code)?.published, undefined);
  });

  test(`${code}: beside another packing it is ${repacked}`, async (t) => {
    for (const [one, other] of [
      [1, 9],
      [9, 1],
    ] as const) {
      const compared = await compareBuffers(build(one), build(other));
      t.is(compared.verdict.kind, repacked);
      t.true((seen(compared, code)?.published?.count ?? 0) >= 1);
      t.true((seen(compared, code)?.rebuilt?.count ?? 0) >= 1);
      if (repacked === 'unreproducible')
        t.true(
          compared.pair.differences.some(
            (difference) =>
              difference.kind === 'field' &&
              difference.field === 'ambiguous entry' &&
              difference.published.includes(code) &&
              difference.rebuilt.includes(code),
          ),
        );
    }
  });
}

test('what is contested has a case in which packing is refused', (t) => {
  const refused = new Set(
    AMBIGUOUS.filter(({ repacked }) => repacked === 'unreproducible').map(({ code }) => code),
  );
  // stored entries can be packed in one way only, and no stream decodes to an impossible size
  const never = ['zip/descriptor-stored', 'zip/stored-size', 'zip/impossible-size'];
  t.deepEqual([...CONTESTED].filter((code) => !refused.has(code)).sort(), never.sort());
});

for (const [code, raw] of DEFLATE)
  test(`${code}: seen where the stream is decoded`, async (t) => {
    const [odd, plain] = [deflateZip(raw), plainZip()];
    const there = await compareBuffers(odd, plain);
    const back = await compareBuffers(plain, odd);
    t.is(there.verdict.kind, 'unreproducible');
    t.is(back.verdict.kind, 'unreproducible');
    t.is(seen(there, code)?.published?.count, 1);
    t.is(seen(back, code)?.rebuilt?.count, 1);
    const equal = await compareBuffers(odd, Buffer.from(odd));
    t.is(equal.verdict.kind, 'reproducible');
  });

for (const [at, [refusal, zip]] of REFUSED.entries())
  test(`zip/${refusal}: refused, as bytes, in both directions (${at})`, async (t) => {
    const equal = await compareBuffers(zip, Buffer.from(zip));
    t.is(equal.verdict.kind, 'reproducible');
    t.deepEqual(codes(equal), [`zip/${refusal}`]);
    for (const [side, pair] of [
      ['published', await compareBuffers(zip, plainZip())],
      ['rebuilt', await compareBuffers(plainZip(), zip)],
    ] as const) {
      t.is(pair.verdict.kind, 'unreproducible');
      const found = pair.pair.differences.find((difference) => difference.kind === 'malformed');
      // without any end record it is no archive at all
      const expected = refusal === 'no-end-record' ? ['zip/no-end-record', side] : [`zip/${refusal}`, side];
      t.deepEqual([found?.code, found?.side], expected);
    }
    // both refused: every unequal byte is a difference
    const other = Buffer.from(zip);
    other[40] = (other[40] ?? 0) ^ 1;
    t.is((await compareBuffers(zip, other)).verdict.kind, 'unreproducible');
  });

test('zip/no-entries and zip/zip64-missing', async (t) => {
  const empty = await compareBuffers(buildZip([]), buildZip([]));
  t.is(empty.verdict.kind, 'reproducible');
  t.deepEqual(codes(empty), ['zip/no-entries']);
  t.is((await compareBuffers(buildZip([]), plainZip())).verdict.kind, 'unreproducible');
  const many = buildZip(Array.from({ length: 65_535 }, (_, at) => ({ name: String(at), method: 0 })));
  const full = await compareBuffers(many, Buffer.from(many));
  t.is(full.verdict.kind, 'reproducible');
  t.deepEqual(codes(full), ['zip/zip64-missing']);
});

// ---------------------------------------------------------------- what Android reads

const android: ZipMember = { name: 'AndroidManifest.xml', data: 'manifest', method: 0 };

test('Android knows no encryption: in an APK the bit does not hide what differs', async (t) => {
  const apk = (data: string) => buildZip([android, { name: 'classes.dex', data, flags: 1 }]);
  const { verdict, pair } = await compareBuffers(apk('evil'), apk('good'));
  t.is(verdict.kind, 'unreproducible');
  t.is(seen({ verdict, pair }, 'zip/encrypted')?.published?.count, 1);
  // elsewhere it may be what it says
  const zip = (data: string) => buildZip([{ name: 'secret', data, flags: 1 }]);
  t.is((await compareBuffers(zip('evil'), zip('good'))).verdict.kind, 'unverifiable');
});

test('Android takes an unknown method for stored: in an APK it does not hide what differs', async (t) => {
  const apk = (data: string) => buildZip([android, { name: 'assets/a', data, method: 93 }]);
  t.is((await compareBuffers(apk('evil'), apk('good'))).verdict.kind, 'unreproducible');
  const zip = (data: string) => buildZip([{ name: 'a', data, method: 93 }]);
  t.is((await compareBuffers(zip('evil'), zip('good'))).verdict.kind, 'unverifiable');
});

test('of two entries with one name, another order is a difference, whatever they hold', async (t) => {
  const one: ZipMember = { name: 'a', data: 'one', method: 0 };
  const two: ZipMember = { name: 'a', data: 'two', method: 0 };
  const c: ZipMember = { name: 'c', data: TEXT };
  t.is(
    (await compareBuffers(buildZip([one, two, c]), buildZip([two, one, c]))).verdict.kind,
    'unreproducible',
  );
  // local headers change places, the directory does not
  const moved = buildZip([two, one, c], { directoryOrder: [1, 0, 2] });
  t.is((await compareBuffers(buildZip([one, two, c]), moved)).verdict.kind, 'unreproducible');
  // another entry that moves takes nothing from them
  const behind = buildZip([c, one, two]);
  t.is((await compareBuffers(buildZip([one, two, c]), behind)).verdict.kind, 'equivalent');
});

test('no rule covers an entry that two readers read differently', async (t) => {
  const stamp = (localName: string) =>
    buildZip([android, { name: 'stamp-cert-sha256', data: Buffer.alloc(32, 7), method: 0, localName }]);
  const without = buildZip([android]);
  const rules = ['play-stamp-cert'] as const;
  const named = await compareBuffers(stamp('stamp-cert-sha256'), without, { rules });
  t.is(named.verdict.kind, 'equivalent');
  const other = await compareBuffers(stamp('classes2.dexxxxxxx'), without, { rules });
  t.is(other.verdict.kind, 'unreproducible');
});

test('an ambiguity inside of an archive inside is named with its place', async (t) => {
  const inner = (level: number) => buildZip([{ name: 'x\\y', data: TEXT, level }]);
  const outer = (level: number) => buildZip([{ name: 'in.zip', data: inner(level), method: 0 }]);
  const { pair, verdict } = await compareBuffers(outer(1), outer(9));
  t.is(verdict.kind, 'equivalent');
  t.deepEqual(
    pair.observations?.map(({ code, path }) => [code, path]),
    [['zip/name-backslash', ['in.zip']]],
  );
});

// ---------------------------------------------------------------- bounds

test('many of one kind are counted, the first are shown', async (t) => {
  const many = buildZip(Array.from({ length: 5000 }, () => ({ name: 'same', method: 0 })));
  const compared = await compareBuffers(many, Buffer.from(many));
  const { published } = seen(compared, 'zip/duplicate-name') ?? {};
  t.is(published?.count, 4999);
  t.is(published?.first.length, 3);
});

test('65,000 hostile names and extra fields are read in bounded time', (t) => {
  const long = 'a/'.repeat(4000);
  const padded = Buffer.alloc(60_000);
  padded[59_999] = 1;
  const zip = buildZip([
    ...Array.from({ length: 64_000 }, (_, at) => ({ name: at % 2 === 0 ? 'A' : 'a', method: 0 })),
    ...Array.from({ length: 200 }, (_, at) => ({ name: `${long}${at}`, method: 0 })),
    ...Array.from({ length: 50 }, (_, at) => ({
      name: `p${at}`,
      method: 0,
      localExtra: padded,
      extra: padded,
    })),
  ]);
  const start = performance.now();
  t.is(readZip(new BufferSource(zip)).entries.length, 64_250);
  const side = performance.now() - start;
  t.true(side < 1000 * Math.max(5, zip.length / 1e6), `${side} ms for ${zip.length} bytes`);
});

// ---------------------------------------------------------------- the report

test('a report whose observations were forged is inconsistent', async (t) => {
  const twice = buildZip([
    { name: 'b', data: 'one', method: 0 },
    { name: 'b', data: 'two', method: 0 },
  ]);
  const report = await reportOf(twice, Buffer.from(twice));
  const forged = (edit: (observation: Observation) => readonly Observation[]): unknown => {
    const copy = JSON.parse(renderJson(report)) as typeof report;
    const [pair] = copy.statement.comparison?.pairs ?? [];
    const [observation] = pair?.observations ?? [];
    if (pair === undefined || observation === undefined) throw new Error('one observation expected');
    Object.assign(pair, { observations: edit(observation) });
    return { ...copy, statementSha256: digestOf(copy.statement) };
  };
  const codesFor = (value: unknown): readonly string[] => {
    const result = checkReport(value);
    return result.kind === 'consistent' ? [] : [...new Set(result.problems.map(({ code }) => code))];
  };
  const sighting = { offset: 1 };
  t.deepEqual(codesFor(forged((one) => [one])), []);
  // the sentence goes with it
  t.deepEqual(codesFor(forged(() => [])), ['conclusion']);
  t.deepEqual(codesFor(forged((one) => [one, one])), ['finding']);
  t.deepEqual(codesFor(forged(({ code, path }) => [{ code, path }])), ['finding']);
  t.deepEqual(codesFor(forged((one) => [{ ...one, published: { count: 0, first: [sighting] } }])), [
    'finding',
  ]);
  t.deepEqual(codesFor(forged((one) => [{ ...one, published: { count: 1, first: [{ offset: 1e9 }] } }])), [
    'finding',
  ]);
  t.deepEqual(codesFor(forged((one) => [{ ...one, code: 'zip/other' as typeof one.code }])), ['shape']);
});

test('an ambiguity on both sides is told in every rendering, and the verdict is that of the bytes', async (t) => {
  const twice = (level: number) =>
    buildZip([
      { name: 'a.txt', data: TEXT, level },
      { name: 'b', data: 'one', method: 0 },
      { name: 'b', data: 'two', method: 0 },
    ]);
  for (const [published, rebuilt, verdict] of [
    [twice(6), twice(6), 'reproducible'],
    [twice(1), twice(9), 'equivalent'],
  ] as const) {
    const report = await reportOf(published, rebuilt);
    t.is(report.statement.verdict.kind, verdict);
    t.is(checkReport(JSON.parse(renderJson(report))).kind, 'consistent');
    const said = report.statement.statements.find(({ code }) => code === 'ambiguous-duplicate-name');
    t.regex(
      said?.sentence ?? '',
      /two entries of one name \(zip\/duplicate-name; both sides, at offset \d+ \(b\)/,
    );
    const pages = renderHtml(report).map(({ content }) => String(content));
    for (const shown of [renderText(report), renderMarkdown(report), pages.join('\n'), renderJson(report)])
      t.true(shown.includes('two entries of one name'));
    t.true(renderJson(report).includes('"code":"zip/duplicate-name"'));
  }
});
