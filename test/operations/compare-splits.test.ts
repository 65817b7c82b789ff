// SPDX-License-Identifier: Apache-2.0
/** Splits that the real bundletool makes, signed as a store signs them, against the rebuilt bundle. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import JSZip from 'jszip';
import { BufferSource } from '../../src/bytes.js';
import { DEFAULT_LIMITS } from '../../src/compare/walk.js';
import { signatureOf } from '../../src/compare/authenticity.js';
import { UsageError } from '../../src/errors.js';
import { compare, type CompareRequest } from '../../src/operations/compare.js';
import { checkReport } from '../../src/report/check.js';
import type { Report, SetComparison } from '../../src/report/types.js';
import { makeKey, type SigningKey } from '../helpers/apksigner.js';
import {
  buildApks,
  buildBundle,
  membersOf,
  needBundletool,
  PHONE,
  pullFrom,
  type DeviceSpecification,
} from '../helpers/bundletool.js';
import { localPlan, verified, world } from '../helpers/local-plan.js';
import { hasTool } from '../helpers/need.js';
import { temporaryDirectory } from '../helpers/temp-directory.js';

const root = mkdtempSync(path.join(realpathSync(tmpdir()), 'samesource-test-'));
test.after.always(() => rmSync(root, { recursive: true, force: true }));

interface Made {
  /** All splits of the bundle, and of one that has other native code. */
  readonly apks: string;
  readonly other: string;
  readonly key: SigningKey;
  readonly otherKey: SigningKey;
}

let made: Made | undefined;

/** Once for all tests; `undefined` after a skip. */
function material(t: ExecutionContext): Made | undefined {
  if (!needBundletool(t)) return undefined;
  return (made ??= {
    apks: buildApks(buildBundle(root)),
    other: buildApks(buildBundle(root, { native: 'tampered' })),
    key: makeKey(root, 'store'),
    otherKey: makeKey(root, 'somebody'),
  });
}

const NEWEST = ['base-master_3', 'base-arm64_v8a_3', 'base-xxhdpi_3', 'base-de_3'];
const ALL_SPLITS = 45;

async function pull(
  t: ExecutionContext,
  { key, apks }: Pick<Made, 'key' | 'apks'>,
  splits: readonly string[],
  more: {
    readonly device?: DeviceSpecification;
    readonly name?: string;
    readonly directory?: string;
    readonly onlyV2?: boolean;
  } = {},
): Promise<string> {
  const { directory = temporaryDirectory(t), name = 'pixel', ...rest } = more;
  return await pullFrom(apks, { directory, name, splits, key, ...rest });
}

async function report(t: ExecutionContext, request: CompareRequest): Promise<Report> {
  const found = await compare(request);
  const checked = checkReport(JSON.parse(JSON.stringify(found)));
  t.deepEqual(checked.kind === 'inconsistent' ? checked.problems : [], []);
  return found;
}

function setOf({
  statement,
}: Report): SetComparison & { readonly splits: NonNullable<SetComparison['splits']> } {
  const { comparison } = statement;
  if (comparison?.splits === undefined) throw new Error('no set of splits was compared');
  return { ...comparison, splits: comparison.splits };
}

const reasonsOf = ({ statement: { verdict } }: Report): readonly string[] =>
  'reasons' in verdict ? verdict.reasons.map(({ code }) => code) : [];

test('what a phone got is the rebuilt bundle, and the headline says how much of it', async (t) => {
  const all = material(t);
  if (all === undefined) return;
  const published = await pull(t, all, NEWEST, { device: PHONE });
  const found = await report(t, { published, rebuilt: all.apks });
  t.is(found.statement.verdict.kind, 'reproducible');
  t.is(
    found.statement.title,
    `Reproduced; 4 of ${ALL_SPLITS} splits of this bundle, those for arm64-v8a, xxhdpi, de, SDK 34`,
  );
  const { pairs, splits } = setOf(found);
  t.deepEqual(
    pairs.map((pair) => [pair.published.name, pair.rebuilt.name, pair.proof.kind]),
    [
      ['base.apk', 'splits/base-master_3.apk', 'transplant'],
      ['split_config.arm64_v8a.apk', 'splits/base-arm64_v8a_3.apk', 'transplant'],
      ['split_config.de.apk', 'splits/base-de_3.apk', 'transplant'],
      ['split_config.xxhdpi.apk', 'splits/base-xxhdpi_3.apk', 'transplant'],
    ],
  );
  t.like(splits.deliveries[0], { name: 'pixel', variant: { minSdk: 29, number: 2 } });
  t.deepEqual(splits.missing, []);
  t.is(splits.notDelivered.length, ALL_SPLITS - 4);
  t.is(splits.notDelivered.filter(({ reason }) => reason === 'other-variant').length, 30);
  t.deepEqual(splits.metadata, [
    { side: 'published', name: 'device.json' },
    { side: 'rebuilt', name: 'toc.pb' },
  ]);
});

