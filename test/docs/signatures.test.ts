// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { APK_ISSUES } from '../../src/formats/apk-signature-issue.js';
import { TRANSPARENCY_ISSUES } from '../../src/formats/code-transparency.js';
import { IDSIG_ISSUES } from '../../src/formats/idsig.js';
import { JAR_ISSUES } from '../../src/formats/jar-issue.js';
import { SDK_ISSUES } from '../../src/formats/sdk-verdicts.js';
import { packageRoot } from '../../src/inputs/package-files.js';
import { makeKey } from '../helpers/apksigner.js';
import { buildManifest } from '../helpers/build-axml.js';
import { buildZip } from '../helpers/build-zip.js';
import { need } from '../helpers/need.js';
import { certificateFor } from '../helpers/sign-apk.js';
import { runStamps } from '../helpers/stamp-driver.js';
import { temporaryDirectory } from '../helpers/temp-directory.js';

const page = (name: string): string => readFileSync(path.join(packageRoot(), 'docs', name), 'utf8');
const PAGE = page('signatures.md');
const blocksOf = (text: string): string[] =>
  [...text.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, block]) => block ?? '');

interface Meaning {
  readonly effect: string;
  readonly text: string;
}

test('every code is explained as the code explains it, and no other', (t) => {
  const unsupported = Object.entries(SDK_ISSUES).map(
    ([code, text]) => [code, { effect: 'unsupported', text }] as const,
  );
  const all: readonly (readonly [string, Meaning])[] = [
    ...Object.entries(APK_ISSUES),
    ...Object.entries(JAR_ISSUES),
    ...unsupported,
    ...Object.entries(IDSIG_ISSUES),
    ...Object.entries(TRANSPARENCY_ISSUES),
  ];
  const rows = [...PAGE.matchAll(/^\| `([a-z0-9-]+)` +\| ([a-z]+) +\| (.*?) +\|$/gm)].map(
    ([, code, effect, text]) => ({
      code,
      effect,
      text,
    }),
  );
  t.deepEqual(
    rows,
    all.map(([code, { effect, text }]) => ({ code, effect, text })),
  );
});

const DEX = 'dex\n035\0'.padEnd(3000, 'code');

/** RSA, as bundletool signs it. */
function transparencyFile(): string {
  const pair = generateKeyPairSync('rsa', { modulusLength: 3072 });
  const certificate = certificateFor(pair.publicKey.export({ type: 'spki', format: 'der' }));
  const header = JSON.stringify({ alg: 'RS256', x5c: [certificate.toString('base64')] });
  const sha256 = createHash('sha256').update(DEX).digest('hex');
  const payload = `{\n  "codeRelatedFile": [{\n    "path": "base/dex/classes.dex",\n    "type": "DEX",\n    "sha256": "${sha256}"\n  }],\n  "version": 1\n}`;
  const signed = [header, payload].map((text) => Buffer.from(text).toString('base64url')).join('.');
  return `${signed}.${sign('sha256', Buffer.from(signed), pair.privateKey).toString('base64url')}`;
}

test('every command of it holds', (t) => {
  if (!need(t, 'java', 'openssl', 'apksigner', 'unzip', 'xxd', 'sh')) return;
  const directory = temporaryDirectory(t);
  const at = (name: string): string => path.join(directory, name);
  writeFileSync(
    at('unsigned.apk'),
    buildZip([
      { name: 'AndroidManifest.xml', data: buildManifest() },
      { name: 'classes.dex', data: DEX },
      // more than one piece of the digest, more than one level of the tree
      { name: 'big.bin', data: Buffer.alloc(1_200_000, 5), method: 0 },
    ]),
  );
  const [signed] = runStamps('/usr/share/java/apksig.jar', directory, [
    {
      kind: 'sign',
      from: at('unsigned.apk'),
      to: at('app.apk'),
      minSdk: 21,
      schemes: [1, 2, 3],
      keys: [makeKey(directory, 'app')],
      stamp: [makeKey(directory, 'stamp', 'rsa2048')],
      idsig: at('app.apk.idsig'),
    },
  ]);
  t.is(signed, 'true');
  writeFileSync(at('code_transparency_signed.jwt'), transparencyFile());
  const commands = blocksOf(PAGE);
  t.is(commands.length, 9);
  // the page begins where the other one has told where the signature lies, and what is in it
  const session = [...blocksOf(page('comparison.md')).slice(0, 2), ...commands].join('\n');
  const run = (): string =>
    execFileSync('sh', ['-eu', '-c', session], {
      cwd: directory,
      env: { ...process.env, APK: 'app.apk' },
      encoding: 'utf8',
      stdio: 'pipe',
    });
  t.is([...run().matchAll(/^Verified OK$/gm)].length, 4);
  // they are no ornament: one byte of the content, and they fail
  const apk = readFileSync(at('app.apk'));
  apk[600_000] = 6;
  writeFileSync(at('app.apk'), apk);
  t.throws(run);
});
