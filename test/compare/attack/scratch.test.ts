import test from 'ava';
import { crc32, deflateRawSync } from 'node:zlib';
import { buildZip, type ZipMember } from '../../helpers/build-zip.js';
import { compareBuffers } from '../../helpers/compare-buffers.js';
import * as S from '../../helpers/sign-apk.js';
import { buildTar, tarMember, paxRecord } from '../../helpers/build-tar.js';

const text = 'the quick brown fox jumps over the lazy dog, '.repeat(40);
const base: readonly ZipMember[] = [
  { name: 'AndroidManifest.xml', data: text },
  { name: 'classes.dex', data: text.toUpperCase() },
  { name: 'resources.arsc', data: text, method: 0, align: 4 },
];
const unsigned = buildZip(base);
const id = S.newIdentity();
const other = S.newIdentity();
async function show(name: string, p: Buffer, r: Buffer, options = {}) {
  for (const [dir, a, b] of [['>', p, r], ['<', r, p]] as const) {
    try {
      const { pair, verdict } = await compareBuffers(a, b, options);
      console.log(dir, name, '=>', verdict.kind, pair.worst, pair.proof.kind, pair.signature.status, pair.signature.issues.map(i => i.code).join(), verdict.kind === 'unverifiable' ? JSON.stringify(verdict.reasons) : '');
    } catch (e) { console.log(dir, name, '=> THROWS', (e as Error).stack?.split('\n').slice(0, 5).join(' | ')); }
  }
}
test('x', async (t) => {
  t.timeout(100000);
  await show('signed', S.signed(unsigned, { identity: id }), unsigned);
  const f = S.withPageFill(unsigned);
  await show('signed fill', S.signed(f, { identity: id }), unsigned);
  await show('signed fill, rebuilt filled', S.signed(f, { identity: id }), f);
  const bmp = S.newIdentity((k) => S.certificateFor(k, { name: S.nameOf(S.der(0x1e, Buffer.from('odd'))) }));
  await show('bmp odd', S.signed(unsigned, { identity: bmp }), unsigned);
  const big = S.newIdentity((k) => S.certificateFor(k, { extra: [S.der(0xa3, S.der(0x30, S.der(0x04, Buffer.alloc(15000, 'evil'))))] }));
  await show('big cert', S.signed(unsigned, { identity: big }), unsigned);
  const v3 = (specs: S.SignerSpec[]) => S.insertBlock(unsigned, S.signingBlock([S.signerPair('v3', unsigned, specs)]));
  await show('v3', v3([{ identity: id }]), unsigned);
  await show('v3 overlap', v3([{ identity: id }, { identity: other, sdk: [1, 2] }]), unsigned);
  await show('v3 overlap2', v3([{ identity: id }, { identity: other }]), unsigned);
  // nested
  const nest = (inner: Buffer, method: number) => buildZip([{ name: 'a.apk', data: inner, method }]);
  for (const m of [0, 8]) {
    await show('nested signed ' + m, nest(S.signed(unsigned, { identity: big }), m), nest(unsigned, m));
    await show('nested signed, outer signed ' + m, S.signed(nest(S.signed(unsigned, { identity: big }), m), { identity: id }), nest(unsigned, m));
  }
  // overlap of block and entry
  const block = S.signingBlock([S.signerPair('v2', unsigned, [{ identity: id }])]);
  await show('block inside last entry', buildZip([...base, { name: 'z', data: block, method: 0 }]), unsigned);
  await show('block inside last entry both', buildZip([...base, { name: 'z', data: block, method: 0 }]), buildZip([...base, { name: 'z', data: Buffer.from(block).fill(7, 100, 110), method: 0 }]));
  // alignment by luck
  const a1 = buildZip([{ name: 'resources.arsc', data: text, method: 0 }, { name: 'x', data: 'abc', method: 0 }]);
  const a2 = buildZip([{ name: 'x', data: 'abc', method: 0 }, { name: 'resources.arsc', data: text, method: 0 }]);
  await show('alignment lost by order', a2, a1);
  await show('flags level on stored', buildZip([{ name: 'x', data: 'abc', method: 0, flags: 6 }]), buildZip([{ name: 'x', data: 'abc', method: 0 }]));
  await show('flags level 93', buildZip([{ name: 'x', data: 'abc', method: 93, flags: 6 }]), buildZip([{ name: 'x', data: 'abc', method: 93 }]));
  await show('bit 3 local only', buildZip([{ name: 'x', data: 'abc', descriptor: 'signed' }]), buildZip([{ name: 'x', data: 'abc' }]));
  // local bit3 with descriptor, central none
  const z = buildZip([{ name: 'x', data: 'abc', descriptor: 'signed' }]); const c = z.indexOf('PK\x01\x02', 0, 'latin1'); z[c + 8] = 0;
  await show('bit3 in local only', z, buildZip([{ name: 'x', data: 'abc' }]));
  // announced descriptor missing
  await show('bit3 without descriptor vs with', buildZip([{ name: 'x', data: 'abc', flags: 8 }]), buildZip([{ name: 'x', data: 'abc', descriptor: 'signed' }]));
  // stamp rule
  const stamp = { name: 'stamp-cert-sha256', data: Buffer.alloc(32, 7), method: 0 } as const;
  const rules = { rules: ['play-stamp-cert'] as const };
  await show('stamp local name', buildZip([...base, { ...stamp, localName: Buffer.alloc(60000, 'evil') }]), unsigned, rules);
  await show('stamp many', buildZip([...base, ...Array.from({ length: 1000 }, () => stamp)]), unsigned, rules);
  await show('stamp local extra', buildZip([...base, { ...stamp, localExtra: Buffer.from('abc') }]), unsigned, rules);
  await show('stamp attrs', buildZip([...base, { ...stamp, externalAttributes: 0x6c697665, time: 0x1234, madeBy: 0x9999 }]), unsigned, rules);
  await show('stamp local method', buildZip([...base, { ...stamp, localMethod: 77, localFlags: 0xfff0 }]), unsigned, rules);
  // tar order of records
  const x = tarMember({ name: 'x', type: 'x', data: paxRecord('mtime', '1.5') });
  const L = tarMember({ name: '././@LongLink', type: 'L', data: 'name\0' });
  const m = tarMember({ name: 'm', data: 'hello' });
  const end = Buffer.alloc(1024);
  await show('tar record order', Buffer.concat([x, L, m, end]), Buffer.concat([L, x, m, end]));
  const K = tarMember({ name: '././@LongLink', type: 'K', data: 'name\0' });
  await show('tar record order same kinds', Buffer.concat([K, L, m, end]), Buffer.concat([L, K, m, end]));
  const K2 = tarMember({ name: '././@LongLink', type: 'K', data: 'naem\0' + 'x'.repeat(507) });
  await show('tar record padding order', Buffer.concat([K2, L, m, end]), Buffer.concat([L, K2, m, end]));
  const dup = (n: number) => buildZip([{ name: 'META-INF/A.SF', data: 'x' }, { name: 'META-INF/MANIFEST.MF', data: n + 'x' }, { name: 'q', data: 'q' }]);
  await show('v1 manifest', dup(1), dup(2));
  await show('nested v1', nest(dup(1), 0), nest(dup(2), 0));
  t.pass();
  void crc32; void deflateRawSync; void buildTar;
});
