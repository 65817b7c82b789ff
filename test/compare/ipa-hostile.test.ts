// SPDX-License-Identifier: Apache-2.0
/** An app by a publisher who knows the rules for Apple's platforms: each room that they might leave, and what it is called. */
import test from 'ava';
import { RULE_SETS, type VerdictKind } from '../../src/model.js';
import { APP, buildIpa, infoPlist, programsOf, type IpaSpec, type Program } from '../helpers/build-ipa.js';
import { ARM64, buildFat, buildMachO, numbers, X86_64 } from '../helpers/build-macho.js';
import { xmlPlist } from '../helpers/build-plist.js';
import { buildZip } from '../helpers/build-zip.js';
import { compareBuffers } from '../helpers/compare-buffers.js';
import { buildProfile } from '../helpers/build-profile.js';
import { codeResources, sealed, type BundleContents } from '../helpers/seal-bundle.js';
import { jarIdentity } from '../helpers/sign-jar.js';
import { blob, signMachO, type MachOSignOptions } from '../helpers/sign-macho.js';

const identity = jarIdentity('rsa');
const STORE = { identity, teamId: 'STORE', room: 16384 } as const;
const evil = Buffer.alloc(4096, 'evil');
const rebuilt = buildIpa();
const { word, long } = numbers(true);

async function kindOf(published: Buffer, own = rebuilt): Promise<VerdictKind> {
  return (await compareBuffers(published, own, { rules: RULE_SETS.appstore })).verdict.kind;
}

const store = (spec: IpaSpec): Buffer => buildIpa({ programs: programsOf(STORE), ...spec });

/** The app with its main program as this file. */
function withMain(file: Buffer, sign: MachOSignOptions | 'as-it-is' = STORE): readonly Program[] {
  return programsOf(STORE).map((program) => {
    if (program.executable !== 'Example') return program;
    const { sign: _, ...unsigned } = program;
    return sign === 'as-it-is' ? { ...unsigned, file } : { ...unsigned, file, sign };
  });
}

/** As it was built, with this main program. */
const builtWith = (change: Partial<Program>): Buffer =>
  buildIpa({
    programs: programsOf().map((one) => (one.executable === 'Example' ? { ...one, ...change } : one)),
  });

const main = { text: Buffer.alloc(0x2800, 'main'), uuid: Buffer.alloc(16, 1), encryption: {} };
/** A load command more at the end. */
const command = (code: number, ...parts: readonly Buffer[]): Buffer => {
  const body = Buffer.concat(parts);
  return Buffer.concat([word(code), word(8 + body.length), body]);
};

interface Hostile {
  readonly published: () => Buffer;
  readonly rebuilt?: () => Buffer;
  readonly kind?: VerdictKind;
}

/** One command after signing made longer, with these bytes in the zeros behind the commands. */
function longerCommand(signed: Buffer, code: number, more: Buffer): Buffer {
  const out = Buffer.from(signed);
  let at = 32;
  for (let i = 0; i < out.readUInt32LE(16); i++) {
    const size = out.readUInt32LE(at + 4);
    if (out.readUInt32LE(at) === code) {
      const end = 32 + out.readUInt32LE(20);
      out.copyWithin(at + size + more.length, at + size, end);
      more.copy(out, at + size);
      out.writeUInt32LE(size + more.length, at + 4);
      out.writeUInt32LE(out.readUInt32LE(20) + more.length, 20);
      return out;
    }
    at += size;
  }
  throw new Error('no such command');
}

/** Both slices signed by the store; `text` of the second one. */
const twoSlices = (first: Buffer, second: Buffer): Buffer =>
  buildFat([
    { cpuType: X86_64, cpuSubtype: 3, file: first },
    { cpuType: ARM64, file: second },
  ]);
const intel = { cpuType: X86_64, cpuSubtype: 3 };
const encryptedSlice = buildMachO({ encryption: { id: 1 }, text: Buffer.alloc(0x2800, 'cipher') });

/** Contents of the app sealed by these values, beside it. */
function sealedApp(contents: BundleContents, list: Buffer): Buffer {
  return buildZip([
    ...Object.entries(contents).map(([path, data]) => ({ name: `${APP}/${path}`, data: data as Buffer })),
    { name: `${APP}/_CodeSignature/CodeResources`, data: list },
  ]);
}
const INFO = infoPlist({ CFBundleExecutable: 'Main', CFBundleIdentifier: 'org.example' });
const BUNDLE: BundleContents = { 'Info.plist': INFO, Main: buildMachO(), 'a.txt': 'a' };
const sealedBy = (change: (values: ReturnType<typeof sealed>) => void): Buffer => {
  const values = sealed(BUNDLE);
  change(values);
  return sealedApp(BUNDLE, xmlPlist(values));
};
const plainSealed = (): Buffer => sealedApp({ ...BUNDLE }, codeResources({ ...BUNDLE, 'b.txt': 'b' }));

