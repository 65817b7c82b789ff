// SPDX-License-Identifier: Apache-2.0
/** Apps of Apple's platforms by themselves, as archive and as directory. */
import test from 'ava';
import { BufferSource } from '../../src/bytes.js';
import { inspectFiles } from '../../src/compare/inspect/inspect-files.js';
import type { AppInspection } from '../../src/compare/inspect/types.js';
import { readZip } from '../../src/formats/zip.js';
import { APP, buildIpa, infoPlist, programsOf } from '../helpers/build-ipa.js';
import { buildMachO } from '../helpers/build-macho.js';
import { buildProfile } from '../helpers/build-profile.js';
import { buildZip } from '../helpers/build-zip.js';
import { codeResources } from '../helpers/seal-bundle.js';
import { jarIdentity } from '../helpers/sign-jar.js';
import { signMachO } from '../helpers/sign-macho.js';

const identity = jarIdentity('rsa');

async function inspectIpa(ipa: Buffer): Promise<AppInspection> {
  const { files } = await inspectFiles('app.ipa', [{ name: 'app.ipa', source: new BufferSource(ipa) }], {
    isDirectory: false,
  });
  const [app] = files.flatMap((file) => (file.app === undefined ? [] : [file.app]));
  if (app === undefined) throw new Error('no app');
  return app;
}

async function inspectDirectory(contents: Readonly<Record<string, Buffer | string>>): Promise<AppInspection> {
  const sources = Object.entries(contents).map(([name, data]) => ({
    name,
    source: new BufferSource(Buffer.from(data)),
  }));
  const { app } = await inspectFiles('X', sources, { isDirectory: true });
  if (app === undefined) throw new Error('no app');
  return app;
}

test('programs, what is encrypted, and what signed them', async (t) => {
  const programs = programsOf({
    identity,
    teamId: 'TEAM',
    entitlements: '<plist><dict><key>a</key><true/></dict></plist>',
  });
  const app = await inspectIpa(
    buildIpa({
      programs: programs.map((one) =>
        one.executable === 'Example' ? { ...one, spec: { ...one.spec, encryption: { id: 1 } } } : one,
      ),
      files: { 'Symbols/a.symbols': 'x', [`${APP}/SC_Info/Example.sinf`]: 'x' },
    }),
  );
  t.like(app, { kind: 'ipa', support: { Symbols: 1 }, unsigned: [], traces: [] });
  t.deepEqual(
    app.bundles.map(({ kind, identifier, version }) => [kind, identifier, version]),
    [
      ['app', 'org.example', '1.2.3'],
      ['framework', 'org.example.kit', '1.2.3'],
      ['extension', 'org.example.share', '1.2.3'],
    ],
  );
  const [main] = app.programs;
  t.like(main?.slices[0], {
    architecture: 'arm64',
    platform: 'iOS',
    minimum: '15.0',
    encryption: { offset: 0x1000, size: 0x3000, id: 1 },
    signature: { status: 'unrooted', team: 'TEAM', entitlements: ['a'] },
  });
});

test('traces of tools that decrypt: a key beside a program that is not encrypted, a file of CrackerXI', async (t) => {
  const files = {
    [`${APP}/SC_Info/Example.sinf`]: 'x',
    [`${APP}/PlugIns/Share.appex/SC_Info/Share.sinf`]: 'x',
  };
  const programs = programsOf().map((one) =>
    one.executable === 'Share' ? { ...one, spec: { ...one.spec, encryption: { id: 1 } } } : one,
  );
  const app = await inspectIpa(buildIpa({ programs, files: { ...files, [`${APP}/CrackerXI`]: 'x' } }));
  t.deepEqual(app.traces, [
    `${APP}/CrackerXI, a file of CrackerXI`,
    `${APP}/Example, not encrypted (cryptid 0) beside its key in SC_Info`,
  ]);
});

const INFO = infoPlist({ CFBundleIdentifier: 'org.example', CFBundleExecutable: 'Main' });
const FILES = { 'Info.plist': INFO, Main: buildMachO(), 'a.txt': 'a', 'b.txt': 'b' };

