// SPDX-License-Identifier: Apache-2.0
/** The rules about Info.plist and CodeResources of what the App Store delivers, at their bounds and one step beyond. */
import test from 'ava';
import type { RuleName } from '../../../src/model.js';
import { binaryOf, binaryPlist, collection, raw, xmlPlist, type Plain } from '../../helpers/build-plist.js';
import { ARM64, buildFat, buildMachO } from '../../helpers/build-macho.js';
import { buildZip } from '../../helpers/build-zip.js';
import { compareBuffers } from '../../helpers/compare-buffers.js';
import { codeResources, sealed, type BundleContents } from '../../helpers/seal-bundle.js';

const INFO = {
  CFBundleIdentifier: 'org.example.app',
  CFBundleVersion: '7',
  CFBundleExecutable: 'Main',
  list: [1, 'a'],
};
const STORE = {
  UISupportedDevices: ['iPhone14,5', 'iPad11,1'],
  DTAppStoreToolsBuild: '17C53',
  ITSDRMScheme: 'v2',
};
const APP = 'Payload/A.app';

async function verdictOf(
  rule: RuleName,
  name: string,
  published: Buffer,
  rebuilt: Buffer,
  more: Readonly<Record<string, Buffer | string>> = {},
): Promise<string> {
  const zip = (data: Buffer): Buffer =>
    buildZip([
      ...Object.entries(more).map(([path, content]) => ({ name: path, data: content })),
      { name, data },
    ]);
  const { verdict } = await compareBuffers(zip(published), zip(rebuilt), { rules: [rule] });
  return verdict.kind;
}

const info = (published: Buffer, rebuilt: Buffer, name = `${APP}/Info.plist`): Promise<string> =>
  verdictOf('appstore-info-plist', name, published, rebuilt);

const FORMS = [
  ['binary', binaryPlist],
  ['XML', xmlPlist],
] as const;

for (const [form, write] of FORMS) {
  test(`the keys of the App Store are left out: ${form}`, async (t) => {
    for (const added of [
      STORE,
      { ITSDRMScheme: 'v2' },
      { UISupportedDevices: [] },
      { DTAppStoreToolsBuild: '21A5248v' },
    ]) {
      t.is(await info(write({ ...INFO, ...added }), write(INFO)), 'equivalent');
      // both sides alike
      t.is(await info(write(INFO), write({ ...INFO, ...added })), 'equivalent');
    }
    t.is(await info(write({ ...INFO, ...STORE }), write({ ...INFO, ITSDRMScheme: 'v1' })), 'equivalent');
    for (const name of [
      `${APP}/PlugIns/S.appex/Info.plist`,
      `${APP}/Frameworks/X.framework/Info.plist`,
      `${APP}/Watch/W.app/Info.plist`,
    ])
      t.is(await info(write({ ...INFO, ...STORE }), write(INFO), name), 'equivalent');
  });

  test(`everything else is a difference: ${form}`, async (t) => {
    const others: readonly Readonly<Record<string, Plain>>[] = [
      { CFBundleVersion: '8' },
      { CFBundleShortVersionString: '1' },
      { MinimumOSVersion: '10.0' },
      { BuildMachineOSBuild: '25A1' },
      { DTXcode: '2600' },
      { ITSDRMScheme: 'v2x' },
      { ITSDRMScheme: 'v100' },
      { ITSDRMScheme: 2 },
      { ITSDRMSchemes: 'v2' },
      { DTAppStoreToolsBuild: '17C53 evil' },
      { DTAppStoreToolsBuild: '17C534567' },
      { UISupportedDevices: 'iPhone14,5' },
      { UISupportedDevices: ['iPhone14,5', 'evil'] },
      { UISupportedDevices: ['iPhone14,5', 'iPhone14,5'] },
      { UISupportedDevices: ['iPhone14,555'] },
      { UISupportedDevices: [['iPhone14,5']] },
      { UISupportedDevices: Array.from({ length: 1001 }, (_, at) => `iPhone${at % 100},${(at / 100) | 0}`) },
      { list: [1, 'b'] },
      { list: [1, 'a', 'b'] },
      { nested: STORE },
    ];
    for (const other of others)
      t.is(
        await info(write({ ...INFO, ...STORE, ...other }), write(INFO)),
        'unreproducible',
        JSON.stringify(other),
      );
    for (const name of [
      `${APP}/Info.plistEvil`,
      `${APP}/XInfo.plist`,
      `${APP}/Settings/Info.plist`,
      'Payload/Info.plist',
      `X${APP}/Info.plist`,
      `${APP}/info.plist`,
      'Info.plist',
    ])
      t.is(await info(write({ ...INFO, ...STORE }), write(INFO), name), 'unreproducible', name);
  });
}

