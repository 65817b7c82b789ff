// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { BufferSource } from '../../src/bytes.js';
import { readBundleTree, type BundleFile, type BundleTree } from '../../src/formats/apple-bundle.js';
import { binaryPlist, xmlPlist, type Plain } from '../helpers/build-plist.js';

type Contents = Readonly<Record<string, Buffer | string | { readonly link: string }>>;

function tree(contents: Contents): BundleTree {
  const files = Object.entries(contents).map(([path, content]): BundleFile => {
    if (typeof content === 'object' && 'link' in content) return { path, size: 0, link: content.link };
    return { path, size: content.length };
  });
  return readBundleTree(files, ({ path }) => {
    const content = contents[path];
    return Buffer.isBuffer(content) ? new BufferSource(content) : undefined;
  });
}

const info = (identifier: string, more: Readonly<Record<string, Plain>> = {}): Buffer =>
  binaryPlist({
    CFBundleIdentifier: identifier,
    CFBundleVersion: '7',
    CFBundleShortVersionString: '1.2',
    CFBundleExecutable: 'Main',
    CFBundleSupportedPlatforms: ['iPhoneOS'],
    MinimumOSVersion: '15.0',
    DTXcode: '2600',
    ...more,
  });

const APP = 'Payload/Some App.app';
const CLEAN: Contents = {
  [`${APP}/Info.plist`]: info('org.example.app'),
  [`${APP}/Main`]: 'x',
  [`${APP}/embedded.mobileprovision`]: 'x',
  [`${APP}/_CodeSignature/CodeResources`]: 'x',
  [`${APP}/SC_Info/Main.sinf`]: 'x',
  [`${APP}/PlugIns/Share.appex/Info.plist`]: info('org.example.app.share', {
    NSExtension: { NSExtensionPointIdentifier: 'com.apple.share-services' },
  }),
  [`${APP}/PlugIns/Share.appex/Main`]: 'x',
  [`${APP}/Frameworks/Core.framework/Info.plist`]: xmlPlist({
    CFBundleIdentifier: 'org.example.core',
    CFBundleExecutable: 'Core',
  }),
  [`${APP}/Frameworks/Core.framework/Core`]: 'x',
  [`${APP}/Watch/W.app/Info.plist`]: info('org.example.app.watch'),
  [`${APP}/Watch/W.app/Main`]: 'x',
  [`${APP}/Strings.bundle/a.txt`]: 'x',
  'SwiftSupport/iphoneos/libswiftCore.dylib': 'x',
  'Symbols/1.symbols': 'x',
  'iTunesMetadata.plist': 'x',
};

const codes = (contents: Contents): string[] =>
  tree(contents).issues.map(({ code, path }) => `${code} ${path}`);

test('the bundles of an IPA, with what they say of themselves', (t) => {
  const { kind, bundles, support, fairPlay, issues } = tree(CLEAN);
  t.is(kind, 'ipa');
  t.deepEqual(issues, []);
  t.deepEqual(
    bundles.map((bundle) => [
      bundle.path.slice(APP.length),
      bundle.kind,
      bundle.parent?.slice(APP.length),
      bundle.executable?.slice(APP.length),
    ]),
    [
      ['', 'app', undefined, '/Main'],
      ['/Frameworks/Core.framework', 'framework', '', '/Frameworks/Core.framework/Core'],
      ['/PlugIns/Share.appex', 'extension', '', '/PlugIns/Share.appex/Main'],
      ['/Strings.bundle', 'resources', '', undefined],
      ['/Watch/W.app', 'watch-app', '', '/Watch/W.app/Main'],
    ],
  );
  const [app, , extension] = bundles;
  t.like(app, {
    codeResources: `${APP}/_CodeSignature/CodeResources`,
    profile: `${APP}/embedded.mobileprovision`,
  });
  t.deepEqual(app?.info, {
    identifier: 'org.example.app',
    version: '7',
    shortVersion: '1.2',
    executable: 'Main',
    minimumOs: '15.0',
    platforms: ['iPhoneOS'],
    builtWith: { DTXcode: '2600' },
  });
  t.is(extension?.info?.extensionPoint, 'com.apple.share-services');
  t.deepEqual(support, {
    SwiftSupport: ['SwiftSupport/iphoneos/libswiftCore.dylib'],
    Symbols: ['Symbols/1.symbols'],
  });
  t.deepEqual(fairPlay, [`${APP}/SC_Info/Main.sinf`]);
});

