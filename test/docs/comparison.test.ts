// SPDX-License-Identifier: Apache-2.0
/** `docs/comparison.md`: its table is the registry's, and its commands do what it says. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { withCatalogue } from '../attacks/catalogue.js';
import { attacks } from '../attacks/index.js';
import { need } from '../helpers/need.js';
import { jarIdentity, signJar } from '../helpers/sign-jar.js';
import { temporaryDirectory } from '../helpers/temp-directory.js';

const page = readFileSync(new URL('../../../docs/comparison.md', import.meta.url), 'utf8');
const session = [...page.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block]) => block).join('\n');
const published = readFileSync(fileURLToPath(new URL('../../../demo/published/app.apk', import.meta.url)));

test('the table of attacks is the registry’s', (t) => {
  t.is(withCatalogue(page, attacks), page);
});

/** As `apksigner` was given it: the fill before its block is its own. */
function unsigned(apk: Buffer): Buffer {
  const end = apk.length - 22;
  const directory = apk.readUInt32LE(end + 16);
  const block = directory - Number(apk.readBigUInt64LE(directory - 24)) - 8;
  let entries = block;
  const lastLocal = apk.subarray(0, block).lastIndexOf('PK\x03\x04', undefined, 'latin1');
  const last =
    lastLocal +
    30 +
    apk.readUInt16LE(lastLocal + 26) +
    apk.readUInt16LE(lastLocal + 28) +
    apk.readUInt32LE(lastLocal + 18);
  if (apk.subarray(last, block).every((byte) => byte === 0)) entries = last;
  const tail = Buffer.from(apk.subarray(directory));
  tail.writeUInt32LE(entries, tail.length - 6);
  return Buffer.concat([apk.subarray(0, entries), tail]);
}

function run(directory: string, apk: Buffer): string {
  const jar = signJar([{ name: 'classes.dex', data: 'code'.repeat(100) }], jarIdentity());
  const files = { APK: apk, REBUILT: unsigned(published), JAR: jar };
  const env: NodeJS.ProcessEnv = { ...process.env };
  for (const [name, bytes] of Object.entries(files)) {
    env[name] = path.join(directory, `${name.toLowerCase()}.apk`);
    writeFileSync(env[name], bytes);
  }
  return execFileSync('bash', ['-eu', '-c', session], {
    cwd: directory,
    env,
    stdio: 'pipe',
  }).toString();
}

test('the commands check a published file by hand', (t) => {
  if (!need(t, 'bash', 'openssl', 'xxd', 'unzip')) return;
  const said = run(temporaryDirectory(t), published);
  t.regex(said, /Verified OK/);
  t.regex(said, /Signature Verified Successfully/);
});

for (const [what, at] of [
  ['an entry', 200],
  ['the directory', published.length - 40],
  ['the signature', published.indexOf('APK Sig Block 42') - 4000],
] as const)
  test(`the commands refuse a changed byte in ${what}`, (t) => {
    if (!need(t, 'bash', 'openssl', 'xxd', 'unzip')) return;
    const changed = Buffer.from(published);
    changed[at] = (changed[at] ?? 0) ^ 1;
    t.throws(() => run(temporaryDirectory(t), changed));
  });