test('names of files decide nothing', async (t) => {
  const all = material(t);
  if (all === undefined) return;
  const published = await pull(t, all, NEWEST, { device: PHONE });
  const swapped = path.join(temporaryDirectory(t), 'swapped');
  mkdirSync(swapped);
  for (const [from, to] of [
    ['base.apk', 'split_config.de.apk'],
    ['split_config.de.apk', 'split_config.arm64_v8a.apk'],
    ['split_config.arm64_v8a.apk', 'x.apk'],
    ['split_config.xxhdpi.apk', 'base.apk'],
  ] as const)
    cpSync(path.join(published, from), path.join(swapped, to));
  t.is((await report(t, { published: swapped, rebuilt: all.apks })).statement.verdict.kind, 'reproducible');
});

test('without a device.json the splits say what it was', async (t) => {
  const all = material(t);
  if (all === undefined) return;
  const found = await report(t, { published: await pull(t, all, NEWEST), rebuilt: all.apks });
  t.is(found.statement.verdict.kind, 'reproducible');
  t.regex(found.statement.title, /arm64-v8a, xxhdpi, de, SDK 29 and later$/);
  t.like(setOf(found).splits.deliveries[0], { device: { derived: true, sdk: 0 } });
  t.true(found.statement.statements.some(({ sentence }) => /derived from the splits/.test(sentence)));
});

test('a tampered split beside genuine ones', async (t) => {
  const all = material(t);
  if (all === undefined) return;
  const published = await pull(t, all, NEWEST, { device: PHONE });
  const tampered = await pull(t, { ...all, apks: all.other }, ['base-arm64_v8a_3']);
  cpSync(
    path.join(tampered, 'split_config.arm64_v8a.apk'),
    path.join(published, 'split_config.arm64_v8a.apk'),
  );
  const found = await report(t, { published, rebuilt: all.apks });
  t.is(found.statement.verdict.kind, 'unreproducible');
  t.deepEqual(
    setOf(found)
      .pairs.filter(({ worst }) => worst === 'different')
      .map(({ published: { name } }) => name),
    ['split_config.arm64_v8a.apk'],
  );
});

test('a published split that the rebuilt bundle lacks', async (t) => {
  const all = material(t);
  if (all === undefined) return;
  const published = await pull(t, all, [...NEWEST, 'base-fr_3'], { device: PHONE });
  const rebuilt = path.join(temporaryDirectory(t), 'rebuilt');
  mkdirSync(rebuilt);
  for (const [name, bytes] of await membersOf(all.apks))
    if (name !== 'toc.pb' && !name.includes('-fr'))
      writeFileSync(path.join(rebuilt, path.basename(name)), bytes);
  const found = await report(t, { published, rebuilt });
  t.like(found.statement.verdict, { kind: 'unreproducible', unpaired: ['split_config.fr.apk'] });
  t.is(setOf(found).pairs.length, 4);
});

test('an extra split in the delivery is nobody’s twin: of another name, or a split once more', async (t) => {
  const all = material(t);
  if (all === undefined) return;
  const published = await pull(t, all, NEWEST, { device: PHONE });
  const extra = buildApks(buildBundle(root, { languages: ['pl'] }));
  cpSync(
    path.join(await pull(t, { ...all, apks: extra }, ['base-pl_3']), 'split_config.pl.apk'),
    path.join(published, 'split_config.pl.apk'),
  );
  t.like((await report(t, { published, rebuilt: all.apks })).statement.verdict, {
    kind: 'unreproducible',
    unpaired: ['split_config.pl.apk'],
  });
  rmSync(path.join(published, 'split_config.pl.apk'));
  cpSync(path.join(published, 'split_config.de.apk'), path.join(published, 'z.apk'));
  const twice = await report(t, { published, rebuilt: all.apks });
  t.like(twice.statement.verdict, { kind: 'unreproducible', unpaired: ['z.apk'] });
  t.deepEqual(
    setOf(twice).splits.issues.map(({ code }) => code),
    ['split-twice'],
  );
});