const CASES: Readonly<Record<string, Hostile>> = {
  'a payload in LC_CODE_SIGNATURE behind its fields': {
    published: () => {
      const signed = signMachO(buildMachO(main), { ...STORE });
      return store({ programs: withMain(longerCommand(signed, 0x1d, evil.subarray(0, 256)), 'as-it-is') });
    },
  },
  'a payload in LC_ENCRYPTION_INFO_64 that one side has alone': {
    published: () =>
      store({
        programs: withMain(longerCommand(buildMachO(main), 0x2c, evil.subarray(0, 256)), 'as-it-is'),
      }),
    rebuilt: () => {
      const { encryption: _, ...without } = main;
      return builtWith({ spec: without });
    },
  },
  'a second command of encryption with eight free bytes': {
    published: () => store({ programs: withMain(twiceEncrypted(evil.subarray(0, 8), 0), 'as-it-is') }),
    rebuilt: () => builtWith({ file: twiceEncrypted(Buffer.alloc(8), 0) }),
  },
  'padding in LC_ENCRYPTION_INFO_64 that one side has alone': {
    published: () => {
      const file = buildMachO(main);
      file.write('evil', file.indexOf(Buffer.concat([word(0x2c), word(24)])) + 20, 'latin1');
      return store({ programs: withMain(file) });
    },
    rebuilt: () => {
      const { encryption: _, ...without } = main;
      return builtWith({ spec: without });
    },
  },
  'equal on both sides, and the second command of encryption says encrypted': {
    published: () => store({ programs: withMain(twiceEncrypted(range, 1), 'as-it-is') }),
    rebuilt: () => builtWith({ file: twiceEncrypted(range, 1) }),
    kind: 'unverifiable',
  },
  'equal on both sides and encrypted, with a mebibyte of commands in front': {
    published: () => store({ programs: withMain(bigCommands(), 'as-it-is') }),
    rebuilt: () => builtWith({ file: bigCommands() }),
    kind: 'unverifiable',
  },
  'equal on both sides and encrypted, in a file that no linker writes': {
    published: () => store({ programs: withMain(overlapping(), 'as-it-is') }),
    rebuilt: () => builtWith({ file: overlapping() }),
    kind: 'unverifiable',
  },
  'an encrypted slice equal on both sides beside one that was signed anew': {
    published: () =>
      store({
        programs: withMain(twoSlices(signMachO(buildMachO(intel), STORE), encryptedSlice), 'as-it-is'),
      }),
    rebuilt: () => builtWith({ file: twoSlices(signMachO(buildMachO(intel)), encryptedSlice) }),
    kind: 'unverifiable',
  },
  'a linkage hash of 8 KiB': {
    published: () => store({ programs: withMain(withLinkage(8192), 'as-it-is') }),
  },
  'a scatter vector': {
    published: () => store({ programs: withMain(withScatter(), 'as-it-is') }),
  },
  'seals of absent optional files': {
    published: () =>
      sealedBy(({ files2 }) => {
        Object.assign(files2 as object, {
          'de.lproj/evil': { hash2: evil.subarray(0, 32), optional: true },
        });
      }),
    rebuilt: () => sealedApp(BUNDLE, codeResources(BUNDLE)),
  },
  'keys of the store without a program beside them': {
    published: () => store({ files: { [`${APP}/x.bundle/SC_Info/a.supp`]: evil } }),
  },
  'keys of the store by the dozen': {
    published: () =>
      store({
        files: Object.fromEntries(
          Array.from({ length: 40 }, (_, at) => [`${APP}/SC_Info/a${at}.supp`, evil]),
        ),
      }),
  },
  'a profile in a directory that is no bundle': {
    published: () => store({ files: { [`${APP}/x.appex/embedded.mobileprovision`]: buildProfile() } }),
  },
  'signed data that is no profile': {
    published: () => store({ files: { [`${APP}/embedded.mobileprovision`]: buildProfile(['evil']) } }),
  },
  'signed data with other keys than a profile has': {
    published: () => store({ files: { [`${APP}/embedded.mobileprovision`]: buildProfile({ evil }) } }),
  },
  'a profile whose signature does not hold': {
    published: () =>
      store({
        files: {
          [`${APP}/embedded.mobileprovision`]: buildProfile(undefined, { content: xmlPlist({ a: 1 }) }),
        },
      }),
  },
  'a directory in the place of a program': {
    published: () => store({ files: { [`${APP}/Frameworks/libswiftCore.dylib/`]: '' } }),
  },
  'a program marked as a directory': {
    published: () => store({ member: { externalAttributes: 0x41ed0000, madeBy: 0x0314 } }),
  },
  'a directory with bytes': {
    published: () => store({ files: { [`${APP}/x/`]: evil } }),
  },
  'a range of encryption that reaches into the data': {
    published: () =>
      store({
        programs: withMain(
          buildMachO({ ...main, data: evil.subarray(0, 0x300), encryption: { id: 1, size: 0x4000 } }),
        ),
      }),
  },
  'a range of encryption over the load commands': {
    published: () =>
      store({
        programs: withMain(
          buildMachO({
            ...main,
            text: Buffer.alloc(0x2800, 'evil'),
            encryption: { id: 1, offset: 0, size: 0x4000 },
          }),
        ),
      }),
  },
  'a range of encryption over one page, and code behind it': {
    published: () =>
      store({
        programs: withMain(
          buildMachO({ ...main, text: Buffer.alloc(0x2800, 'evil'), encryption: { id: 1, size: 0x1000 } }),
        ),
      }),
  },
  'an encrypted program in an archive inside': {
    published: () => store({ files: { [`${APP}/a.zip`]: inside(encryptedSlice) } }),
    rebuilt: () => buildIpa({ files: { [`${APP}/a.zip`]: inside(buildMachO({ encryption: {} })) } }),
  },
  'a signature of somebody in an archive inside': {
    published: () => store({ files: { [`${APP}/a.zip`]: inside(signMachO(buildMachO(), STORE)) } }),
    rebuilt: () => buildIpa({ files: { [`${APP}/a.zip`]: inside(buildMachO()) } }),
  },
  'another text beside a program that is encrypted': {
    published: () =>
      store({
        programs: withMain(buildMachO({ ...main, encryption: { id: 1 } })),
        files: { [`${APP}/a.txt`]: 'evil' },
      }),
    rebuilt: () => buildIpa({ files: { [`${APP}/a.txt`]: 'good' } }),
  },
  'bytes between slices': {
    published: () => {
      const file = twoSlices(buildMachO(intel), buildMachO());
      file.write('evil', 0x800, 'latin1');
      return store({ programs: withMain(file, 'as-it-is') });
    },
    rebuilt: () => builtWith({ file: twoSlices(buildMachO(intel), buildMachO()) }),
  },
  'another Info.plist under the same name': {
    published: () =>
      store({ files: { [`${APP}/Info.plist`]: infoPlist({ CFBundleExecutable: 'libswiftCore.dylib' }) } }),
  },
  'an unknown blob of the signature': {
    published: () =>
      store({
        programs: withMain(buildMachO(main), {
          ...STORE,
          moreBlobs: [{ slot: 0x4000, bytes: blob(0xfade4000, evil) }],
        }),
      }),
  },
  'requirements of 20 KiB': {
    published: () =>
      store({
        programs: withMain(buildMachO(main), {
          ...STORE,
          room: 65536,
          requirements: blob(0xfade0c01, Buffer.alloc(20 << 10, 1)),
        }),
      }),
    kind: 'unverifiable',
  },
  'a segment that maps the signature': {
    published: () =>
      store({
        programs: withMain(
          buildMachO({
            ...main,
            commands: [
              command(
                0x19,
                name16('__EVIL'),
                long(0x100000),
                long(0x1000),
                long(0x5000),
                long(0x60),
                word(5),
                word(5),
                word(0),
                word(0),
              ),
            ],
          }),
        ),
      }),
  },
};

