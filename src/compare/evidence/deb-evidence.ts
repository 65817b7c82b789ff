// SPDX-License-Identifier: Apache-2.0
/**
 * What a Debian build left in a package: bounds on the versions it was linked against, sources that went in, and what
 * compilers wrote into its programs (Debian strips `.comment`, so often nothing).
 * https://www.debian.org/doc/debian-policy/ch-relationships.html
 */
import { SliceSource, type ByteSource } from '../../bytes.js';
import { readAr } from '../../formats/ar.js';
import { printable, printableBytes } from '../../printable.js';
import { dataFiles, readControl } from '../deb.js';
import type { Walk } from '../walk.js';
import type { EvidenceBudget } from './budget.js';
import { collectElf, isElf } from './elf-evidence.js';
import type { FactCollector } from './facts.js';

const MAX_DATA = 4 * 2 ** 30;
const MAX_RELATIONS = 1000;

export async function collectDeb(
  walk: Walk,
  facts: FactCollector,
  source: ByteSource,
  budget: EvidenceBudget,
): Promise<void> {
  const control = await readControl(walk, source);
  for (const [field, kind] of [
    ['pre-depends', 'depends'],
    ['depends', 'depends'],
    ['built-using', 'built-using'],
    ['static-built-using', 'built-using'],
  ] as const)
    for (const relation of (control.get(field) ?? '').split(/[,|]/, MAX_RELATIONS)) {
      const text = relation.replace(/\s{1,100}/g, ' ').trim();
      // only what has a version says something about the environment
      if (/\((?:>=|>>|=) ?[^)]{1,200}\)/.test(text)) facts.add(kind, printable(text));
    }
  for await (const { name, source: file } of dataFiles(walk, source, MAX_DATA)) {
    walk.checkAborted();
    const member = printableBytes(Buffer.from(name, 'latin1'));
    if (isElf(file)) collectProgram(facts, file, member, budget);
    else if (isStaticArchive(file)) budget.guard(member, () => collectArchive(facts, file, member, budget));
  }
}

function collectProgram(
  facts: FactCollector,
  file: ByteSource,
  member: string,
  budget: EvidenceBudget,
): void {
  if (budget.take(file.size, member)) budget.guard(member, () => collectElf(facts, file, member));
}

function isStaticArchive(file: ByteSource): boolean {
  return file.size > 68 && file.read(0, 8).toString('latin1') === '!<arch>\n';
}

function collectArchive(
  facts: FactCollector,
  file: ByteSource,
  member: string,
  budget: EvidenceBudget,
): void {
  for (const { data } of readAr(file).members) {
    const object = new SliceSource(file, data.offset, data.size);
    if (isElf(object)) collectProgram(facts, object, member, budget);
  }
}