test('an APK that cannot be read is no cover', async (t) => {
  const all = material(t);
  if (all === undefined) return;
  const published = await pull(t, all, NEWEST, { device: PHONE });
  writeFileSync(path.join(published, 'broken.apk'), 'PK\x03\x04 and no more');
  t.like((await report(t, { published, rebuilt: all.apks })).statement.verdict, {
    kind: 'unreproducible',
    unpaired: ['broken.apk'],
  });
});

test('a split that the device gets and that is not there leaves the set incomplete', async (t) => {
  const all = material(t);
  if (all === undefined) return;
  for (const [without, name] of [
    ['base-de_3', 'splits/base-de_3.apk'],
    ['base-arm64_v8a_3', 'splits/base-arm64_v8a_3.apk'],
    ['base-xxhdpi_3', 'splits/base-xxhdpi_3.apk'],
    ['base-master_3', 'splits/base-master_3.apk'],
  ] as const) {
    const splits = NEWEST.filter((split) => split !== without);
    const found = await report(t, {
      published: await pull(t, all, splits, { device: PHONE }),
      rebuilt: all.apks,
    });
    t.is(found.statement.verdict.kind, 'unverifiable', without);
    t.deepEqual(reasonsOf(found), ['incomplete-set']);
    t.deepEqual(
      setOf(found).splits.missing.map((one) => one.name),
      [name],
    );
  }
});

test('a derived device needs one processor and one density, and any languages', async (t) => {
  const all = material(t);
  if (all === undefined) return;
  const missing = async (...splits: readonly string[]): Promise<number> => {
    const found = await report(t, { published: await pull(t, all, splits), rebuilt: all.apks });
    return setOf(found).splits.missing.length;
  };
  t.is(await missing('base-master_3', 'base-arm64_v8a_3', 'base-xxhdpi_3'), 0);
  t.is(await missing('base-master_3', 'base-xxhdpi_3'), 3);
  t.is(await missing('base-master_3', 'base-x86_64_3'), 7);
});

test('splits of two apps are nobody’s delivery', async (t) => {
  const all = material(t);
  if (all === undefined) return;
  const published = await pull(t, all, NEWEST, { device: PHONE });
  const other = buildApks(buildBundle(root, { package: 'org.example.evil' }));
  cpSync(
    path.join(await pull(t, { ...all, apks: other }, ['base-fr_3']), 'split_config.fr.apk'),
    path.join(published, 'split_config.fr.apk'),
  );
  const found = await report(t, { published, rebuilt: all.apks });
  t.is(found.statement.verdict.kind, 'not-authentic');
  t.deepEqual(reasonsOf(found), ['other-package']);
});

test('splits of two signers, or one without a signature, are nobody’s delivery', async (t) => {
  const all = material(t);
  if (all === undefined) return;
  const published = await pull(t, all, NEWEST, { device: PHONE });
  const german = path.join(published, 'split_config.de.apk');
  cpSync(
    path.join(await pull(t, { ...all, key: all.otherKey }, ['base-de_3']), 'split_config.de.apk'),
    german,
  );
  t.deepEqual(reasonsOf(await report(t, { published, rebuilt: all.apks })), ['mixed-signers']);
  writeFileSync(german, (await membersOf(all.apks)).get('splits/base-de_3.apk') ?? '');
  const unsigned = await report(t, { published, rebuilt: all.apks });
  t.is(unsigned.statement.verdict.kind, 'not-authentic');
  t.deepEqual(reasonsOf(unsigned), ['mixed-signers']);
});

test('splits of two versions are a mistake of whoever pulled them', async (t) => {
  const all = material(t);
  if (all === undefined) return;
  const published = await pull(t, all, NEWEST, { device: PHONE });
  const next = buildApks(buildBundle(root, { versionCode: 8 }));
  cpSync(
    path.join(await pull(t, { ...all, apks: next }, ['base-de_3']), 'split_config.de.apk'),
    path.join(published, 'split_config.de.apk'),
  );
  const error = await t.throwsAsync(compare({ published, rebuilt: all.apks }), { instanceOf: UsageError });
  t.is(error.code, 'mixed-versions');
});

