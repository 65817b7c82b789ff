// SPDX-License-Identifier: Apache-2.0
/** v4 signatures beside published APKs: part of their signature where they hold, and no way past the comparison. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { compare } from '../../src/operations/compare.js';
import { checkReport } from '../../src/report/check.js';
import { digestOf } from '../../src/canonical-json.js';
import { concluded } from '../../src/report/assemble.js';
import type { Report } from '../../src/report/types.js';
import { makeKey, signWithApksigner } from '../helpers/apksigner.js';
import { ATTRIBUTE, buildAxml, buildManifest } from '../helpers/build-axml.js';
import { buildZip } from '../helpers/build-zip.js';
import { need } from '../helpers/need.js';
import { contentDigest, newIdentity, signedApk } from '../helpers/sign-apk.js';
import { buildIdsig, type IdsigSpec } from '../helpers/sign-idsig.js';
import { temporaryDirectory } from '../helpers/temp-directory.js';

const unsigned = buildZip([
  { name: 'AndroidManifest.xml', data: buildManifest() },
  { name: 'big.bin', data: Buffer.alloc(700_000, 7), method: 0 },
]);
const identity = newIdentity();
const signed = signedApk(unsigned, { identity });
const digest = contentDigest(unsigned);
const idsigOf = (more: Partial<IdsigSpec> = {}): Buffer =>
  buildIdsig(signed, { signers: [{ identity, digest }], tree: true, ...more });
const idsig = idsigOf();

type Files = Readonly<Record<string, Buffer>>;

async function compared(t: ExecutionContext, published: Files, rebuilt: Files): Promise<Report> {
  const root = temporaryDirectory(t);
  for (const [side, files] of Object.entries({ published, rebuilt }))
    for (const [name, bytes] of Object.entries(files)) {
      const file = path.join(root, side, name);
      mkdirSync(path.dirname(file), { recursive: true });
      writeFileSync(file, bytes);
    }
  const found = await compare({
    published: path.join(root, 'published'),
    rebuilt: path.join(root, 'rebuilt'),
  });
  const checked = checkReport(JSON.parse(JSON.stringify(found)));
  t.deepEqual(checked.kind === 'inconsistent' ? checked.problems : [], []);
  return found;
}

const codes = ({ statement }: Report): readonly string[] =>
  (statement.comparison?.idsigs ?? []).flatMap(({ issues }) => issues.map(({ code }) => code));
const says = ({ statement }: Report, code: string): boolean =>
  statement.statements.some((one) => one.code === code);

test('one that holds needs no twin, and is told', async (t) => {
  for (const rebuilt of [{ 'app.apk': unsigned }, { 'other-name.apk': unsigned }]) {
    const found = await compared(t, { 'app.apk': signed, 'app.apk.idsig': idsig }, rebuilt);
    t.is(found.statement.verdict.kind, 'reproducible');
    t.true(says(found, 'v4-signature'));
    t.deepEqual(
      found.statement.subject.published.map(({ name }) => name),
      ['app.apk', 'app.apk.idsig'],
    );
    t.like(found.statement.comparison?.idsigs?.[0], { apk: 'app.apk', status: 'verified', tree: true });
  }
});

test('what the APK itself says stays what it is', async (t) => {
  const other = buildZip([{ name: 'AndroidManifest.xml', data: buildManifest() }]);
  const files = { 'app.apk': signed, 'app.apk.idsig': idsig };
  t.is((await compared(t, files, { 'app.apk': other })).statement.verdict.kind, 'unreproducible');
  t.is((await compared(t, files, { 'b.apk': unsigned, c: idsig })).statement.verdict.kind, 'unreproducible');
});

const other = newIdentity();
const REFUSED: readonly (readonly [string, Buffer, string, 'not-authentic' | 'unreproducible'])[] = [
  [
    'of another file',
    buildIdsig(signedApk(unsigned, { identity: other }), { signers: [{ identity, digest }], tree: true }),
    'idsig-root-hash',
    'not-authentic',
  ],
  ['by another key', idsigOf({ signers: [{ identity: other, digest }] }), 'idsig-signer', 'not-authentic'],
  ['with another tree', idsigOf({ treeBytes: Buffer.alloc(8192, 1) }), 'idsig-tree', 'not-authentic'],
  ['cut off', idsig.subarray(0, 100), 'idsig-malformed', 'not-authentic'],
  ['empty', Buffer.alloc(0), 'idsig-malformed', 'not-authentic'],
  ['that is an archive', unsigned, 'idsig-malformed', 'not-authentic'],
  ['with bytes behind it', Buffer.concat([idsig, Buffer.alloc(1)]), 'idsig-trailing-bytes', 'unreproducible'],
  [
    'with bytes behind the hashing info',
    idsigOf({ afterHashing: Buffer.alloc(9) }),
    'idsig-trailing-bytes',
    'unreproducible',
  ],
  [
    'with additional data',
    idsigOf({ signers: [{ identity, digest, additionalData: Buffer.from('free') }] }),
    'idsig-additional-data',
    'unreproducible',
  ],
  ['of another version', idsigOf({ version: 3 }), 'idsig-version', 'unreproducible'],
];

for (const [what, bytes, code, kind] of REFUSED)
  test(`one ${what} is no part of the signature`, async (t) => {
    const published = { 'app.apk': signed, 'app.apk.idsig': bytes };
    for (const rebuilt of [{ 'app.apk': unsigned }, { 'app.apk': unsigned, 'app.apk.idsig': idsig }]) {
      const found = await compared(t, published, rebuilt);
      t.is(found.statement.verdict.kind, kind);
      t.true(codes(found).includes(code), codes(found).join());
      t.true(says(found, 'v4-signature-not-verified'));
    }
  });

test('each byte of one changed: never reproducible', async (t) => {
  const head = idsig.length - 3 * 4096;
  for (let at = 0; at < idsig.length; at += at < head ? 23 : 1511) {
    const changed = Buffer.from(idsig);
    changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
    const published = { 'app.apk': signed, 'app.apk.idsig': changed };
    const { kind } = (await compared(t, published, { 'app.apk': unsigned })).statement.verdict;
    t.true(kind === 'not-authentic' || kind === 'unreproducible', `${at}: ${kind}`);
  }
});

test('one without its APK, or under another name, is a published file like any other', async (t) => {
  const rebuilt = { 'app.apk': unsigned };
  for (const name of ['other.apk.idsig', 'sub/app.apk.idsig', 'app.idsig', 'app.apk.IDSIG']) {
    const found = await compared(t, { 'app.apk': signed, [name]: idsig }, rebuilt);
    t.is(found.statement.verdict.kind, 'unreproducible', name);
    t.deepEqual(found.statement.verdict, {
      kind: 'unreproducible',
      differentBytes: 0,
      missingBytes: 0,
      unpaired: [name],
    });
  }
  // what lies beside no archive is no signature
  const text = { 'app.apk': signed, 'notes.txt': Buffer.from('x'), 'notes.txt.idsig': Buffer.from('y') };
  t.is((await compared(t, text, { ...text, 'app.apk': unsigned })).statement.verdict.kind, 'reproducible');
});

test('equal files on both sides are equal, also where one is not understood', async (t) => {
  const strange = idsigOf({ version: 3 });
  const found = await compared(
    t,
    { 'app.apk': signed, 'app.apk.idsig': strange },
    { 'app.apk': unsigned, 'app.apk.idsig': strange },
  );
  t.is(found.statement.verdict.kind, 'reproducible');
});

test('a rebuilt one is no difference; what is no v4 signature under its name is', async (t) => {
  const own = newIdentity();
  const rebuilt = signedApk(unsigned, { identity: own });
  const ours = buildIdsig(rebuilt, { signers: [{ identity: own, digest }] });
  const published = { 'app.apk': signed };
  for (const bytes of [ours, idsig])
    t.is(
      (await compared(t, published, { 'app.apk': rebuilt, 'app.apk.idsig': bytes })).statement.verdict.kind,
      'reproducible',
    );
  for (const bytes of [Buffer.from('text'), Buffer.concat([ours, Buffer.alloc(5)])])
    t.is(
      (await compared(t, published, { 'app.apk': rebuilt, 'app.apk.idsig': bytes })).statement.verdict.kind,
      'unverifiable',
    );
  const both = await compared(
    t,
    { ...published, 'app.apk.idsig': idsig },
    { 'app.apk': rebuilt, 'app.apk.idsig': ours },
  );
  t.is(both.statement.verdict.kind, 'reproducible');
});

// ---------------------------------------------------------------- sets of splits

const split = buildZip([
  {
    name: 'AndroidManifest.xml',
    data: buildAxml({
      roots: [
        {
          name: 'manifest',
          attributes: [
            { name: 'versionCode', id: ATTRIBUTE.versionCode, value: 7 },
            { name: 'package', value: 'org.example.chat' },
            { name: 'split', value: 'config.de' },
          ],
        },
      ],
    }),
  },
]);
const signedSplit = signedApk(split, { identity });
const splitIdsig = buildIdsig(signedSplit, { signers: [{ identity, digest: contentDigest(split) }] });
const PULL: Files = {
  'base.apk': signed,
  'base.apk.idsig': idsig,
  'split_config.de.apk': signedSplit,
  'split_config.de.apk.idsig': splitIdsig,
};
const REBUILT: Files = { 'base-master.apk': unsigned, 'base-de.apk': split };

const archive = (files: Files, more: readonly { name: string; data: Buffer }[] = []): Buffer =>
  buildZip([...Object.entries(files).map(([name, data]) => ({ name, data })), ...more]);

test('in a pull and in an archive: part of the signature of their splits', async (t) => {
  for (const published of [PULL, { 'app.xapk': archive(PULL) }]) {
    const found = await compared(t, published, REBUILT);
    t.is(found.statement.verdict.kind, 'reproducible');
    t.is(found.statement.comparison?.idsigs?.length, 2);
  }
});

test('in a set: swapped, damaged, twice, alone', async (t) => {
  const kindOf = async (files: Files, more: readonly { name: string; data: Buffer }[] = []) => {
    const found = await compared(t, { 'app.xapk': archive(files, more) }, REBUILT);
    return found.statement.verdict.kind;
  };
  t.is(
    await kindOf({ ...PULL, 'base.apk.idsig': splitIdsig, 'split_config.de.apk.idsig': idsig }),
    'not-authentic',
  );
  t.is(
    await kindOf({ ...PULL, 'base.apk.idsig': Buffer.concat([idsig, Buffer.alloc(1)]) }),
    'unreproducible',
  );
  t.is(await kindOf(PULL, [{ name: 'base.apk.idsig', data: idsig }]), 'unreproducible');
  t.is(await kindOf({ ...PULL, 'other.apk.idsig': idsig }), 'unreproducible');
});

test('of two devices that got the same files', async (t) => {
  const device = Buffer.from(
    '{"supportedAbis":["x86"],"supportedLocales":["de"],"screenDensity":480,"sdkVersion":34}',
  );
  const published = Object.fromEntries(
    ['one', 'two'].flatMap((name) =>
      Object.entries({ ...PULL, 'device.json': device }).map(([file, bytes]) => [`${name}/${file}`, bytes]),
    ),
  );
  const found = await compared(t, published, REBUILT);
  t.is(found.statement.verdict.kind, 'reproducible');
  t.is(found.statement.comparison?.idsigs?.length, 4);
});

// ---------------------------------------------------------------- reports, and the real signer

test('a report that says of one what it did not find gives itself away', async (t) => {
  const bad = idsigOf({ treeBytes: Buffer.alloc(8192, 1) });
  const original = await compared(t, { 'app.apk': signed, 'app.apk.idsig': bad }, { 'app.apk': unsigned });
  const forged = (
    edit: (one: Record<string, unknown>, comparison: Record<string, unknown>) => void,
  ): unknown => {
    const statement = structuredClone(original.statement);
    const comparison = statement.comparison as unknown as Record<string, unknown>;
    edit((comparison['idsigs'] as Record<string, unknown>[])[0] ?? {}, comparison);
    const again = concluded(statement);
    return { ...original, statement: again, statementSha256: digestOf(again) };
  };
  const edits: readonly Parameters<typeof forged>[0][] = [
    (one) => Object.assign(one, { status: 'verified' }),
    (one) => Object.assign(one, { status: 'verified', issues: [] }),
    (one, comparison) => {
      Object.assign(one, { status: 'verified' });
      comparison['unpairedPublished'] = [];
    },
    (one, comparison) => {
      Object.assign(one, { status: 'verified', issues: [], signers: [] });
      comparison['unpairedPublished'] = [];
    },
    (one, comparison) => {
      Object.assign(one, { status: 'verified', issues: [], apk: 'other.apk', name: 'other.apk.idsig' });
      comparison['unpairedPublished'] = [];
    },
    (one, comparison) => {
      const signers = [{ scheme: 'v2', certificateSha256: 'a'.repeat(64) }];
      Object.assign(one, { status: 'verified', issues: [], signers });
      comparison['unpairedPublished'] = [];
    },
    (_one, comparison) => void (comparison['unpairedPublished'] = []),
  ];
  for (const [at, edit] of edits.entries()) {
    const checked = checkReport(forged(edit));
    t.is(checked.kind, 'inconsistent', String(at));
    if (checked.kind === 'inconsistent')
      t.true(
        checked.problems.some(({ code }) => code === 'signature' || code === 'subject'),
        `${at}: ${checked.problems.map(({ code }) => code).join()}`,
      );
  }
});

test('what apksigner writes beside its APK', async (t) => {
  if (!need(t, 'apksigner', 'openssl')) return;
  const directory = temporaryDirectory(t);
  const app = signWithApksigner(directory, unsigned, {
    keys: [makeKey(directory, 'app')],
    v3: true,
    extra: ['--v4-signing-enabled=true'],
  });
  const written = readFileSync(path.join(directory, 'signed.apk.idsig'));
  const verdict = async (bytes: Buffer): Promise<string> => {
    const published = { 'app.apk': app, 'app.apk.idsig': bytes };
    return (await compared(t, published, { 'app.apk': unsigned })).statement.verdict.kind;
  };
  t.is(await verdict(written), 'reproducible');
  t.is(await verdict(Buffer.concat([written, Buffer.from([0])])), 'unreproducible');
  t.is(await verdict(idsig), 'not-authentic');
  const changed = Buffer.from(written);
  changed.writeUInt8(changed.readUInt8(changed.length - 5000) ^ 1, changed.length - 5000);
  t.is(await verdict(changed), 'not-authentic');
});
