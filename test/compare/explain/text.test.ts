// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { telling } from '../../../src/report/describe-difference.js';
import { buildAr } from '../../helpers/build-ar.js';
import { buildTar } from '../../helpers/build-tar.js';
import { compareBuffers } from '../../helpers/compare-buffers.js';

const deb = (name: string, sums: string): Buffer =>
  buildAr([
    { name: 'debian-binary', data: '2.0\n' },
    { name: 'control.tar', data: buildTar([{ name, data: sums }]) },
    { name: 'data.tar', data: buildTar([]) },
  ]);

const SUMS = [
  'd41d8cd98f00b204e9800998ecf8427e  usr/bin/a\n',
  '0cc175b9c0f1b6a831c399e269772661  usr/bin/a\n',
] as const;

test('the list of digests of a Debian package only repeats what differs elsewhere', async (t) => {
  const { pair, verdict } = await compareBuffers(deb('./md5sums', SUMS[0]), deb('./md5sums', SUMS[1]));
  t.is(verdict.kind, 'unreproducible');
  const found = pair.differences.find((difference) => difference.kind === 'text');
  t.like(found, { cause: { kind: 'derived-from-other-difference' } });
  t.is(found === undefined ? undefined : telling(found), 2);
});

test('a text of another name, or such a name elsewhere, is told for itself', async (t) => {
  for (const name of ['./control', './x/md5sums']) {
    const { pair } = await compareBuffers(deb(name, SUMS[0]), deb(name, SUMS[1]));
    const found = pair.differences.find((difference) => difference.kind === 'text');
    t.truthy(found);
    t.is(found?.cause, undefined);
    t.is(found === undefined ? undefined : telling(found), 0);
  }
});
