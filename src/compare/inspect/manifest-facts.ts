// SPDX-License-Identifier: Apache-2.0
/** What manifests say beside who the app is: permissions, its place in a set, modules of a bundle. */
import { BufferSource, type ByteSource } from '../../bytes.js';
import { FormatError } from '../../errors.js';
import { readAndroidManifest } from '../../formats/android-manifest.js';
import { readPermissions, type AskedPermission } from '../../formats/android-permissions.js';
import { readBundleManifest } from '../../formats/bundle-manifest.js';
import type { ZipEntry, ZipStructure } from '../../formats/zip.js';
import { printable } from '../../printable.js';
import { manifestIdentity, type IdentityIssue } from '../identity.js';
import { entryContent, heldContent } from '../one-file.js';
import { placeOf } from '../split-set.js';
import type { Walk } from '../walk.js';
import type { FileInspection, ModuleInspection, Permission, SplitInspection } from './types.js';

const MANIFEST = 'AndroidManifest.xml';
const MODULE_MANIFEST = /^([^/]+)\/manifest\/AndroidManifest\.xml$/;
const BASE = 'base';
const MAX_MANIFEST = 8 << 20;
const MAX_MODULES = 500;

export type ManifestFacts = Pick<FileInspection, 'permissions' | 'split' | 'modules'>;

/** Nothing where the manifest cannot be read, of which the identity tells. */
export async function apkFacts(walk: Walk, source: ByteSource, zip: ZipStructure): Promise<ManifestFacts> {
  const entry = zip.entries.find(({ rawName }) => rawName.toString('latin1') === MANIFEST);
  if (entry === undefined) return { permissions: [] };
  const bytes = await heldContent(entryContent(walk, source, entry, MAX_MANIFEST));
  if (typeof bytes === 'string') return { permissions: [] };
  try {
    const permissions = readPermissions(new BufferSource(bytes)).map(shownPermission);
    const { split } = readAndroidManifest(new BufferSource(bytes));
    return { permissions, ...(split === undefined || split === '' ? {} : { split: splitOf(split) }) };
  } catch (error) {
    if (error instanceof FormatError) return { permissions: [] };
    throw error;
  }
}

function splitOf(name: string): SplitInspection {
  const { module, configuration } = placeOf({ split: name });
  return {
    name: printable(name),
    module: printable(module),
    ...(configuration === undefined ? {} : { configuration: printable(configuration) }),
  };
}

const shownPermission = (asked: AskedPermission): Permission => ({ ...asked, name: printable(asked.name) });

/** In the order of their names. */
export async function bundleFacts(walk: Walk, source: ByteSource, zip: ZipStructure): Promise<ManifestFacts> {
  const found = new Map<string, ZipEntry[]>();
  for (const entry of zip.entries) {
    const [, name] = MODULE_MANIFEST.exec(entry.rawName.toString('utf8')) ?? [];
    if (name !== undefined) found.set(name, [...(found.get(name) ?? []), entry]);
  }
  const modules: ModuleInspection[] = [];
  for (const [name, entries] of [...found].sort(([a], [b]) => (a < b ? -1 : 1)).slice(0, MAX_MODULES)) {
    walk.checkAborted();
    modules.push({ name: printable(name), ...(await moduleOf(walk, source, entries)) });
  }
  return { permissions: modules.find(({ name }) => name === BASE)?.permissions ?? [], modules };
}

async function moduleOf(
  walk: Walk,
  source: ByteSource,
  [entry, second]: readonly ZipEntry[],
): Promise<Omit<ModuleInspection, 'name'>> {
  const nothing = (code: string, message: string, offset: number): Omit<ModuleInspection, 'name'> => ({
    identity: {},
    identityIssues: [{ code, message: printable(message), offset }],
    permissions: [],
  });
  if (entry === undefined) return nothing('no-manifest', 'no manifest', 0);
  if (second !== undefined) return nothing('second-manifest', 'a second manifest', second.cdOffset);
  const bytes = await heldContent(entryContent(walk, source, entry, MAX_MANIFEST));
  if (typeof bytes === 'string')
    return nothing('manifest-unread', `the manifest does not decode: ${bytes}`, entry.localOffset);
  try {
    const { manifest, permissions } = readBundleManifest(bytes);
    const { identity, issues } = manifestIdentity(manifest);
    return {
      identity,
      identityIssues: issues.map((one): IdentityIssue => ({ ...one, message: printable(one.message) })),
      permissions: permissions.map(shownPermission),
    };
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return nothing(error.code, error.message, error.offset);
  }
}
