// SPDX-License-Identifier: Apache-2.0
/** Apps, archives of Xcode and frameworks as directories: programs with the files that they were signed with, and links. */
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { compare, inspect } from '../../src/index.js';
import { infoPlist } from '../helpers/build-ipa.js';
import { ARM64, buildFat, buildMachO, X86_64 } from '../helpers/build-macho.js';
import { buildZip } from '../helpers/build-zip.js';
import { compareBuffers } from '../helpers/compare-buffers.js';
import { jarIdentity } from '../helpers/sign-jar.js';
import { signMachO } from '../helpers/sign-macho.js';
import { temporaryDirectory } from '../helpers/temp-directory.js';

type Tree = Readonly<Record<string, Buffer | string | { readonly link: string }>>;

function write(t: ExecutionContext, tree: Tree): string {
  const place = temporaryDirectory(t);
  for (const [name, content] of Object.entries(tree)) {
    const at = path.join(place, name);
    mkdirSync(path.dirname(at), { recursive: true });
    if (typeof content === 'object' && 'link' in content) symlinkSync(content.link, at);
    else writeFileSync(at, content);
  }
  return place;
}

async function verdictOf(t: ExecutionContext, published: Tree, rebuilt: Tree): Promise<string> {
  const { statement } = await compare({ published: write(t, published), rebuilt: write(t, rebuilt) });
  return statement.verdict.kind;
}

const identity = jarIdentity('rsa');
const INFO = infoPlist({ CFBundleExecutable: 'Main', CFBundleIdentifier: 'org.example' });
const K_INFO = infoPlist({ CFBundleExecutable: 'K' });
const program = buildMachO({ platform: 1 });
const library = buildMachO({ platform: 1, fileType: 6, text: Buffer.alloc(0x2800, 'kit') });
const signed = (file: Buffer, info: string): Buffer =>
  signMachO(file, { identity, files: { 1: Buffer.from(info) } });

const K = 'Contents/Frameworks/K.framework';
const LINKS: Tree = {
  [`${K}/K`]: { link: 'Versions/Current/K' },
  [`${K}/Resources`]: { link: 'Versions/Current/Resources' },
  [`${K}/Versions/Current`]: { link: 'A' },
};
const app = (sign: (file: Buffer, info: string) => Buffer): Tree => ({
  'Contents/Info.plist': INFO,
  'Contents/MacOS/Main': sign(program, INFO),
  [`${K}/Versions/A/K`]: sign(library, K_INFO),
  [`${K}/Versions/A/Resources/Info.plist`]: K_INFO,
  ...LINKS,
});
const built = app((file) => file);

test('an app of macOS: signed anew it is equivalent, links are equal where their targets are', async (t) => {
  t.is(await verdictOf(t, built, built), 'reproducible');
  t.is(await verdictOf(t, app(signed), built), 'equivalent');
  const evil = {
    ...app(signed),
    'Contents/MacOS/Main': signed(buildMachO({ platform: 1, data: Buffer.alloc(0x300, 'evil') }), INFO),
  };
  t.is(await verdictOf(t, evil, built), 'unreproducible');
});

test('a program is held against the Info.plist beside it, in every layout', async (t) => {
  for (const [info, at] of [
    ['Contents/Info.plist', 'Contents/MacOS/Main'],
    [`${K}/Versions/A/Resources/Info.plist`, `${K}/Versions/A/K`],
    ['Info.plist', 'Main'],
  ] as const) {
    const own = info.startsWith(K) ? K_INFO : INFO;
    const tree = (file: Buffer): Tree => ({ ...built, [info]: own, [at]: file });
    t.is(await verdictOf(t, tree(signed(program, own)), tree(program)), 'equivalent', at);
    t.is(await verdictOf(t, tree(signed(program, `${own} `)), tree(program)), 'not-authentic', at);
  }
});

test('a link that differs, leads out, or is a file on the other side has no twin', async (t) => {
  const name = `${K}/Versions/Current`;
  const other = (content: Tree[string], also = content): Promise<string> =>
    verdictOf(t, { ...built, [name]: content }, { ...built, [name]: also });
  t.is(await other({ link: 'A' }), 'reproducible');
  t.is(await other({ link: './A' }), 'reproducible');
  t.is(await other({ link: 'B' }, { link: 'A' }), 'unreproducible');
  t.is(await other({ link: './A' }, { link: 'A' }), 'unreproducible');
  for (const outside of ['/etc/passwd', '../../../../../etc/passwd', 'A/../../../../../../x'])
    t.is(await other({ link: outside }), 'unreproducible', outside);
  t.is(await other({ link: 'A' }, 'A'), 'unreproducible');
  t.is(await other('A', { link: 'A' }), 'unreproducible');
  const { [name]: _, ...without } = built;
  t.is(await verdictOf(t, built, without), 'unreproducible');
  t.is(await verdictOf(t, without, built), 'unverifiable');
  // one file each, and a link: they are paired by name
  t.is(await verdictOf(t, { a: 'x', l: { link: 'a' } }, { b: 'x', l: { link: 'a' } }), 'unreproducible');
});

