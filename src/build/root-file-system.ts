// SPDX-License-Identifier: Apache-2.0
/** The root file system of a locked image: made once, kept by the digest of the packages that are really in it. */
import { createHash, randomBytes } from 'node:crypto';
import { createReadStream, promises as fs } from 'node:fs';
import path from 'node:path';
import { digestOf } from '../canonical-json.js';
import type { OnProgress, Sha256 } from '../model.js';
import { withLock } from '../owned-lock.js';
import { bootstrap, cleaning } from './bootstrap.js';
import type { RootFileSystem } from './executor.js';
import { lockDigest, readLock, type ImageLock } from './image-lock.js';
import { obtainPackages, type ObtainedPackages, type PackageArchive } from './image-packages.js';

export interface RootFileSystemOptions {
  readonly packageRoot: string;
  readonly cache: string;
  readonly archive: PackageArchive;
  readonly signal?: AbortSignal;
  readonly onProgress?: OnProgress;
}

export interface BaseImage extends RootFileSystem {
  readonly name: string;
  readonly size: number;
  readonly packages: number;
}

/**
 * @throws UsageError `unknown-image`, `lock-invalid`
 * @throws FailedHere `missing-tool`, `network`, `mirror-incomplete`, `prepare-failed`, `disk-full`, `interrupted`
 */
export async function rootFileSystem(name: string, options: RootFileSystemOptions): Promise<BaseImage> {
  const lock = await readLock(options.packageRoot, name);
  const started = performance.now();
  options.onProgress?.({ kind: 'phase-started', phase: 'image', title: `base image ${name}` });
  const made = await rootFileSystemOf(lock, options);
  const seconds = (performance.now() - started) / 1000;
  options.onProgress?.({
    kind: 'phase-finished',
    phase: 'image',
    seconds,
    outcome: `${lock.packages.length} packages`,
  });
  return { name, ...made };
}

export async function rootFileSystemOf(
  lock: ImageLock,
  { cache, archive, signal, onProgress }: Omit<RootFileSystemOptions, 'packageRoot'>,
): Promise<Omit<BaseImage, 'name'>> {
  const options = {
    ...(signal === undefined ? {} : { signal }),
    ...(onProgress === undefined ? {} : { onProgress }),
  };
  const lockSha256 = lockDigest(lock);
  const about = (slot: Slot, found: Made, { deviations }: Pick<ObtainedPackages, 'deviations'>) => ({
    path: slot.tar,
    ...found,
    lockSha256,
    deviations,
    packages: lock.packages.length,
  });
  // everything as locked: nothing needs to be asked for
  const asLocked = slotFor(cache, lock, lock.packages);
  const known = await recall(asLocked);
  if (known !== undefined) return about(asLocked, known, { deviations: [] });

  const obtained = await obtainPackages(lock, archive, options);
  const slot = slotFor(cache, lock, obtained.packages);
  // two that make the same image at once would only take each other's processors
  return await withLock(
    `${slot.tar}.lock`,
    async () => {
      const before = await recall(slot);
      if (before !== undefined) return about(slot, before, obtained);
      await bootstrap(lock, obtained.packages, slot.tar, options);
      const made = await digestOfFile(slot.tar);
      await remember(slot, made);
      return about(slot, made, obtained);
    },
    {
      signal,
      onWait: ({ pid }) =>
        onProgress?.({
          kind: 'note',
          text: `image: waiting for process ${pid ?? 'unknown'}, which makes it`,
        }),
    },
  );
}

export interface Slot {
  readonly tar: string;
  readonly record: string;
}

interface Made {
  readonly sha256: Sha256;
  readonly size: number;
}

/** Where the root file system of these packages is kept. */
export function slotFor(cache: string, lock: ImageLock, packages: ImageLock['packages']): Slot {
  const { architecture, sourceDateEpoch } = lock;
  const digests = packages.map(({ sha256 }) => sha256).sort();
  // what is done after the packages were installed makes another image too
  const key = digestOf({ architecture, sourceDateEpoch, cleaning: cleaning(lock), packages: digests });
  const base = path.join(cache, 'images', key);
  return { tar: `${base}.tar`, record: `${base}.json` };
}

/** What is kept is believed only after it was hashed again; whoever makes room sees before that it is used. */
async function recall({ tar, record }: Slot): Promise<Made | undefined> {
  const text = await fs.readFile(record, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const now = new Date();
  await fs.utimes(record, now, now).catch(() => undefined);
  const found = await digestOfFile(tar).catch(() => undefined);
  return found !== undefined && JSON.stringify(found) === text ? found : undefined;
}

async function remember({ record }: Slot, made: Made): Promise<void> {
  const part = `${record}.part-${process.pid}-${randomBytes(4).toString('hex')}`;
  await fs.writeFile(part, JSON.stringify(made));
  await fs.rename(part, record);
}

async function digestOfFile(file: string): Promise<Made> {
  const hash = createHash('sha256');
  let size = 0;
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
    hash.update(chunk);
    size += chunk.length;
  }
  return { sha256: hash.digest('hex'), size };
}