function name16(text: string): Buffer {
  const field = Buffer.alloc(16);
  field.write(text, 'latin1');
  return field;
}

const inside = (data: Buffer): Buffer => buildZip([{ name: 'a', data }]);
const range = Buffer.concat([word(0x1000), word(0x1000)]);

function twiceEncrypted(second: Buffer, id: number): Buffer {
  return buildMachO({ ...main, commands: [command(0x21, second, word(id))] });
}

/** Commands that fill more than the first mebibyte; encrypted. */
function bigCommands(): Buffer {
  const filler = command(0x1f, Buffer.alloc((1 << 20) + 8, 1));
  const encryption = command(0x2c, range, word(1), word(0));
  const header = Buffer.alloc(32);
  header.writeUInt32LE(0xfeedfacf, 0);
  header.writeUInt32LE(ARM64, 4);
  header.writeUInt32LE(2, 12);
  header.writeUInt32LE(2, 16);
  header.writeUInt32LE(filler.length + encryption.length, 20);
  return Buffer.concat([header, filler, encryption, Buffer.alloc(0x3000)]);
}

/** Two slices in one place, which the kernel takes. */
function overlapping(): Buffer {
  const file = twoSlices(buildMachO(intel), encryptedSlice);
  file.copy(file, 16, 36, 40);
  return file;
}

/** The signed program, its CodeDirectory of version 0x20600 with a linkage hash of that size. */
function withLinkage(size: number): Buffer {
  return signMachO(buildMachO(main), { ...STORE, room: 32768, linkage: Buffer.alloc(size, 'evil') });
}

function withScatter(): Buffer {
  return signMachO(buildMachO(main), {
    ...STORE,
    scatter: Buffer.concat([Buffer.alloc(24, 1), Buffer.alloc(24)]),
  });
}

for (const [title, { published, rebuilt: own, kind = 'unreproducible' }] of Object.entries(CASES))
  test(`${kind}: ${title}`, async (t) => {
    t.is(await kindOf(published(), own?.() ?? rebuilt), kind);
  });

test('the honest twins of these are equivalent', async (t) => {
  t.is(await kindOf(store({})), 'equivalent');
  t.is(await kindOf(store({ files: { [`${APP}/embedded.mobileprovision`]: buildProfile() } })), 'equivalent');
  t.is(await kindOf(plainSealed(), plainSealed()), 'reproducible');
});
