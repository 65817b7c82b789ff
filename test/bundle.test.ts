// SPDX-License-Identifier: Apache-2.0
/** The command line in a few files, as it is installed, says what the one that is tested says. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { commandLine, packageDirectory } from './helpers/cli.js';

const APK = path.join(packageDirectory, 'node_modules/settings-apk/apks/settings_apk-debug.apk');
const OTHER = path.join(packageDirectory, 'node_modules/settings-apk-previous/apks/settings_apk-debug.apk');

for (const args of [
  ['--help'],
  ['--version'],
  ['compare', '--help'],
  ['recipes'],
  ['plan', 'telegram-android', '10.x'],
  ['compare', APK],
  ['compare', APK, OTHER, '--no-such-option'],
  ['compare', '--quiet', APK, OTHER],
  ['comprae', 'x', 'y'],
])
  test(`${args.map((arg) => path.basename(arg)).join(' ')}: the same from both`, (t) => {
    const main = path.join(packageDirectory, 'dist/src/cli/main.js');
    const [bundled, apart] = [commandLine(t)(...args), commandLine(t, main)(...args)];
    t.deepEqual(bundled, apart);
    t.not(bundled.stdout + bundled.stderr, '');
  });

test('all that is started by its path lies there', (t) => {
  const sources = readdirSync(path.join(packageDirectory, 'src'), { recursive: true, encoding: 'utf8' });
  const started = sources
    .filter((file) => file.endsWith('.ts'))
    .flatMap((file) => [
      ...readFileSync(path.join(packageDirectory, 'src', file), 'utf8').matchAll(
        /'\.\/([\w-]+\.js)', import\.meta/g,
      ),
    ])
    .map(([, name]) => name ?? '');
  t.true(started.length >= 3, started.join());
  const there = readdirSync(path.join(packageDirectory, 'dist/bin'));
  for (const name of started) t.true(there.includes(name), name);
});

test('what was put in has its licence beside it', (t) => {
  const licences = readFileSync(path.join(packageDirectory, 'dist/bin/LICENSES.txt'), 'utf8');
  for (const name of [
    'yargs',
    'yargs-parser',
    'cliui',
    'y18n',
    'zod',
    'yaml',
    'execa',
    'pako',
    'node-stream-zip',
  ])
    t.regex(licences, new RegExp(`^${name} \\d+\\.\\d+\\.\\d+$`, 'm'));
});
