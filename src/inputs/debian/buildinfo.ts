// SPDX-License-Identifier: Apache-2.0
/**
 * What a Debian `.buildinfo` file says about the environment in which a package was built. A claim, never evidence: it is
 * handed over by the user, its signature is not checked, and no verdict reads it. deb-buildinfo(5); RFC 9580, section 7.
 */
import { createHash } from 'node:crypto';
import { FormatError } from '../../errors.js';
import type { Deviation, EnvironmentRecord, FileIdentity, Sha256 } from '../../model.js';
import { listLines, parseParagraph } from '../../formats/deb822.js';
import { indexedFile, isPlainPath } from './debian-release.js';

export interface InstalledPackage {
  readonly name: string;
  readonly version: string;
  /** Only written for packages of another architecture. */
  readonly architecture?: string;
}

export interface BuildInfo {
  /** Of the `.buildinfo` file itself. */
  readonly sha256: Sha256;
  readonly source: string;
  readonly version: string;
  readonly buildArchitecture: string;
  readonly buildDate?: string;
  readonly buildPath?: string;
  readonly installed: readonly InstalledPackage[];
  readonly environment: Readonly<Record<string, string>>;
  readonly checksums: readonly FileIdentity[];
}

const LARGEST = 8 * 2 ** 20;
const BEGIN = '-----BEGIN PGP SIGNED MESSAGE-----';

function fail(code: string, message: string): never {
  throw new FormatError('buildinfo', code, 0, message);
}

/** The text inside a clear signature, or the text as it is. */
export function clearSignedText(text: string): string {
  if (!text.startsWith(BEGIN)) return text;
  const start = text.indexOf('\n\n');
  const end = text.indexOf('\n-----BEGIN PGP SIGNATURE-----');
  if (start < 0 || end < start) fail('bad-signature-frame', 'a clear-signed text without its signature');
  return text
    .slice(start + 2, end + 1)
    .split('\n')
    .map((line) => (line.startsWith('- ') ? line.slice(2) : line))
    .join('\n');
}

/** `name (= version)`, with `:architecture` behind the name where it is foreign; separated by commas. */
function installedPackages(value: string): readonly InstalledPackage[] {
  return value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
    .map((item) => {
      const match = /^([a-z0-9][a-z0-9+.-]+)(?::([a-z0-9-]+))? \(= ([0-9A-Za-z.+~:-]+)\)$/.exec(item);
      if (match === null)
        fail('bad-dependency', `expected "name (= version)", found ${JSON.stringify(item.slice(0, 80))}`);
      const [, name = '', architecture, version = ''] = match;
      return { name, version, ...(architecture === undefined ? {} : { architecture }) };
    });
}

/** Lines `NAME="value"`, where a backslash stands before `"` and `\` (deb-buildinfo(5), field Environment). */
function environmentOf(value: string): Readonly<Record<string, string>> {
  const entries = value
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line): [string, string] => {
      const match = /^\s*([A-Za-z_][A-Za-z0-9_]*)="((?:[^"\\]|\\.)*)"\s*$/.exec(line);
      if (match === null)
        fail('bad-environment', `expected NAME="value", found ${JSON.stringify(line.slice(0, 80))}`);
      return [match[1] ?? '', (match[2] ?? '').replace(/\\(.)/g, '$1')];
    });
  return Object.fromEntries(entries);
}

function checksumsOf(value: string): readonly FileIdentity[] {
  return listLines(value).map((words) => {
    const [sha256 = '', size = '', name = ''] = words;
    const file = indexedFile(size, sha256);
    if (words.length !== 3 || file === undefined || !isPlainPath(name) || name.includes('/'))
      fail(
        'bad-checksum',
        `expected "digest size name", found ${JSON.stringify(words.join(' ').slice(0, 120))}`,
      );
    return { name, ...file };
  });
}