test('the variant is that of the base, whatever the device could have got', async (t) => {
  const all = material(t);
  if (all === undefined) return;
  for (const [suffix, minSdk] of [
    ['', 21],
    ['_2', 23],
    ['_3', 29],
  ] as const) {
    const splits = ['base-master', 'base-arm64_v8a', 'base-xxhdpi', 'base-de'].map((name) => name + suffix);
    const found = await report(t, {
      published: await pull(t, all, splits, { device: PHONE }),
      rebuilt: all.apks,
    });
    t.is(found.statement.verdict.kind, 'reproducible', suffix);
    t.like(setOf(found).splits.deliveries[0], { variant: { minSdk } });
  }
  const mixed = ['base-master_3', 'base-arm64_v8a_2', 'base-xxhdpi_3', 'base-de_3'];
  const found = await report(t, { published: await pull(t, all, mixed), rebuilt: all.apks });
  t.is(found.statement.verdict.kind, 'unreproducible');
});

test('several pulls widen what is covered; a file that two devices got is compared once', async (t) => {
  const all = material(t);
  if (all === undefined) return;
  const tablet = {
    ...PHONE,
    supportedAbis: ['x86_64'],
    screenDensity: 320,
    supportedLocales: ['he-IL'],
    sdkVersion: 33,
  };
  const directory = temporaryDirectory(t);
  const first = await pull(t, all, NEWEST, { device: PHONE, directory });
  const splits = ['base-master_3', 'base-x86_64_3', 'base-xhdpi_3', 'base-iw_3'];
  const second = await pull(t, all, splits, { device: tablet, directory, name: 'tablet', onlyV2: true });
  const both = await report(t, { published: first, pulls: [second], rebuilt: all.apks });
  t.is(both.statement.verdict.kind, 'reproducible');
  t.regex(
    both.statement.title,
    /; 7 of 45 splits of this bundle, those for arm64-v8a, xxhdpi, de, SDK 34; x86_64, xhdpi, iw, SDK 33$/,
  );
  // signed otherwise: two files, one twin
  t.is(setOf(both).pairs.length, 8);
  cpSync(path.join(first, 'base.apk'), path.join(second, 'base.apk'));
  const same = await report(t, { published: directory, rebuilt: all.apks });
  t.is(same.statement.verdict.kind, 'reproducible');
  t.is(setOf(same).pairs.length, 7);
  t.deepEqual(
    setOf(same).splits.deliveries.map(({ name }) => name),
    ['pixel', 'tablet'],
  );
  rmSync(path.join(second, 'split_config.iw.apk'));
  t.deepEqual(reasonsOf(await report(t, { published: directory, rebuilt: all.apks })), ['incomplete-set']);
});

test('archives: .apks, .xapk and .apkm, stored and deflated; what is around the splits is no part of the app', async (t) => {
  const all = material(t);
  if (all === undefined) return;
  const pulled = await pull(t, all, NEWEST);
  const directory = temporaryDirectory(t);
  for (const [file, wrapper, compression] of [
    ['app.xapk', 'manifest.json', 'STORE'],
    ['app.apkm', 'info.json', 'DEFLATE'],
    ['app.apks', 'toc.pb', 'DEFLATE'],
  ] as const) {
    const zip = new JSZip();
    for (const name of [
      'base.apk',
      'split_config.arm64_v8a.apk',
      'split_config.de.apk',
      'split_config.xxhdpi.apk',
    ])
      zip.file(name, readFileSync(path.join(pulled, name)));
    zip.file(wrapper, 'anything').file('icon.png', 'a picture');
    const published = path.join(directory, file);
    const write = async (): Promise<void> =>
      writeFileSync(published, await zip.generateAsync({ type: 'nodebuffer', compression }));
    await write();
    const found = await report(t, { published, rebuilt: all.apks });
    t.is(found.statement.verdict.kind, 'reproducible', file);
    t.deepEqual(
      setOf(found)
        .splits.metadata.filter(({ side }) => side === 'published')
        .map(({ name }) => name),
      [wrapper, 'icon.png'],
    );
    zip.file('Android/obb/org.example.chat/main.7.org.example.chat.obb', 'more code');
    await write();
    t.like((await report(t, { published, rebuilt: all.apks })).statement.verdict, {
      kind: 'unreproducible',
      unpaired: ['Android/obb/org.example.chat/main.7.org.example.chat.obb'],
    });
  }
});

