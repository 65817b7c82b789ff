// SPDX-License-Identifier: Apache-2.0
/** Base images from locks of packages: made, and their locks renewed. */
import { promises as fs } from 'node:fs';
import { resolveImage } from '../build/bootstrap.js';
import {
  formatLock,
  lockDigest,
  lockFile,
  readLock,
  type ImageLock,
  type LockedPackage,
} from '../build/image-lock.js';
import type { PackageArchive } from '../build/image-packages.js';
import { rootFileSystem as makeRootFileSystem, type BaseImage } from '../build/root-file-system.js';
import { FailedHere } from '../errors.js';
import { cacheDirectory } from '../inputs/cache.js';
import { debianKeyring, type DebianContext } from '../inputs/debian/debian-archive.js';
import { lookUpDebianBinaries } from '../inputs/debian/debian-binaries.js';
import { debianMirror } from '../inputs/debian/debian-mirror.js';
import { onceIndexedDownload } from '../inputs/debian/mirror-file.js';
import { packageRoot, readLocks } from '../inputs/package-files.js';
import type { DebianBinary } from '../model.js';
import { compareVersions } from '../recipe/version.js';
import type { OperationOptions } from './options.js';

export interface ImageOptions extends OperationOptions {
  readonly packageRoot?: string;
  readonly cache?: string;
  /** Address of the Debian archive; default what this machine uses. */
  readonly debianMirror?: string;
  /** Keys that may sign the archive's index; default the system's. */
  readonly keyring?: string;
}

export type { BaseImage } from '../build/root-file-system.js';

/** Every image that has a lock. */
export async function imageNames(root = packageRoot()): Promise<readonly string[]> {
  return (await readLocks(root)).map(({ image }) => image);
}

/**
 * The root file system of a locked image, made or found. What an executor needs.
 * @throws UsageError `unknown-image`, `lock-invalid`
 * @throws FailedHere `missing-tool`, `network`, `mirror-incomplete`, `prepare-failed`, `disk-full`, `interrupted`
 */
export async function rootFileSystem(name: string, options: ImageOptions = {}): Promise<BaseImage> {
  const { signal, onProgress } = options;
  return await makeRootFileSystem(name, {
    packageRoot: options.packageRoot ?? packageRoot(),
    cache: options.cache ?? cacheDirectory(),
    archive: debianPackages(await context(options)),
    ...(signal === undefined ? {} : { signal }),
    ...(onProgress === undefined ? {} : { onProgress }),
  });
}

export interface LockUpdate {
  readonly name: string;
  readonly lockSha256: string;
  /** `name old → new`; empty when the lock is as the archive is. */
  readonly changes: readonly string[];
}

/** Renews `docker/<name>/lock.json` from the signed index of its suite. An unchanged list leaves the file alone. */
export async function updateImageLock(name: string, options: ImageOptions = {}): Promise<LockUpdate> {
  const root = options.packageRoot ?? packageRoot();
  const before = await readLock(root, name);
  const archive = await context(options);
  const keyring = archive.keyring ?? (await debianKeyring());
  const status = await resolveImage(before, { mirror: archive.mirror, keyring }, options);
  const chosen = chosenPackages(status);
  const { suite, component, architecture } = before;
  const { release, binaries } = await lookUpDebianBinaries(
    { suite, component, architecture, packages: chosen.map((one) => one.name) },
    archive,
  );
  const packages = chosen.map(({ name: wanted, version }) => {
    const found = binaries.find((binary) => binary.package === wanted && binary.version === version);
    if (found === undefined)
      throw new FailedHere(
        'mirror-incomplete',
        `apt chose ${wanted} ${version}, which the signed index of ${suite} does not list`,
        { hint: 'the mirror may be in the middle of an update: try again later' },
      );
    return lockedPackage(found);
  });
  const changes = changesBetween(before.packages, packages);
  if (changes.length === 0) return { name, lockSha256: lockDigest(before), changes };
  const after: ImageLock = {
    ...before,
    release: { ...release, signedBy: [...release.signedBy] },
    sourceDateEpoch: Date.parse(release.date) / 1000,
    packages,
  };
  await fs.writeFile(lockFile(root, name), formatLock(after));
  return { name, lockSha256: lockDigest(after), changes };
}

async function context(options: ImageOptions): Promise<DebianContext> {
  return {
    mirror: options.debianMirror ?? (await debianMirror()),
    cache: options.cache ?? cacheDirectory(),
    keyring: options.keyring,
    signal: options.signal,
    onProgress: options.onProgress,
  };
}

/** What the base images of this package are made of. */
export function debianPackages(debian: DebianContext): PackageArchive {
  return {
    fetch: async (locked, signal) =>
      await onceIndexedDownload(debian.cache, {
        mirror: debian.mirror,
        path: locked.path,
        what: `package ${locked.name} ${locked.version}`,
        expected: { size: locked.size, sha256: locked.sha256 },
        signal,
      }),
    current: async ({ suite, component, architecture }, names, signal) => {
      const lookup = { suite, component, architecture, packages: names };
      const { binaries } = await lookUpDebianBinaries(lookup, { ...debian, signal });
      return binaries.toSorted((a, b) => compareVersions(b.version, a.version, 'debian')).map(lockedPackage);
    },
  };
}

function lockedPackage({
  package: name,
  version,
  architecture,
  path,
  size,
  sha256,
}: DebianBinary): LockedPackage {
  return { name, version, architecture, path, size, sha256 };
}

/** Of the database of dpkg (dpkg(1), `/var/lib/dpkg/status`), sorted by name. */
function chosenPackages(status: string): readonly { readonly name: string; readonly version: string }[] {
  const field = (paragraph: string, name: string): string =>
    new RegExp(`^${name}: (.*)$`, 'm').exec(paragraph)?.[1] ?? '';
  return status
    .split('\n\n')
    .filter((paragraph) => field(paragraph, 'Status') === 'install ok installed')
    .map((paragraph) => ({ name: field(paragraph, 'Package'), version: field(paragraph, 'Version') }))
    .toSorted((one, other) => (one.name < other.name ? -1 : 1));
}

function changesBetween(
  before: readonly LockedPackage[],
  after: readonly LockedPackage[],
): readonly string[] {
  const versions = (packages: readonly LockedPackage[]) =>
    new Map(packages.map((locked) => [locked.name, locked]));
  const [old, renewed] = [versions(before), versions(after)];
  return [...new Set([...old.keys(), ...renewed.keys()])].sort().flatMap((name) => {
    const [was, is] = [old.get(name), renewed.get(name)];
    if (was?.sha256 === is?.sha256) return [];
    return [`${name} ${was?.version ?? 'absent'} → ${is?.version ?? 'gone'}`];
  });
}
