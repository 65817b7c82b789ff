// SPDX-License-Identifier: Apache-2.0
/** What is odd about the files of an IPA or a bundle: beside the app, twice, or under a name that is a trap for tools. */
import {
  isWalkable,
  SUPPORT_DIRECTORIES,
  type AppleBundle,
  type BundleFile,
  type BundleIssue,
  type BundleIssueCode,
  type BundleTreeKind,
} from './bundle-types.js';

/** Issues of one code that are listed one by one. */
const MAX_EACH = 100;
const TOP_FILES = new Set([
  'iTunesMetadata.plist',
  'iTunesArtwork',
  'META-INF/com.apple.ZipMetadata.plist',
  'META-INF/com.apple.FixedZipMetadata.bin',
]);
/** Quotes, substitution, separators, redirection, line ends, globs, and what begins like an option. */
// oxlint-disable-next-line no-control-regex
const SHELL = /["'`$;|&<>\\*?\u0000-\u001f\u007f]|(?:^|\/)-/;

export function layoutIssues(
  kind: BundleTreeKind,
  files: readonly BundleFile[],
  bundles: readonly AppleBundle[],
): BundleIssue[] {
  const issues: BundleIssue[] = [];
  const counts = new Map<BundleIssueCode, number>();
  const add = (code: BundleIssueCode, path: string, detail: string): void => {
    const count = (counts.get(code) ?? 0) + 1;
    counts.set(code, count);
    if (count <= MAX_EACH) issues.push({ code, path, detail });
  };
  if (kind === 'ipa') payloadIssues(files, bundles, add);
  nameIssues(files, bundles, add);
  // one library for each platform of an XCFramework has one name
  if (kind !== 'xcframework') identifierIssues(bundles, add);
  for (const [code, count] of counts)
    if (count > MAX_EACH) issues.push({ code, path: '', detail: `${count - MAX_EACH} more` });
  return issues;
}

type Add = (code: BundleIssueCode, path: string, detail: string) => void;

function payloadIssues(files: readonly BundleFile[], bundles: readonly AppleBundle[], add: Add): void {
  const apps = bundles.filter(({ path }) => /^Payload\/[^/]+\.app$/.test(path));
  if (apps.length === 0) add('no-app', 'Payload', 'no app in Payload');
  if (apps.length > 1) for (const { path } of apps) add('several-apps', path, `one of ${apps.length} apps`);
  for (const { path } of files) {
    if (path.startsWith('Payload/')) {
      if (!/^Payload\/[^/]+\.app\//.test(path)) add('outside-app', path, 'in Payload, and in no app');
    } else if (!TOP_FILES.has(path) && !SUPPORT_DIRECTORIES.some((name) => path.startsWith(`${name}/`)))
      add('outside-payload', path, 'beside Payload');
  }
}

function nameIssues(files: readonly BundleFile[], bundles: readonly AppleBundle[], add: Add): void {
  const folded = new Map<string, string>();
  const homes = new Set(bundles.map(({ path }) => path));
  for (const { path, link } of files) {
    if (!isWalkable(path)) add('name-length', path.slice(0, 200), `a path of ${path.length} characters`);
    if (SHELL.test(path)) add('name-shell', path, 'a name that a shell takes apart');
    const fold = path.normalize('NFD').toLowerCase();
    const before = folded.get(fold);
    if (before !== undefined) add('name-case', path, `the same as ${JSON.stringify(before)} on other disks`);
    folded.set(fold, path);
    if (link === undefined) continue;
    add('symbolic-link', path, `to ${JSON.stringify(link)}`);
    if (leaves(path, link, homes)) add('link-outside', path, `to ${JSON.stringify(link)}`);
  }
}

/** Out of the innermost bundle that the link lies in; any absolute one. */
function leaves(path: string, link: string, homes: ReadonlySet<string>): boolean {
  if (link.startsWith('/') || !isWalkable(path)) return true;
  const parts = path.split('/').slice(0, -1);
  let depth = 0;
  while (parts.length > 0 && !homes.has(parts.join('/'))) {
    parts.pop();
    depth++;
  }
  for (const part of link.split('/')) {
    if (part === '..') depth--;
    else if (part !== '.' && part !== '') depth++;
    if (depth < 0) return true;
  }
  return false;
}

function identifierIssues(bundles: readonly AppleBundle[], add: Add): void {
  const byPath = new Map(bundles.map((bundle) => [bundle.path, bundle]));
  const seen = new Map<string, string>();
  for (const { path, kind, info, parent } of bundles) {
    const identifier = info?.identifier;
    if (identifier === undefined || kind === 'resources') continue;
    const before = seen.get(identifier);
    if (before !== undefined) add('identifier-twice', path, `${JSON.stringify(identifier)}, as ${before}`);
    else seen.set(identifier, path);
    if (kind !== 'extension' && kind !== 'app-clip' && kind !== 'watch-app') continue;
    const owner = parent === undefined ? undefined : byPath.get(parent)?.info?.identifier;
    if (owner !== undefined && !identifier.startsWith(`${owner}.`))
      add('identifier-foreign', path, `${JSON.stringify(identifier)} in ${JSON.stringify(owner)}`);
  }
}
