// SPDX-License-Identifier: Apache-2.0
/**
 * The bundles in the files of an IPA, an app, an archive of Xcode or an XCFramework: which there are, what they say of
 * themselves, and which files belong to none. Works on a list of paths; where they come from is the caller's.
 * https://developer.apple.com/documentation/bundleresources/placing-content-in-a-bundle
 */
import type { ByteSource } from '../bytes.js';
import { FormatError } from '../errors.js';
import { layoutIssues } from './bundle-issues.js';
import { readBundleInfo, type BundleInfo } from './bundle-info.js';
import {
  isWalkable,
  SUPPORT_DIRECTORIES,
  type AppleBundle,
  type BundleFile,
  type BundleIssue,
  type BundleKind,
  type BundleTree,
  type BundleTreeKind,
} from './bundle-types.js';

export type {
  AppleBundle,
  BundleFile,
  BundleIssue,
  BundleKind,
  BundleTree,
  BundleTreeKind,
} from './bundle-types.js';

const MAX_INFO = 8 << 20;
const EXTENSIONS: ReadonlyMap<string, BundleKind> = new Map([
  ['.app', 'app'],
  ['.appex', 'extension'],
  ['.framework', 'framework'],
  ['.xpc', 'xpc-service'],
  ['.bundle', 'resources'],
]);
const INFO_PATHS = [
  'Info.plist',
  'Contents/Info.plist',
  'Resources/Info.plist',
  'Versions/A/Resources/Info.plist',
];
const EXECUTABLE_DIRECTORIES = ['', 'Contents/MacOS/', 'Versions/A/'];
const SIGNATURES = [
  '_CodeSignature/CodeResources',
  'Contents/_CodeSignature/CodeResources',
  'Versions/A/_CodeSignature/CodeResources',
];

/**
 * @param open the content of a file of the list, or `undefined` where it cannot be had (too large, encrypted)
 */
export function readBundleTree(
  files: readonly BundleFile[],
  open: (file: BundleFile) => ByteSource | undefined,
): BundleTree {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const kind = treeKind(byPath, open);
  const issues: BundleIssue[] = [];
  const paths = bundlePaths(files, kind);
  const bundles = [...paths]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([path, found]) => bundleAt(path, found, parentOf(path, paths), byPath, open, issues));
  const support: Record<string, string[]> = {};
  for (const { path } of files) {
    const directory = SUPPORT_DIRECTORIES.find((name) => path.startsWith(`${name}/`));
    if (directory !== undefined) (support[directory] ??= []).push(path);
  }
  return {
    kind: kind === 'none' && bundles.length > 0 ? 'bundle' : kind,
    bundles,
    support,
    fairPlay: files.filter(({ path }) => /(?:^|\/)SC_Info\/[^/]+$/.test(path)).map(({ path }) => path),
    issues: [...issues, ...layoutIssues(kind, files, bundles)],
  };
}

function treeKind(
  byPath: ReadonlyMap<string, BundleFile>,
  open: (file: BundleFile) => ByteSource | undefined,
): BundleTreeKind {
  for (const path of byPath.keys()) if (path.startsWith('Payload/')) return 'ipa';
  for (const path of byPath.keys()) if (path.startsWith('Products/')) return 'xcarchive';
  const file = byPath.get('Info.plist');
  const info = file === undefined ? undefined : infoOf(file, open);
  if (info?.info?.packageType === 'XFWK') return 'xcframework';
  return file !== undefined || INFO_PATHS.some((path) => byPath.has(path)) ? 'bundle' : 'none';
}

/** Every directory that is called as bundles are, and the root where it is one. */
function bundlePaths(files: readonly BundleFile[], tree: BundleTreeKind): Map<string, BundleKind> {
  const found = new Map<string, BundleKind>();
  if (tree === 'bundle') found.set('', rootKind(files));
  for (const { path } of files) {
    if (!isWalkable(path)) continue;
    for (let slash = path.indexOf('/'); slash !== -1; slash = path.indexOf('/', slash + 1)) {
      const name = path.slice(path.lastIndexOf('/', slash - 1) + 1, slash);
      const dot = name.lastIndexOf('.');
      const kind = dot < 1 ? undefined : EXTENSIONS.get(name.slice(dot));
      if (kind === undefined) continue;
      const directory = path.slice(0, slash);
      if (!found.has(directory)) found.set(directory, kind === 'app' ? appKind(directory) : kind);
    }
  }
  return found;
}

