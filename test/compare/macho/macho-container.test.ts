// SPDX-License-Identifier: Apache-2.0
/** Programs compared: a signature and what follows from it, a range that nobody can read, and nothing else. */
import test from 'ava';
import { ARM64, buildFat, buildMachO, X86_64 } from '../../helpers/build-macho.js';
import { compareBuffers } from '../../helpers/compare-buffers.js';
import { jarIdentity } from '../../helpers/sign-jar.js';
import { blob, NO_REQUIREMENTS, signMachO } from '../../helpers/sign-macho.js';

const unsigned = buildMachO({ uuid: Buffer.alloc(16, 1), encryption: {} });
const [one, other] = [jarIdentity('rsa'), jarIdentity('ec')];
const store = signMachO(unsigned, { identity: one, identifier: 'org.example', teamId: 'STORE' });

const edited = (file: Buffer, at: number): Buffer => {
  const copy = Buffer.from(file);
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
};
const kind = async (published: Buffer, rebuilt: Buffer, rules: readonly 'appstore-encryption-info'[] = []) =>
  (await compareBuffers(published, rebuilt, { rules })).verdict.kind;

test('a signature alone, or another one, is left out by its rule', async (t) => {
  for (const rebuilt of [
    unsigned,
    signMachO(unsigned),
    signMachO(unsigned, { identity: other, room: 16384 }),
  ]) {
    const { verdict, pair } = await compareBuffers(store, rebuilt);
    t.like(verdict, { kind: 'equivalent', rules: ['macho-code-signature'] });
    t.is(pair.nodes[0]?.format, 'mach-o');
    const [rule] = pair.rules;
    t.true(rule?.needed);
    t.is(rule?.publishedBytes, pair.nodes[0]?.published.sums.excluded);
  }
  t.is(await kind(unsigned, store), 'equivalent');
  t.is(await kind(store, store), 'reproducible');
});

test('signatures that say the same and are determined are made again', async (t) => {
  const rebuilt = signMachO(unsigned, { hashes: ['sha1'] });
  const published = signMachO(unsigned, { hashes: ['sha256'], room: 8192 });
  const { verdict, pair } = await compareBuffers(published, rebuilt);
  t.is(verdict.kind, 'reproducible');
  t.like(pair.proof, { kind: 'transplant', profile: 'codesign', equal: true });
  t.is((await compareBuffers(signMachO(unsigned, { identifier: 'x' }), rebuilt)).verdict.kind, 'equivalent');
});

test('one changed byte anywhere else is a difference, however it is signed', async (t) => {
  for (let at = 4; at < unsigned.length; at += at < 900 ? 29 : 997) {
    // where the command of a signature goes
    if (at >= 600 && at < 616) continue;
    const tampered = edited(unsigned, at);
    const { verdict } = await compareBuffers(signedAgain(tampered), unsigned);
    t.is(verdict.kind, 'unreproducible', `byte ${at}`);
  }
});

/** If it still is a program. */
function signedAgain(file: Buffer): Buffer {
  try {
    return signMachO(file);
  } catch {
    return file;
  }
}

test('a page that is not what was signed', async (t) => {
  const { verdict } = await compareBuffers(edited(store, 0x4000), unsigned);
  // one that may have been encrypted is only a difference
  t.is(await kind(edited(store, 0x1234), unsigned), 'unreproducible');
  t.like(verdict, { kind: 'not-authentic', reasons: [{ code: 'signature-invalid' }] });
});

test('bytes that are parked in the range of the signature', async (t) => {
  for (const options of [
    { room: 16384, parked: Buffer.from('payload') },
    { moreBlobs: [{ slot: 0x7777, bytes: blob(0xfade4444, Buffer.from('payload')) }] },
  ]) {
    const { verdict, pair } = await compareBuffers(
      signMachO(unsigned, { identity: one, ...options }),
      unsigned,
    );
    t.is(verdict.kind, 'unreproducible');
    t.true(
      pair.differences.some(
        (found) => found.kind === 'section' && found.section.startsWith('mach-o/signature'),
      ),
    );
  }
  const behind = Buffer.concat([store, Buffer.from('more')]);
  t.is(await kind(behind, unsigned), 'unreproducible');
});

test('entitlements that differ are a difference, and told', async (t) => {
  const entitled = (text: string) =>
    signMachO(unsigned, {
      identity: one,
      entitlements: `<plist><dict>${text}</dict></plist>`,
      requirements: NO_REQUIREMENTS,
    });
  t.is(await kind(entitled('<key>a</key><true/>'), entitled('<key>b</key><true/>')), 'unreproducible');
  t.is(
    await kind(entitled('<key>a</key><true/>'), signMachO(unsigned, { identity: other })),
    'unreproducible',
  );
  // nothing says what they would be
  t.is(await kind(entitled('<key>a</key><true/>'), unsigned), 'equivalent');
  t.is(await kind(entitled(`<key>${'x'.repeat(70_000)}</key><true/>`), unsigned), 'unverifiable');
});

