// SPDX-License-Identifier: Apache-2.0
/** One file, or those that are installed together: a directory, or an archive of APKs. */
import type { ByteSource } from '../../bytes.js';
import { FormatError } from '../../errors.js';
import { readZip, type ZipStructure } from '../../formats/zip.js';
import { printable, printableBytes } from '../../printable.js';
import { archiveAmbiguity } from '../archive-ambiguity.js';
import { isArchiveOfApks, isNamedApk, kindOfArchive } from '../archive-kind.js';
import { entryContent, oneFileWalk } from '../one-file.js';
import type { SetLink } from '../link-pairs.js';
import type { Walk } from '../walk.js';
import { IDSIG } from '../idsig-beside.js';
import { bundlesIn, filesOfDirectory, inspectApp } from './inspect-app.js';
import { inspectFile, type InspectFileOptions } from './inspect-file.js';
import { inspectTransparency, type OpenArchive } from './inspect-transparency.js';
import { disagreementsOf, setSummary } from './set-summary.js';
import type { FileInspection, Inspection } from './types.js';

export interface NamedSource {
  readonly name: string;
  readonly source: ByteSource;
}

export interface InspectFilesOptions extends InspectFileOptions {
  readonly isDirectory: boolean;
  /** Symbolic links of the directory, which nobody follows. */
  readonly links?: readonly SetLink[];
}

const MAX_FILES = 5000;

/** `name`: what was handed over. Never throws for what files hold. */
export async function inspectFiles(
  name: string,
  sources: readonly NamedSource[],
  options: InspectFilesOptions,
): Promise<Inspection> {
  const { idsig: named, ...whole } = options;
  const walk = oneFileWalk(options);
  const members: Member[] = [];
  const others: Inspection['others'][number][] = [];
  const idsigs: Member[] = [];
  const ambiguous: Inspection['ambiguous'][number][] = [];
  let kind: Inspection['kind'] = options.isDirectory ? 'directory' : 'file';
  try {
    const app = options.isDirectory ? await appIn(walk, sources, options.links ?? []) : undefined;
    if (app !== undefined)
      return { name: printable(name), kind, files: [], others: [], ambiguous: [], app, disagreements: [] };
    for (const { name: file, source } of sources) {
      const zip = structureOf(source);
      if (zip !== undefined && isArchiveOfApks(zip)) {
        if (!options.isDirectory) kind = 'archive';
        const prefix = options.isDirectory ? `${file}/` : '';
        ambiguous.push(...ambiguousIn(source, zip, prefix));
        await addMembers(walk, source, zip, prefix, {
          members,
          idsigs,
          others,
        });
      } else if (
        !options.isDirectory ||
        (zip !== undefined && kindOfArchive(zip) !== 'zip') ||
        isNamedApk(file)
      )
        members.push({ name: file, source, close: () => undefined, ...(zip === undefined ? {} : { zip }) });
      else if (!isIdsigOf(file, sources)) others.push({ name: printable(file), size: source.size });
    }
    const files: FileInspection[] = [];
    for (const member of members.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      walk.checkAborted();
      const beside = `${member.name}${IDSIG}`;
      const idsig =
        (kind === 'file' ? named : undefined) ??
        [...idsigs, ...sources].find(({ name: other }) => other === beside)?.source;
      files.push(
        await inspectFile(member.source, member.name, {
          ...whole,
          ...(idsig === undefined ? {} : { idsig }),
          ...(member.zip === undefined ? {} : { zip: member.zip }),
        }),
      );
    }
    const transparency = await inspectTransparency(walk, members.flatMap(openArchive));
    const set = kind === 'file' ? undefined : setSummary(files);
    return {
      name: printable(name),
      kind,
      files,
      others,
      ambiguous,
      ...(set === undefined ? {} : { set }),
      ...(transparency === undefined ? {} : { transparency }),
      disagreements: disagreementsOf(files),
    };
  } finally {
    for (const member of [...members, ...idsigs]) member.close();
    await walk.close();
  }
}

/** A directory with APKs is none. */
async function appIn(
  walk: Walk,
  sources: readonly NamedSource[],
  links: readonly SetLink[],
): Promise<Inspection['app']> {
  if (sources.some(({ name }) => isNamedApk(name))) return undefined;
  const files = filesOfDirectory(sources, links);
  const tree = bundlesIn(files);
  return tree === undefined ? undefined : await inspectApp(files, tree, () => walk.checkAborted());
}

interface Member extends NamedSource {
  /** Absent for a file that is damaged. */
  readonly zip?: ZipStructure;
  readonly close: () => void;
}

/** As a comparison tells it, which makes of each a published file without a twin. */
function ambiguousIn(
  source: ByteSource,
  zip: ZipStructure,
  prefix: string,
): Inspection['ambiguous'][number][] {
  const { entries, hidden } = archiveAmbiguity(source, zip);
  return [
    ...hidden.map(({ offset, size, codes }) => ({
      name: `${prefix}bytes ${offset} to ${offset + size}`,
      codes,
    })),
    ...[...entries].map(([entry, codes]) => ({ name: `${prefix}${printableBytes(entry.rawName)}`, codes })),
  ].slice(0, MAX_FILES);
}

interface Found {
  readonly members: Member[];
  readonly idsigs: Member[];
  readonly others: Inspection['others'][number][];
}

function openArchive({ name, source, zip }: Member): OpenArchive[] {
  return zip === undefined ? [] : [{ name, source, zip, isBundle: kindOfArchive(zip) === 'aab' }];
}

function structureOf(source: ByteSource): ZipStructure | undefined {
  try {
    return readZip(source);
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
}

function isIdsigOf(file: string, sources: readonly NamedSource[]): boolean {
  return file.endsWith(IDSIG) && sources.some(({ name }) => name === file.slice(0, -IDSIG.length));
}

async function addMembers(
  walk: Walk,
  source: ByteSource,
  { entries }: ZipStructure,
  prefix: string,
  { members, idsigs, others }: Found,
): Promise<void> {
  const names = new Set(entries.map(({ rawName }) => rawName.toString('latin1')));
  for (const entry of entries) {
    const name = `${prefix}${printableBytes(entry.rawName)}`;
    const rawName = entry.rawName.toString('latin1');
    const isIdsig = rawName.endsWith(`.apk${IDSIG}`) && names.has(rawName.slice(0, -IDSIG.length));
    if (!isIdsig && !isNamedApk(rawName)) others.push({ name, size: entry.size });
    else if (members.length + idsigs.length >= MAX_FILES)
      others.push({ name, size: entry.size, unread: 'limits' });
    else {
      const content = await entryContent(walk, source, entry, walk.options.limits.memberBytes);
      if (content.kind === 'unread') others.push({ name, size: entry.size, unread: content.code });
      else if (isIdsig) idsigs.push({ name, source: content.source, close: content.close });
      else {
        const inner = structureOf(content.source);
        members.push({
          name,
          source: content.source,
          close: content.close,
          ...(inner === undefined ? {} : { zip: inner }),
        });
      }
    }
  }
}