test('dex metadata and OBB files are members, by their own names', async (t) => {
  const all = material(t);
  if (all === undefined) return;
  const published = await pull(t, all, NEWEST, { device: PHONE });
  const rebuilt = path.join(temporaryDirectory(t), 'rebuilt');
  mkdirSync(rebuilt);
  for (const [name, bytes] of await membersOf(all.apks))
    writeFileSync(path.join(rebuilt, path.basename(name)), bytes);
  rmSync(path.join(rebuilt, 'toc.pb'));
  const verdict = async (): Promise<string> =>
    (await report(t, { published, rebuilt })).statement.verdict.kind;
  t.is(await verdict(), 'reproducible');
  writeFileSync(path.join(published, 'base.dm'), 'a profile');
  t.is(await verdict(), 'unreproducible');
  writeFileSync(path.join(rebuilt, 'base.dm'), 'a profile');
  t.is(await verdict(), 'reproducible');
  writeFileSync(path.join(rebuilt, 'base.dm'), 'a PROFILE');
  t.is(await verdict(), 'unreproducible');
  rmSync(path.join(published, 'base.dm'));
  t.is(await verdict(), 'unverifiable');
});

test('one APK that is whole, against a universal archive and against splits', async (t) => {
  const all = material(t);
  if (all === undefined) return;
  const universal = buildApks(buildBundle(root), { universal: true });
  const published = path.join(temporaryDirectory(t), 'app.apk');
  writeFileSync(published, (await membersOf(universal)).get('universal.apk') ?? '');
  const found = await report(t, { published, rebuilt: universal });
  t.is(found.statement.verdict.kind, 'reproducible');
  t.is(found.statement.title, 'Reproduced; the one APK of this bundle');
  t.is((await report(t, { published, rebuilt: all.apks })).statement.verdict.kind, 'unreproducible');
});

test('rebuilt archives that are not whole are refused', async (t) => {
  const all = material(t);
  if (all === undefined) return;
  const published = await pull(t, all, NEWEST, { device: PHONE });
  const directory = temporaryDirectory(t);
  const original = readFileSync(all.apks);
  const refused = async (change: (zip: JSZip) => void): Promise<string> => {
    const zip = await JSZip.loadAsync(original);
    change(zip);
    const rebuilt = path.join(directory, 'changed.apks');
    writeFileSync(rebuilt, await zip.generateAsync({ type: 'nodebuffer' }));
    const error = await t.throwsAsync(compare({ published, rebuilt }), { instanceOf: UsageError });
    return error.code;
  };
  t.is(await refused((zip) => zip.remove('toc.pb')), 'no-table-of-contents');
  t.is(await refused((zip) => zip.remove('splits/base-de_3.apk')), 'incomplete-archive');
  t.is(await refused((zip) => zip.file('toc.pb', 'no message')), 'damaged-archive');
  t.is(
    await refused((zip) =>
      zip.file('splits/more.apk', zip.file('splits/base-de_3.apk')?.async('nodebuffer') ?? ''),
    ),
    'not-in-toc',
  );
});

test('a rebuilt directory with a split twice is two builds', async (t) => {
  const all = material(t);
  if (all === undefined) return;
  const published = await pull(t, all, NEWEST, { device: PHONE });
  const rebuilt = path.join(temporaryDirectory(t), 'rebuilt');
  mkdirSync(rebuilt);
  for (const name of ['a.apk', 'b.apk'])
    writeFileSync(path.join(rebuilt, name), (await membersOf(all.apks)).get('splits/base-de_3.apk') ?? '');
  const error = await t.throwsAsync(compare({ published, rebuilt }), { instanceOf: UsageError });
  t.is(error.code, 'split-twice');
});

test('a device.json that says nothing is refused', async (t) => {
  const all = material(t);
  if (all === undefined) return;
  const published = await pull(t, all, NEWEST);
  for (const text of ['{', '[]', '{}', '{"supportedAbis": "arm64-v8a"}', '{"sdkVersion": "34"}']) {
    const device = path.join(temporaryDirectory(t), 'device.json');
    writeFileSync(device, text);
    const error = await t.throwsAsync(compare({ published, rebuilt: all.apks, device }), {
      instanceOf: UsageError,
    });
    t.is(error.code, 'bad-device', text);
  }
});