test('a thousand devices are the most', async (t) => {
  const devices = Array.from({ length: 1000 }, (_, at) => `iPhone${at % 100},${(at / 100) | 0}`);
  t.is(await info(binaryPlist({ ...INFO, UISupportedDevices: devices }), binaryPlist(INFO)), 'equivalent');
});

test('another form, and bytes beside the values, are differences', async (t) => {
  t.is(await info(binaryPlist({ ...INFO, ...STORE }), xmlPlist(INFO)), 'unreproducible');
  const [key, yes] = [Buffer.from('\x5cITSDRMScheme', 'latin1'), Buffer.from('\x52v2', 'latin1')];
  const store = collection(0xd0, 1, [1, 2]);
  const none = binaryOf([Buffer.from([0xd0])]);
  t.is(await info(binaryOf([store, key, yes]), none), 'equivalent');
  t.is(await info(binaryOf([store, key, yes, Buffer.from('\x54evil', 'latin1')]), none), 'unreproducible');
  t.is(await info(binaryOf([store, key, yes], { beforeTable: Buffer.from('evil') }), none), 'unreproducible');
  t.is(await info(binaryOf([store, key, yes], { unused: Buffer.from('evil') }), none), 'unreproducible');
  t.is(await info(binaryOf([collection(0xd0, 2, [1, 1, 2, 2]), key, yes]), none), 'unreproducible');
  t.is(await info(binaryOf([store, key, Buffer.from([0x61, 0, 0x76])]), none), 'unreproducible');
  const [before, after] = [xmlPlist(INFO).toString(), xmlPlist({ ...INFO, ITSDRMScheme: 'v2' }).toString()];
  const edit = (from: string, to: string): Promise<string> =>
    info(Buffer.from(after.replace(from, to)), Buffer.from(before));
  t.is(await edit('x', 'x'), 'equivalent');
  t.is(await edit('<dict>', '<dict><!-- evil -->'), 'unreproducible');
  t.is(await edit('\t<key>ITS', '  <key>ITS'), 'unreproducible');
  t.is(await edit('<string>v2</string>', '<string> v2 </string>'), 'unreproducible');
  t.is(await edit('<string>v2</string>', '<string><![CDATA[v2]]></string>'), 'unreproducible');
  t.is(await edit('</plist>\n', '</plist>\n\n'), 'unreproducible');
  t.is(await info(binaryPlist([raw({ kind: 'uid', value: 1n })]), binaryPlist(INFO)), 'unreproducible');
});

test('without the rule the keys are differences', async (t) => {
  t.is(
    await verdictOf(
      'appstore-code-resources',
      `${APP}/Info.plist`,
      binaryPlist({ ...INFO, ...STORE }),
      binaryPlist(INFO),
    ),
    'unreproducible',
  );
});

// ---------------------------------------------------------------- CodeResources

const RESOURCES = `${APP}/_CodeSignature/CodeResources`;
const CONTENTS = {
  Main: 'code',
  'Info.plist': binaryPlist(INFO),
  'a.txt': 'a',
  'de.lproj/L.strings': 'de',
} satisfies BundleContents;

/** Both sides of an IPA: contents of the bundle, and the list over them. */
async function resigned(
  published: Readonly<Record<string, Buffer | string>>,
  rebuilt: Readonly<Record<string, Buffer | string>>,
  lists: { readonly published?: Buffer; readonly rebuilt?: Buffer } = {},
  more: readonly RuleName[] = ['appstore-info-plist'],
): Promise<string> {
  const ipa = (contents: Readonly<Record<string, Buffer | string>>, list: Buffer): Buffer =>
    buildZip([
      ...Object.entries(contents).map(([path, data]) => ({ name: `${APP}/${path}`, data })),
      { name: RESOURCES, data: list },
    ]);
  const { verdict } = await compareBuffers(
    ipa(published, lists.published ?? codeResources(published)),
    ipa(rebuilt, lists.rebuilt ?? codeResources(rebuilt)),
    { rules: ['appstore-code-resources', ...more] },
  );
  return verdict.kind;
}

