// SPDX-License-Identifier: Apache-2.0
/** A recipe's text to checked data, or every problem in it at once with line and column. YAML 1.2: https://yaml.org/spec/1.2.2/ */
import { createHash } from 'node:crypto';
import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import type { z } from 'zod';
import { UsageError } from '../errors.js';
import { type Recipe, recipeSchema } from './schema.js';

export interface RecipeProblem {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** `channels.website.packageId`; empty for the whole document. */
  readonly path: string;
  readonly message: string;
}

interface Invalid {
  readonly kind: 'invalid';
  readonly problems: readonly RecipeProblem[];
}

export type CheckedRecipe = { readonly kind: 'valid'; readonly recipe: Recipe } | Invalid;

/** SHA-256 of the file as it is: what `sha256sum` prints. */
export function recipeDigest(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}

/** @throws UsageError `recipe-invalid`, whose message has one line per problem */
export function parseRecipe(file: string, text: string): Recipe {
  const checked = checkRecipe(file, text);
  if (checked.kind === 'valid') return checked.recipe;
  const { problems } = checked;
  const lines = problems.slice(0, SHOWN).map((problem) => formatProblem(problem).replaceAll('\n', ' '));
  if (problems.length > SHOWN) lines.push(`and ${problems.length - SHOWN} more`);
  throw new UsageError('recipe-invalid', lines.join('\n'), {
    hint: 'recipes/schema.json describes every key; an editor that knows it shows the same problems',
  });
}

export function formatProblem({ file, line, column, path, message }: RecipeProblem): string {
  return `${file}:${line}:${column}${path === '' ? '' : ` ${path}`}: ${message}`;
}

const SHOWN = 100;
const MAX_LENGTH = 512 * 1024;
/** The largest recipe of ours has about 900 nodes. */
const MAX_NODES = 50_000;
const MAX_DEPTH = 40;
const MAX_ALIASES = 500;

type PathKey = string | number;
type Report = (offset: number, path: readonly PathKey[], message: string) => void;

export function checkRecipe(file: string, text: string): CheckedRecipe {
  const checked = checkYaml(recipeSchema, file, text);
  return checked.kind === 'invalid' ? checked : { kind: 'valid', recipe: checked.value };
}

export interface YamlOptions {
  /** `failsafe`: every scalar is the text that stands there, also 1.10 and no. */
  readonly scalars?: 'core' | 'failsafe';
  readonly maxLength?: number;
}

/** YAML of somebody else against a schema of ours, with the same bounds and the same places. */
export function checkYaml<Schema extends z.ZodType>(
  schema: Schema,
  file: string,
  text: string,
  { scalars = 'core', maxLength = MAX_LENGTH }: YamlOptions = {},
): { readonly kind: 'valid'; readonly value: z.output<Schema> } | Invalid {
  const problems: RecipeProblem[] = [];
  const lines = new LineCounter();
  const report: Report = (offset, path, message) => {
    const { line, col } = lines.linePos(offset);
    problems.push({ file, line: Math.max(1, line), column: Math.max(1, col), path: pathText(path), message });
  };
  const invalid = (): Invalid => ({
    kind: 'invalid',
    problems: problems.sort((a, b) => a.line - b.line || a.column - b.column),
  });
  if (text.length > maxLength) {
    report(0, [], `expected at most ${maxLength} characters, got ${text.length}`);
    return invalid();
  }
  const document = readYaml(text, lines, report, scalars);
  if (document === undefined || problems.length > 0) return invalid();
  if (!expandable(document, report)) return invalid();
  // Our own bound on aliases has just been checked.
  const value: unknown = document.toJS({ maxAliasCount: -1 });
  const result = schema.safeParse(value);
  if (result.success) return { kind: 'valid', value: result.data };
  for (const issue of result.error.issues) describe(issue, value, document, report);
  return invalid();
}

function readYaml(
  text: string,
  lineCounter: LineCounter,
  report: Report,
  schema: 'core' | 'failsafe',
): Document.Parsed | undefined {
  let document: Document.Parsed;
  try {
    document = parseDocument(text, {
      lineCounter,
      prettyErrors: false,
      stringKeys: true,
      schema,
      merge: false,
    });
  } catch (cause) {
    // Nesting deeper than the parser's stack.
    report(0, [], `cannot be read as YAML: ${(cause as Error).message}`);
    return undefined;
  }
  for (const { pos, message } of [...document.errors, ...document.warnings])
    report(pos[0], [], `not valid YAML: ${message}`);
  return document;
}

