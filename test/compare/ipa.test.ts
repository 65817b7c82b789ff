// SPDX-License-Identifier: Apache-2.0
/** Apps as archives: what signing and the store change is left out by named rules, and nothing is ignored by its name. */
import test from 'ava';
import { RULE_SETS } from '../../src/model.js';
import { checkPair } from '../../src/report/check-pair.js';
import { ARM64, buildFat, buildMachO, X86_64 } from '../helpers/build-macho.js';
import { APP, buildIpa, programsOf, type IpaSpec, type Program } from '../helpers/build-ipa.js';
import { buildProfile } from '../helpers/build-profile.js';
import { compareBuffers, type Compared } from '../helpers/compare-buffers.js';
import { jarIdentity } from '../helpers/sign-jar.js';
import { blob } from '../helpers/sign-macho.js';

const identity = jarIdentity('rsa');
const STORE = { identity, teamId: 'STORE', room: 8192 } as const;
const rebuilt = buildIpa();

async function compare(
  published: Buffer,
  own = rebuilt,
): Promise<Compared & { readonly broken: readonly string[] }> {
  const compared = await compareBuffers(published, own, { rules: RULE_SETS.appstore });
  const broken: string[] = [];
  checkPair(compared.pair, undefined, '', (code, at, detail) => broken.push(`${code} ${at} ${detail}`));
  return { ...compared, broken };
}

const kindOf = async (spec: IpaSpec): Promise<string> =>
  (await compare(buildIpa({ programs: programsOf(STORE), ...spec }))).verdict.kind;

/** The programs of the store with one of them other. */
function withProgram(executable: string, change: (program: Program) => Program): readonly Program[] {
  return programsOf(STORE).map((program) => (program.executable === executable ? change(program) : program));
}

const SINF = Buffer.concat([Buffer.from([0, 0, 0, 12]), Buffer.from('sinf'), Buffer.from('free')]);

test('a re-signed app is equivalent, by its rules', async (t) => {
  const store = buildIpa({
    programs: programsOf(STORE),
    files: { [`${APP}/SC_Info/Example.sinf`]: SINF, [`${APP}/SC_Info/Example.supp`]: Buffer.alloc(100, 7) },
    member: { time: 0x1234, date: 0x5678, externalAttributes: 0x81a40000, madeBy: 0x031e },
  });
  const own = buildIpa({ files: { [`${APP}/embedded.mobileprovision`]: buildProfile() } });
  const { verdict, broken, pair } = await compare(store, own);
  t.deepEqual(broken, []);
  t.like(verdict, {
    kind: 'equivalent',
    rules: ['appstore-entry-records', 'appstore-provisioning', 'appstore-sc-info', 'macho-code-signature'],
  });
  t.is(pair.unverifiable.length, 0);
  // without the store's rules nothing of the store's is left out
  t.is((await compareBuffers(store, own)).verdict.kind, 'unreproducible');
});

test('an app that is encrypted cannot be checked, and says how much', async (t) => {
  const programs = withProgram('Example', (program) => ({
    ...program,
    spec: { ...program.spec, encryption: { id: 1 }, text: Buffer.alloc(0x2800, 'cipher') },
  }));
  const { verdict, broken } = await compare(buildIpa({ programs }));
  t.deepEqual(broken, []);
  t.is(verdict.kind, 'unverifiable');
  t.regex(
    JSON.stringify(verdict),
    /Payload\/Example\.app\/Example > arm64: 12288 of \d+ bytes are encrypted/,
  );
  const changed = programs.map((program) =>
    program.executable === 'Kit'
      ? { ...program, spec: { ...program.spec, text: Buffer.alloc(0x2800, 'evil') } }
      : program,
  );
  const both = await compare(buildIpa({ programs: changed }));
  t.is(both.verdict.kind, 'unreproducible');
  t.deepEqual(both.broken, []);
  t.true(
    both.pair.unverifiable.some(({ code, detail }) => code === 'encrypted' && detail.includes('12288 of')),
  );
});

