// SPDX-License-Identifier: Apache-2.0
/** Everything that one file says by itself. The signature is checked on another thread while the rest is read. */
import { BufferSource, type ByteSource } from '../../bytes.js';
import { FormatError } from '../../errors.js';
import { readPermissions } from '../../formats/android-permissions.js';
import { readZip, type ZipEntry, type ZipStructure } from '../../formats/zip.js';
import { printable, printableBytes } from '../../printable.js';
import { FileFacts } from '../file-facts.js';
import { identityOf } from '../identity.js';
import { entryContent, heldContent, oneFileWalk, type OneFileOptions } from '../one-file.js';
import type { Walk } from '../walk.js';
import { openZipSide, signedSections } from '../zip/zip-side.js';
import { byteMap } from './byte-map.js';
import { inspectLibrary, NATIVE_LIBRARY } from './native-library.js';
import { inspectSignature } from './inspect-signature.js';
import type { FileInspection, NativeLibrary, Permission } from './types.js';

export interface InspectFileOptions extends OneFileOptions {
  /** The v4 signature of the file. */
  readonly idsig?: ByteSource;
}

const NOTHING = new BufferSource(Buffer.alloc(0));
const MANIFEST = 'AndroidManifest.xml';
const MAX_MANIFEST = 8 << 20;
const MAX_LIBRARIES = 5000;
/** Decoded bytes of libraries in all. */
const MAX_LIBRARY_BYTES = 4 * 2 ** 30;
const DEX = /^(?:[^/]+\/dex\/)?classes[0-9]*\.dex$/;

/** `name` as it is to be shown. Never throws for what the file holds. */
export async function inspectFile(
  source: ByteSource,
  name: string,
  options: InspectFileOptions = {},
): Promise<FileInspection> {
  const facts = new FileFacts(source, NOTHING);
  const walk = oneFileWalk(options);
  try {
    const known = await knownOf(walk, source, facts, options);
    return { name: printable(name), size: source.size, sha256: await facts.sha256('published'), ...known };
  } finally {
    await walk.close();
    await facts.close();
  }
}

type Known = Omit<FileInspection, 'name' | 'size' | 'sha256'>;

async function knownOf(
  walk: Walk,
  source: ByteSource,
  facts: FileFacts,
  options: InspectFileOptions,
): Promise<Known> {
  let zip: ZipStructure;
  try {
    zip = readZip(source);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    const { identity, format, issues } = await identityOf(source, { walk });
    const nothing = { ...NO_CONTENT, identity, identityIssues: issues };
    if (format === 'deb') return { ...nothing, format };
    const { code, message, offset } = error;
    return { ...nothing, format: 'other', damage: { code, message: printable(message), offset } };
  }
  const check = facts.signature(signedSections(zip));
  const identity = await identityOf(source, { walk, zip });
  const libraries = await librariesOf(walk, source, zip);
  const dex = zip.entries.filter(({ rawName }) => DEX.test(rawName.toString('latin1')));
  const permissions = await permissionsOf(walk, source, zip);
  const side = openZipSide('published', source, zip, false, await check);
  return {
    format: formatOf(zip),
    identity: identity.identity,
    identityIssues: identity.issues.map((issue) => ({ ...issue, message: printable(issue.message) })),
    signature: await inspectSignature(source, side, identity.identity, options.idsig),
    entries: zip.entries.length,
    bytes: byteMap(source, side),
    dex: { count: dex.length, bytes: dex.reduce((sum, { size }) => sum + size, 0) },
    libraries,
    permissions,
  };
}

const NO_CONTENT = {
  entries: 0,
  bytes: [],
  dex: { count: 0, bytes: 0 },
  libraries: [],
  permissions: [],
} as const;

export function formatOf({ entries }: ZipStructure): 'apk' | 'aab' | 'zip' {
  const has = (name: string): boolean => entries.some(({ rawName }) => rawName.toString('latin1') === name);
  return has(MANIFEST) ? 'apk' : has('BundleConfig.pb') ? 'aab' : 'zip';
}

async function librariesOf(walk: Walk, source: ByteSource, zip: ZipStructure): Promise<NativeLibrary[]> {
  const libraries: NativeLibrary[] = [];
  let room = MAX_LIBRARY_BYTES;
  for (const entry of zip.entries) {
    if (!NATIVE_LIBRARY.test(entry.rawName.toString('latin1'))) continue;
    walk.checkAborted();
    if (libraries.length < MAX_LIBRARIES && entry.size <= room) {
      room -= entry.size;
      libraries.push(await inspectLibrary(walk, source, entry, walk.options.limits.memberBytes));
    } else
      libraries.push({ name: printableBytes(entry.rawName), size: entry.size, tools: [], unread: 'limits' });
  }
  return libraries;
}

/** None where the manifest cannot be read, of which the identity tells. */
async function permissionsOf(walk: Walk, source: ByteSource, zip: ZipStructure): Promise<Permission[]> {
  const entry: ZipEntry | undefined = zip.entries.find(
    ({ rawName }) => rawName.toString('latin1') === MANIFEST,
  );
  if (entry === undefined) return [];
  const bytes = await heldContent(entryContent(walk, source, entry, MAX_MANIFEST));
  if (typeof bytes === 'string') return [];
  try {
    return readPermissions(new BufferSource(bytes)).map((asked) => ({
      ...asked,
      name: printable(asked.name),
    }));
  } catch (error) {
    if (error instanceof FormatError) return [];
    throw error;
  }
}