/** Walks the document as it unfolds: an alias to an enclosing node is a cycle, too many nodes are an alias bomb. */
function expandable(document: Document.Parsed, report: Report): boolean {
  let nodes = 0;
  let aliases = 0;
  let good = true;
  const stop = (node: Node, path: readonly PathKey[], message: string): void => {
    if (good) report(node.range?.[0] ?? 0, path, message);
    good = false;
  };
  const walk = (node: unknown, path: readonly PathKey[], enclosing: readonly Node[]): void => {
    if (!good || node === null || node === undefined) return;
    const current = node as Node;
    if (++nodes > MAX_NODES)
      return stop(current, path, `aliases unfold to more than ${MAX_NODES} nodes (an alias bomb)`);
    if (path.length > MAX_DEPTH) return stop(current, path, `nested deeper than ${MAX_DEPTH} levels`);
    if (isAlias(current)) {
      // Resolving one costs a walk over the document.
      if (++aliases > MAX_ALIASES)
        return stop(current, path, `more than ${MAX_ALIASES} aliases to follow (an alias bomb)`);
      const target = current.resolve(document);
      if (target === undefined)
        return stop(current, path, `alias *${current.source} has no anchor before it`);
      if (enclosing.includes(target))
        return stop(current, path, `alias *${current.source} refers to a node around itself (a cycle)`);
      return walk(target, path, enclosing);
    }
    const inside = [...enclosing, current];
    if (isMap(current))
      for (const { key, value } of current.items) {
        const name = isScalar(key) ? String(key.value) : '?';
        if (name === '__proto__') stop(current, path, 'the key __proto__ is not allowed');
        walk(value, [...path, name], inside);
      }
    else if (isSeq(current)) current.items.forEach((item, i) => walk(item, [...path, i], inside));
  };
  walk(document.contents, [], []);
  return good;
}

// ---------------------------------------------------------------- problems in words

function pathText(path: readonly PathKey[]): string {
  return path
    .map((key, i) => (typeof key === 'number' ? `[${key}]` : `${i === 0 ? '' : '.'}${plainKey(key)}`))
    .join('');
}

/** A key can be anything that YAML can spell, control characters too. */
const plainKey = (key: string): string => (/^[\w-]+$/.test(key) ? key : JSON.stringify(key.slice(0, 80)));

const own = (path: readonly PropertyKey[]): PathKey[] =>
  path.map((key) => (typeof key === 'number' ? key : String(key)));

interface Place {
  /** Where the value stands; for a missing one where its parent stands. */
  readonly offset: number;
  /** Where the key stands, for a value of a map. */
  readonly keyOffset: number;
  readonly node: Node | undefined;
}

/** Follows a path through the document, through aliases. */
function placeOf(document: Document.Parsed, path: readonly PathKey[]): Place {
  let node: unknown = document.contents;
  let offset = 0;
  let keyOffset = 0;
  for (const [i, key] of [undefined, ...path].entries()) {
    if (i > 0) {
      const parent = isAlias(node) ? node.resolve(document) : node;
      if (isMap(parent)) {
        const pair = parent.items.find(
          (item) => isScalar(item.key) && String(item.key.value) === String(key),
        );
        if (pair === undefined) return { offset, keyOffset: offset, node: undefined };
        keyOffset = (pair.key as Node).range?.[0] ?? offset;
        node = pair.value;
      } else if (isSeq(parent)) node = parent.items[Number(key)];
      else return { offset, keyOffset: offset, node: undefined };
    }
    offset = (node as Node | null | undefined)?.range?.[0] ?? keyOffset;
  }
  return { offset, keyOffset, node: (node as Node | null) ?? undefined };
}

function valueAt(value: unknown, path: readonly PathKey[]): unknown {
  return path.reduce<unknown>(
    (current, key) =>
      typeof current === 'object' && current !== null
        ? (current as Record<PathKey, unknown>)[key]
        : undefined,
    value,
  );
}

function kindOf(value: unknown): string {
  if (value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a map';
  return `${typeof value} ${JSON.stringify(value)}`;
}

const EXPECTED: Readonly<Record<string, string>> = {
  object: 'a map',
  array: 'a list',
  record: 'a map',
  string: 'text',
  int: 'a whole number',
};

type Issue = z.core.$ZodIssue;

function describe(issue: Issue, value: unknown, document: Document.Parsed, report: Report): void {
  const path = own(issue.path);
  const place = placeOf(document, path);
  if (issue.code === 'unrecognized_keys') {
    const messages = issue.message.split('\n');
    issue.keys.forEach((key, i) => {
      const at = [...path, key];
      report(placeOf(document, at).keyOffset, at, `unknown key: ${messages[i] ?? key}`);
    });
    return;
  }
  if (issue.code === 'invalid_key') {
    report(place.keyOffset, path, issue.issues[0]?.message ?? issue.message);
    return;
  }
  if (issue.code === 'invalid_type') {
    report(place.offset, path, wrongType(issue.expected, valueAt(value, path), place.node));
    return;
  }
  report(place.offset, path, issue.message.replace(/^Invalid input: /, '').replace(/^[A-Z]/, lower));
}

const lower = (letter: string): string => letter.toLowerCase();

function wrongType(expected: string, got: unknown, node: Node | undefined): string {
  const wanted = EXPECTED[expected] ?? expected;
  if (node === undefined || got === undefined) return `expected ${wanted}, but it is missing`;
  if (expected === 'string' && (typeof got === 'number' || typeof got === 'boolean')) {
    // 10.10 is the number 10.1: only the source text knows what was meant.
    const source = isScalar(node) && node.source !== undefined ? node.source : String(got);
    return `expected text, got ${kindOf(got)}: put it in quotes, "${source}"`;
  }
  return `expected ${wanted}, got ${kindOf(got)}`;
}
