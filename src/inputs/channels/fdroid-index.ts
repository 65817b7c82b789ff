// SPDX-License-Identifier: Apache-2.0
/**
 * What the two files of an F-Droid index (version 2) say: the entry, which is signed, and the index that it names by digest.
 * https://f-droid.org/docs/All_our_APIs/#the-repo-index
 * https://gitlab.com/fdroid/fdroidclient/-/tree/master/libs/index/src/commonMain/kotlin/org/fdroid/index/v2
 */
import { z } from 'zod';
import { FormatError } from '../../errors.js';
import { jsonMember } from '../../formats/json-member.js';
import type { Sha256 } from '../../model.js';
import { isPlainPath } from '../debian/debian-release.js';

const digest = z.string().regex(/^[0-9a-f]{64}$/);
const size = z.int().min(0);
/** `/name`, below the address of the repository. */
const below = z
  .string()
  .refine((name) => name.startsWith('/') && isPlainPath(name.slice(1)), {
    error: 'no plain path below the repository',
  })
  .transform((name) => name.slice(1));
/** Milliseconds, within what a date can be. */
const time = z.int().min(0).max(8.64e15);

const entrySchema = z.object({
  timestamp: time,
  version: z.int(),
  /** Days after which a new one should be there. */
  maxAge: z.int().min(1).max(36_500).optional(),
  index: z.object({ name: below, sha256: digest, size }),
});
export type FdroidEntry = z.output<typeof entrySchema>;

const versionSchema = z.object({
  file: z.object({ name: below, sha256: digest, size }),
  manifest: z.object({
    versionName: z.string(),
    versionCode: z.int(),
    nativecode: z.array(z.string()).default([]),
    signer: z.object({ sha256: z.array(digest) }).optional(),
  }),
});
const packageSchema = z.object({ versions: z.record(z.string(), versionSchema) });

export interface FdroidVersion {
  readonly versionName: string;
  readonly versionCode: number;
  /** Empty: for every one. */
  readonly abis: readonly string[];
  readonly signers: readonly Sha256[];
  readonly file: { readonly name: string; readonly sha256: Sha256; readonly size: number };
}

/** The second of the three that there are. */
const VERSIONS = { first: 20_000, end: 30_000 };
const MAX_PACKAGE = 16 << 20;

/** @throws FormatError `fdroid-index/…` */
export function readEntry(bytes: Buffer): FdroidEntry {
  const entry = parsed('entry.json', bytes, entrySchema);
  if (entry.version < VERSIONS.first || entry.version >= VERSIONS.end)
    throw new FormatError(
      'fdroid-index',
      'version',
      0,
      `entry.json is of version ${entry.version}, expected 2xxxx`,
    );
  return entry;
}

/** All versions of one package, the newest first; `index` may be of tens of megabytes. @throws FormatError */
export function versionsIn(index: Buffer, packageId: string): readonly FdroidVersion[] {
  const found = jsonMember(index, ['packages', packageId]);
  if (found === undefined) return [];
  if (found.length > MAX_PACKAGE)
    throw new FormatError(
      'fdroid-index',
      'too-large',
      0,
      `${packageId} has ${found.length} bytes, at most ${MAX_PACKAGE} are read`,
    );
  const { versions } = parsed(packageId, found, packageSchema);
  return Object.values(versions)
    .map(({ file, manifest }) => ({
      versionName: manifest.versionName,
      versionCode: manifest.versionCode,
      abis: manifest.nativecode,
      signers: manifest.signer?.sha256 ?? [],
      file,
    }))
    .toSorted((a, b) => b.versionCode - a.versionCode);
}

function parsed<T extends z.ZodType>(what: string, bytes: Buffer, schema: T): z.output<T> {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    throw new FormatError('fdroid-index', 'not-json', 0, `${what} is no JSON`, { cause });
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const at = issue?.path.map(String).join('.') ?? '';
  throw new FormatError('fdroid-index', 'bad-field', 0, `${what}: ${at}: ${issue?.message ?? 'unknown'}`);
}
