// SPDX-License-Identifier: Apache-2.0
/** The programs that we are measured against, and the versions of them that are here. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export type Peer =
  | 'sha256sum'
  | 'python3'
  | 'apksigcopier'
  | 'apksigner'
  | 'apksigner-v1'
  | 'copy-and-verify'
  | 'copy-and-verify-v1'
  | 'diffoscope'
  | 'hash-and-test'
  | 'unzip'
  | 'cmp';

/** The interpreter itself: a version manager's shim in front of it would be measured too. */
const PYTHON = existsSync('/usr/bin/python3') ? '/usr/bin/python3' : 'python3';
// from dist/bench back to bench
const LOOP = fileURLToPath(new URL('../../bench/python-zipfile-loop.py', import.meta.url));

export const PEERS: Readonly<Record<Peer, { readonly title: string; readonly version: readonly string[] }>> =
  {
    sha256sum: { title: '`sha256sum` of both', version: ['sha256sum', '--version'] },
    python3: { title: 'Python `zipfile` loop', version: [PYTHON, '--version'] },
    apksigcopier: { title: '`apksigcopier compare`', version: ['apksigcopier', '--version'] },
    apksigner: { title: '`apksigner verify`', version: ['apksigner', '--version'] },
    // for versions of Android that look at it, since it leaves v1 out otherwise
    'apksigner-v1': {
      title: '`apksigner verify --min-sdk-version 21`',
      version: ['apksigner', '--version'],
    },
    'copy-and-verify': {
      title: '`apksigcopier compare` + `apksigner verify`',
      version: ['apksigcopier', '--version'],
    },
    'copy-and-verify-v1': {
      title: '`apksigcopier compare` + `apksigner verify --min-sdk-version 21`',
      version: ['apksigcopier', '--version'],
    },
    diffoscope: { title: '`diffoscope`', version: ['diffoscope', '--version'] },
    'hash-and-test': { title: '`sha256sum` + `unzip -t` of both', version: ['unzip', '-v'] },
    unzip: { title: '`unzip -t` of both', version: ['unzip', '-v'] },
    cmp: { title: '`cmp`', version: ['cmp', '--version'] },
  };

const COPY_AND_VERIFY =
  'apksigcopier compare "$1" --unsigned "$2" && apksigner verify --min-sdk-version "$3" "$1"';

/** First line of what the peer says about itself; `undefined` when it is not here. */
export function versionOf(peer: Peer): string | undefined {
  const [program = peer, ...args] = PEERS[peer].version;
  const result = spawnSync(program, args, { encoding: 'utf8' });
  if (result.error !== undefined) return undefined;
  return (result.stdout || result.stderr).split('\n')[0]?.trim();
}

export function peerCommand(peer: Peer, a: string, b: string): readonly string[] {
  switch (peer) {
    case 'sha256sum':
      return ['sha256sum', a, b];
    case 'python3':
      return [PYTHON, LOOP, a, b];
    case 'apksigcopier':
      return ['apksigcopier', 'compare', a, '--unsigned', b];
    case 'apksigner':
      return ['apksigner', 'verify', a];
    case 'apksigner-v1':
      return ['apksigner', 'verify', '--min-sdk-version', '21', a];
    case 'copy-and-verify':
      return ['sh', '-c', COPY_AND_VERIFY, 'sh', a, b, '24'];
    case 'copy-and-verify-v1':
      return ['sh', '-c', COPY_AND_VERIFY, 'sh', a, b, '21'];
    case 'diffoscope':
      return ['diffoscope', '--no-progress', '--text', '/dev/null', a, b];
    case 'hash-and-test':
      return ['sh', '-c', 'sha256sum "$1" "$2" && unzip -tqq "$1" && unzip -tqq "$2"', 'sh', a, b];
    case 'unzip':
      return ['sh', '-c', 'unzip -tqq "$1" && unzip -tqq "$2"', 'sh', a, b];
    case 'cmp':
      return ['cmp', a, b];
  }
}
