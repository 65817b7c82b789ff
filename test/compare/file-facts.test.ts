// SPDX-License-Identifier: Apache-2.0
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { BufferSource, FileSource, sha256 } from '../../src/bytes.js';
import { FileFacts } from '../../src/compare/file-facts.js';
import { signedSections } from '../../src/compare/zip/zip-side.js';
import { checkApkSignature } from '../../src/formats/apk-signature.js';
import { readZip } from '../../src/formats/zip.js';
import { temporaryDirectory } from '../helpers/temp-directory.js';

const APK = 'node_modules/settings-apk/apks/settings_apk-debug.apk';

/** Together with a file of this size the work is given to a thread. */
const LARGE = 33 << 20;

test('the thread says of a file what this one says', async (t) => {
  const apk = readFileSync(APK);
  const tampered = Buffer.from(apk);
  tampered[100_000] = (tampered[100_000] ?? 0) ^ 1;
  const directory = temporaryDirectory(t);
  const rebuilt = path.join(directory, 'rebuilt');
  writeFileSync(rebuilt, Buffer.alloc(LARGE, 'x'));
  for (const bytes of [apk, tampered]) {
    const file = path.join(directory, 'published.apk');
    writeFileSync(file, bytes);
    const [published, other] = [FileSource.open(file), FileSource.open(rebuilt)];
    const facts = new FileFacts(published, other);
    const sections = signedSections(readZip(published));
    facts.prefetch('rebuilt');
    t.deepEqual(await facts.signature(sections), checkApkSignature(new BufferSource(bytes), sections));
    t.is(await facts.sha256('published'), sha256(new BufferSource(bytes)));
    t.is(await facts.sha256('rebuilt'), sha256(other));
    await facts.close();
    published.close();
    other.close();
  }
});

test('a thread that ends too early leaves the work to this one', async (t) => {
  const file = path.join(temporaryDirectory(t), 'large');
  writeFileSync(file, Buffer.alloc(LARGE, 'y'));
  const source = FileSource.open(file);
  t.teardown(() => source.close());
  const facts = new FileFacts(source, source);
  const asked = facts.sha256('published');
  await facts.close();
  t.is(await asked, sha256(source));
  t.is(await facts.sha256('rebuilt'), sha256(source));
});
