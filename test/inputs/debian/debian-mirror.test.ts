// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import test from 'ava';
import { debianMirror } from '../../../src/inputs/debian/debian-mirror.js';
import { need, without } from '../../helpers/need.js';

test('what is asked for goes before what this machine uses', async (t) => {
  const asked = 'http://mirror.example.org/debian';
  t.is(await debianMirror({ SAMESOURCE_DEBIAN_MIRROR: asked }), asked);
});

test('the archive that apt itself names', async (t) => {
  if (!need(t, 'apt-get')) return;
  const named = execFileSync('apt-get', ['indextargets', '--format', '$(SITE)'], { encoding: 'utf8' })
    .split('\n')
    .filter((site) => /^https?:.*\/debian\/?$/.test(site));
  // apt names only what it has an index of
  const [first] = named;
  if (first === undefined) return void without(t, 'an index of a Debian archive');
  t.is(await debianMirror({ SAMESOURCE_DEBIAN_MIRROR: '' }), first);
});
