// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { debianMirror, mainArchive } from '../../../src/inputs/debian/debian-mirror.js';
import { need, without } from '../../helpers/need.js';
import { temporaryDirectory } from '../../helpers/temp-directory.js';

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

/** What apt prints for a machine with these lists. */
function printed(t: ExecutionContext, lists: Readonly<Record<string, string>>): string {
  const parts = temporaryDirectory(t);
  for (const [name, text] of Object.entries(lists)) writeFileSync(path.join(parts, name), text);
  const options = [
    `Dir::State::lists=${parts}/no/`,
    'Dir::Etc::sourcelist=-',
    `Dir::Etc::sourceparts=${parts}`,
  ];
  const args = ['update', '--print-uris', ...options.flatMap((option) => ['-o', option])];
  try {
    return execFileSync('apt-get', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  } catch (error) {
    // a method that is not there: the others are printed all the same
    return (error as { readonly stdout: string }).stdout;
  }
}

test('an archive of another publisher is not Debian’s, wherever it is listed', (t) => {
  if (!need(t, 'apt-get')) return;
  const debian = (uri: string): string =>
    `Types: deb\nURIs: ${uri}\nSuites: bookworm bookworm-updates\nComponents: main contrib\n`;
  const others = [
    'deb https://docker.example.org/linux/debian bookworm stable',
    'deb [trusted=yes] http://vpn.example.org/stable/debian bookworm main',
    'deb cdrom:[Debian]/ bookworm main',
    'deb mirror+file:/etc/apt/mirrors.list bookworm main',
    'deb tor+http://onion.example.org/debian bookworm main',
    'deb http://flat.example.org/debian ./',
  ].join('\n');
  for (const name of ['a.list', 'z.list']) {
    const found = mainArchive(
      printed(t, { [name]: `${others}\n`, 'm.sources': debian('http://two.example.org/debian') }),
    );
    t.is(found, 'http://two.example.org/debian', name);
  }
  // the first one listed, also of those that lie deeper
  const [first, second] = ['http://one.example.org/pub/debian', 'http://two.example.org/pub/debian/'];
  t.is(mainArchive(printed(t, { 'a.sources': debian(first), 'b.sources': debian(second) })), first);
  t.is(mainArchive(printed(t, { 'a.list': `${others.split('\n')[0] ?? ''}\n` })), undefined);
  t.is(mainArchive(''), undefined);
});