const STORED = { ...CONTENTS, 'Info.plist': binaryPlist({ ...INFO, ...STORE }) };

test('both lists are right for their own files', async (t) => {
  t.is(await resigned(CONTENTS, CONTENTS), 'reproducible');
  t.is(await resigned(STORED, CONTENTS), 'equivalent');
  t.is(await resigned(CONTENTS, STORED), 'equivalent');
});

test('a list that is wrong for its own files is a difference', async (t) => {
  const right = codeResources(CONTENTS);
  t.is(
    await resigned(STORED, CONTENTS, { published: codeResources({ ...STORED, 'a.txt': 'b' }) }),
    'unreproducible',
  );
  t.is(
    await resigned(STORED, CONTENTS, { rebuilt: codeResources({ ...CONTENTS, 'a.txt': 'b' }) }),
    'unreproducible',
  );
  // neither: the old list over another Info.plist
  t.is(
    await resigned(STORED, CONTENTS, { published: codeResources({ ...STORED, 'Info.plist': 'x' }) }),
    'unreproducible',
  );
  // a file that is not there, or one that the list does not have
  t.is(
    await resigned(STORED, CONTENTS, { published: codeResources({ ...STORED, 'evil.txt': 'b' }) }),
    'unreproducible',
  );
  const { 'a.txt': _, ...fewer } = STORED;
  t.is(await resigned(STORED, CONTENTS, { published: codeResources(fewer) }), 'unreproducible');
  // room for something else
  const values = sealed(STORED);
  for (const evil of [
    xmlPlist({ ...values, evil: 'x' }),
    xmlPlist({ ...values, rules2: { '^.*': false } }),
    xmlPlist({ ...values, rules: { '^.*': true, '^(a+)+$': { omit: true } } }),
    Buffer.concat([codeResources(STORED), Buffer.from('\n')]),
    Buffer.from(codeResources(STORED).toString().replace('<dict>', '<dict><!-- evil -->')),
    binaryPlist(values),
  ])
    t.is(await resigned(STORED, CONTENTS, { published: evil }), 'unreproducible');
  // equal bytes are equal, whatever they say: that its signature does not hold is told of the program
  t.is(await resigned(STORED, CONTENTS, { published: right }), 'equivalent');
});

test('a changed file is a difference, however right the list is', async (t) => {
  t.is(await resigned({ ...STORED, 'a.txt': 'evil' }, CONTENTS), 'unreproducible');
  t.is(await resigned({ ...STORED, 'CodeResourcesEvil.bin': 'evil' }, CONTENTS), 'unreproducible');
});

test('the digest of a program that somebody decrypted cannot hold, and says nothing', async (t) => {
  const path = 'Frameworks/X.framework/X';
  const program = buildMachO({ encryption: { id: 0 } });
  for (const [own, expected] of [
    [program, 'equivalent'],
    [buildFat([{ cpuType: ARM64, file: program }]), 'equivalent'],
    [buildMachO(), 'unreproducible'],
    [buildMachO({ encryption: { id: 0, size: 0 } }), 'unreproducible'],
    [Buffer.from('no program'), 'unreproducible'],
  ] as const) {
    const [p, r] = [
      { ...STORED, [path]: own },
      { ...CONTENTS, [path]: own },
    ];
    const encrypted = codeResources({ ...p, [path]: 'ciphertext' });
    t.is(await resigned(p, r, { published: encrypted }), expected);
    t.is(await resigned(p, r), 'equivalent');
  }
  const other = buildMachO({ encryption: { id: 0 }, data: Buffer.from('evil') });
  t.is(await resigned({ ...STORED, [path]: other }, { ...CONTENTS, [path]: program }), 'unreproducible');
});

test('only the list itself is meant', async (t) => {
  const both = { ...CONTENTS, 'x.bin': 'y' };
  for (const name of [
    'CodeResources',
    '_CodeSignature/CodeResourcesEvil',
    '_CodeSignature/x/CodeResources',
    '_CodeSignatureX/CodeResources',
  ]) {
    const [p, r] = [codeResources(STORED), codeResources(CONTENTS)];
    t.is(await resigned({ ...STORED, [name]: p }, { ...both, [name]: r }), 'unreproducible', name);
  }
});
