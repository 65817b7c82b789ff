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

test('transplant.md: the published file made by hand', (t) => {
  if (!need(t, 'apksigner', 'openssl', 'xxd')) return;
  const cwd = temporaryDirectory(t);
  const unsigned = buildZip([
    { name: 'AndroidManifest.xml', data: 'manifest' },
    { name: 'classes.dex', data: 'code'.repeat(100) },
  ]);
  const signed = signWithApksigner(cwd, unsigned, { keys: [makeKey(cwd, 'k')], v2: true, v3: true });
  writeFileSync(path.join(cwd, 'published.apk'), signed);
  writeFileSync(path.join(cwd, 'rebuilt.apk'), unsigned);
  const [, commands = ''] = /## By hand[\s\S]*?```sh\n([\s\S]*?)```/.exec(page('transplant.md')) ?? [];
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
});
