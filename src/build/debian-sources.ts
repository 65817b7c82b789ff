// SPDX-License-Identifier: Apache-2.0
/**
 * Debian sources in a container: apt's only sources while the prepare phase runs, checked by the keyring of the image
 * (apt-secure(8)), and the files that the phase left, against those of the signed index that made the plan.
 */
import path from 'node:path';
import { FailedHere } from '../errors.js';
import type { BuildPlan, Reason, SourcePlan } from '../model.js';
import { addedFiles } from './added-files.js';
import type { Engine } from './engine.js';
import type { TarItem } from './tar-write.js';

type DebianPlan = Extract<SourcePlan, { kind: 'debian' }>;

const LIST = 'etc/apt/samesource.list';
const CONFIG = 'etc/apt/apt.conf.d/99samesource';
/** Whole files of a package's source, as `apt-get source` leaves them. */
const SOURCE_FILE = /\.(?:dsc|asc|sign|diff\.gz|tar\.\w+)$/;

/** What an address could smuggle into the file beside itself. */
const PLAIN_ADDRESS = /^(?:https?|file|copy):[^\s[\]#]+$/;

export function aptFiles(plan: DebianPlan, mirror: string, mtime: number): TarItem[] {
  if (!PLAIN_ADDRESS.test(mirror))
    throw new FailedHere('network', `not an address of a Debian archive: ${JSON.stringify(mirror)}`);
  const where = `${mirror} ${plan.suite} ${plan.component}`;
  const config = [
    `Dir::Etc::SourceList "/${LIST}";`,
    'Dir::Etc::SourceParts "-";',
    'Acquire::Retries "3";',
    '',
  ];
  const file = { kind: 'text', uid: 0, gid: 0, mode: 0o644, mtime } as const;
  return [
    { ...file, path: LIST, text: `deb ${where}\ndeb-src ${where}\n` },
    { ...file, path: CONFIG, text: config.join('\n') },
  ];
}

/** Run by the wrapper after the script: nothing that names the mirror reaches the build phase. */
export const APT_CLEAN_UP = `rm -rf /${LIST} /${CONFIG} /var/lib/apt/lists /var/cache/apt/pkgcache.bin /var/cache/apt/srcpkgcache.bin; mkdir -p /var/lib/apt/lists/partial`;

/** The reasons not to trust what the phase left; none when it is what the plan names, and nothing more. */
export async function checkSourceFiles(
  engine: Engine,
  container: string,
  plan: BuildPlan,
  signal: AbortSignal | undefined,
): Promise<readonly Reason<'source-untrusted'>[]> {
  if (plan.source.kind !== 'debian') return [];
  const directory = path.posix.dirname(plan.environment.directory);
  const details: string[] = [];
  for (const { name, size, sha256 } of plan.source.files) {
    const found = await engine.copyOut(container, path.posix.join(directory, name), {
      maxBytes: size + 1,
      keep: false,
      ...(signal === undefined ? {} : { signal }),
    });
    if (found === undefined) details.push(`source-file-missing: ${name} is not there`);
    else if ('refused' in found)
      details.push(`source-file-other: ${name}: ${found.refused} instead of ${size} bytes`);
    else if (found.size !== size || found.sha256 !== sha256)
      details.push(
        `source-file-other: ${name} has ${found.size} bytes with SHA-256 ${found.sha256}, the index lists ${size} with ${sha256}`,
      );
  }
  const known = new Set(plan.source.files.map((file) => file.name));
  for (const file of await addedFiles(engine, container, [directory]))
    if (SOURCE_FILE.test(file) && !known.has(path.posix.basename(file)))
      details.push(`source-file-unknown: ${path.posix.basename(file)} is not in the index`);
  const changelog = path.posix.join(plan.environment.directory, 'debian/changelog');
  const tree = await engine.copyOut(container, changelog, { maxBytes: 64 << 20, keep: false });
  if (details.length === 0 && tree === undefined)
    throw new FailedHere(
      'prepare-failed',
      `the prepare phase left no unpacked source: ${changelog} is not there`,
    );
  return details.map((detail) => ({ code: 'source-untrusted', detail }));
}