export function parseBuildInfo(bytes: Buffer): BuildInfo {
  if (bytes.length > LARGEST) fail('too-large', `${bytes.length} bytes, more than ${LARGEST}`);
  const fields = parseParagraph(clearSignedText(bytes.toString('utf8').replaceAll('\r\n', '\n')).trim());
  const field = (name: string): string =>
    fields.get(name.toLowerCase()) ?? fail('missing-field', `no field ${name}`);
  const optional = (name: string): string | undefined => fields.get(name.toLowerCase());
  const buildDate = optional('Build-Date');
  const buildPath = optional('Build-Path');
  return {
    sha256: createHash('sha256').update(bytes).digest('hex'),
    // deb-buildinfo(5): the version of the source follows in parentheses where it differs from that of the binaries
    source: field('Source').replace(/ \(.*\)$/, ''),
    version: field('Version'),
    buildArchitecture: field('Build-Architecture'),
    ...(buildDate === undefined ? {} : { buildDate }),
    ...(buildPath === undefined ? {} : { buildPath }),
    installed: installedPackages(field('Installed-Build-Depends')),
    environment: environmentOf(optional('Environment') ?? ''),
    checksums: checksumsOf(optional('Checksums-Sha256') ?? ''),
  };
}

/** A package that was there when the published file was built and is another version, or absent, here. */
export interface PackageDrift {
  readonly package: string;
  readonly published: string;
  readonly here?: string;
}

export function buildDependencyDrift(
  info: BuildInfo,
  packages: EnvironmentRecord['packages'],
): readonly PackageDrift[] {
  const here = new Map<string, string>();
  for (const { name, version, architecture } of packages) {
    here.set(`${name}:${architecture}`, version);
    if (architecture === info.buildArchitecture || architecture === 'all' || !here.has(name))
      here.set(name, version);
  }
  return info.installed.flatMap(({ name, version, architecture }) => {
    const found = here.get(architecture === undefined ? name : `${name}:${architecture}`);
    if (found === version) return [];
    return [{ package: name, published: version, ...(found === undefined ? {} : { here: found }) }];
  });
}

/** What a recipe can only call unknown and a `.buildinfo` file answers. */
const ANSWERED = new Set(['build-dependencies', 'build-path']);

/** The plan's deviations with what the file says in the place of what it answers. */
export function withBuildInfo(
  deviations: readonly Deviation[],
  info: BuildInfo,
  here: { readonly packages: EnvironmentRecord['packages']; readonly directory: string },
): readonly Deviation[] {
  const path: Deviation[] =
    info.buildPath === undefined || info.buildPath === here.directory
      ? []
      : [
          {
            code: 'build-path-drift',
            what: `the build path is ${here.directory} here, ${info.buildPath} in the .buildinfo file that was handed over`,
            reason: 'the plan fixes the path',
            canChangeOutput: 'unknown',
          },
        ];
  return [
    ...deviations.filter((deviation) => !ANSWERED.has(deviation.code)),
    ...path,
    ...driftDeviations(buildDependencyDrift(info, here.packages)),
  ];
}

/** What the file claims about each package that it lists, in words; nothing of it was checked. */
export function buildInfoFacts(
  info: BuildInfo,
): readonly { readonly file: string; readonly from: 'buildinfo'; readonly fact: string }[] {
  const fact = (text: string) => ({
    file: `${info.source}_${info.version}.buildinfo`,
    from: 'buildinfo' as const,
    fact: text,
  });
  return [
    fact(`SHA-256 of the file ${info.sha256}`),
    ...(info.buildDate === undefined ? [] : [fact(`built on ${info.buildDate}`)]),
    ...(info.buildPath === undefined ? [] : [fact(`built in ${info.buildPath}`)]),
    fact(`${info.installed.length} build dependencies were installed on ${info.buildArchitecture}`),
    ...Object.entries(info.environment).map(([name, value]) => fact(`environment ${name}=${value}`)),
  ];
}

export function driftDeviations(drifts: readonly PackageDrift[]): readonly Deviation[] {
  return drifts.map(({ package: name, published, here }) => ({
    code: 'build-dependency-drift',
    what: `${name} ${here ?? 'is absent'} here, ${published} in the .buildinfo file that was handed over`,
    reason: 'the environment was made from what its package list or archive holds',
    canChangeOutput: 'unknown',
  }));
}
