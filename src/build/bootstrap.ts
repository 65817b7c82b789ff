// SPDX-License-Identifier: Apache-2.0
/**
 * mmdebstrap, which turns packages into the root file system of an image: the same bytes for the same packages.
 * https://manpages.debian.org/bookworm/mmdebstrap/mmdebstrap.1.en.html, section "SOURCE_DATE_EPOCH"
 */
import { promises as fs } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { FailedHere } from '../errors.js';
import type { OnProgress } from '../model.js';
import { makeOwnedDirectory, removeOwned } from '../owned-directory.js';
import { cleanEnvironment, run, runChecked, type RunResult } from '../process.js';
import type { ImageLock } from './image-lock.js';
import type { ObtainedPackage } from './image-packages.js';

export interface BootstrapOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: OnProgress;
}

const MINUTES = 20;
const DPKG = 'apt-get install dpkg';

/** Debian's own address: the one that was fetched from is nobody's business, and a container sets its own. */
function sourcesList({ suite, component }: ImageLock): string {
  return ['deb', 'deb-src']
    .map((kind) => `${kind} http://ftp.debian.org/debian ${suite} ${component}\\n`)
    .join('');
}

/** What depends on the machine or the moment. `$1` is the new root; the words of the lock are plain (its schema). */
export function cleaning(lock: ImageLock): string {
  return [
    'set -eu',
    'rm -f "$1/etc/resolv.conf" "$1/etc/hostname" "$1/etc/apt/apt.conf.d/99mmdebstrap"',
    'rm -f "$1/etc/machine-id" "$1/var/lib/dbus/machine-id" "$1/var/cache/ldconfig/aux-cache"',
    'rm -f "$1/etc/apt/sources.list" "$1/etc/apt/sources.list.d"/*',
    'rm -f "$1/var/cache/debconf"/*-old "$1/var/lib/dpkg"/*-old "$1/etc"/passwd- "$1/etc"/group- "$1/etc"/shadow- "$1/etc"/gshadow-',
    'find "$1/var/log" -type f -delete',
    `printf '${sourcesList(lock)}' > "$1/etc/apt/sources.list"`,
    // installed packages need not lie there a second time
    `printf 'APT::Keep-Downloaded-Packages "false";\\n' > "$1/etc/apt/apt.conf.d/90keep-no-packages"`,
  ].join('; ');
}

/**
 * Writes the root file system as an uncompressed tar to `target`.
 * @throws FailedHere `missing-tool`, `prepare-failed`, `disk-full`, `time-limit`, `interrupted`
 */
export async function bootstrap(
  lock: ImageLock,
  packages: readonly ObtainedPackage[],
  target: string,
  options: BootstrapOptions = {},
): Promise<void> {
  await inWorkDirectory(async (work) => {
    const repository = path.join(work, 'repository');
    await writeRepository(repository, packages, options);
    const made = path.join(work, 'rootfs.tar');
    await mmdebstrap(
      work,
      lock,
      [
        `--include=${packages.map(({ name }) => name).join(',')}`,
        `--customize-hook=${cleaning(lock)}`,
        '--format=tar',
        '',
        made,
        // its own digests were checked against the lock, by us
        `deb [trusted=yes] copy://${encodeURI(repository)} ./`,
      ],
      options,
    );
    await fs.mkdir(path.dirname(target), { recursive: true });
    const part = `${target}.part-${process.pid}`;
    try {
      await fs.copyFile(made, part);
      await fs.rename(part, target);
    } finally {
      await fs.rm(part, { force: true });
    }
  });
}

/**
 * Lets apt decide which packages make an image of essential packages, apt and `lock.include`, from the archive's signed
 * index; returns the database of dpkg.
 */
export async function resolveImage(
  lock: ImageLock,
  archive: { readonly mirror: string; readonly keyring: string },
  options: BootstrapOptions = {},
): Promise<string> {
  return await inWorkDirectory(async (work) => {
    const include = lock.include.length === 0 ? [] : [`--include=${lock.include.join(',')}`];
    await mmdebstrap(
      work,
      lock,
      [
        ...include,
        `--keyring=${archive.keyring}`,
        `--customize-hook=download /var/lib/dpkg/status ${path.join(work, 'status')}`,
        '--format=null',
        lock.suite,
        '/dev/null',
        `deb [signed-by=${archive.keyring}] ${archive.mirror} ${lock.suite} ${lock.component}`,
      ],
      options,
    );
    return await fs.readFile(path.join(work, 'status'), 'utf8');
  });
}