test('bundletool chooses the same splits for a device', async (t) => {
  const all = material(t);
  if (all === undefined || !hasTool('java')) return;
  const bundle = buildBundle(root);
  const apks = buildApks(bundle);
  for (const device of [
    PHONE,
    { ...PHONE, screenDensity: 160, supportedLocales: ['fr-FR', 'id-ID'] },
    { ...PHONE, screenDensity: 420, supportedAbis: ['armeabi-v7a', 'armeabi'], sdkVersion: 25 },
    {
      ...PHONE,
      screenDensity: 260,
      supportedAbis: ['x86_64', 'x86'],
      sdkVersion: 21,
      supportedLocales: ['en-US'],
    },
  ]) {
    // unsigned, and each without another of those that bundletool takes
    const published = buildApks(bundle, { device });
    const whole = await report(t, { published, rebuilt: apks, device: deviceFile(t, device) });
    t.is(whole.statement.verdict.kind, 'reproducible');
    t.deepEqual(setOf(whole).splits.missing, []);
    const members = await membersOf(published);
    for (const left of [...members.keys()].filter((name) => name !== 'toc.pb')) {
      const directory = temporaryDirectory(t);
      for (const [name, bytes] of members)
        if (name !== 'toc.pb' && name !== left)
          writeFileSync(path.join(directory, path.basename(name)), bytes);
      const part = await report(t, { published: directory, rebuilt: apks, device: deviceFile(t, device) });
      t.deepEqual(reasonsOf(part), ['incomplete-set'], left);
      t.is(setOf(part).splits.missing.length, 1, left);
    }
  }
});

// ---------------------------------------------------------------- in the pipeline

process.env['XDG_CACHE_HOME'] = path.join(root, 'cache');

async function certificateOf({ apks, key }: Made): Promise<string> {
  const directory = mkdtempSync(path.join(root, 'one-'));
  await pullFrom(apks, { directory, name: 'one', splits: ['base-master_3'], key });
  const bytes = readFileSync(path.join(directory, 'one/base.apk'));
  const { record } = await signatureOf(new BufferSource(bytes), DEFAULT_LIMITS);
  return record.signers[0]?.certificateSha256 ?? '';
}

test('verify: a pull is handed over for a plan that publishes an archive', async (t) => {
  const all = material(t);
  if (all === undefined) return;
  const at = world(t);
  const plan = localPlan(at, {
    script: `mkdir out; cp ${all.apks} out/app.apks`,
    outputs: [{ id: 'splits', path: 'out/app.apks' }],
    compare: {
      packageId: 'org.example.chat',
      versionCodes: [7],
      signers: [{ sha256: await certificateOf(all), source: 'the test', statedBy: 'publisher' }],
      pairs: [{ published: 'app.apks', output: 'splits' }],
    },
  });
  const run = (published: string, more: { readonly confirm?: boolean } = {}) =>
    verified(t, at, plan, { published, engine: 'local', allowLocalAsRoot: true, ...more });
  const published = await pull(t, all, NEWEST, { device: PHONE });
  const found = await run(published);
  t.is(found.statement.verdict.kind, 'reproducible');
  t.regex(found.statement.title, /^Reproduced; 4 of 45 splits of this bundle, .*SDK 34$/);
  t.is(setOf(found).pairs.length, 4);
  // one that is another’s is not built at all
  const other = await pull(t, { ...all, key: all.otherKey }, NEWEST);
  t.deepEqual(new Set(reasonsOf(await run(other))), new Set(['signer-not-pinned']));
  rmSync(path.join(published, 'split_config.de.apk'));
  t.deepEqual(reasonsOf(await run(published)), ['incomplete-set']);
  const tampered = await pull(t, { ...all, apks: all.other }, NEWEST, { device: PHONE });
  const mismatch = await run(tampered);
  t.is(mismatch.statement.verdict.kind, 'unreproducible');
  t.is(mismatch.run.standing, 'confirmed');
});

function deviceFile(t: ExecutionContext, device: DeviceSpecification): string {
  const file = path.join(temporaryDirectory(t), 'device.json');
  writeFileSync(file, JSON.stringify(device));
  return file;
}
