// SPDX-License-Identifier: Apache-2.0
/**
 * The lock of a base image, `docker/<name>/lock.json`: every package by version, place in the archive's pool and SHA-256.
 * It is the image's name in a plan, where no registry gives it one.
 */
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { digestOf } from '../canonical-json.js';
import { UsageError } from '../errors.js';
import type { Sha256 } from '../model.js';

// deb-version(7), Debian policy 5.6.7; all of these become part of command lines, addresses and file names
const packageName = z.string().regex(/^[a-z0-9][a-z0-9+.-]+$/);
const word = z.string().regex(/^[a-z][a-z0-9.-]*$/);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

const lockSchema = z.strictObject({
  schemaVersion: z.literal(1),
  suite: word,
  component: word,
  architecture: z.string().regex(/^[a-z0-9-]+$/),
  /** Who vouches for the packages, for people. */
  keyring: z.string(),
  /** The signed index that the list was read from. */
  release: z.strictObject({
    sha256,
    date: z.string(),
    signedBy: z.array(z.string().regex(/^[0-9A-F]{40}$/)),
  }),
  /** Newest time of a file in the image. */
  sourceDateEpoch: z.int().nonnegative(),
  /** Beside the essential packages and apt; what these need comes with them. */
  include: z.array(packageName),
  packages: z
    .array(
      z.strictObject({
        name: packageName,
        version: z.string().regex(/^[0-9][A-Za-z0-9.+~:-]*$/),
        architecture: z.string().regex(/^[a-z0-9-]+$/),
        path: z
          .string()
          .regex(/^[A-Za-z0-9+_~][A-Za-z0-9+._~:-]*(?:\/[A-Za-z0-9+_~][A-Za-z0-9+._~:%-]*)*\.deb$/),
        size: z.int().positive(),
        sha256,
      }),
    )
    .min(1),
});

export interface LockedPackage {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  /** Below the archive's root. */
  readonly path: string;
  readonly size: number;
  readonly sha256: Sha256;
}

export interface ImageLock extends Readonly<Omit<z.infer<typeof lockSchema>, 'packages'>> {
  readonly packages: readonly LockedPackage[];
}

export function lockFile(packageRoot: string, name: string): string {
  return path.join(packageRoot, 'docker', name, 'lock.json');
}

/** @throws UsageError `unknown-image`, `lock-invalid` */
export async function readLock(packageRoot: string, name: string): Promise<ImageLock> {
  const plain = /^[a-z0-9][a-z0-9.-]*$/.test(name);
  const text = plain ? await fs.readFile(lockFile(packageRoot, name), 'utf8').catch(missing) : undefined;
  if (text === undefined)
    throw new UsageError('unknown-image', `there is no lock of an image ${JSON.stringify(name)}`, {
      hint: 'images with a lock: see docker/*/lock.json, or `verify image` without a name',
    });
  return parseLock(`docker/${name}/lock.json`, text);
}

function missing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
  return undefined;
}

/** @throws UsageError `lock-invalid` with every problem */
export function parseLock(file: string, text: string): ImageLock {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new UsageError('lock-invalid', `${file} is not JSON: ${(cause as Error).message}`, { cause });
  }
  const parsed = lockSchema.safeParse(value);
  if (!parsed.success)
    throw new UsageError('lock-invalid', `${file} is not a lock of packages`, {
      hint: parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; '),
    });
  const names = parsed.data.packages.map((locked) => locked.name);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined)
    throw new UsageError('lock-invalid', `${file} has two versions of ${JSON.stringify(twice)}`);
  return parsed.data;
}

/** As the plan names it. */
export function lockDigest(lock: ImageLock): Sha256 {
  return digestOf(lock);
}

/** One line a package: a renewed lock is read as a diff. */
export function formatLock({ packages, ...head }: ImageLock): string {
  const lines = packages.map((locked) => `    ${JSON.stringify(locked)}`);
  return `${JSON.stringify(head, null, 2).slice(0, -2)},\n  "packages": [\n${lines.join(',\n')}\n  ]\n}\n`;
}