test('links are never followed', async (t) => {
  const place = write(t, { ...built, 'Contents/Info.plist': { link: '../../secret' } });
  const { app: found } = await inspect({ file: place });
  t.true(found?.issues.some(({ code, message }) => code === 'link-outside' && message.includes('secret')));
  t.true(found?.issues.some(({ code }) => code === 'symbolic-link'));
  const plain = write(t, { 'a.txt': 'a', b: { link: 'a.txt' } });
  await t.throwsAsync(inspect({ file: plain }), { code: 'unreadable-input' });
  rmSync(place, { recursive: true });
});

test('targets of other bytes are never the same text', async (t) => {
  const [published, rebuilt] = [0xfe, 0xff].map((byte) => {
    const place = write(t, { 'a.txt': 'a' });
    symlinkSync(Buffer.from([byte]), path.join(place, 'l'));
    return place;
  });
  await t.throwsAsync(compare({ published: published ?? '', rebuilt: rebuilt ?? '' }), {
    code: 'unreadable-input',
    message: /UTF-8/,
  });
  // nor is a name that leads nowhere a crash
  const odd = write(t, { 'a.txt': 'a' });
  symlinkSync('a.txt', Buffer.concat([Buffer.from(`${odd}/`), Buffer.from([0xff])]));
  await t.throwsAsync(compare({ published: odd, rebuilt: write(t, { 'a.txt': 'a' }) }), {
    code: 'unreadable-input',
  });
});

test('an archive of Xcode and an XCFramework', async (t) => {
  const tree = (sign: (file: Buffer, info: string) => Buffer): Tree => ({
    'Info.plist': infoPlist({ CFBundlePackageType: 'XFWK' }),
    'ios-arm64/K.framework/Info.plist': K_INFO,
    'ios-arm64/K.framework/K': sign(library, K_INFO),
  });
  t.is(
    await verdictOf(
      t,
      tree(signed),
      tree((file) => file),
    ),
    'equivalent',
  );
  const archive = (sign: (file: Buffer, info: string) => Buffer): Tree => ({
    'Info.plist': infoPlist({ Name: 'A' }),
    'Products/Applications/A.app/Info.plist': INFO,
    'Products/Applications/A.app/Main': sign(program, INFO),
    'dSYMs/A.app.dSYM/Contents/Resources/DWARF/Main': buildMachO({ fileType: 10 }),
  });
  t.is(
    await verdictOf(
      t,
      archive(signed),
      archive((file) => file),
    ),
    'equivalent',
  );
  t.is(
    await verdictOf(
      t,
      archive((file) => signed(file, 'other')),
      archive((file) => file),
    ),
    'not-authentic',
  );
});

test('an encrypted program that is equal on both sides is no match, alone in a directory or in a slice', async (t) => {
  const encrypted = buildMachO({ encryption: { id: 1 } });
  const fat = buildFat([
    { cpuType: X86_64, cpuSubtype: 3, file: buildMachO({ cpuType: X86_64, cpuSubtype: 3 }) },
    { cpuType: ARM64, file: encrypted },
  ]);
  for (const file of [encrypted, fat]) {
    const tree = { 'Info.plist': INFO, Main: file };
    t.is(await verdictOf(t, tree, tree), 'unverifiable');
  }
});

test('nor in an archive that is one of Android as well, or of Xcode', async (t) => {
  const encrypted = buildMachO({ encryption: { id: 1 } });
  for (const name of ['Payload/E.app/E', 'E.xcarchive/Products/Applications/E.app/E']) {
    const zip = buildZip([
      { name: 'AndroidManifest.xml', data: 'x' },
      { name: 'classes.dex', data: 'x' },
      { name, data: encrypted },
    ]);
    const { verdict } = await compareBuffers(zip, zip);
    t.is(verdict.kind, 'unverifiable', name);
  }
});

test('an app of macOS in a ZIP; stored against deflated is a difference', async (t) => {
  const zip = (tree: Tree, method: 0 | 8 = 8): Buffer =>
    buildZip(
      Object.entries(tree).map(([name, content]) =>
        typeof content === 'object' && 'link' in content
          ? {
              name: `A.app/${name}`,
              data: content.link,
              externalAttributes: 0xa1ed0000,
              madeBy: 0x0314,
              method: 0,
            }
          : { name: `A.app/${name}`, data: content, method },
      ),
    );
  const { verdict, pair } = await compareBuffers(zip(app(signed)), zip(built));
  t.is(verdict.kind, 'equivalent');
  t.deepEqual(pair.identity, { package: 'org.example' });
  t.is((await compareBuffers(zip(built, 0), zip(built))).verdict.kind, 'unreproducible');
  const stale = app((file) => signed(file, 'other'));
  t.is((await compareBuffers(zip(stale), zip(built))).verdict.kind, 'not-authentic');
});
