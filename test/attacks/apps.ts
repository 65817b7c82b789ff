// SPDX-License-Identifier: Apache-2.0
/** Apps of Apple's platforms: files that are ignored by name elsewhere, bytes that are erased there, and encryption as cover. */
import { RULE_SETS } from '../../src/model.js';
import { APP, buildIpa, programsOf, type IpaSpec, type Program } from '../helpers/build-ipa.js';
import { ARM64, buildFat, buildMachO, X86_64 } from '../helpers/build-macho.js';
import { jarIdentity } from '../helpers/sign-jar.js';
import { blob } from '../helpers/sign-macho.js';
import { DIFFERS, OPEN, payload, type Attack, type Expected } from './base.js';

const SOURCE = 'an app for iOS, of which names and signatures are left out unread';
const identity = jarIdentity('rsa');
const STORE = { identity, teamId: 'STORE' } as const;
const evil = Buffer.alloc(0x2800, 'evil');
const rebuilt = buildIpa();
const FORGED_PAGE: Expected = { kind: 'not-authentic', exit: 3, code: 'signature-invalid' };

function attack(name: string, explanation: string, spec: IpaSpec, expected: Expected = DIFFERS): Attack {
  return {
    name: `app: ${name}`,
    manner: 're-signed',
    explanation,
    source: SOURCE,
    make: () => ({
      published: buildIpa({ programs: programsOf(STORE), ...spec }),
      rebuilt,
      options: { rules: RULE_SETS.appstore },
    }),
    expected,
  };
}

const added = (name: string, explanation: string): Attack =>
  attack(`added ${name.slice(name.lastIndexOf('/') + 1)}`, explanation, { files: { [name]: evil } });

function changed(
  executable: string,
  change: (program: Program) => Program,
): { readonly programs: readonly Program[] } {
  return {
    programs: programsOf(STORE).map((program) =>
      program.executable === executable ? change(program) : program,
    ),
  };
}

const withText = (program: Program): Program => ({ ...program, spec: { ...program.spec, text: evil } });
const encrypted = (program: Program): Program => ({
  ...program,
  spec: { ...program.spec, encryption: { id: 1 }, text: evil },
});

/** One slice as it was built, and one that nobody built. */
const secondSlice = (text: Buffer): Buffer =>
  buildFat([
    { cpuType: ARM64, file: buildMachO({ uuid: Buffer.alloc(16, 1) }) },
    { cpuType: X86_64, cpuSubtype: 3, file: buildMachO({ cpuType: X86_64, cpuSubtype: 3, text }) },
  ]);

export const apps: readonly Attack[] = [
  added(`${APP}/Frameworks/libswiftEvil.dylib`, 'a library whose name begins as those of Swift do'),
  added(
    `${APP}/PlugIns/Share.appex/embedded.mobileprovision.dylib`,
    'a library whose name begins as that of a profile',
  ),
  added(
    `${APP}/PlugIns/Share.appex/_CodeSignature/CodeResourcesEvil.bin`,
    'a file whose name begins as that of the list of resources',
  ),
  added(`${APP}/x.nibble.dylib`, 'a library with the name of a compiled interface in its own'),
  added(`${APP}/Watch/Evil.app/Evil`, 'a program of the Watch app'),
  added('Payload/Other.app/Other', 'a second app'),
  added('Symbols/evil.symbols', 'a file beside the app'),
  added('evil', 'a file outside of Payload'),
  added(`${APP}/$(touch evil)`, 'a name that a shell runs'),
  added(`${APP}/SC_Info/Example.sinf`, 'a payload under the name of a key of the store'),
  added(`${APP}/embedded.mobileprovision`, 'a payload under the name of a profile'),
  attack('library changed', 'the code of a library of Swift', changed('libswiftCore.dylib', withText)),
  attack('framework changed', 'the code of a framework', changed('Kit', withText)),
  attack('extension changed', 'the code of an extension', changed('Share', withText)),
  attack(
    'payload behind the signature',
    'bytes in the range of the signature, behind what is read of it',
    changed('Example', (program) => ({ ...program, sign: { ...STORE, room: 16384, parked: payload } })),
  ),
  attack(
    'payload in a blob',
    'a part of the signature that nothing reads',
    changed('Example', (program) => ({
      ...program,
      sign: { ...STORE, moreBlobs: [{ slot: 0x4242, bytes: blob(0xfade4242, payload) }] },
    })),
  ),
  {
    ...attack('entitlement changed', 'what the program may do, which is in the signature', {}),
    make: () => ({
      published: buildIpa({
        programs: programsOf({ ...STORE, entitlements: '<plist><dict><key>a</key><true/></dict></plist>' }),
      }),
      rebuilt: buildIpa({ programs: programsOf({ ...STORE, entitlements: '<plist><dict/></plist>' }) }),
      options: { rules: RULE_SETS.appstore },
    }),
  },
  {
    ...attack('second slice changed', 'the code for another processor', {}),
    make: () => ({
      published: secondSlice(evil),
      rebuilt: secondSlice(Buffer.alloc(0x2800, 'code')),
      options: { rules: RULE_SETS.appstore },
    }),
  },
  attack(
    'encrypted with other code',
    'the code is another one, and encrypted',
    changed('Example', encrypted),
    { ...OPEN, code: 'encrypted' },
  ),
  attack('encrypted beside other code', 'the same, and a framework is another one', {
    programs: programsOf(STORE).map((program) =>
      program.executable === 'Example'
        ? encrypted(program)
        : program.executable === 'Kit'
          ? withText(program)
          : program,
    ),
  }),
  attack(
    'other number of the build',
    'an older version under the same name',
    changed('Example', (program) => ({ ...program, bundle: { ...program.bundle, CFBundleVersion: '44' } })),
  ),
  {
    ...attack('symbolic links', 'each entry is a link', {}),
    make: () => ({
      published: buildIpa({ programs: programsOf(STORE), member: { externalAttributes: 0xa1ff0000 } }),
      rebuilt,
      options: { rules: RULE_SETS.appstore },
    }),
  },
  {
    ...attack('info file of another signature', 'an Info.plist that is not the one that was signed', {
      programs: programsOf(STORE).map((program) =>
        program.executable === 'Example'
          ? { ...program, sign: { ...STORE, files: { 1: payload } } }
          : program,
      ),
    }),
    manner: 'forged',
    expected: FORGED_PAGE,
  },
];
