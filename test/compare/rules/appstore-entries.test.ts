// SPDX-License-Identifier: Apache-2.0
/** The rules over whole entries that the App Store adds: profiles, keys, what it says of a sale; at their bounds and one step beyond. */
import test from 'ava';
import type { RuleName } from '../../../src/model.js';
import { infoPlist } from '../../helpers/build-ipa.js';
import { binaryPlist, xmlPlist, type Plain } from '../../helpers/build-plist.js';
import { buildProfile, PROFILE_VALUES } from '../../helpers/build-profile.js';
import { buildZip, type ZipMember } from '../../helpers/build-zip.js';
import { compareBuffers } from '../../helpers/compare-buffers.js';
import { codeResources, type BundleContents } from '../../helpers/seal-bundle.js';

const APP = 'Payload/A.app';
const INFO = infoPlist({ CFBundleIdentifier: 'org.example', CFBundleExecutable: 'A' });
const BASE = { [`${APP}/Info.plist`]: INFO, [`${APP}/PlugIns/S.appex/Info.plist`]: INFO };

/** Of an app with this file beside the same one without it, in both directions. */
async function added(
  rule: RuleName,
  name: string,
  data: Buffer | string,
  member: Partial<ZipMember> = {},
): Promise<string> {
  const zip = (files: Readonly<Record<string, Buffer | string>>): Buffer =>
    buildZip(
      Object.entries(files).map(([path, content]) => ({
        name: path,
        data: content,
        ...(path === name ? member : {}),
      })),
    );
  const [without, withIt] = [zip(BASE), zip({ ...BASE, [name]: data })];
  const one = await compareBuffers(withIt, without, { rules: [rule] });
  const other = await compareBuffers(without, withIt, { rules: [rule] });
  return one.verdict.kind === other.verdict.kind ? one.verdict.kind : 'one-sided';
}

const profile = (data: Buffer, name = `${APP}/embedded.mobileprovision`): Promise<string> =>
  added('appstore-provisioning', name, data);

test('a profile is left out where it is one', async (t) => {
  t.is(await profile(buildProfile()), 'equivalent');
  t.is(await profile(buildProfile(), `${APP}/PlugIns/S.appex/embedded.mobileprovision`), 'equivalent');
  const large = { ...PROFILE_VALUES, Name: 'x'.repeat(300_000) };
  const twins: Readonly<Record<string, Buffer>> = {
    'another name of a bundle': buildProfile(large),
    text: Buffer.from('profile'),
    'bytes behind it': Buffer.concat([buildProfile(), Buffer.from('evil')]),
    'no entitlements': buildProfile({ ...PROFILE_VALUES, Entitlements: 'evil' }),
    'no end': buildProfile({ ...PROFILE_VALUES, ExpirationDate: 'never' }),
    'no team': buildProfile({ ...PROFILE_VALUES, TeamIdentifier: [] }),
    'other content than was signed': buildProfile(undefined, {
      content: xmlPlist({ ...PROFILE_VALUES, a: 1 }),
    }),
    'nobody who signed': buildProfile(undefined, { certificates: [] }),
  };
  for (const [title, data] of Object.entries(twins)) t.is(await profile(data), 'unreproducible', title);
  for (const name of [
    'embedded.mobileprovision',
    `${APP}/x/embedded.mobileprovision`,
    `${APP}/x.appex/embedded.mobileprovision`,
    `${APP}/embedded.mobileprovision.dylib`,
    `${APP}/Xembedded.mobileprovision`,
  ])
    t.is(await profile(buildProfile(), name), 'unreproducible', name);
});

const box = (name: string, size = 64): Buffer => {
  const bytes = Buffer.alloc(size, 7);
  bytes.writeUInt32BE(size, 0);
  bytes.write(name, 4, 'latin1');
  return bytes;
};
const key = (name: string, data: Buffer): Promise<string> =>
  added('appstore-sc-info', `${APP}/SC_Info/${name}`, data);

test('keys of the store, and their list', async (t) => {
  t.is(await key('A.sinf', box('sinf')), 'equivalent');
  t.is(await key('A.supp', Buffer.alloc(64 << 10)), 'equivalent');
  t.is(await key('A.supp', Buffer.alloc((64 << 10) + 1)), 'unreproducible');
  t.is(await key('A.sinf', box('sinx')), 'unreproducible');
  t.is(await key('A.sinf', Buffer.concat([box('sinf'), Buffer.from('evil')])), 'unreproducible');
  t.is(await key('A.dylib', box('sinf')), 'unreproducible');
  const list: Plain = {
    SinfPaths: ['SC_Info/A.sinf'],
    SinfReplicationPaths: ['PlugIns/S.appex/SC_Info/S.sinf'],
  };
  t.is(await key('Manifest.plist', binaryPlist(list)), 'equivalent');
  t.is(await key('Manifest.plist', xmlPlist(list)), 'equivalent');
  for (const other of [
    { ...list, evil: 'evil' },
    { SinfPaths: ['evil'] },
    { SinfPaths: 'SC_Info/A.sinf' },
    { SinfPaths: [Buffer.from('SC_Info/A.sinf')] },
    ['SC_Info/A.sinf'],
  ] satisfies Plain[])
    t.is(await key('Manifest.plist', binaryPlist(other)), 'unreproducible', JSON.stringify(other));
  t.is(await key('Manifest.plist', Buffer.from('evil')), 'unreproducible');
});

