// SPDX-License-Identifier: Apache-2.0
/** The packages of a lock, fetched and checked; one that the archive holds no more is replaced by its current version, and named. */
import { createHash } from 'node:crypto';
import { promises as fs } from 'node:fs';
import { FailedHere } from '../errors.js';
import type { Deviation, OnProgress } from '../model.js';
import type { ImageLock, LockedPackage } from './image-lock.js';

/** Where packages come from. This room reaches nothing outside by itself. */
export interface PackageArchive {
  /** A file with the size and digest of the lock, or that it is gone. */
  fetch(
    locked: LockedPackage,
    signal?: AbortSignal,
  ): Promise<
    { readonly kind: 'done'; readonly path: string } | { readonly kind: 'gone'; readonly status: number }
  >;
  /** What the archive's signed index lists now of these names; the newest where it lists several. */
  current(lock: ImageLock, names: readonly string[], signal?: AbortSignal): Promise<readonly LockedPackage[]>;
}

export interface ObtainedPackage extends LockedPackage {
  /** Of the file on this machine, not to be changed. */
  readonly file: string;
}

export interface ObtainedPackages {
  readonly packages: readonly ObtainedPackage[];
  /** One of code `image-drift` for each package that had to be replaced. */
  readonly deviations: readonly Deviation[];
}

const AT_ONCE = 4;

/** @throws FailedHere `mirror-incomplete` for other bytes than locked, or a package that nobody lists any more */
export async function obtainPackages(
  lock: ImageLock,
  archive: PackageArchive,
  options: { readonly signal?: AbortSignal; readonly onProgress?: OnProgress } = {},
): Promise<ObtainedPackages> {
  const { signal, onProgress } = options;
  const obtained: ObtainedPackage[] = [];
  const gone: LockedPackage[] = [];
  for (let at = 0; at < lock.packages.length; at += AT_ONCE) {
    const batch = lock.packages.slice(at, at + AT_ONCE).map((locked) => obtain(locked, archive, signal));
    for (const { locked, file } of await Promise.all(batch))
      if (file === undefined) gone.push(locked);
      else obtained.push({ ...locked, file });
    onProgress?.({
      kind: 'phase-progress',
      phase: 'image',
      done: Math.min(at + AT_ONCE, lock.packages.length),
      total: lock.packages.length,
      unit: 'files',
    });
  }
  if (gone.length === 0) return { packages: obtained, deviations: [] };

  const current = await archive.current(
    lock,
    gone.map(({ name }) => name),
    signal,
  );
  const deviations: Deviation[] = [];
  for (const locked of gone) {
    const now = current.find(({ name }) => name === locked.name);
    if (now === undefined)
      throw new FailedHere(
        'mirror-incomplete',
        `the archive holds ${locked.name} ${locked.version} of the image's lock no more, and lists no other version`,
        { hint: 'renew the lock: verify image --update' },
      );
    const { file } = await obtain(now, archive, signal);
    if (file === undefined)
      throw new FailedHere(
        'mirror-incomplete',
        `the signed index lists ${now.name} ${now.version} (${now.path}), but the mirror does not have it`,
        { hint: 'the mirror may be in the middle of an update: try again later, or name another one' },
      );
    obtained.push({ ...now, file });
    deviations.push({
      code: 'image-drift',
      what: `package ${locked.name} of the base image is ${now.version} instead of ${locked.version}`,
      reason: 'the archive holds the locked version no more',
      canChangeOutput: 'unknown',
    });
  }
  return { packages: obtained.toSorted((one, other) => (one.name < other.name ? -1 : 1)), deviations };
}

/** `file` is undefined when the archive has it no more. */
async function obtain(
  locked: LockedPackage,
  archive: PackageArchive,
  signal: AbortSignal | undefined,
): Promise<{ readonly locked: LockedPackage; readonly file: string | undefined }> {
  if (signal?.aborted === true)
    throw new FailedHere('interrupted', 'interrupted while fetching packages of the image');
  const fetched = await archive.fetch(locked, signal);
  if (fetched.kind === 'gone') return { locked, file: undefined };
  // whatever fetched it: nothing goes into an image without this check
  const bytes = await fs.readFile(fetched.path);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  if (bytes.length !== locked.size || sha256 !== locked.sha256)
    throw new FailedHere(
      'mirror-incomplete',
      `package ${locked.name} ${locked.version}: ${bytes.length} bytes with SHA-256 ${sha256}, the lock says ${locked.size} and ${locked.sha256}`,
      {
        hint: 'the mirror delivers something else than what was locked: name another one in SAMESOURCE_DEBIAN_MIRROR',
      },
    );
  return { locked, file: fetched.path };
}
