// SPDX-License-Identifier: Apache-2.0
/**
 * `CodeResources` against the files of its bundle: each digest, each link, each piece of nested code, and every file
 * that it does not cover.
 * https://github.com/apple-oss-distributions/Security/blob/main/OSX/libsecurity_codesigning/lib/StaticCode.cpp (validateResource)
 */
import { resourceRuleFor } from './code-resource-rules.js';
import type { CodeResources, ResourceSeal } from './code-resources.js';

/** A bundle as the check sees it; paths are relative to where `CodeResources` counts from. */
export interface SealedBundle {
  readonly files: readonly { readonly path: string; readonly link?: string }[];
  /** The main executable, which its own CodeDirectory covers. */
  readonly executable?: string;
  /** `undefined` where the file could not be read. */
  readonly digest: (path: string, algorithm: 'sha1' | 'sha256') => Buffer | undefined;
  /** Digests of the CodeDirectories of a bundle or a binary at this path, cut to 20 bytes. */
  readonly nested?: (path: string) => readonly Buffer[] | undefined;
}

export type SealIssueCode =
  | 'digest-mismatch'
  | 'file-missing'
  /** Rules say that it is covered, and no seal is there. */
  | 'file-unsealed'
  /** A seal for what the rules leave out. */
  | 'seal-omitted'
  | 'link-mismatch'
  /** A link where a file is sealed, or the other way round. */
  | 'type-mismatch'
  | 'nested-mismatch'
  | 'nested-unchecked'
  | 'file-unread'
  /** `files` and `files2` state different SHA-1 for one file. */
  | 'versions-disagree';

export interface SealIssue {
  readonly code: SealIssueCode;
  readonly path: string;
}

/** A file that the digests say nothing about, and why not. */
export interface UnsealedFile {
  readonly path: string;
  readonly why: 'signature' | 'executable' | 'omitted-by-rule' | 'no-rule' | 'not-listed';
}

export interface SealCheck {
  readonly issues: readonly SealIssue[];
  readonly unsealed: readonly UnsealedFile[];
  /** Optional files that are sealed and not there. */
  readonly absent: readonly string[];
  /** Files whose every stated digest is right. */
  readonly verified: number;
}

export function checkCodeResources(resources: CodeResources, bundle: SealedBundle): SealCheck {
  const issues: SealIssue[] = [];
  const absent: string[] = [];
  let verified = 0;
  const seals = resources.files2 ?? resources.files;
  const rules = resources.rules2 ?? resources.rules;
  const links = new Map(bundle.files.map(({ path, link }) => [path, link]));
  const directories = nestedPrefixes(seals);
  for (const seal of seals.values()) {
    const code = check(seal, bundle, links);
    if (code === 'absent') absent.push(seal.path);
    else if (code === undefined) verified++;
    else issues.push({ code, path: seal.path });
    if (resourceRuleFor(rules, seal.path)?.omit === true || isExcluded(seal.path, bundle) !== undefined)
      issues.push({ code: 'seal-omitted', path: seal.path });
  }
  if (resources.files2 !== undefined)
    for (const seal of resources.files.values()) {
      const code = oldIssue(seal, resources.files2, bundle, links);
      if (code === 'absent') absent.push(seal.path);
      else if (code !== undefined) issues.push({ code, path: seal.path });
    }
  const unsealed: UnsealedFile[] = [];
  for (const { path } of bundle.files) {
    if (seals.has(path) || isInNested(path, directories)) continue;
    const excluded = isExcluded(path, bundle);
    const rule = resourceRuleFor(rules, path);
    const why = excluded ?? (rule === undefined ? 'no-rule' : rule.omit ? 'omitted-by-rule' : 'not-listed');
    unsealed.push({ path, why });
    if (why === 'not-listed') issues.push({ code: 'file-unsealed', path });
  }
  return { issues, unsealed, absent, verified };
}

function check(
  seal: ResourceSeal,
  bundle: SealedBundle,
  links: ReadonlyMap<string, string | undefined>,
): SealIssueCode | 'absent' | undefined {
  if (seal.kind === 'nested') {
    const found = bundle.nested?.(seal.path);
    if (found === undefined) return 'nested-unchecked';
    // without the digest any code that satisfies the requirement would do
    if (seal.cdhash === undefined) return 'nested-unchecked';
    const { cdhash } = seal;
    return found.some((one) => one.equals(cdhash)) ? undefined : 'nested-mismatch';
  }
  if (!links.has(seal.path)) return seal.optional ? 'absent' : 'file-missing';
  const link = links.get(seal.path);
  if (seal.kind === 'symlink')
    return link === undefined ? 'type-mismatch' : link === seal.target ? undefined : 'link-mismatch';
  if (link !== undefined) return 'type-mismatch';
  for (const [algorithm, stated] of [
    ['sha1', seal.sha1],
    ['sha256', seal.sha256],
  ] as const) {
    if (stated === undefined) continue;
    const found = bundle.digest(seal.path, algorithm);
    if (found === undefined) return 'file-unread';
    if (!found.equals(stated)) return 'digest-mismatch';
  }
  return undefined;
}

/** What old systems read says no more, and nothing else, than what new ones do. */
function oldIssue(
  seal: ResourceSeal,
  files2: ReadonlyMap<string, ResourceSeal>,
  bundle: SealedBundle,
  links: ReadonlyMap<string, string | undefined>,
): SealIssueCode | 'absent' | undefined {
  const twin = files2.get(seal.path);
  if (seal.kind === 'file' && twin?.kind === 'file' && seal.sha1 !== undefined && twin.sha1 !== undefined)
    return seal.sha1.equals(twin.sha1) ? undefined : 'versions-disagree';
  return check(seal, bundle, links);
}

/** Never covered by these digests: what the signature itself is made of. */
function isExcluded(path: string, { executable }: SealedBundle): 'signature' | 'executable' | undefined {
  if (path === executable) return 'executable';
  return path.startsWith('_CodeSignature/') || path === 'CodeResources' || path.startsWith('_MASReceipt/')
    ? 'signature'
    : undefined;
}

function nestedPrefixes(seals: ReadonlyMap<string, ResourceSeal>): ReadonlySet<string> {
  return new Set([...seals.values()].flatMap(({ kind, path }) => (kind === 'nested' ? [path] : [])));
}

function isInNested(path: string, directories: ReadonlySet<string>): boolean {
  if (directories.size === 0) return false;
  for (let slash = path.indexOf('/'); slash !== -1; slash = path.indexOf('/', slash + 1))
    if (directories.has(path.slice(0, slash))) return true;
  return false;
}