const SALE = {
  itemId: 1,
  softwareVersionBundleId: 'org.example',
  'apple-id': 'a@example.org',
  userName: 'a',
};
const metadata = (name: string, data: Buffer): Promise<string> => added('appstore-metadata', name, data);

test('what the store says of a sale', async (t) => {
  t.is(await metadata('iTunesMetadata.plist', binaryPlist(SALE)), 'equivalent');
  t.is(await metadata('iTunesMetadata.plist', xmlPlist(SALE)), 'equivalent');
  for (const other of [
    { ...SALE, softwareVersionBundleId: 'org.other' },
    { ...SALE, itemId: 'evil' },
    { ...SALE, more: Buffer.alloc(256 << 10) },
    ['evil'],
  ] satisfies Plain[])
    t.is(await metadata('iTunesMetadata.plist', binaryPlist(other)), 'unreproducible');
  t.is(await metadata('iTunesMetadata.plist', Buffer.from('evil')), 'unreproducible');
  for (const name of [`${APP}/iTunesMetadata.plist`, 'iTunesMetadata.plist.dylib', 'x/iTunesMetadata.plist'])
    t.is(await metadata(name, binaryPlist(SALE)), 'unreproducible', name);
});

test('totals of the archive', async (t) => {
  const totals = { RecordCount: 3, StandardDirectoryPerms: 16877, StandardFilePerms: -32348, Version: 2 };
  const name = 'META-INF/com.apple.ZipMetadata.plist';
  t.is(await metadata(name, binaryPlist(totals)), 'equivalent');
  t.is(await metadata(name, binaryPlist({ ...totals, evil: 1 })), 'unreproducible');
  t.is(await metadata(name, binaryPlist({ ...totals, Version: 'evil' })), 'unreproducible');
  t.is(await metadata(name, binaryPlist({ ...totals, CreatorToolUUID: 'evil' })), 'unreproducible');
  t.is(
    await metadata(name, binaryPlist({ ...totals, CreatorToolCommandLine: 'x'.repeat(5000) })),
    'unreproducible',
  );
  const fixed = 'META-INF/com.apple.FixedZipMetadata.bin';
  t.is(await metadata(fixed, Buffer.from('MdFx\u0001')), 'equivalent');
  t.is(await metadata(fixed, Buffer.from('evil')), 'unreproducible');
  t.is(await metadata('META-INF/com.apple.Evil.bin', Buffer.from('MdFx\u0001')), 'unreproducible');
});

const CONTENTS = { 'Info.plist': INFO, 'PlugIns/S.appex/Info.plist': INFO };
const list = (contents: BundleContents, name = `${APP}/_CodeSignature/CodeResources`): Promise<string> =>
  added('appstore-code-resources', name, codeResources(contents, 'A'));

test('a list of resources beside a build that nobody signed', async (t) => {
  t.is(await list(CONTENTS), 'equivalent');
  t.is(await list({ ...CONTENTS, 'Info.plist': 'evil' }), 'unreproducible');
  t.is(await list({ ...CONTENTS, 'evil.txt': 'x' }), 'unreproducible');
  t.is(await list({ 'Info.plist': INFO }), 'unreproducible');
  t.is(await list({}, `${APP}/x.bundle/_CodeSignature/CodeResources`), 'unreproducible');
  t.is(await list(CONTENTS, `${APP}/_CodeSignature/CodeResourcesEvil`), 'unreproducible');
  const loose = Buffer.concat([codeResources(CONTENTS, 'A'), Buffer.from('<!-- evil -->')]);
  t.is(
    await added('appstore-code-resources', `${APP}/_CodeSignature/CodeResources`, loose),
    'unreproducible',
  );
});

test('an entry that a rule leaves out has no room in its records', async (t) => {
  const time = Buffer.from('555405000100000000', 'hex');
  const files: readonly (readonly [RuleName, string, Buffer])[] = [
    ['appstore-provisioning', `${APP}/embedded.mobileprovision`, buildProfile()],
    ['appstore-sc-info', `${APP}/SC_Info/A.sinf`, box('sinf')],
    ['appstore-metadata', 'iTunesMetadata.plist', binaryPlist(SALE)],
    ['appstore-code-resources', `${APP}/_CodeSignature/CodeResources`, codeResources(CONTENTS, 'A')],
  ];
  const odd = Buffer.concat([Buffer.from('feca1000', 'hex'), Buffer.alloc(16, 'evil')]);
  for (const [rule, name, data] of files) {
    t.is(await added(rule, name, data, { extra: time, localExtra: time }), 'equivalent', rule);
    t.is(await added(rule, name, data, { comment: Buffer.from('evil') }), 'unreproducible', rule);
    t.is(await added(rule, name, data, { extra: odd }), 'unreproducible', rule);
    t.is(await added(rule, name, data, { localExtra: odd }), 'unreproducible', rule);
  }
});
