// SPDX-License-Identifier: Apache-2.0
/** Files with a rotated key by v3.1, as apksig 35 makes them, against pins for versions of Android that a recipe names. */
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { verify } from '../../src/operations/verify.js';
import type { Report } from '../../src/report/types.js';
import { apksig35 } from '../helpers/apksig-35.js';
import { runApksig } from '../helpers/apksig-driver.js';
import { makeKey, type SigningKey } from '../helpers/apksigner.js';
import { buildManifest } from '../helpers/build-axml.js';
import { buildZip } from '../helpers/build-zip.js';
import { temporaryDirectory } from '../helpers/temp-directory.js';

interface Pin {
  readonly key: SigningKey;
  readonly minSdk?: number;
  readonly maxSdk?: number;
}

const digestOf = ({ certificate }: SigningKey): string => {
  const bytes = readFileSync(certificate);
  const text = bytes.toString('latin1');
  const der = text.startsWith('-----BEGIN')
    ? Buffer.from(text.replace(/-----[^-]+-----|\s/g, ''), 'base64')
    : bytes;
  return createHash('sha256').update(der).digest('hex');
};

function recipes(directory: string, pins: readonly Pin[]): string {
  const signers = pins.map(
    ({ key, minSdk, maxSdk }) =>
      `      - { sha256: ${digestOf(key)}, statedBy: publisher, source: a test${minSdk === undefined ? '' : `, minSdk: ${minSdk}`}${maxSdk === undefined ? '' : `, maxSdk: ${maxSdk}`} }`,
  );
  const at = mkdtempSync(path.join(directory, 'recipes-'));
  writeFileSync(
    path.join(at, 'closed.yaml'),
    `schemaVersion: 1
app: closed
title: Closed chat
platform: android
status: { kind: closed, evidence: [{ url: 'https://example.org/' }] }
evidence: [{ what: all, url: 'https://example.org/', date: '2026-01-01' }]
versions: {}
channels:
  website:
    title: Website
    builtBy: publisher
    packageId: org.example.chat
    acquisition: { kind: handed-over, how: download it }
    files: [closed.apk]
    signers:
${signers.join('\n')}
`,
  );
  return at;
}

interface Files {
  readonly directory: string;
  readonly file: string;
  readonly keys: Readonly<Record<'old' | 'now' | 'other', SigningKey>>;
}

/** Signed by the old key for Android up to 32, by the new one from 33 on. */
async function rotated(t: ExecutionContext): Promise<Files | undefined> {
  const jar = await apksig35(t);
  if (jar === undefined) return undefined;
  const directory = temporaryDirectory(t);
  const keys = {
    old: makeKey(directory, 'old', 'rsa2048'),
    now: makeKey(directory, 'now', 'rsa2048'),
    other: makeKey(directory, 'other', 'rsa2048'),
  };
  const [from, file] = [path.join(directory, 'in.apk'), path.join(directory, 'closed.apk')];
  writeFileSync(
    from,
    buildZip([
      { name: 'AndroidManifest.xml', data: buildManifest() },
      { name: 'classes.dex', data: 'code' },
    ]),
  );
  const [answer] = runApksig(jar, directory, [
    {
      kind: 'sign',
      from,
      to: file,
      minSdk: 24,
      schemes: [2, 3],
      keys: [keys.old, keys.now],
      lineage: true,
      rotationMinSdk: 33,
    },
  ]);
  t.deepEqual(answer?.errors, []);
  return { directory, file, keys };
}

async function checked({ directory, file }: Files, pins: readonly Pin[]): Promise<Report> {
  const { report } = await verify(
    { app: 'closed', version: '1.x', published: file },
    { recipes: recipes(directory, pins) },
  );
  return report;
}

test('pins for versions of Android, and a file with a v3.1 signature', async (t) => {
  const files = await rotated(t);
  if (files === undefined) return;
  const { old, now, other } = files.keys;
  const of = async (...pins: readonly Pin[]): Promise<readonly [string, string | undefined]> => {
    const { statement } = await checked(files, pins);
    t.log(JSON.stringify(statement.verdict), JSON.stringify(statement.checks?.outcomes));
    const detail = statement.checks?.outcomes.find(({ check }) => check === 'signer');
    return [statement.verdict.kind, detail?.outcome];
  };
  t.deepEqual(await of({ key: old, maxSdk: 32 }, { key: now, minSdk: 33 }), ['unverifiable', 'passed']);
  // the lineage proves that the old key's owner handed over to the new one
  t.deepEqual(await of({ key: old }), ['unverifiable', 'passed']);
  // nothing leads back from the new key to the old one
  t.deepEqual(await of({ key: now }), ['not-authentic', 'failed']);
  t.deepEqual(await of({ key: old, maxSdk: 32 }, { key: other, minSdk: 33 }), ['not-authentic', 'failed']);
  t.deepEqual(await of({ key: other, maxSdk: 32 }, { key: now, minSdk: 33 }), ['not-authentic', 'failed']);
  t.deepEqual(await of({ key: other }), ['not-authentic', 'failed']);
});