test('files as they were sealed, others, and those that no digest covers', async (t) => {
  const bundle = {
    ...FILES,
    '_CodeSignature/CodeResources': codeResources(FILES),
    'b.txt': 'evil',
    'c.txt': 'c',
    'embedded.mobileprovision': buildProfile(),
    'Main.app/embedded.mobileprovision': 'x',
  };
  const ipa = buildZip(Object.entries(bundle).map(([path, data]) => ({ name: `${APP}/${path}`, data })));
  for (const app of [await inspectIpa(ipa), await inspectDirectory(bundle)]) {
    const [own, inner] = app.bundles;
    t.is(own?.seal?.verified, 1);
    t.deepEqual(own?.seal?.issues?.toSorted(), [
      'digest-mismatch b.txt',
      'file-unsealed Main.app/embedded.mobileprovision',
      'file-unsealed c.txt',
      'file-unsealed embedded.mobileprovision',
    ]);
    t.like(own?.profile, {
      kind: 'development',
      name: 'iOS Team Provisioning Profile',
      teams: ['ABCDE12345'],
      devices: 2,
      developers: 1,
      expires: '2027-01-01T00:00:00.000Z',
      entitlements: ['application-identifier', 'get-task-allow'],
      signature: 'unrooted',
    });
    t.deepEqual(inner?.profile, { unread: 'ber/truncated' });
  }
});

test('an app of macOS, an archive of Xcode and an XCFramework as directories', async (t) => {
  const library = buildMachO({ fileType: 6 });
  const mac = await inspectDirectory({
    'Contents/Info.plist': INFO,
    'Contents/MacOS/Main': signMachO(buildMachO({ platform: 1 }), {
      identity,
      files: { 1: Buffer.from(INFO) },
    }),
    'Contents/Frameworks/K.framework/Versions/A/K': library,
    'Contents/Frameworks/K.framework/Versions/A/Resources/Info.plist': infoPlist({ CFBundleExecutable: 'K' }),
  });
  t.is(mac.kind, 'bundle');
  t.is(
    mac.programs.find(({ path }) => path === 'Contents/MacOS/Main')?.slices[0]?.signature?.status,
    'unrooted',
  );
  t.deepEqual(mac.unsigned, ['Contents/Frameworks/K.framework/Versions/A/K']);
  const archive = await inspectDirectory({
    'Info.plist': infoPlist({ Name: 'Example' }),
    'Products/Applications/A.app/Info.plist': INFO,
    'Products/Applications/A.app/Main': buildMachO(),
    'dSYMs/A.app.dSYM/Contents/Resources/DWARF/Main': buildMachO({ fileType: 10 }),
  });
  t.is(archive.kind, 'xcarchive');
  t.deepEqual(
    archive.bundles.map(({ path, kind }) => [path, kind]),
    [['Products/Applications/A.app', 'app']],
  );
  const framework = await inspectDirectory({
    'Info.plist': infoPlist({ CFBundlePackageType: 'XFWK' }),
    'ios-arm64/K.framework/Info.plist': infoPlist({ CFBundleExecutable: 'K' }),
    'ios-arm64/K.framework/K': library,
  });
  t.is(framework.kind, 'xcframework');
  t.deepEqual(framework.unsigned, ['ios-arm64/K.framework/K']);
});

test('what cannot be read is told and stops nothing', async (t) => {
  const app = await inspectIpa(
    buildZip([
      { name: `${APP}/Info.plist`, data: INFO },
      { name: `${APP}/Main`, data: Buffer.concat([buildMachO().subarray(0, 40), Buffer.alloc(100, 0xff)]) },
      { name: `${APP}/_CodeSignature/CodeResources`, data: 'evil' },
    ]),
  );
  t.regex(app.programs[0]?.unread ?? '', /^macho\//);
  t.deepEqual(app.bundles[0]?.seal, { unread: 'plist/root' });
  t.notThrows(() => readZip(new BufferSource(buildIpa())));
});