async function mmdebstrap(
  work: string,
  lock: ImageLock,
  args: readonly string[],
  { signal, onProgress }: BootstrapOptions,
): Promise<void> {
  const { PATH = '/usr/bin:/bin', ...environment } = cleanEnvironment();
  let result: RunResult;
  const apart = await ownMounts(signal);
  try {
    const [command, ...first] = [...apart, 'mmdebstrap'];
    result = await run(
      command,
      [...first, '--variant=apt', `--architectures=${lock.architecture}`, ...args],
      {
        cwd: work,
        env: {
          ...environment,
          // a user's PATH need not hold what creates a root file system
          PATH: `${PATH}:/usr/sbin:/sbin`,
          TMPDIR: work,
          HOME: work,
          DEBIAN_FRONTEND: 'noninteractive',
          SOURCE_DATE_EPOCH: String(lock.sourceDateEpoch),
        },
        timeoutMs: MINUTES * 60_000,
        ...(signal === undefined ? {} : { signal }),
        onLine: (line) => {
          // the others name directories of this machine
          if (/^I: (?:downloading|extracting|installing|creating) /.test(line))
            onProgress?.({ kind: 'note', text: `image: ${line.slice(3)}` });
        },
      },
    );
  } catch (error) {
    if (!(error instanceof FailedHere) || error.code !== 'missing-tool') throw error;
    throw notInstalled(error);
  }
  const { ended, stderr } = result;
  // so unshare(1) says that there is no such program
  if (apart.length > 0 && ended.kind === 'exited' && ended.code === 127) throw notInstalled(undefined);
  if (ended.kind === 'aborted' || signal?.aborted === true)
    throw new FailedHere('interrupted', 'interrupted while making the image');
  if (ended.kind === 'timed-out')
    throw new FailedHere('time-limit', `making the image took longer than ${MINUTES} minutes`);
  if (ended.kind === 'exited' && ended.code === 0) return;
  const said = stderr.toString().trim().split('\n');
  if (said.some((line) => line.includes('No space left on device')))
    throw new FailedHere('disk-full', 'no space left for the image', {
      hint: 'free some space, or point TMPDIR to a larger file system',
    });
  const how = ended.kind === 'exited' ? `exit code ${ended.code}` : ended.signal;
  throw new FailedHere(
    'prepare-failed',
    `mmdebstrap could not make the image (${how}): ${said.slice(-6).join(' | ').replaceAll(work, '…')}`,
    { hint: 'if packages of the lock no longer fit together, renew it: verify image --update' },
  );
}

function notInstalled(cause: unknown): FailedHere {
  return new FailedHere(
    'missing-tool',
    'mmdebstrap is not installed; it makes images from locks of packages',
    { cause, hint: 'install it: apt-get install mmdebstrap' },
  );
}

/**
 * As root, mmdebstrap mounts into the tree that it makes. In a mount namespace of its own (unshare(1)) those mounts go with
 * its last process, however that ends; else one that is killed leaves them on the machine.
 */
async function ownMounts(signal: AbortSignal | undefined): Promise<readonly string[]> {
  if (process.getuid?.() !== 0) return [];
  try {
    const { ended } = await run('unshare', ['--mount', 'true'], {
      timeoutMs: 10_000,
      ...(signal === undefined ? {} : { signal }),
    });
    return ended.kind === 'exited' && ended.code === 0 ? ['unshare', '--mount', '--'] : [];
  } catch (error) {
    if (error instanceof FailedHere && error.code === 'missing-tool') return [];
    throw error;
  }
}

/** A flat repository (sources.list(5)): the packages and a list of them made of their own control files. */
async function writeRepository(
  directory: string,
  packages: readonly ObtainedPackage[],
  { signal }: BootstrapOptions,
): Promise<void> {
  await fs.mkdir(directory);
  const paragraphs: string[] = [];
  for (const { name, version, architecture, file, size, sha256 } of packages) {
    const base = `${sha256}.deb`;
    await fs.copyFile(file, path.join(directory, base));
    await fs.chmod(path.join(directory, base), 0o644);
    const control = await controlOf(path.join(directory, base), signal);
    for (const line of [`Package: ${name}`, `Version: ${version}`, `Architecture: ${architecture}`])
      if (!control.split('\n').includes(line))
        throw new FailedHere(
          'prepare-failed',
          `package ${name} of the image's lock does not say "${line}" itself`,
          {
            hint: 'the lock is wrong: renew it with verify image --update',
          },
        );
    paragraphs.push(`${control.trimEnd()}\nFilename: ./${base}\nSize: ${size}\nSHA256: ${sha256}\n`);
  }
  await fs.writeFile(path.join(directory, 'Packages'), paragraphs.join('\n'));
}

async function controlOf(file: string, signal: AbortSignal | undefined): Promise<string> {
  try {
    return (
      await runChecked('dpkg-deb', ['--field', file], signal === undefined ? {} : { signal })
    ).toString();
  } catch (error) {
    if (!(error instanceof FailedHere) || error.code !== 'missing-tool') throw error;
    throw new FailedHere('missing-tool', 'dpkg-deb is not installed; it reads packages of an image', {
      cause: error,
      hint: `install it: ${DPKG}`,
    });
  }
}

/** Readable for others: without root, mmdebstrap works as another user in a namespace of its own. */
async function inWorkDirectory<T>(work: (directory: string) => Promise<T>): Promise<T> {
  const directory = await makeOwnedDirectory(os.tmpdir(), 'samesource-image-');
  await fs.chmod(directory, 0o755);
  try {
    return await work(directory);
  } finally {
    if (await unmounted(directory)) await removeOwned(directory).catch(() => undefined);
  }
}

const UNMOUNT_TRIES = 50;

/** What a killed mmdebstrap left mounted must not be emptied from here; its mounts go a moment after it. */
async function unmounted(directory: string): Promise<boolean> {
  for (let tries = 0; tries < UNMOUNT_TRIES; tries++) {
    const mounts = await fs.readFile('/proc/self/mountinfo', 'utf8').catch(() => '');
    if (!mounts.includes(directory)) return true;
    await delay(100);
  }
  return false;
}
