// SPDX-License-Identifier: Apache-2.0
/**
 * The environment that made a file, from evidence inside of it: compilers, linkers, plugins, version bounds, the commit.
 * Tells what the publisher used where nothing else does; says nothing about equality. The same function reads the
 * rebuilt side, so that both can be put beside each other.
 */
import { FileSource, type ByteSource } from '../bytes.js';
import { FormatError } from '../errors.js';
import { zipContainer } from './zip/zip-container.js';
import { isDeb } from './deb.js';
import { collectApk } from './evidence/apk-evidence.js';
import { EvidenceBudget, type UnreadMember } from './evidence/budget.js';
import { collectDeb } from './evidence/deb-evidence.js';
import { collectElf, isElf } from './evidence/elf-evidence.js';
import { FactCollector, type EvidenceFact } from './evidence/facts.js';
import { oneFileWalk, type OneFileOptions } from './one-file.js';
import { EVIDENCE_KINDS, type EnvironmentEvidence, type EvidenceKind } from './types.js';

export interface FileEvidence {
  /** What the report calls the file. */
  readonly file: string;
  readonly facts: readonly EvidenceFact[];
  /** How often a further value was found and not kept, by kind. */
  readonly beyond: ReadonlyMap<EvidenceKind, number>;
  /** Members that could have said something and were not read; the first hundred. */
  readonly unread: readonly UnreadMember[];
}

/** @throws FailedHere `unreadable-input` for a file that cannot be read, `disk-full`; never for what the file holds */
export async function gatherEvidence(
  file: { readonly name: string; readonly path: string },
  options: OneFileOptions = {},
): Promise<FileEvidence> {
  const source = FileSource.open(file.path);
  try {
    return await evidenceOf(file.name, source, options);
  } finally {
    source.close();
  }
}

/** As `gatherEvidence`, over bytes from anywhere. */
export async function evidenceOf(
  name: string,
  source: ByteSource,
  options: OneFileOptions = {},
): Promise<FileEvidence> {
  const walk = oneFileWalk(options);
  const facts = new FactCollector();
  const budget = new EvidenceBudget();
  try {
    if (isDeb(source)) await collectDeb(walk, facts, source, budget);
    else if (isElf(source)) collectElf(facts, source, name);
    else if (zipContainer.recognizes(source)) await collectApk(walk, facts, source, budget);
  } catch (error) {
    // what was found before stands
    if (!(error instanceof FormatError)) throw error;
    budget.unread(name, error.code);
  } finally {
    await walk.close();
  }
  return { file: name, facts: facts.facts(), beyond: facts.beyond(), unread: budget.unreadMembers };
}

/** Kinds whose values belong together: one fact of the report. */
const LISTS: ReadonlySet<EvidenceKind> = new Set(['depends', 'built-using']);
const MAX_FACT = 2000;
const MAX_LISTED = 800;
/** Facts of one kind that the report tells of one file; what is more is counted. */
const MAX_EACH = 16;

/**
 * For the report, in a fixed order. With the evidence of rebuilt twins (by name of the published file) each fact says
 * what ours has in its place.
 */
export function environmentEvidence(
  published: readonly FileEvidence[],
  rebuilt: ReadonlyMap<string, FileEvidence> = new Map(),
): EnvironmentEvidence[] {
  return [...published]
    .sort((a, b) => (a.file < b.file ? -1 : 1))
    .flatMap((evidence) => {
      const ours = rebuilt.get(evidence.file);
      return EVIDENCE_KINDS.flatMap((from) => {
        const facts = evidence.facts.filter((fact) => fact.from === from);
        const twins = ours?.facts.filter((fact) => fact.from === from);
        const told = LISTS.has(from) ? listOf(facts, twins) : eachOf(facts.slice(0, MAX_EACH), twins, facts);
        const count = LISTS.has(from) ? facts.length : Math.min(facts.length, MAX_EACH);
        const beyond = facts.length - count + (evidence.beyond.get(from) ?? 0);
        if (beyond > 0) told.push(`${beyond} times another value, not listed`);
        return told.map((fact) => ({ file: evidence.file, from, fact: cut(fact, 2 * MAX_FACT) }));
      });
    });
}

function eachOf(
  told: readonly EvidenceFact[],
  twins: readonly EvidenceFact[] | undefined,
  all: readonly EvidenceFact[],
): string[] {
  const known = new Set(all.map(({ value }) => value));
  const instead = twins?.filter(({ value }) => !known.has(value)).map(({ value }) => value) ?? [];
  return told.map((fact) => {
    const said = `${fact.value}${placeOf(fact)}`;
    if (twins === undefined) return said;
    if (twins.some(({ value }) => value === fact.value)) return `${said}; ours has the same`;
    return `${said}; ours has ${listed(instead)}`;
  });
}

function placeOf({ member, members }: EvidenceFact): string {
  if (member === undefined) return '';
  return members === 1 ? ` (in ${member})` : ` (in ${member} and ${members - 1} more)`;
}

function listOf(facts: readonly EvidenceFact[], twins: readonly EvidenceFact[] | undefined): string[] {
  if (facts.length === 0) return [];
  const values = facts.map(({ value }) => value);
  if (twins === undefined) return [cut(values.join(', '), MAX_FACT)];
  const ours = twins.map(({ value }) => value);
  const missing = values.filter((value) => !ours.includes(value));
  const more = ours.filter((value) => !values.includes(value));
  if (missing.length + more.length === 0) return [`${listed(values)}; ours has the same`];
  return [`${listed(values)}; ours has ${listed(more)} instead of ${listed(missing)}`];
}

function listed(values: readonly string[]): string {
  return cut(values.join(', ') || 'none', MAX_LISTED);
}

function cut(text: string, limit: number): string {
  return text.length > limit ? `${text.slice(0, limit)}…` : text;
}

/** The commit that the published files name; `undefined` when they name none or several. */
export function builtFromCommit(published: readonly FileEvidence[]): string | undefined {
  const commits = new Set(
    published.flatMap(({ facts }) =>
      facts.flatMap(({ from, value }) =>
        from === 'version-control-info' && value.startsWith('commit ') ? [value.slice('commit '.length)] : [],
      ),
    ),
  );
  const [commit, other] = commits;
  return other === undefined ? commit : undefined;
}
