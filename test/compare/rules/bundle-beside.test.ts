// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { BufferSource } from '../../../src/bytes.js';
import { countIn, entriesIn, isBundle } from '../../../src/compare/rules/bundle-beside.js';
import { readZip } from '../../../src/formats/zip.js';
import { buildZip } from '../../helpers/build-zip.js';

const zipOf = (...names: readonly string[]) =>
  readZip(new BufferSource(buildZip(names.map((name) => ({ name, data: '' })))));

test('a bundle has an Info.plist right in it', (t) => {
  const zip = zipOf('A.app/Info.plist', 'B.app/x/Info.plist', 'C.app/Info.plistx', 'D.app/Info.plis');
  t.true(isBundle(zip, 'A.app/'));
  for (const other of ['A.ap/', 'B.app/', 'C.app/', 'D.app/', 'A.app/x/'])
    t.false(isBundle(zip, other), other);
});

test('entries in a directory at any depth, without itself and its neighbours', (t) => {
  const zip = zipOf('S', 'S-1', 'S.', 'S/', 'S/a', 'S/b/c', 'S/\u007f', 'S0', 'T/a');
  t.is(countIn(zip, 'S/'), 3);
  t.is(countIn(zip, 'S/b/'), 1);
  t.is(countIn(zip, 'T/'), 1);
  t.is(countIn(zip, 'R/'), 0);
  t.is(countIn(zip, 'U/'), 0);
  t.deepEqual(
    entriesIn(zip, 'S/').map(({ rawName }) => rawName.toString()),
    ['S/a', 'S/b/c', 'S/\u007f'],
  );
});

test('as many questions as entries take no time that grows with their product', (t) => {
  const names = Array.from({ length: 20_000 }, (_, at) => `A.app/SC_Info/${at}.sinf`);
  const zip = zipOf(...names);
  let count = 0;
  for (const _ of names) count += countIn(zip, 'A.app/SC_Info/');
  t.is(count, names.length ** 2);
});
