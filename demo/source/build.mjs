// SPDX-License-Identifier: Apache-2.0
/** Builds build/app-unsigned.apk beside this file. Plain Node, no dependencies; no clock, environment or network. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { appClasses, readTexts } from './tools/app-classes.mjs';
import { writeDex } from './tools/dex.mjs';
import { writeManifest } from './tools/manifest.mjs';
import { writeZip } from './tools/zip.mjs';

const root = path.dirname(fileURLToPath(import.meta.url));
const file = (...names) => readFileSync(path.join(root, ...names));
/** By code units, so that no locale decides. */
const sorted = (names) => [...names].sort((a, b) => (a < b ? -1 : 1));

const app = JSON.parse(file('app.json').toString('utf8'));
const version = Object.fromEntries(
  file('version.txt')
    .toString('utf8')
    .trim()
    .split('\n')
    .map((line) => line.split('=')),
);
const texts = readTexts(file('src', 'Texts.txt').toString('utf8'));

const entries = [
  { name: 'AndroidManifest.xml', data: writeManifest(app, version), alignment: 4 },
  { name: 'classes.dex', data: writeDex(appClasses(app, texts)), alignment: 4 },
  ...sorted(readdirSync(path.join(root, 'assets'))).map((name) => ({
    name: `assets/${name}`,
    data: file('assets', name),
    alignment: 4,
  })),
  // the loader maps an uncompressed library straight from the APK, which needs a page boundary
  ...sorted(readdirSync(path.join(root, 'lib', 'arm64-v8a'))).map((name) => ({
    name: `lib/arm64-v8a/${name}`,
    data: file('lib', 'arm64-v8a', name),
    alignment: 4096,
  })),
];

mkdirSync(path.join(root, 'build'), { recursive: true });
writeFileSync(path.join(root, 'build', 'app-unsigned.apk'), writeZip(entries));
