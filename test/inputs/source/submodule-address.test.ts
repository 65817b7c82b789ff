// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { submoduleAddress } from '../../../src/inputs/source/submodule-address.js';

const REPOSITORY = 'https://github.com/owner/app';

for (const [url, expected] of [
  ['https://github.com/owner/part.git', 'https://github.com/owner/part.git'],
  ['../part', 'https://github.com/owner/part'],
  ['git@github.com:owner/part.git', 'https://github.com/owner/part.git'],
  ['git@gitlab.com:group/sub/part', 'https://gitlab.com/group/sub/part'],
  ['ssh://git@github.com/owner/part', 'https://github.com/owner/part'],
] as const)
  test(`a submodule at ${url}`, (t) => {
    t.is(submoduleAddress(REPOSITORY, url), expected);
  });

for (const url of [
  'http://github.com/owner/part',
  'file:///etc',
  '/etc',
  'ext::sh -c touch% /tmp/x',
  '--upload-pack=evil',
  'git@github.com',
  'git@-oProxyCommand=evil:x',
  'git@host:/etc/passwd',
  'git@host/owner/part',
  'git@host:owner/part evil',
  'ssh://git@host:22/owner/part',
  'ssh://git@host//etc',
  'me@github.com:owner/part',
])
  test(`no submodule can be at ${url}`, (t) => {
    t.is(submoduleAddress(REPOSITORY, url), undefined);
  });

test('beside a local repository a local submodule may lie', (t) => {
  t.is(submoduleAddress('/srv/app', '/srv/part'), '/srv/part');
  t.is(submoduleAddress('/srv/app', './part'), '/srv/app/part');
});
