// SPDX-License-Identifier: Apache-2.0
/** An app as it comes from the App Store, with everything that the store puts into it, against a build that nobody signed. */
import test from 'ava';
import { RULE_SETS } from '../../src/model.js';
import { buildMachO } from '../helpers/build-macho.js';
import { binaryPlist, type Plain } from '../helpers/build-plist.js';
import { buildProfile } from '../helpers/build-profile.js';
import { buildZip, type ZipMember } from '../helpers/build-zip.js';
import { compareBuffers } from '../helpers/compare-buffers.js';
import { codeResources } from '../helpers/seal-bundle.js';
import { jarIdentity } from '../helpers/sign-jar.js';
import { signMachO } from '../helpers/sign-macho.js';

const APP = 'Payload/A.app';
const KIT = 'Frameworks/K.framework';
const identity = jarIdentity('rsa');
const text = (content: string): Buffer => Buffer.alloc(0x2800, content);
const info = (executable: string, more: Readonly<Record<string, Plain>> = {}): Buffer =>
  binaryPlist({
    CFBundleExecutable: executable,
    CFBundleIdentifier: 'org.example',
    CFBundleShortVersionString: '1.2',
    CFBundleVersion: '7',
    ...more,
  });
const STORE_KEYS = { UISupportedDevices: ['iPhone14,5'], DTAppStoreToolsBuild: '17C53', ITSDRMScheme: 'v2' };
const box = Buffer.concat([Buffer.from([0, 0, 0, 12]), Buffer.from('sinffree')]);

const zip = (files: Readonly<Record<string, Buffer | string>>, member: Partial<ZipMember> = {}): Buffer =>
  buildZip(
    Object.entries(files).map(([name, data]) => ({
      name,
      data,
      method: name.endsWith('/') ? 0 : 8,
      ...member,
    })),
  );

const BUILT = zip({
  [`${APP}/A`]: buildMachO({ text: text('main'), encryption: {} }),
  [`${APP}/Info.plist`]: info('A'),
  [`${APP}/a.txt`]: 'a text',
  [`${APP}/${KIT}/K`]: buildMachO({ text: text('kit'), fileType: 6, encryption: {} }),
  [`${APP}/${KIT}/Info.plist`]: info('K'),
});

interface Delivery {
  /** Of the main program's text, which is what is encrypted. */
  readonly main?: string;
  readonly kit?: string;
  readonly id?: number;
  readonly more?: Readonly<Record<string, Buffer | string>>;
}

/** Each bundle is sealed and signed as it is delivered. */
function delivered({ main = 'main', kit = 'kit', id = 0, more = {} }: Delivery = {}): Buffer {
  const sign = (file: Buffer, plist: Buffer, list: Buffer): Buffer =>
    signMachO(file, { identity, teamId: 'STORE', room: 8192, files: { 1: plist, 3: list } });
  const kitFiles = { 'Info.plist': info('K') };
  const kitList = codeResources(kitFiles, 'K');
  const kitProgram = sign(
    buildMachO({ text: text(kit), fileType: 6, encryption: {} }),
    kitFiles['Info.plist'],
    kitList,
  );
  const plist = info('A', STORE_KEYS);
  const files = {
    'Info.plist': plist,
    'a.txt': 'a text',
    [`${KIT}/K`]: kitProgram,
    [`${KIT}/Info.plist`]: kitFiles['Info.plist'],
    [`${KIT}/_CodeSignature/CodeResources`]: kitList,
  };
  const list = codeResources(files, 'A');
  const app = {
    ...files,
    A: sign(buildMachO({ text: text(main), encryption: { id } }), plist, list),
    '_CodeSignature/CodeResources': list,
    'SC_Info/A.sinf': box,
    'SC_Info/A.supp': Buffer.alloc(300, 7),
    'SC_Info/Manifest.plist': binaryPlist({ SinfPaths: ['SC_Info/A.sinf'] }),
    ...more,
  };
  return zip(
    {
      'META-INF/': '',
      'META-INF/com.apple.ZipMetadata.plist': binaryPlist({ RecordCount: 9, Version: 2 }),
      'iTunesMetadata.plist': binaryPlist({ itemId: 1, softwareVersionBundleId: 'org.example' }),
      'Payload/': '',
      ...Object.fromEntries(Object.entries(app).map(([name, data]) => [`${APP}/${name}`, data])),
    },
    { time: 0x1234, date: 0x5678, externalAttributes: 0, madeBy: 0x031e },
  );
}

const compared = (published: Buffer) => compareBuffers(published, BUILT, { rules: RULE_SETS.appstore });

test('all that the store adds is left out by its rules', async (t) => {
  const { verdict } = await compared(delivered());
  t.like(verdict, {
    kind: 'equivalent',
    rules: [
      'appstore-code-resources',
      'appstore-entry-records',
      'appstore-info-plist',
      'appstore-metadata',
      'appstore-sc-info',
      'macho-code-signature',
    ],
  });
});

test('as it is delivered, encrypted, it cannot be checked, and nothing else differs', async (t) => {
  const { verdict, pair } = await compared(delivered({ id: 1, main: 'cipher' }));
  t.is(verdict.kind, 'unverifiable');
  t.deepEqual(
    pair.unverifiable.map(({ code, detail }) => [code, /\d+ of \d+ bytes/.exec(detail)?.[0]]),
    [['encrypted', '12288 of 28784 bytes']],
  );
});

test('and anything that is none of that is a difference', async (t) => {
  const evil: readonly Delivery[] = [
    { main: 'evil' },
    { kit: 'evil' },
    { id: 1, main: 'cipher', kit: 'evil' },
    { more: { 'b.txt': 'evil' } },
    { more: { 'a.txt': 'evil' } },
    { more: { 'embedded.mobileprovision': 'evil' } },
    { more: { 'Info.plist': info('A', { ...STORE_KEYS, CFBundleVersion: '8' }) } },
  ];
  for (const one of evil)
    t.true(
      ['unreproducible', 'not-authentic'].includes((await compared(delivered(one))).verdict.kind),
      JSON.stringify(one),
    );
  // a file that no list of the bundle seals is told by the list
  t.is(
    (await compared(delivered({ more: { 'embedded.mobileprovision': buildProfile() } }))).verdict.kind,
    'unreproducible',
  );
});
