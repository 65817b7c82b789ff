// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import test from 'ava';
import { packageRoot } from '../../src/inputs/package-files.js';

function verify(...args: readonly string[]) {
  const main = path.join(packageRoot(), 'dist/bin/main.js');
  return spawnSync(process.execPath, [main, ...args], {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'] },
  });
}

test('image --help names the positional, the option and examples', (t) => {
  const { status, stdout } = verify('image', '--help');
  t.is(status, 0);
  t.regex(stdout, /verify image \[name\]/);
  t.regex(stdout, /--update/);
  t.regex(stdout, /verify image debian-12 --update/);
});

test('an image that has no lock: 64, told on standard error, as data with --json', (t) => {
  const plain = verify('image', 'debian-99');
  t.is(plain.status, 64);
  t.is(plain.stdout, '');
  t.regex(plain.stderr, /error \[unknown-image\] there is no lock of an image "debian-99"/);
  const { status, stdout } = verify('image', 'debian-99', '--json');
  t.is(status, 64);
  const told = JSON.parse(stdout) as { readonly error: { readonly code: string } };
  t.is(told.error.code, 'unknown-image');
});
