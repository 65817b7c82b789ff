// SPDX-License-Identifier: Apache-2.0
/** Each field of signing blocks that apksig writes, changed: we refuse every one, and so does apksig, but for those listed. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { BufferSource } from '../../src/bytes.js';
import { checkApkSignature, type ApkSignatureCheck } from '../../src/formats/apk-signature.js';
import { readZip } from '../../src/formats/zip.js';
import { apksig35 } from '../helpers/apksig-35.js';
import { runApksig, type SignJob, type VerifyJob } from '../helpers/apksig-driver.js';
import { APKSIG_EXAMPLES, hasExamples } from '../helpers/apksig-examples.js';
import { buildManifest } from '../helpers/build-axml.js';
import { buildZip } from '../helpers/build-zip.js';
import { need } from '../helpers/need.js';
import { signingBlockFields } from '../helpers/signing-block-fields.js';
import { temporaryDirectory } from '../helpers/temp-directory.js';

const key = (name: string): SignJob['keys'][number] => ({
  key: path.join(APKSIG_EXAMPLES, `${name}.pk8`),
  certificate: path.join(APKSIG_EXAMPLES, `${name}.x509.pem`),
});

const FILES: Readonly<Record<string, Omit<SignJob, 'kind' | 'from' | 'to'>>> = {
  v2: { minSdk: 24, schemes: [2], keys: [key('ec-p256')] },
  'v2, two signers': { minSdk: 24, schemes: [2], keys: [key('ec-p256'), key('rsa-2048')] },
  'v2 with fs-verity': { minSdk: 24, schemes: [2], keys: [key('rsa-1024')], verity: true },
  'v2, DSA': { minSdk: 24, schemes: [2], keys: [key('dsa-1024')] },
  v3: { minSdk: 28, schemes: [3], keys: [key('ec-p256')] },
  'v2 and v3': { minSdk: 24, schemes: [2, 3], keys: [key('rsa-2048')] },
  'v3, three keys': {
    minSdk: 28,
    schemes: [3],
    keys: [key('rsa-1024'), key('ec-p256'), key('ec-p384')],
    lineage: true,
    rotationMinSdk: 28,
  },
  'v2, v3 and v3.1': {
    minSdk: 24,
    schemes: [2, 3],
    keys: [key('rsa-1024'), key('ec-p256'), key('ec-p384')],
    lineage: true,
    rotationMinSdk: 33,
  },
  'v3.1 for a release under development': {
    minSdk: 28,
    schemes: [3],
    keys: [key('ec-p256'), key('ec-p384')],
    lineage: true,
    rotationMinSdk: 34,
    development: true,
  },
};

function check(apk: Buffer): ApkSignatureCheck | undefined {
  const source = new BufferSource(apk);
  try {
    const zip = readZip(source);
    return checkApkSignature(source, {
      centralDirectoryOffset: zip.centralDirectory.offset,
      centralDirectorySize: zip.centralDirectory.size,
      endOffset: zip.end.offset,
    });
  } catch {
    return undefined; // no longer an archive
  }
}

/**
 * What apksig does not look at, and why we do. Our codes; that the byte lies in a block that is otherwise signed is all
 * that Android knows of it, so a payload could lie there.
 */
const UNREAD_BY_APKSIG: readonly (readonly [field: RegExp, codes: readonly string[], why: string])[] = [
  [/^padding$/, ['padding-not-zero'], 'padding is skipped'],
  [/^padding\/id$/, ['unknown-pair'], 'a pair that nobody knows is skipped'],
  [/^padding#$/, ['malformed-pairs', 'padding-size'], 'nobody reads on after the last signature'],
  [
    /^v[23]#$/,
    ['malformed-pairs', 'unowned-bytes'],
    'bytes after what is read are skipped, and so is what follows',
  ],
  [/^v2\/id$/, ['unknown-pair'], 'v3 beside it is enough from version 24 on, where v2 is what counts'],
];

test('each field of a signing block', async (t) => {
  if (!hasExamples(t) || !need(t, 'apksigner')) return;
  const jar = await apksig35(t);
  if (jar === undefined) return;
  const directory = temporaryDirectory(t);
  const from = path.join(directory, 'unsigned.apk');
  writeFileSync(
    from,
    buildZip([
      { name: 'AndroidManifest.xml', data: buildManifest({ minSdk: 24, targetSdk: 29 }) },
      { name: 'classes.dex', data: 'code'.repeat(100) },
    ]),
  );
  const signing = Object.entries(FILES).map(([name, job]): SignJob => ({
    ...job,
    kind: 'sign',
    from,
    to: path.join(directory, `${name}.apk`),
  }));
  for (const [at, answer] of runApksig(jar, directory, signing).entries())
    t.true(answer.verified, `${signing[at]?.to ?? ''}: ${answer.errors.join()}`);

  const asked: { what: string; field: string; codes: readonly string[] }[] = [];
  const jobs: VerifyJob[] = [];
  for (const { to, minSdk } of signing) {
    const apk = readFileSync(to);
    const whole = check(apk);
    t.is(whole?.status, 'verified', `${to}: ${JSON.stringify(whole?.issues)}`);
    jobs.push({ kind: 'verify', file: to, minSdk, maxSdk: 36 });
    asked.push({ what: to, field: '', codes: [] });
    const end = (whole?.block?.offset ?? 0) + (whole?.block?.size ?? 0);
    for (const { name, offset, size } of signingBlockFields(apk, end)) {
      const changes = new Map([
        [offset, 0x01],
        [offset + (size >> 1), 0x10],
        [offset + size - 1, 0x80],
      ]);
      for (const [place, bit] of changes) {
        const changed = Buffer.from(apk);
        changed[place] = (changed[place] ?? 0) ^ bit;
        const result = check(changed);
        const what = `${path.basename(to)}, ${name}, bit ${bit} at ${place - offset} of ${size}`;
        t.not(result?.status, 'verified', what);
        const file = path.join(directory, `changed-${jobs.length}.apk`);
        writeFileSync(file, changed);
        jobs.push({ kind: 'verify', file, minSdk, maxSdk: 36 });
        asked.push({ what, field: name, codes: (result?.issues ?? []).map(({ code }) => code) });
      }
    }
  }
  const answers = runApksig(jar, directory, jobs);
  const unexpected: string[] = [];
  let unread = 0;
  for (const [at, { what, field, codes }] of asked.entries()) {
    if (answers[at]?.verified !== true || field === '') {
      if (field === '') t.true(answers[at]?.verified, what);
      continue;
    }
    unread++;
    const known = UNREAD_BY_APKSIG.find(
      ([pattern, own]) =>
        pattern.test(field) && codes.length > 0 && codes.every((code) => own.includes(code)),
    );
    if (known === undefined) unexpected.push(`${what}: apksig takes it, our codes are ${codes.join()}`);
  }
  t.deepEqual(unexpected, []);
  t.log(`${jobs.length} files, ${unread} changes that apksig does not look at`);
});
