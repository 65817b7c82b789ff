// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { cpSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import test, { type ExecutionContext } from 'ava';
import { takeInventory, takeInventoryOfDirectory } from '../../src/build/inventory.js';
import { findInInputs, originsOf, type Origins } from '../../src/build/origin.js';
import { packageRoot } from '../../src/inputs/package-files.js';
import type { InputInventory } from '../../src/model.js';
import { buildAr } from '../helpers/build-ar.js';
import { buildElf } from '../helpers/build-elf.js';
import { buildTar } from '../helpers/build-tar.js';
import { buildZip } from '../helpers/build-zip.js';
import { sha256 } from '../helpers/debian-archive.js';
import { temporaryDirectory } from '../helpers/temp-directory.js';

type Files = Readonly<Record<string, string | Buffer>>;

async function inputs(t: ExecutionContext, files: Files): Promise<InputInventory> {
  const tar = buildTar(Object.entries(files).map(([name, data]) => ({ name, data })));
  return await takeInventory(
    (async function* () {
      yield await Promise.resolve(tar);
    })(),
    { sourceDirectory: '/build/app', temporaryDirectory: temporaryDirectory(t) },
  );
}

async function origins(t: ExecutionContext, outputs: Files, inventory: InputInventory): Promise<Origins> {
  const directory = temporaryDirectory(t);
  const rebuilt = Object.entries(outputs).map(([name, data], at) => {
    const file = path.join(directory, String(at));
    writeFileSync(file, data);
    return { name, path: file };
  });
  return await originsOf(rebuilt, inventory, { temporaryDirectory: directory });
}

function elf(content: string, symbols?: string, machine = 62): Buffer {
  return buildElf({
    machine,
    type: 1,
    sections: [
      { name: '.text', type: 1, flags: 6, content },
      ...(symbols === undefined ? [] : [{ name: '.symtab', type: 2, content: symbols }]),
    ],
  });
}

const dex = (content: string): Buffer => Buffer.from(`dex\n035\0${content}`.padEnd(120, '.'), 'latin1');
const KLASS = Buffer.from('cafebabe0000003400000000000000000000', 'hex');

test('the demo app: its prebuilt library is carried, its code is built and may contain nothing', async (t) => {
  const source = path.join(temporaryDirectory(t), 'source');
  cpSync(path.join(packageRoot(), 'demo/source'), source, { recursive: true });
  const inventory = await takeInventoryOfDirectory(source, {
    sourceDirectory: source,
    temporaryDirectory: temporaryDirectory(t),
  });
  t.deepEqual(inventory.unopened, { count: 0, shown: [] });
  execFileSync(process.execPath, ['build.mjs'], { cwd: source, env: {} });
  const apk = path.join(source, 'build/app-unsigned.apk');
  const found = await originsOf([{ name: 'app-unsigned.apk', path: apk }], inventory, {
    temporaryDirectory: temporaryDirectory(t),
  });
  t.deepEqual(found, {
    origins: [
      { kind: 'built', member: 'app-unsigned.apk!/classes.dex', mayContain: [] },
      {
        kind: 'carried',
        member: 'app-unsigned.apk!/lib/arm64-v8a/libcrypto-prebuilt.so',
        from: 'source/lib/arm64-v8a/libcrypto-prebuilt.so',
        by: 'bytes',
      },
    ],
    unopened: { count: 0, shown: [] },
  });
});

test('every executable member is listed once, at any depth, by content; scripts are data', async (t) => {
  const inventory = await inputs(t, {
    'build/app/prebuilt.zip': buildZip([{ name: 'full.so', data: elf('carried', 'symbols') }]),
    'usr/lib/same': elf('the same bytes'),
  });
  const data = buildTar([
    { name: './usr/bin/tool', data: elf('new') },
    { name: './usr/bin/script', data: '#!/bin/sh\necho a script of many bytes\n' },
    { name: './usr/lib/stripped.so', data: elf('carried') },
    { name: './usr/lib/same', data: elf('the same bytes') },
    { name: './usr/lib/same-again', data: elf('the same bytes') },
    { name: './usr/share/app.apk', data: buildZip([{ name: 'classes.dex', data: dex('x') }]) },
    { name: './usr/lib/app.wasm', data: Buffer.from('\0asm\x01\0\0\0 and some more bytes', 'latin1') },
    { name: './empty', data: '' },
  ]);
  const deb = buildAr([
    { name: 'debian-binary', data: '2.0\n' },
    { name: 'data.tar.gz', data: gzipSync(data) },
  ]);
  const { origins: found, unopened } = await origins(t, { 'a.deb': deb, plain: elf('plain') }, inventory);
  const at = (name: string): string => `a.deb!/data.tar.gz!/${name}`;
  t.deepEqual(found, [
    {
      kind: 'built',
      member: at('usr/bin/tool'),
      mayContain: ['source/prebuilt.zip!/full.so', 'fetched/usr/lib/same'],
    },
    {
      kind: 'carried',
      member: at('usr/lib/stripped.so'),
      from: 'source/prebuilt.zip!/full.so',
      by: 'allocated-sections',
    },
    { kind: 'carried', member: at('usr/lib/same'), from: 'fetched/usr/lib/same', by: 'bytes' },
    { kind: 'carried', member: at('usr/lib/same-again'), from: 'fetched/usr/lib/same', by: 'bytes' },
    { kind: 'built', member: at('usr/share/app.apk!/classes.dex'), mayContain: [] },
    { kind: 'built', member: at('usr/lib/app.wasm'), mayContain: [] },
    { kind: 'built', member: 'plain', mayContain: ['source/prebuilt.zip!/full.so', 'fetched/usr/lib/same'] },
  ]);
  t.is(unopened.count, 0);
});