/** Its name is not among its own files: what stands inside tells. */
function rootKind(files: readonly BundleFile[]): BundleKind {
  return files.some(({ path }) => path.startsWith('Versions/') || path.startsWith('Headers/'))
    ? 'framework'
    : 'app';
}

function appKind(path: string): BundleKind {
  const parent = path.split('/').at(-2);
  if (parent === 'Watch') return 'watch-app';
  if (parent === 'com.apple.WatchPlaceholder') return 'watch-placeholder';
  return parent === 'AppClips' ? 'app-clip' : 'app';
}

function parentOf(path: string, bundles: ReadonlyMap<string, BundleKind>): string | undefined {
  for (let slash = path.lastIndexOf('/'); slash > 0; slash = path.lastIndexOf('/', slash - 1))
    if (bundles.has(path.slice(0, slash))) return path.slice(0, slash);
  return path !== '' && bundles.has('') ? '' : undefined;
}

function bundleAt(
  path: string,
  kind: BundleKind,
  parent: string | undefined,
  byPath: ReadonlyMap<string, BundleFile>,
  open: (file: BundleFile) => ByteSource | undefined,
  issues: BundleIssue[],
): AppleBundle {
  const inside = (name: string): string => (path === '' ? name : `${path}/${name}`);
  const infoPath = INFO_PATHS.map(inside).find((one) => byPath.has(one));
  const file = infoPath === undefined ? undefined : byPath.get(infoPath);
  const read = file === undefined ? undefined : infoOf(file, open);
  if (kind !== 'resources' && infoPath === undefined)
    issues.push({ code: 'info-missing', path, detail: 'a bundle without Info.plist' });
  if (read?.why !== undefined) issues.push({ code: 'info-unread', path: infoPath ?? path, detail: read.why });
  for (const detail of read?.findings ?? [])
    issues.push({ code: 'info-finding', path: infoPath ?? path, detail });
  const info = read?.info;
  const executable = executableOf(path, info, inside, byPath, issues);
  const codeResources = SIGNATURES.map(inside).find((one) => byPath.has(one));
  const profile = inside('embedded.mobileprovision');
  return {
    path,
    kind: path === '' && info?.extensionPoint !== undefined ? 'extension' : kind,
    ...(parent === undefined ? {} : { parent }),
    ...(infoPath === undefined ? {} : { infoPath }),
    ...(info === undefined ? {} : { info }),
    ...(executable === undefined ? {} : { executable }),
    ...(codeResources === undefined ? {} : { codeResources }),
    ...(byPath.has(profile) ? { profile } : {}),
  };
}

function executableOf(
  path: string,
  info: BundleInfo | undefined,
  inside: (name: string) => string,
  byPath: ReadonlyMap<string, BundleFile>,
  issues: BundleIssue[],
): string | undefined {
  const name = info?.executable;
  if (name === undefined) return undefined;
  if (name === '' || name.includes('/') || name.includes('\0')) {
    issues.push({ code: 'executable-name', path, detail: `CFBundleExecutable ${JSON.stringify(name)}` });
    return undefined;
  }
  const found = EXECUTABLE_DIRECTORIES.map((directory) => inside(directory + name)).find((one) =>
    byPath.has(one),
  );
  if (found === undefined)
    issues.push({ code: 'executable-missing', path, detail: `no file ${JSON.stringify(name)}` });
  return found;
}

function infoOf(
  file: BundleFile,
  open: (file: BundleFile) => ByteSource | undefined,
): { readonly info?: BundleInfo; readonly why?: string; readonly findings?: readonly string[] } {
  const source = file.size > MAX_INFO ? undefined : open(file);
  if (source === undefined) return { why: `${file.size} bytes, which could not be read` };
  try {
    const { info, plist } = readBundleInfo(source);
    return {
      info,
      findings: plist.findings.map(({ code, offset, detail }) => `${code} at ${offset}: ${detail}`),
    };
  } catch (error) {
    if (error instanceof FormatError) return { why: error.message };
    throw error;
  }
}
