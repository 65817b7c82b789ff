// SPDX-License-Identifier: Apache-2.0
/**
 * Makes the demo's published files, as the app's maker would: builds the app, signs it with apksigner and a new key,
 * and signs two tampered variants with the same key. Run once (`npm run demo:publish`), independently of any check;
 * its outcome is committed and its key is thrown away. Needs openssl and apksigner.
 */
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { crc32 } from './source/tools/crc32.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const HIDDEN = Buffer.from('Sixty-four bytes that belong to no entry of the archive at all..', 'latin1');

const work = mkdtempSync(path.join(tmpdir(), 'demo-publish-'));
try {
  const unsigned = build();
  const key = makeKey();
  const published = path.join(here, 'published');
  mkdirSync(published, { recursive: true });
  for (const [name, apk] of [
    ['app.apk', unsigned],
    ['tampered-dex.apk', changeByte(unsigned, 'classes.dex', 'every byte', 'every bite')],
    ['tampered-hidden.apk', hideBytes(unsigned, HIDDEN)],
  ])
    writeFileSync(path.join(published, name), sign(apk, key));
  const signer = new X509Certificate(readFileSync(key.certificate)).fingerprint256
    .replaceAll(':', '')
    .toLowerCase();
  writeFileSync(path.join(published, 'signer.txt'), `${signer}\n`);
  console.log(`signer certificate SHA-256: ${signer}`);
  console.log('recipes/demo.yaml must pin it');
} finally {
  rmSync(work, { recursive: true, force: true });
}

function build() {
  const source = path.join(work, 'source');
  cpSync(path.join(here, 'source'), source, { recursive: true });
  execFileSync(process.execPath, ['build.mjs'], { cwd: source, env: {}, stdio: 'inherit' });
  return readFileSync(path.join(source, 'build', 'app-unsigned.apk'));
}

function makeKey() {
  const [pem, key, certificate] = ['key.pem', 'key.pk8', 'certificate.pem'].map((name) =>
    path.join(work, name),
  );
  const request = '-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -x509 -days 10000'.split(' ');
  const subject = ['-subj', '/CN=Demo Chat/O=samesource demo, key thrown away'];
  run('openssl', ['req', ...request, ...subject, '-keyout', pem, '-out', certificate]);
  run('openssl', ['pkcs8', '-topk8', '-nocrypt', '-in', pem, '-outform', 'DER', '-out', key]);
  return { key, certificate };
}

function sign(apk, { key, certificate }) {
  const [input, output] = ['unsigned.apk', 'signed.apk'].map((name) => path.join(work, name));
  writeFileSync(input, apk);
  const schemes = ['--v1-signing-enabled=false', '--v2-signing-enabled=true', '--v3-signing-enabled=true'];
  const options = [...schemes, '--v4-signing-enabled=false', '--min-sdk-version=24'];
  run('apksigner', ['sign', '--key', key, '--cert', certificate, ...options, '--out', output, input]);
  run('apksigner', ['verify', '--min-sdk-version=24', output]);
  return readFileSync(output);
}

/** Changes one byte of a stored entry, and the entry's CRC with it, so that the archive stays a sound one. */
function changeByte(apk, name, from, to) {
  const changed = Buffer.from(apk);
  const record = changed.lastIndexOf(name) - 46;
  const local = changed.readUInt32LE(record + 42);
  const start = local + 30 + changed.readUInt16LE(local + 26) + changed.readUInt16LE(local + 28);
  const data = changed.subarray(start, start + changed.readUInt32LE(record + 20));
  data.write(to, data.indexOf(from), 'latin1');
  const crc = crc32(data);
  changed.writeUInt32LE(crc, local + 14);
  changed.writeUInt32LE(crc, record + 16);
  return changed;
}

/** Before the last entry, whose alignment padding gives way: nothing else moves, and the file keeps its size. */
function hideBytes(apk, bytes) {
  const directory = apk.readUInt32LE(apk.length - 22 + 16);
  let record = directory;
  const sizeOf = (at) =>
    46 + apk.readUInt16LE(at + 28) + apk.readUInt16LE(at + 30) + apk.readUInt16LE(at + 32);
  while (apk.readUInt32LE(record + sizeOf(record)) === 0x02014b50) record += sizeOf(record);
  const local = apk.readUInt32LE(record + 42);
  const extra = local + 30 + apk.readUInt16LE(local + 26);
  const header = Buffer.from(apk.subarray(local, extra + 4));
  for (const field of [28, extra - local + 2])
    header.writeUInt16LE(header.readUInt16LE(field) - bytes.length, field);
  const changed = Buffer.concat([
    apk.subarray(0, local),
    bytes,
    header,
    apk.subarray(extra + 4, extra + 6),
    apk.subarray(extra + 6 + bytes.length),
  ]);
  changed.writeUInt32LE(local + bytes.length, record + 42);
  return changed;
}

function run(command, args) {
  execFileSync(command, args, { stdio: ['ignore', 'ignore', 'inherit'] });
}
