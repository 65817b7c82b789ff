// SPDX-License-Identifier: Apache-2.0
/**
 * Files of the other machine, brought here: each is digested there, counted and digested here, and taken only when both
 * agree. A link is no output, nor is what lies below one.
 */
import { createHash } from 'node:crypto';
import { createReadStream, promises as fs } from 'node:fs';
import path from 'node:path';
import { FailedHere } from '../../errors.js';
import type { BuildPlan } from '../../model.js';
import type { OutputSource } from '../outputs.js';
import type { TakenFile } from '../tar-read.js';
import { TreeReader } from '../tree-read.js';
import type { SshClient } from './ssh-client.js';

export interface RemoteTree {
  readonly client: SshClient;
  readonly plan: BuildPlan;
  /** Without a link in it. */
  readonly tree: string;
  /** Of this run, here. */
  readonly temporaryDirectory: string;
  readonly signal: AbortSignal | undefined;
}

const LOOK = String.raw`
above=$(dirname "$file")
if ! [ -L "$file" ] && ! [ -e "$file" ]; then echo 'is absent'
elif [ -L "$file" ] || [ "$(cd "$above" && pwd -P)" != "$above" ]; then echo 'is link'
elif [ -f "$file" ]; then echo "is file $(bytes "$file") $(digest < "$file")"
elif [ -d "$file" ]; then echo 'is directory'
else echo 'is other'; fi
`;

const PACK = String.raw`
rm -f "$root/out.tar"
COPYFILE_DISABLE=1 tar -cf "$root/out.tar" -C "$(dirname "$file")" -- "$(basename "$file")"
echo "is file $(bytes "$root/out.tar") $(digest < "$root/out.tar")"
`;

const LIST = String.raw`
if [ -d "$directory" ] && [ "$(cd "$directory" && pwd -P)" = "$directory" ]; then
  cd "$directory"
  find . ! -name . -prune -print0
fi
`;
/** No build leaves so many names beside its outputs. */
const LIST_BYTES = 1 << 20;
/** For what a tar archive has beside its files. */
const TAR_BYTES = 64 << 20;

type Look =
  ({ readonly kind: 'file' } & TakenFile) | { readonly kind: 'absent' | 'link' | 'directory' | 'other' };

export class RemoteOutputs implements OutputSource {
  readonly #from: RemoteTree;
  readonly #before = new Map<string, ReadonlySet<string>>();

  constructor(from: RemoteTree) {
    this.#from = from;
  }

  /** What lies beside the outputs before the build begins. */
  async remember(directories: readonly string[]): Promise<void> {
    for (const directory of directories) this.#before.set(directory, new Set(await this.#names(directory)));
  }

  async take(
    from: string,
    to: string,
    maxBytes: number,
  ): Promise<TakenFile | { readonly refused: string } | undefined> {
    const file = this.#there(from);
    const look = await this.#look(file);
    if (look.kind === 'absent') return undefined;
    if (look.kind === 'link') return { refused: 'a link, or below one' };
    if (look.kind !== 'file') return { refused: 'no regular file' };
    if (look.size > maxBytes) return { refused: `a file of ${look.size} bytes, at most ${maxBytes}` };
    await bring(this.#from.client, { file }, 'cat "$file"', to, look, this.#from.signal);
    return { size: look.size, sha256: look.sha256 };
  }

  async takeTree(
    from: string,
    into: string,
    bounds: Parameters<OutputSource['takeTree']>[2],
  ): ReturnType<OutputSource['takeTree']> {
    const file = this.#there(from);
    const look = await this.#look(file);
    if (look.kind === 'absent') return undefined;
    if (look.kind === 'link') return { refused: 'a link, or below one' };
    if (look.kind !== 'directory') return { refused: 'no directory' };
    const { client, plan, temporaryDirectory, signal } = this.#from;
    const packed = lookIn(
      await client.checked('pack an output', { file }, PACK, { signal, timeoutMs: 30 * 60_000 }),
    );
    if (packed.kind !== 'file')
      throw new FailedHere('transfer-damaged', 'the remote machine packed no output');
    const most = plan.environment.diskMiB * 2 ** 20 + TAR_BYTES;
    if (packed.size > most)
      throw new FailedHere('output-refused', `an output of ${packed.size} bytes, at most ${most}`);
    const archive = path.join(temporaryDirectory, 'output.tar');
    try {
      await bring(client, {}, 'cat "$root/out.tar"', archive, packed, signal);
      const reader = new TreeReader(path.posix.basename(file), into, bounds);
      for await (const chunk of createReadStream(archive)) await reader.push(chunk as Buffer);
      return await reader.end();
    } finally {
      await fs.rm(archive, { force: true });
    }
  }

  async added(directories: readonly string[]): Promise<readonly string[]> {
    const found: string[] = [];
    for (const directory of directories) {
      const before = this.#before.get(directory);
      found.push(
        ...(await this.#names(directory))
          .filter((name) => before?.has(name) !== true)
          .map((name) => path.posix.join(directory, name)),
      );
    }
    return found.sort();
  }

  #there(inside: string): string {
    const { plan, tree } = this.#from;
    return path.posix.join(tree, path.posix.relative(plan.environment.directory, inside));
  }

  async #look(file: string): Promise<Look> {
    const { client, signal } = this.#from;
    return lookIn(
      await client.checked('look at an output', { file }, LOOK, { signal, timeoutMs: 30 * 60_000 }),
    );
  }

  async #names(directory: string): Promise<readonly string[]> {
    const { client, signal } = this.#from;
    const there = this.#there(directory);
    const text = await client.checked('list a directory', { directory: there }, LIST, {
      signal,
      captureBytes: LIST_BYTES,
    });
    return text
      .split('\0')
      .flatMap((name) => (name.startsWith('./') ? [name.slice(2)] : []))
      .filter((name) => !/[\p{Cc}\ufffd/]/u.test(name));
  }
}

function lookIn(text: string): Look {
  const [, kind, size, sha256] =
    /^is (?:(absent|link|directory|other)|file (\d{1,15}) ([0-9a-f]{64}))$/m.exec(text) ?? [];
  if (size !== undefined && sha256 !== undefined) return { kind: 'file', size: Number(size), sha256 };
  if (kind === 'absent' || kind === 'link' || kind === 'directory' || kind === 'other') return { kind };
  throw new FailedHere('transfer-damaged', 'the remote machine does not say what an output is');
}

/**
 * A file as it was told: so many bytes, with this digest.
 * @throws FailedHere `transfer-damaged`
 */
export async function bring(
  client: SshClient,
  values: Readonly<Record<string, string>>,
  body: string,
  to: string,
  told: TakenFile,
  signal: AbortSignal | undefined,
): Promise<void> {
  await client.download(values, body, to, told.size, signal);
  const hash = createHash('sha256');
  let size = 0;
  for await (const chunk of createReadStream(to)) {
    hash.update(chunk as Buffer);
    size += (chunk as Buffer).length;
  }
  const sha256 = hash.digest('hex');
  if (size === told.size && sha256 === told.sha256) return;
  await fs.rm(to, { force: true });
  throw new FailedHere(
    'transfer-damaged',
    `a file of ${told.size} bytes with SHA-256 ${told.sha256} came as ${size} bytes with ${sha256}`,
    { hint: 'something there changes it, or the machine says what is not true' },
  );
}