test('may contain: code for the same machine, classes for dex, inputs that nobody could look into for all', async (t) => {
  const inventory = await inputs(t, {
    'usr/lib/libx.a': buildAr([{ name: 'x.o/', data: elf('x') }]),
    'usr/lib/arm.o': elf('y', undefined, 183),
    'usr/lib/go.a': buildAr([{ name: '_go_.o', data: Buffer.alloc(20, 1) }]),
    'root/.m2/x.jar': buildZip([{ name: 'X.class', data: KLASS }]),
    'root/damaged.gz': gzipSync('cut').subarray(0, 15),
  });
  const apk = buildZip([
    { name: 'classes.dex', data: dex('new') },
    { name: 'lib/x86_64/x.so', data: elf('new') },
    { name: 'lib/arm64-v8a/x.so', data: elf('new', undefined, 183) },
  ]);
  const { origins: found } = await origins(t, { apk }, inventory);
  const lists = found.map((origin) => (origin.kind === 'built' ? [...origin.mayContain].sort() : []));
  t.deepEqual(lists, [
    ['fetched/root/.m2/x.jar', 'fetched/root/damaged.gz'],
    ['fetched/root/damaged.gz', 'fetched/usr/lib/go.a', 'fetched/usr/lib/libx.a'],
    ['fetched/root/damaged.gz', 'fetched/usr/lib/arm.o', 'fetched/usr/lib/go.a'],
  ]);
});

test('a long list is cut, and says how much is left out', async (t) => {
  const objects = Array.from({ length: 30 }, (_, i) => [`usr/${i}.o`, elf(`object ${i}`)] as const);
  const damaged = Array.from(
    { length: 60 },
    (_, i) => [`bad/${i}.gz`, gzipSync(`${i}`).subarray(0, 15)] as const,
  );
  const inventory = await inputs(t, Object.fromEntries([...objects, ...damaged]));
  const [found] = (await origins(t, { plain: elf('new') }, inventory)).origins;
  t.true(found?.kind === 'built');
  if (found?.kind !== 'built') return;
  t.is(found.mayContain.length, 20);
  t.is(found.more, 70);
});

test('members of an archive that was carried whole are carried, also where nobody could look into it before', async (t) => {
  const inner = buildZip([{ name: 'lib.so', data: elf('inside') }]);
  const whole = buildZip([{ name: 'inner.zip', data: inner, method: 0 }]);
  const directory = temporaryDirectory(t);
  const tar = buildTar([{ name: 'build/app/vendor.zip', data: whole }]);
  const inventory = await takeInventory(
    (async function* () {
      yield await Promise.resolve(tar);
    })(),
    { sourceDirectory: '/build/app', temporaryDirectory: directory, limits: { depth: 0 } },
  );
  t.is(inventory.unopened.count, 1);
  const apk = buildZip([{ name: 'assets/vendor.zip', data: whole }]);
  const { origins: found } = await origins(t, { apk }, inventory);
  t.deepEqual(found, [
    {
      kind: 'carried',
      member: 'apk!/assets/vendor.zip!/inner.zip!/lib.so',
      from: 'source/vendor.zip!/inner.zip!/lib.so',
      by: 'bytes',
    },
  ]);
});

test('what cannot be looked into in an output is told', async (t) => {
  const inventory = await inputs(t, {});
  const apk = buildZip([
    { name: 'assets/secret.zip', data: buildZip([{ name: 'x', data: dex('x'), flags: 1 }]) },
  ]);
  t.deepEqual(await origins(t, { apk }, inventory), {
    origins: [],
    unopened: { count: 1, shown: [{ place: 'apk!/assets/secret.zip!/x', reason: 'encrypted' }] },
  });
});

test('the published file among the inputs is found, also inside of an archive', async (t) => {
  const apk = buildZip([{ name: 'classes.dex', data: dex('published') }]);
  const inventory = await inputs(t, { 'root/.cache/x.zip': buildZip([{ name: 'app.apk', data: apk }]) });
  t.is(findInInputs(inventory, sha256(apk)), 'fetched/root/.cache/x.zip!/app.apk');
  t.is(findInInputs(inventory, sha256('another')), undefined);
});