test('other layouts', (t) => {
  const inside = { 'Info.plist': info('a.b'), Main: 'x' };
  t.like(tree(inside), { kind: 'bundle', bundles: [{ path: '', kind: 'app', executable: 'Main' }] });
  t.like(tree({ 'A.app/Info.plist': info('a.b'), 'A.app/Main': 'x' }), {
    kind: 'bundle',
    bundles: [{ path: 'A.app' }],
  });
  const archive = tree({
    'Info.plist': xmlPlist({ ArchiveVersion: 2 }),
    'Products/Applications/A.app/Info.plist': info('a.b'),
    'Products/Applications/A.app/Main': 'x',
    'dSYMs/A.app.dSYM/Contents/Info.plist': 'x',
  });
  t.like(archive, { kind: 'xcarchive', bundles: [{ path: 'Products/Applications/A.app' }], issues: [] });
  const slice = { CFBundleExecutable: 'X', CFBundleIdentifier: 'x.y' };
  const framework = tree({
    'Info.plist': xmlPlist({ CFBundlePackageType: 'XFWK', AvailableLibraries: [] }),
    'ios-arm64/X.framework/Info.plist': xmlPlist(slice),
    'ios-arm64/X.framework/X': 'x',
    'macos-arm64/X.framework/Versions/A/Resources/Info.plist': xmlPlist(slice),
    'macos-arm64/X.framework/Versions/A/X': 'x',
  });
  t.is(framework.kind, 'xcframework');
  t.deepEqual(framework.issues, []);
  t.deepEqual(
    framework.bundles.map(({ executable }) => executable),
    ['ios-arm64/X.framework/X', 'macos-arm64/X.framework/Versions/A/X'],
  );
  t.like(tree({ 'README.md': 'x' }), { kind: 'none', bundles: [], issues: [] });
  t.is(tree({}).kind, 'none');
});

test('what is odd is told', (t) => {
  const evil = `${APP}/$(touch x).txt`;
  for (const [more, expected] of [
    [
      { 'Payload/Other.app/Info.plist': info('other'), 'Payload/Other.app/Main': 'x' },
      ['several-apps Payload/Other.app', `several-apps ${APP}`],
    ],
    [{ 'evil.dylib': 'x' }, ['outside-payload evil.dylib']],
    [{ 'PayloadX/evil': 'x' }, ['outside-payload PayloadX/evil']],
    [{ 'Payload/evil': 'x' }, ['outside-app Payload/evil']],
    [{ [evil]: 'x' }, [`name-shell ${evil}`]],
    [{ [`${APP}/-rf`]: 'x' }, [`name-shell ${APP}/-rf`]],
    [{ [`${APP}/main`]: 'x' }, [`name-case ${APP}/main`]],
    [{ [`${APP}/here`]: { link: 'Strings.bundle/a.txt' } }, [`symbolic-link ${APP}/here`]],
    [{ [`${APP}/out`]: { link: '../../etc' } }, [`symbolic-link ${APP}/out`, `link-outside ${APP}/out`]],
    [
      { [`${APP}/PlugIns/Share.appex/x`]: { link: '../../Main' } },
      [`symbolic-link ${APP}/PlugIns/Share.appex/x`, `link-outside ${APP}/PlugIns/Share.appex/x`],
    ],
    [{ [`${APP}/out`]: { link: '/etc' } }, [`symbolic-link ${APP}/out`, `link-outside ${APP}/out`]],
    [
      { [`${APP}/PlugIns/X.appex/Info.plist`]: info('org.other'), [`${APP}/PlugIns/X.appex/Main`]: 'x' },
      [`identifier-foreign ${APP}/PlugIns/X.appex`],
    ],
    [
      {
        [`${APP}/Frameworks/X.framework/Info.plist`]: info('org.example.core'),
        [`${APP}/Frameworks/X.framework/Main`]: 'x',
      },
      [`identifier-twice ${APP}/Frameworks/X.framework`],
    ],
    [{ [`${APP}/Frameworks/X.framework/X`]: 'x' }, [`info-missing ${APP}/Frameworks/X.framework`]],
    [{ [`${APP}/Info.plist`]: Buffer.from('bplist00') }, [`info-unread ${APP}/Info.plist`]],
    [
      { [`${APP}/Info.plist`]: info('org.example.app', { CFBundleExecutable: '../Main' }) },
      [`executable-name ${APP}`],
    ],
    [
      { [`${APP}/Info.plist`]: info('org.example.app', { CFBundleExecutable: 'No' }) },
      [`executable-missing ${APP}`],
    ],
    [
      { [`${APP}/${'d/'.repeat(600)}x`]: 'x' },
      [`name-length ${`${APP}/${'d/'.repeat(600)}x`.slice(0, 200)}`],
    ],
  ] as const)
    t.deepEqual(codes({ ...CLEAN, ...more }), expected);
  t.deepEqual(codes({ 'Payload/x': 'x' }), ['no-app Payload', 'outside-app Payload/x']);
  const key = Buffer.from('<plist version="1.0"><dict><key>a</key><true/><key>a</key><true/></dict></plist>');
  t.deepEqual(codes({ ...CLEAN, [`${APP}/Frameworks/Core.framework/Info.plist`]: key }), [
    `info-finding ${APP}/Frameworks/Core.framework/Info.plist`,
  ]);
});

test('ten thousand odd names are counted, and take no time', (t) => {
  const many = Object.fromEntries(
    Array.from({ length: 10_000 }, (_, index) => [`${'a.app/'.repeat(60)}$${index}`, 'x']),
  );
  const started = performance.now();
  const { issues } = tree(many);
  t.is(issues.filter(({ code }) => code === 'name-shell').length, 101);
  t.true(performance.now() - started < 10_000);
});
