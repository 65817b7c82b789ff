// SPDX-License-Identifier: Apache-2.0
/**
 * Facts of a toolchain out of upstream's own files. The texts are an attacker's: bounded before a pattern sees them, and what
 * they give is a plain word or an image reference, or nothing.
 * Dockerfile: https://docs.docker.com/reference/dockerfile/#from
 */
import { createHash } from 'node:crypto';
import type { Extrapolation, Fact, ToolchainFact } from '../model.js';
import type { RecipeBuild } from './schema.js';

export type Extractor = RecipeBuild['toolchain'][number];

const MAX_TEXT = 1 << 20;
/** Versions, package names, image references with tag or digest. */
const PLAIN = /^[0-9A-Za-z][0-9A-Za-z.+~:_@/-]{0,254}$/;

/** The files that a range of builds reads or watches, sorted. */
export function toolchainFiles(build: RecipeBuild): readonly string[] {
  const files = [...build.toolchain, ...build.watch].map(({ file }) => file);
  return [...new Set(files)].toSorted();
}

/** The text of a file at the commit; `undefined` where it was not looked up or is not there. */
export function sourceText(
  facts: readonly Fact[],
  repository: string,
  commit: string,
  file: string,
): string | undefined {
  for (const fact of facts)
    if (fact.kind === 'source-files' && fact.repository === repository && fact.commit === commit) {
      const found = fact.files.find(({ path }) => path === file);
      if (found?.text !== undefined) return found.text;
    }
  return undefined;
}

/** `undefined`: the file does not say it, or says something that is no plain word. */
export function extract(extractor: Extractor, text: string): string | undefined {
  if (text.length > MAX_TEXT) return undefined;
  const value = valueIn(extractor, text)?.trim();
  return value !== undefined && PLAIN.test(value) ? value : undefined;
}

function valueIn(extractor: Extractor, text: string): string | undefined {
  switch (extractor.kind) {
    case 'dockerfile-from':
      return baseImages(text)[extractor.stage];
    case 'dockerfile-arg':
      return dockerfileValues(text).get(extractor.arg);
    case 'gradle-wrapper':
      return /^distributionUrl=.*\/gradle-([0-9][^/\s]*?)-(?:bin|all)\.zip\s*$/m.exec(text)?.[1];
    case 'nvmrc':
      return /^\s*v?([0-9][0-9.]*)\s*$/m.exec(text)?.[1];
    case 'rust-toolchain':
      return (
        /^\s*channel\s*=\s*"([^"\n]+)"/m.exec(text)?.[1] ?? /^\s*([0-9a-z][0-9a-z.-]*)\s*$/.exec(text)?.[1]
      );
    case 'sdkmanager':
      return sdkPackage(text, extractor.package);
    case 'pattern':
      return new RegExp(extractor.pattern, 'u').exec(text)?.[1];
  }
}

// ---------------------------------------------------------------- Dockerfile

/** Lines that end in a backslash go on; comments are left out. */
function instructions(text: string): readonly string[] {
  const lines = text.split(/\r?\n/).filter((line) => !/^\s*#/.test(line));
  return lines
    .join('\n')
    .replace(/\\\n/g, ' ')
    .split('\n')
    .map((line) => line.trim());
}

/** Images of FROM in order, ARG defaults filled in, stages of the file itself left out. */
function baseImages(text: string): readonly string[] {
  const values = dockerfileValues(text);
  const stages = new Set<string>();
  const images: string[] = [];
  for (const line of instructions(text)) {
    const [, image = '', stage] = /^FROM\s+(?:--platform=\S+\s+)?(\S+)(?:\s+AS\s+(\S+))?/i.exec(line) ?? [];
    if (image === '') continue;
    if (!stages.has(image.toLowerCase())) images.push(filled(image, values));
    if (stage !== undefined) stages.add(stage.toLowerCase());
  }
  return images;
}

/** ARG and ENV with their first values. */
function dockerfileValues(text: string): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const line of instructions(text)) {
    const rest = /^(?:ARG|ENV)\s+(.*)$/i.exec(line)?.[1];
    if (rest === undefined) continue;
    const pairs = [...rest.matchAll(/(\w+)=(?:"([^"]*)"|'([^']*)'|(\S*))/g)];
    for (const [, name = '', double, single, bare] of pairs)
      if (!values.has(name)) values.set(name, double ?? single ?? bare ?? '');
    const [, old, value] = pairs.length === 0 ? (/^(\w+)\s+(\S+)$/.exec(rest) ?? []) : [];
    if (old !== undefined && value !== undefined && !values.has(old)) values.set(old, value);
  }
  return values;
}

const filled = (text: string, values: ReadonlyMap<string, string>): string =>
  text.replace(
    /\$\{(\w+)(?::-([^}]*))?\}|\$(\w+)/g,
    (_, braced: string | undefined, otherwise: string | undefined, bare: string | undefined) =>
      values.get(braced ?? bare ?? '') ?? otherwise ?? '',
  );

/** `sdkmanager "ndk;27.2.12479018"`: the newest of that package that the text names, after filling in its variables. */
function sdkPackage(text: string, name: string): string | undefined {
  const all = filled(instructions(text).join('\n'), dockerfileValues(text));
  const found = [...all.matchAll(/([a-z][a-z-]*);([0-9A-Za-z.-]+)/g)].filter(([, of]) => of === name);
  return found
    .map(([, , value]) => value ?? '')
    .toSorted(byNumbers)
    .at(-1);
}

const byNumbers = (a: string, b: string): number => a.localeCompare(b, 'en', { numeric: true });

// ---------------------------------------------------------------- all facts of a build

export interface ReadToolchain {
  readonly facts: readonly ToolchainFact[];
  /** Extractors whose file was not read or does not say it: what they are, and the file. */
  readonly unread: readonly { readonly name: string; readonly what: string; readonly file: string }[];
}

export function readToolchain(
  build: RecipeBuild,
  textOf: (file: string) => string | undefined,
): ReadToolchain {
  const facts: ToolchainFact[] = [];
  const unread: { name: string; what: string; file: string }[] = [];
  for (const extractor of build.toolchain) {
    const { name, what, file } = extractor;
    const text = textOf(file);
    const value = text === undefined ? undefined : extract(extractor, text);
    if (value === undefined) unread.push({ name, what, file });
    else facts.push({ name, what, file, value });
  }
  return { facts, unread };
}

/** What differs from the newest version of the range that was rebuilt; nothing for that version itself. */
export function extrapolationOf(
  build: RecipeBuild,
  version: string,
  read: ReadToolchain,
  textOf: (file: string) => string | undefined,
): Extrapolation | undefined {
  const { proven } = build;
  if (proven === undefined || proven.version === version) return undefined;
  const changed: string[] = [];
  const unread: string[] = [];
  for (const { name, what } of build.toolchain) {
    const before = proven.toolchain[name];
    const now = read.facts.find((fact) => fact.name === name)?.value;
    if (now === undefined) unread.push(what);
    else if (before !== now) changed.push(before === undefined ? what : `${what} ${before} → ${now}`);
  }
  for (const { file, what } of build.watch) {
    const text = textOf(file);
    if (text === undefined) unread.push(what);
    else if (createHash('sha256').update(text, 'utf8').digest('hex') !== proven.files[file])
      changed.push(what);
  }
  return { since: proven.version, by: proven.by, changed, unread };
}
