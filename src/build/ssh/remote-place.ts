// SPDX-License-Identifier: Apache-2.0
/** The directories of a run on the other machine: made, filled from a checked archive, kept as they were before the build, removed. */
import { createHash } from 'node:crypto';
import { FailedHere } from '../../errors.js';
import { run } from '../../process.js';
import type { PrepareRequest } from '../executor.js';
import { treeItems } from '../source-tar.js';
import { tarStream } from '../tar-write.js';
import type { SshClient } from './ssh-client.js';

export interface RemotePlace {
  /** Of the run: everything of ours lies below it, but for a tree that the plan puts elsewhere. */
  readonly root: string;
  readonly tree: string;
  /** For the phases: the account's own, where a machine of another system needs it. */
  readonly home: string;
}

const MAKE = String.raw`
if ! [ -d "$base" ]; then mkdir -m 700 "$base" || [ -d "$base" ]; fi
if ! [ -d "$root" ]; then mkdir -m 700 "$root"; fi
mkdir -p "$root/source" "$root/home" "$root/tmp"
root=$(cd "$root" && pwd -P)
if [ -n "$outside" ]; then
  if [ -e "$root/outside" ]; then tree=$outside
  else
    above=$(dirname "$outside")
    if [ -e "$outside" ] || [ -L "$outside" ]; then echo 'place taken'; exit 0; fi
    if ! [ -d "$above" ] || ! [ -w "$above" ]; then echo 'place closed'; exit 0; fi
    mkdir "$outside"
    : > "$root/outside"
  fi
  tree=$(cd "$outside" && pwd -P)
else
  mkdir -p "$root/source/$name"
  tree=$root/source/$name
fi
echo "root $root"
echo "tree $tree"
`;

/** @throws FailedHere `host-differs` where the plan's own path is taken or cannot be made */
export async function makePlace(
  client: SshClient,
  request: PrepareRequest,
  outside: string | undefined,
  home: string,
): Promise<RemotePlace> {
  const { plan, signal } = request;
  const name = plan.environment.directory.split('/').at(-1) ?? 'tree';
  const text = await client.checked('make its directories', { outside: outside ?? '', name }, MAKE, {
    signal,
  });
  const [, trouble] = /^place (taken|closed)$/m.exec(text) ?? [];
  if (trouble === 'taken')
    throw new FailedHere(
      'host-differs',
      `${outside ?? ''} exists on the remote machine, where the plan puts the source`,
      {
        hint: 'move it away; the path can be part of what is built',
      },
    );
  if (trouble === 'closed')
    throw new FailedHere('host-differs', `the account cannot make ${outside ?? ''} on the remote machine`, {
      hint: 'make the directory above it, writable for the account',
    });
  const [, root] = /^root (\/.*)$/m.exec(text) ?? [];
  const [, tree] = /^tree (\/.*)$/m.exec(text) ?? [];
  if (root === undefined || tree === undefined || (outside !== undefined && tree !== outside))
    throw new FailedHere(
      'host-differs',
      `the remote machine has another path than ${outside ?? 'its own'} for the source`,
    );
  return { root, tree, home: outside === undefined ? `${root}/home` : home };
}

const UNPACK = String.raw`
archive=$root/source.tar
if [ "$(bytes "$archive")" != "$size" ] || [ "$(digest < "$archive")" != "$sha256" ]; then
  echo 'archive differs'
  exit 0
fi
tar -xf "$archive" -C "$tree"
rm -f "$archive"
echo 'archive unpacked'
`;
const UPLOADS = 3;

/** The source, as an archive whose digest is checked there before anything of it is unpacked. */
export async function sendSource(
  client: SshClient,
  request: PrepareRequest,
  place: RemotePlace,
): Promise<void> {
  const { source, signal, run: name } = request;
  if (source === undefined)
    throw new FailedHere('plan-unresolved', 'a Debian source is fetched inside a container');
  for (let attempt = 1; ; attempt++) {
    const sent = await client.again({ signal }, async () => {
      const hash = createHash('sha256');
      let size = 0;
      const archive = async function* () {
        const items = treeItems(source.directory, {
          uid: 0,
          gid: 0,
          prefix: '',
          mtime: source.commitTime,
          ...(signal === undefined ? {} : { signal }),
        });
        for await (const chunk of tarStream(items)) {
          hash.update(chunk);
          size += chunk.length;
          yield chunk;
        }
      };
      const result = await run('ssh', client.command('dd', `of=.samesource/${name}/source.tar`, 'bs=65536'), {
        env: client.environment(),
        input: archive(),
        ...(signal === undefined ? {} : { signal }),
      });
      const code = client.codeOf(result);
      if (code !== 0) throw new FailedHere('disk-full', 'the remote machine could not take the source');
      return { size: String(size), sha256: hash.digest('hex') };
    });
    const text = await client.checked('unpack the source', { ...sent, tree: place.tree }, UNPACK, {
      signal,
      timeoutMs: 60 * 60_000,
    });
    if (/^archive unpacked$/m.test(text)) return;
    if (attempt >= UPLOADS)
      throw new FailedHere(
        'transfer-damaged',
        `the source does not arrive there as it was sent (SHA-256 ${sent.sha256})`,
      );
  }
}

/** The tree before the build phase, from which every build starts anew. */
export async function freeze(
  client: SshClient,
  place: RemotePlace,
  signal: AbortSignal | undefined,
): Promise<void> {
  const body = 'erase "$root/prepared"\ncp -RPp "$tree" "$root/prepared"\n';
  await client.checked('keep the prepared tree', { tree: place.tree }, body, {
    signal,
    timeoutMs: 60 * 60_000,
  });
}

/** The tree itself stays where it is: it may lie in a directory in which the account can make nothing. */
const THAW = String.raw`
if [ -d "$tree" ] && ! [ -L "$tree" ]; then
  find "$tree" -type d ! -perm -700 -exec chmod u+rwx {} +
  (cd "$tree" && find . ! -name . -prune -exec rm -rf {} +)
fi
mkdir -p "$tree"
cp -RPp "$root/prepared/." "$tree/"
erase "$root/home"
erase "$root/tmp"
mkdir "$root/home" "$root/tmp"
`;

export async function thaw(
  client: SshClient,
  place: RemotePlace,
  signal: AbortSignal | undefined,
): Promise<void> {
  await client.checked('restore the prepared tree', { tree: place.tree }, THAW, {
    signal,
    timeoutMs: 60 * 60_000,
  });
}

/** Ends what runs there and removes all of the run. `outside`: only where the run itself made it. */
export const REMOVE = String.raw`
for state in "$root"/*/; do
  end_phase "$state"
  end_group "$state/supervisor" KILL
  end_group "$state/dog" KILL
done
if [ -n "$outside" ] && [ -e "$root/outside" ]; then erase "$outside"; fi
erase "$root"
rmdir "$base" 2> /dev/null || :
`;