test('encrypted programs that are equal on both sides do not end in a match', async (t) => {
  const programs = withProgram('Example', (program) => ({
    ...program,
    spec: { ...program.spec, encryption: { id: 1 } },
  }));
  const store = buildIpa({ programs });
  const { verdict } = await compare(store, Buffer.from(store));
  t.like(verdict, { kind: 'unverifiable' });
  const fat = withProgram('Example', (program) => ({
    ...program,
    sign: undefined as never,
    file: buildFat([
      { cpuType: X86_64, cpuSubtype: 3, file: buildMachO({ cpuType: X86_64, cpuSubtype: 3 }) },
      { cpuType: ARM64, file: buildMachO({ encryption: { id: 1 } }) },
    ]),
  })).map(({ sign, ...program }) =>
    program.executable === 'Example' ? program : { ...program, ...(sign && { sign }) },
  );
  const again = buildIpa({ programs: fat });
  t.is((await compare(again, Buffer.from(again))).verdict.kind, 'unverifiable');
});

const evil = Buffer.alloc(5000, 'evil');
const ADDED = [
  `${APP}/Frameworks/libswiftEvil.dylib`,
  `${APP}/PlugIns/Share.appex/embedded.mobileprovision.dylib`,
  `${APP}/PlugIns/Share.appex/_CodeSignature/CodeResourcesEvil.bin`,
  `${APP}/x.nibble.dylib`,
  `${APP}/embedded.mobileprovision`,
  `${APP}/SC_Info/Example.sinf`,
  `${APP}/SC_Info/evil.dylib`,
  `${APP}/SC_Info/x/Example.sinf`,
  `${APP}/Watch/Evil.app/Evil`,
  `${APP}/Base.lproj/Main.nib`,
  `${APP}/Assets.car`,
  'Payload/Other.app/Other',
  'Symbols/evil.symbols',
  'SwiftSupport/iphoneos/libswiftEvil.dylib',
  'evil',
  `${APP}/$(touch evil)`,
  `${APP}/\`id\`;"'`,
];

for (const name of ADDED)
  test(`an added file is a difference: ${name}`, async (t) => {
    t.is(await kindOf({ files: { [name]: evil } }), 'unreproducible');
  });

test('changed programs, whatever their name, are a difference with a valid signature', async (t) => {
  for (const executable of ['Example', 'Share', 'Kit', 'libswiftCore.dylib'])
    t.is(
      await kindOf({
        programs: withProgram(executable, (program) => ({
          ...program,
          spec: { ...program.spec, text: Buffer.alloc(0x2800, 'evil') },
        })),
      }),
      'unreproducible',
      executable,
    );
});

test('payload in the range of a signature, another entitlement, another slice', async (t) => {
  const signed = (sign: object): readonly Program[] =>
    withProgram('Example', (program) => ({ ...program, sign: { ...STORE, ...sign } }));
  t.is(await kindOf({ programs: signed({ parked: Buffer.from('payload') }) }), 'unreproducible');
  t.is(
    await kindOf({ programs: signed({ moreBlobs: [{ slot: 0x9999, bytes: blob(0xfade9999, evil) }] }) }),
    'unreproducible',
  );
  const own = buildIpa({
    programs: programsOf().map((program) => ({
      ...program,
      sign: { identity, entitlements: '<plist><dict/></plist>' },
    })),
  });
  const { verdict } = await compare(
    buildIpa({
      programs: programsOf({ identity, entitlements: '<plist><dict><key>a</key><true/></dict></plist>' }),
    }),
    own,
  );
  t.is(verdict.kind, 'unreproducible');
});

test('another version, a link, a file in its place', async (t) => {
  const version = withProgram('Example', (program) => ({
    ...program,
    bundle: { ...program.bundle, CFBundleVersion: '46' },
  }));
  t.is(await kindOf({ programs: version }), 'unreproducible');
  // an info file that is not the one that was signed
  const stale = programsOf(STORE).map((program) =>
    program.executable === 'Example'
      ? { ...program, sign: { ...STORE, files: { 1: Buffer.from('other') } } }
      : program,
  );
  t.is(await kindOf({ programs: stale }), 'not-authentic');
  const link = buildIpa({ programs: programsOf(STORE), member: { externalAttributes: 0xa1ff0000 } });
  t.is((await compare(link)).verdict.kind, 'unreproducible');
});
