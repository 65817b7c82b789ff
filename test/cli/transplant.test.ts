// SPDX-License-Identifier: Apache-2.0
/** `verify transplant`: the file is written when it is the published one, and where it is not is told. */
import { createHash } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { makeKey, signWithApksigner } from '../helpers/apksigner.js';
import { buildZip } from '../helpers/build-zip.js';
import { need } from '../helpers/need.js';
import { temporaryDirectory } from '../helpers/temp-directory.js';
import { document, errorOf, verify } from '../helpers/transcript.js';

const UNSIGNED = buildZip([
  { name: 'AndroidManifest.xml', data: 'manifest' },
  { name: 'classes.dex', data: 'code'.repeat(100) },
  { name: 'lib/x86/libx.so', data: 'library', method: 0, align: 4096 },
]);

function files(t: ExecutionContext, change: (signed: Buffer) => void = () => undefined): string {
  const directory = temporaryDirectory(t);
  const keys = [makeKey(directory, 'signer')];
  const signed = signWithApksigner(directory, UNSIGNED, { keys, v1: true, v2: true, v3: true, minSdk: 21 });
  change(signed);
  writeFileSync(path.join(directory, 'published.apk'), signed);
  writeFileSync(path.join(directory, 'rebuilt.apk'), UNSIGNED);
  return directory;
}

const sha256 = (file: string): string => createHash('sha256').update(readFileSync(file)).digest('hex');

test('--help', async (t) => {
  const { code, stdout } = await verify(['transplant', '--help']);
  t.is(code, 0);
  t.regex(stdout, /transplant <published> <rebuilt>/);
  t.regex(stdout, /No\s+signature is verified/);
});

test('a signed file is made again from what was signed, and written', async (t) => {
  if (!need(t, 'apksigner', 'openssl')) return;
  const cwd = files(t);
  const made = await verify(['transplant', 'published.apk', 'rebuilt.apk', '-o', 'made.apk'], { cwd });
  t.is(made.code, 0, made.stderr);
  t.regex(
    made.stdout,
    /^made again, byte for byte: \d+ bytes, SHA-256 [0-9a-f]{64}\n {2}taken .*\n {2}layout: plain\n/,
  );
  t.is(sha256(path.join(cwd, 'made.apk')), sha256(path.join(cwd, 'published.apk')));
  const again = await verify(['transplant', '--json', 'published.apk', 'rebuilt.apk', '-o', 'made.apk'], {
    cwd,
  });
  t.is(again.code, 64);
  t.is(errorOf(t, again), 'out-exists');
  const forced = await verify(
    ['transplant', '--json', '--quiet', 'published.apk', 'rebuilt.apk', '-o', 'made.apk', '--force'],
    { cwd },
  );
  t.is(forced.code, 0);
  t.like(document(t, forced), { kind: 'equal', output: 'made.apk', profile: 'plain' });
});

test('an input, a directory, a device and a pipe are never replaced', async (t) => {
  if (!need(t, 'mkfifo')) return;
  const cwd = temporaryDirectory(t);
  const at = (name: string): string => path.join(cwd, name);
  for (const name of ['published.apk', 'rebuilt.apk']) writeFileSync(at(name), UNSIGNED);
  linkSync(at('rebuilt.apk'), at('second-name.apk'));
  symlinkSync('published.apk', at('link.apk'));
  symlinkSync('nowhere', at('dangling.apk'));
  mkdirSync(at('directory'));
  execFileSync('mkfifo', [at('pipe')]);
  const before = readdirSync(cwd);
  for (const [output, expected, force = true] of [
    ['published.apk', 'out-is-input'],
    ['rebuilt.apk', 'out-is-input'],
    ['./rebuilt.apk', 'out-is-input', false],
    ['second-name.apk', 'out-is-input'],
    ['link.apk', 'out-is-input'],
    ['dangling.apk', 'out-exists', false],
    ['directory', 'out-no-file'],
    ['directory/', 'out-no-file'],
    ['pipe', 'out-no-file'],
    ['/dev/null', 'out-no-file', false],
    ['', 'out-no-file'],
  ] as const) {
    const args = ['transplant', '--json', 'published.apk', 'rebuilt.apk', '-o', output];
    const made = await verify(force ? [...args, '--force'] : args, { cwd });
    t.is(made.code, 64, output);
    t.is(errorOf(t, made), expected, output);
  }
  t.deepEqual(readdirSync(cwd), before);
  t.true(lstatSync(at('link.apk')).isSymbolicLink());
  t.deepEqual(readFileSync(at('rebuilt.apk')), UNSIGNED);
});

test('fails: one byte of the content is another one; its place is told, and nothing is written', async (t) => {
  if (!need(t, 'apksigner', 'openssl')) return;
  let at = 0;
  const cwd = files(t, (signed) => {
    at = signed.indexOf('library');
    signed[at] = 0x4c;
  });
  const made = await verify(['transplant', 'published.apk', 'rebuilt.apk', '-o', 'made.apk'], { cwd });
  t.is(made.code, 1);
  t.true(
    made.stdout.includes(`from offset ${at} of the published one on (data of lib/x86/libx.so)`),
    made.stdout,
  );
  t.false(existsSync(path.join(cwd, 'made.apk')));
});

test('fails: bytes that no record owns', async (t) => {
  if (!need(t, 'apksigner', 'openssl')) return;
  const cwd = files(t);
  const signed = readFileSync(path.join(cwd, 'published.apk'));
  const directory = signed.readUInt32LE(signed.length - 6);
  const grown = Buffer.concat([
    signed.subarray(0, directory),
    Buffer.from('hidden'),
    signed.subarray(directory),
  ]);
  grown.writeUInt32LE(directory + 6, grown.length - 6);
  writeFileSync(path.join(cwd, 'published.apk'), grown);
  const made = await verify(['transplant', '--json', '--quiet', 'published.apk', 'rebuilt.apk'], { cwd });
  t.is(made.code, 1);
  t.like(document(t, made), { kind: 'impossible' });
});

test('fails: not an archive', async (t) => {
  const cwd = temporaryDirectory(t);
  writeFileSync(path.join(cwd, 'a'), 'no archive');
  writeFileSync(path.join(cwd, 'b'), 'none either');
  const made = await verify(['transplant', 'a', 'b'], { cwd });
  t.is(made.code, 64, made.stderr);
  t.regex(made.stderr, /^error \[/);
});
