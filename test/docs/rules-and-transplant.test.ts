// SPDX-License-Identifier: Apache-2.0
/** What the pages in `docs/` list is what the code has. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { rules } from '../../src/compare/rules/index.js';
import { RULE_NAMES } from '../../src/model.js';
import { makeKey, signWithApksigner } from '../helpers/apksigner.js';
import { buildZip } from '../helpers/build-zip.js';
import { packageDirectory } from '../helpers/cli.js';
import { need } from '../helpers/need.js';
import { temporaryDirectory } from '../helpers/temp-directory.js';

const page = (name: string): string => readFileSync(path.join(packageDirectory, 'docs', name), 'utf8');

test('rules.md has each rule once, with its class', (t) => {
  const rows = [...page('rules.md').matchAll(/^\| `([a-z-]+)` \| (signature|store-edit) \|/gm)];
  t.deepEqual(
    rows.map(([, name, ruleClass]) => [name, ruleClass]).sort(),
    RULE_NAMES.map((name) => [name, rules[name].class]).sort(),
  );
});

const BY_HAND = [...page('transplant.md').matchAll(/^### (.*)\n[\s\S]*?```sh\n([\s\S]*?)```/gm)];
const WITHOUT_V1 = [{ v2: true, v3: true }];
const WITH_V1 = [
  { v1: true, v2: false },
  { v1: true, v2: true, v3: true },
];

for (const [at, schemes] of [WITHOUT_V1, WITH_V1].entries())
  test(`transplant.md: the published file made by hand, ${BY_HAND[at]?.[1] ?? ''}`, (t) => {
    if (!need(t, 'apksigner', 'openssl', 'unzip', 'xxd')) return;
    t.is(BY_HAND.length, 2);
    const commands = BY_HAND[at]?.[2] ?? '';
    const cwd = temporaryDirectory(t);
    const unsigned = buildZip([
      { name: 'AndroidManifest.xml', data: 'manifest' },
      { name: 'classes.dex', data: 'code'.repeat(100) },
    ]);
    writeFileSync(path.join(cwd, 'rebuilt.apk'), unsigned);
    const key = makeKey(cwd, 'k');
    for (const scheme of schemes) {
      const signed = signWithApksigner(cwd, unsigned, { keys: [key], minSdk: 21, ...scheme });
      writeFileSync(path.join(cwd, 'published.apk'), signed);
      const directory = signed.readUInt32LE(signed.length - 6);
      const run = (): Buffer =>
        execFileSync('bash', ['-eu', '-c', commands], {
          cwd,
          env: { ...process.env, APK: 'published.apk', REBUILT: 'rebuilt.apk', DIRECTORY: String(directory) },
          stdio: 'pipe',
        });
      t.notThrows(run);
      t.deepEqual(readFileSync(path.join(cwd, 'made.apk')), signed);
      const tampered = Buffer.from(signed);
      tampered[40] = (tampered[40] ?? 0) ^ 1;
      writeFileSync(path.join(cwd, 'published.apk'), tampered);
      t.throws(run);
    }
  });

test('transplant.md: an entry of another name beside those of the signature', (t) => {
  if (!need(t, 'unzip', 'xxd')) return;
  const cwd = temporaryDirectory(t);
  const members = [{ name: 'classes.dex', data: 'code'.repeat(100) }];
  const published = buildZip([
    ...members,
    { name: 'META-INF/A.SF', data: 'a' },
    { name: 'lib/a.so', data: 'b' },
  ]);
  writeFileSync(path.join(cwd, 'published.apk'), published);
  writeFileSync(path.join(cwd, 'rebuilt.apk'), buildZip(members));
  t.throws(() =>
    execFileSync('bash', ['-eu', '-c', BY_HAND[1]?.[2] ?? ''], {
      cwd,
      env: {
        ...process.env,
        APK: 'published.apk',
        REBUILT: 'rebuilt.apk',
        DIRECTORY: String(published.readUInt32LE(published.length - 6)),
      },
      stdio: 'pipe',
    }),
  );
});
