// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { execFileSync } from 'node:child_process';
import test from 'ava';
import { BufferSource } from '../../../src/bytes.js';
import { readZip } from '../../../src/formats/zip.js';
import { packSplits } from '../../../src/inputs/channels/pack-splits.js';
import { need } from '../../helpers/need.js';
import { temporaryDirectory } from '../../helpers/temp-directory.js';

test('a directory is one archive of stored files, the same bytes whenever it is packed', async (t) => {
  if (!need(t, 'unzip')) return;
  const at = temporaryDirectory(t);
  const given = path.join(at, 'given');
  mkdirSync(path.join(given, 'obb'), { recursive: true });
  const contents = { 'base.apk': 'b'.repeat(3 << 20), 'empty.dm': '', 'obb/ü.obb': 'obb' };
  for (const [name, text] of Object.entries(contents)) writeFileSync(path.join(given, name), text);
  await packSplits(given, path.join(at, 'one.apks'));
  utimesSync(path.join(given, 'base.apk'), 1, 1);
  await packSplits(given, path.join(at, 'two.apks'));
  const bytes = readFileSync(path.join(at, 'one.apks'));
  t.deepEqual(bytes, readFileSync(path.join(at, 'two.apks')));
  const { entries } = readZip(new BufferSource(bytes));
  t.deepEqual(
    entries.map(({ rawName, method, size }) => [rawName.toString(), method, size]),
    Object.entries(contents).map(([name, text]) => [name, 0, text.length]),
  );
  t.regex(
    execFileSync('unzip', ['-t', path.join(at, 'one.apks')], { encoding: 'utf8' }),
    /No errors detected/,
  );
});
