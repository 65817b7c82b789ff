// SPDX-License-Identifier: Apache-2.0
/**
 * `_CodeSignature/CodeResources`: which files of a bundle its signature covers, with their digests. `files` and `rules`
 * are what old systems read, `files2` and `rules2` all others.
 * https://github.com/apple-oss-distributions/Security/blob/main/OSX/libsecurity_codesigning/lib/resources.cpp
 */
import type { ByteSource } from '../bytes.js';
import { FormatError } from '../errors.js';
import { RESOURCE_RULES, type ResourceRule } from './code-resource-rules.js';
import { readPlist, type PlistDocument, type PlistEntry, type PlistValue } from './plist.js';

export type ResourceSeal = {
  readonly path: string;
  readonly optional: boolean;
} & (
  | { readonly kind: 'file'; readonly sha1?: Buffer; readonly sha256?: Buffer }
  | { readonly kind: 'symlink'; readonly target: string }
  /** Code of its own: the digest of its CodeDirectory, and what its signature has to satisfy. */
  | { readonly kind: 'nested'; readonly cdhash?: Buffer; readonly requirement: string }
);

export type ResourceIssueCode =
  /** A key that no version of the format has. */
  | 'unknown-key'
  | 'unknown-rule'
  /** A finding of the property list itself. */
  | 'plist-finding';

export interface ResourceIssue {
  readonly code: ResourceIssueCode;
  readonly path: string;
  readonly detail: string;
}

export interface CodeResources {
  readonly plist: PlistDocument;
  readonly files: ReadonlyMap<string, ResourceSeal>;
  readonly files2: ReadonlyMap<string, ResourceSeal> | undefined;
  readonly rules: readonly ResourceRule[];
  readonly rules2: readonly ResourceRule[] | undefined;
  readonly issues: readonly ResourceIssue[];
}

/** @throws FormatError `plist/…` or `code-resources/…` */
export function readCodeResources(source: ByteSource): CodeResources {
  const plist = readPlist(source);
  const issues: ResourceIssue[] = plist.findings.map(({ code, offset, detail }) => ({
    code: 'plist-finding',
    path: '',
    detail: `${code} at ${offset}: ${detail}`,
  }));
  const top = new Map(dict(plist.root, 'the property list').map(({ key, value }) => [key, value]));
  for (const key of top.keys())
    if (!['files', 'files2', 'rules', 'rules2'].includes(key))
      issues.push({ code: 'unknown-key', path: key, detail: 'a key that the format has not' });
  const [files2, rules2] = [top.get('files2'), top.get('rules2')];
  return {
    plist,
    files: seals(top.get('files'), issues),
    files2: files2 && seals(files2, issues),
    rules: rulesOf(top.get('rules'), issues),
    rules2: rules2 && rulesOf(rules2, issues),
    issues,
  };
}

function fail(code: string, message: string): never {
  throw new FormatError('code-resources', code, 0, message);
}

function dict(value: PlistValue, what: string): readonly PlistEntry[] {
  if (value.kind !== 'dict') fail('structure', `${what} is no dictionary`);
  return value.entries;
}

function seals(value: PlistValue | undefined, issues: ResourceIssue[]): ReadonlyMap<string, ResourceSeal> {
  const found = new Map<string, ResourceSeal>();
  for (const entry of value === undefined ? [] : dict(value, 'files'))
    // a key that is there twice is told by the reader of the property list; the first one counts
    if (!found.has(entry.key)) found.set(entry.key, sealOf(entry, issues));
  return found;
}

const SEAL_KEYS = {
  file: ['hash', 'hash2', 'optional'],
  symlink: ['symlink', 'optional'],
  nested: ['cdhash', 'requirement', 'optional'],
} as const satisfies Record<ResourceSeal['kind'], readonly string[]>;

function sealOf({ key: path, value }: PlistEntry, issues: ResourceIssue[]): ResourceSeal {
  if (value.kind === 'data') return { path, kind: 'file', optional: false, sha1: digest(value, 20, path) };
  const fields = new Map(dict(value, `the seal of ${path}`).map((entry) => [entry.key, entry.value]));
  const kind = fields.has('requirement') ? 'nested' : fields.has('symlink') ? 'symlink' : 'file';
  for (const key of fields.keys())
    if (!(SEAL_KEYS[kind] as readonly string[]).includes(key))
      issues.push({ code: 'unknown-key', path: `${path}: ${key}`, detail: `a key that a ${kind} has not` });
  const optional = flag(fields.get('optional'));
  if (kind === 'symlink') return { path, kind, optional, target: text(fields.get('symlink'), path) };
  const cdhash = fields.get('cdhash');
  if (kind === 'nested')
    return {
      path,
      kind,
      optional,
      ...(cdhash === undefined ? {} : { cdhash: digest(cdhash, 20, path) }),
      requirement: text(fields.get('requirement'), path),
    };
  const [sha1, sha256] = [fields.get('hash'), fields.get('hash2')];
  if (sha1 === undefined && sha256 === undefined) fail('seal', `no digest for ${path}`);
  return {
    path,
    kind,
    optional,
    ...(sha1 === undefined ? {} : { sha1: digest(sha1, 20, path) }),
    ...(sha256 === undefined ? {} : { sha256: digest(sha256, 32, path) }),
  };
}

function digest(value: PlistValue, size: number, path: string): Buffer {
  if (value.kind !== 'data' || value.value.length !== size)
    fail('digest', `a digest of ${size} bytes is expected for ${path}`);
  return value.value;
}

function text(value: PlistValue | undefined, path: string): string {
  if (value?.kind !== 'string') fail('seal', `a text is expected for ${path}`);
  return value.value;
}

/** Absent is false; what is neither true nor false is no seal. */
function flag(value: PlistValue | undefined): boolean {
  if (value === undefined) return false;
  if (value.kind !== 'boolean') fail('seal', `a ${value.kind} where true or false is expected`);
  return value.value;
}

function rulesOf(value: PlistValue | undefined, issues: ResourceIssue[]): readonly ResourceRule[] {
  return (value === undefined ? [] : dict(value, 'rules')).map(({ key: pattern, value: rule }) => {
    if (!RESOURCE_RULES.has(pattern))
      issues.push({
        code: 'unknown-rule',
        path: pattern,
        detail: "a pattern that Apple's tools do not write",
      });
    if (rule.kind === 'boolean')
      return { pattern, weight: 1, omit: !rule.value, optional: false, nested: false };
    const fields = new Map(dict(rule, `rule ${pattern}`).map((entry) => [entry.key, entry.value]));
    for (const key of fields.keys())
      if (!['weight', 'omit', 'optional', 'nested'].includes(key))
        issues.push({ code: 'unknown-key', path: `${pattern}: ${key}`, detail: 'a key that a rule has not' });
    return {
      pattern,
      weight: weightOf(fields.get('weight'), pattern),
      omit: flag(fields.get('omit')),
      optional: flag(fields.get('optional')),
      nested: flag(fields.get('nested')),
    };
  });
}

/** Core Foundation writes whole numbers as reals here. */
function weightOf(value: PlistValue | undefined, pattern: string): number {
  if (value === undefined) return 1;
  if (value.kind !== 'integer' && value.kind !== 'real')
    fail('rule', `a weight of ${pattern} that is no number`);
  const weight = Number(value.value);
  if (!Number.isInteger(weight) || weight < 0 || weight > 0xffffffff)
    fail('rule', `weight ${weight} of ${pattern}`);
  return weight;
}