test('what is encrypted is never equal, with the exact share', async (t) => {
  const cipher = buildMachO({
    uuid: Buffer.alloc(16, 1),
    encryption: { id: 1 },
    text: Buffer.alloc(0x2800, 'cipher'),
  });
  const published = signMachO(cipher, { identity: one });
  const { verdict, pair } = await compareBuffers(published, unsigned);
  t.is(verdict.kind, 'unverifiable');
  t.true(verdict.kind === 'unverifiable' && verdict.reasons.every(({ code }) => code === 'encrypted'));
  t.true(JSON.stringify(verdict).includes(`12288 of ${published.length} bytes`));
  // the pages and the field that says so
  t.is(pair.nodes[0]?.published.sums.encrypted, 0x3000 + 4);
  t.is(await kind(edited(published, 0x4000), unsigned), 'not-authentic');
  const changed = buildMachO({
    uuid: Buffer.alloc(16, 1),
    encryption: { id: 1 },
    text: Buffer.alloc(0x2800, 'cipher'),
    data: Buffer.alloc(0x300, 'other'),
  });
  const both = await compareBuffers(signMachO(changed, { identity: one }), unsigned);
  t.is(both.verdict.kind, 'unreproducible');
  t.true(both.pair.unverifiable.some(({ code }) => code === 'encrypted'));
  // equal bytes of an encrypted program were not built by anybody here
  t.is(await kind(published, Buffer.from(published)), 'unverifiable');
  // the text of the rebuilt one, and the mark: no exit 0 either
  const marked = signMachO(buildMachO({ uuid: Buffer.alloc(16, 1), encryption: { id: 1 } }), {
    identity: one,
  });
  t.is(await kind(marked, unsigned), 'unverifiable');
});

test('a range that reaches beyond the text hides nothing', async (t) => {
  for (const encryption of [
    { id: 1, offset: 0x1000, size: 0x4000 },
    { id: 1, offset: 0, size: 0x1000 },
    { id: 1, offset: 0x1008, size: 0x1000 },
  ]) {
    const published = buildMachO({ uuid: Buffer.alloc(16, 1), encryption, text: Buffer.alloc(0x2800, 'x') });
    t.is(await kind(published, unsigned), 'unreproducible');
  }
});

test('the place of the encrypted range is left out by its rule, within bounds', async (t) => {
  const rule = ['appstore-encryption-info'] as const;
  const moved = (size: number) =>
    buildMachO({ uuid: Buffer.alloc(16, 1), encryption: { id: 0, offset: 0x1000, size } });
  t.is(await kind(moved(0x2000), unsigned), 'unreproducible');
  t.is(await kind(moved(0x2000), unsigned, rule), 'equivalent');
  t.is(await kind(moved(0x4000), unsigned, rule), 'unreproducible');
  const none = buildMachO({ uuid: Buffer.alloc(16, 1) });
  t.is(await kind(unsigned, none), 'unreproducible');
  t.is(await kind(unsigned, none, rule), 'equivalent');
  t.is(await kind(moved(0x2000), none, rule), 'unreproducible');
  t.is(await kind(signMachO(unsigned), none, rule), 'equivalent');
});

test('decrypted pages: left out by the rule, and said', async (t) => {
  const cipher = buildMachO({
    uuid: Buffer.alloc(16, 1),
    encryption: {},
    text: Buffer.alloc(0x2800, 'cipher'),
  });
  const dump = signMachO(unsigned, { identity: one, hashed: cipher });
  const { verdict, pair } = await compareBuffers(dump, unsigned);
  t.is(verdict.kind, 'equivalent');
  t.true(pair.differences.some((found) => found.kind === 'unread' && found.code === 'hash-of-ciphertext'));
  t.is(pair.nodes[0]?.published.sums.signature, 0);
});

test('every slice counts, and one on one side alone is a difference', async (t) => {
  const arm = (options = {}): Buffer => signMachO(unsigned, options);
  const intel = buildMachO({ cpuType: X86_64, cpuSubtype: 3, uuid: Buffer.alloc(16, 9) });
  const fat = (a: Buffer, b: Buffer): Buffer =>
    buildFat([
      { cpuType: ARM64, file: a },
      { cpuType: X86_64, cpuSubtype: 3, file: b },
    ]);
  const published = fat(arm({ identity: one }), signMachO(intel, { identity: one }));
  t.is(await kind(published, fat(unsigned, intel)), 'equivalent');
  t.is(await kind(published, fat(arm({ identity: other, room: 32768 }), signMachO(intel))), 'equivalent');
  t.is(await kind(fat(store, edited(intel, 0x1100)), fat(unsigned, intel)), 'unreproducible');
  t.is(await kind(store, fat(unsigned, intel)), 'unreproducible');
  t.is(await kind(fat(store, intel), unsigned), 'unreproducible');
  const three = buildFat([
    { cpuType: ARM64, file: unsigned },
    { cpuType: X86_64, cpuSubtype: 3, file: intel },
    { cpuType: ARM64, cpuSubtype: 2, file: buildMachO({ cpuSubtype: 2 }) },
  ]);
  t.is(await kind(three, fat(unsigned, intel)), 'unreproducible');
  const gap = fat(unsigned, intel);
  t.is(await kind(edited(gap, 0x800), gap), 'unreproducible');
});

test('causes are told and change nothing', async (t) => {
  const causes = async (published: Buffer, rebuilt: Buffer) => {
    const { pair, verdict } = await compareBuffers(published, rebuilt);
    t.is(verdict.kind, 'unreproducible');
    return pair.differences.flatMap((found) => ('cause' in found && found.cause ? [found.cause.kind] : []));
  };
  const spec = { uuid: Buffer.alloc(16, 1) };
  t.deepEqual(await causes(buildMachO(spec), buildMachO({ uuid: Buffer.alloc(16, 2) })), ['build-id']);
  t.deepEqual(await causes(buildMachO(spec), buildMachO({ ...spec, linkerVersion: 1 << 16 })), [
    'toolchain-version',
  ]);
  const strings = (a: string, b: string): Buffer =>
    buildMachO({ ...spec, strings: Buffer.from(`\0${a}\0${b}\0`) });
  t.deepEqual(await causes(strings('aa', 'bb'), strings('bb', 'aa')), ['order']);
  const built = (where: string): Buffer =>
    buildMachO({ ...spec, data: Buffer.from(`x\0${where}/source.swift\0y`) });
  t.deepEqual(await causes(built('/Users/alice/app'), built('/Users/bobby/app')), ['text-content']);
});
