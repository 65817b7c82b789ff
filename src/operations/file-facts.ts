// SPDX-License-Identifier: Apache-2.0
/** What the files that somebody holds say of themselves, before any recipe is asked. */
import path from 'node:path';
import { statSync } from 'node:fs';
import { FileSource } from '../bytes.js';
import type { FileInspection, Inspection } from '../compare/inspect/types.js';
import { sha256OfFile } from '../inputs/cache.js';
import { localTree } from '../inputs/local-files.js';
import type { Sha256 } from '../model.js';
import type { SaidIdentity } from '../recipe/fitting-channels.js';
import { inspect } from './inspect.js';
import type { OperationOptions } from './options.js';

export interface FileFacts {
  readonly name: string;
  readonly kind: Inspection['kind'];
  /** Of the file itself; absent for a directory. */
  readonly sha256?: Sha256;
  /** The parts that are installed: APKs of a set, Debian packages of a directory, or the one file. */
  readonly files: readonly FileInspection[];
  /** Beside them; nobody asks whose they are. */
  readonly others: readonly string[];
  readonly said: SaidIdentity;
  /** Why the files are not taken for one release of one app. */
  readonly disagreements: readonly string[];
}

/** @throws FailedHere `unreadable-input` */
export async function fileFacts(place: string, options: OperationOptions): Promise<FileFacts> {
  const isDirectory = statSync(place, { throwIfNoEntry: false })?.isDirectory() === true;
  const inspection = await inspect({ file: place }, options);
  const debs = isDirectory ? await debsIn(place) : [];
  const files = [...inspection.files, ...debs];
  const names = new Set(files.map(({ name }) => name));
  const { said, disagreements } = saidBy(files);
  return {
    name: path.basename(path.resolve(place)),
    kind: inspection.kind,
    ...(isDirectory ? {} : { sha256: (await sha256OfFile(place)).sha256 }),
    files,
    others: inspection.others.map(({ name }) => name).filter((name) => !names.has(name)),
    said,
    disagreements: [...inspection.disagreements.map(({ message }) => message), ...disagreements],
  };
}

/** Packages in a directory: an inspection of a directory looks for APKs only. */
async function debsIn(place: string): Promise<readonly FileInspection[]> {
  const { inspectFile } = await import('../compare/inspect/inspect-file.js');
  const debs: FileInspection[] = [];
  for (const { name, path: file } of (await localTree(place)).files) {
    if (!name.endsWith('.deb')) continue;
    const source = FileSource.open(file);
    try {
      const found = await inspectFile(source, name);
      if (found.format === 'deb') debs.push(found);
    } finally {
      source.close();
    }
  }
  return debs;
}

function saidBy(files: readonly FileInspection[]): {
  readonly said: SaidIdentity;
  readonly disagreements: readonly string[];
} {
  const names = files.map(({ name }) => path.posix.basename(name));
  const apks = files.filter(({ format }) => ['apk', 'ipa', 'mac-app'].includes(format));
  const debs = files.filter(({ format }) => format === 'deb');
  if (apks.length > 0 && apks.length === files.length) {
    const packages = all(apks, 'package');
    // configurations do not say their version's name
    const base = apks.find(({ identity }) => identity.versionName !== undefined) ?? apks[0];
    const [only] = packages;
    if (packages.length !== 1 || only === undefined || base === undefined)
      return { said: { names }, disagreements: several('package', packages) };
    const { versionName, versionCode } = base.identity;
    return {
      said: {
        names,
        apk: {
          package: only,
          ...(versionName === undefined || unread(base, 'versionName') ? {} : { versionName }),
          ...(versionCode === undefined || !/^-?\d{1,20}$/.test(versionCode) ? {} : { versionCode }),
        },
      },
      disagreements: several('version code', all(apks, 'versionCode')),
    };
  }
  if (debs.length > 0 && debs.length === files.length) {
    const built = debs.map(({ identity }) => sourceOf(identity));
    const sources = [...new Set(built.map(({ source }) => source))];
    const versions = [...new Set(built.map(({ version }) => version))];
    const [source] = sources;
    const [version] = versions;
    if (source === undefined || version === undefined || sources.length + versions.length > 2)
      return {
        said: { names },
        disagreements: [...several('source package', sources), ...several('version', versions)],
      };
    return {
      said: {
        names,
        deb: { packages: all(debs, 'package'), source, version, architectures: all(debs, 'architecture') },
      },
      disagreements: [],
    };
  }
  return {
    said: { names },
    disagreements: apks.length + debs.length === 0 ? [] : ['files of several kinds'],
  };
}

/** Policy 5.6.1: `Source: name (version)` where the binary has another version, as after a rebuild without changes. */
function sourceOf({ source = '', version = '' }: FileInspection['identity']): {
  readonly source: string | undefined;
  readonly version: string | undefined;
} {
  const [, name, own] = /^([a-z0-9][a-z0-9+.-]*)(?: \(([^()]+)\))?$/.exec(source) ?? [];
  const found = own ?? version.replace(/\+b\d+$/, '');
  return { source: name, version: found === '' ? undefined : found };
}

const unread = (file: FileInspection, field: string): boolean =>
  file.identityIssues.some((issue) => issue.field === undefined || issue.field === field);

function all(files: readonly FileInspection[], field: keyof FileInspection['identity']): readonly string[] {
  return [...new Set(files.flatMap(({ identity }) => identity[field] ?? []))].sort();
}

const several = (what: string, values: readonly (string | undefined)[]): readonly string[] =>
  values.length > 1
    ? [`${values.length} values of ${what}: ${values.map((value) => value ?? 'none').join(', ')}`]
    : [];
