// SPDX-License-Identifier: Apache-2.0
/** An app of Apple's platforms by itself: bundles, programs in each slice, what is signed and what is not. */
import { BufferSource, type ByteSource } from '../../bytes.js';
import {
  readBundleTree,
  type AppleBundle,
  type BundleFile,
  type BundleTree,
} from '../../formats/apple-bundle.js';
import type { SlotContent } from '../../formats/code-signature-check.js';
import type { ZipEntry, ZipStructure } from '../../formats/zip.js';
import { printable } from '../../printable.js';
import { programHead } from '../ipa/program-head.js';
import { entryContent, type Content } from '../one-file.js';
import type { SetLink } from '../link-pairs.js';
import type { Walk } from '../walk.js';
import { zipEntryContent } from '../zip/entry-content.js';
import { inspectSeal } from './bundle-seal.js';
import { inspectProfile } from './profile-facts.js';
import { inspectProgram, isProgram } from './program-facts.js';
import type { AppInspection, BundleInspection, ProgramInspection } from './types.js';

/** Files of an app, wherever they lie. */
export interface AppFiles {
  readonly files: readonly BundleFile[];
  /** Small ones, whole. */
  readonly small: (file: BundleFile) => Buffer | undefined;
  readonly content: (file: BundleFile) => Promise<Content>;
  readonly holdsProgram: (file: BundleFile) => Promise<boolean>;
}

const MAX_SMALL = 32 << 20;
const MAX_PROGRAMS = 2000;
/** A program is at least as large as its header. */
const SMALLEST = 28;
const HEAD = 4096;

export async function inspectApp(
  { files, small, content, holdsProgram }: AppFiles,
  tree: BundleTree,
  checkAborted: () => void,
): Promise<AppInspection> {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const programs: ProgramInspection[] = [];
  for (const file of files) {
    if (file.size < SMALLEST || file.link !== undefined) continue;
    checkAborted();
    if (!(await holdsProgram(file))) continue;
    const path = printable(file.path);
    if (programs.length >= MAX_PROGRAMS) {
      programs.push({ path, size: file.size, slices: [], unread: 'limits' });
      break;
    }
    const found = await content(file);
    if (found.kind === 'unread') {
      programs.push({ path, size: file.size, slices: [], unread: found.code });
      continue;
    }
    try {
      programs.push(inspectProgram(found.source, path, slotsOf(file.path, tree, byPath, small)));
    } finally {
      found.close();
    }
  }
  return {
    kind: tree.kind,
    bundles: tree.bundles.map((bundle) => {
      checkAborted();
      return inspectBundle(bundle, files, byPath, small);
    }),
    programs,
    unsigned: programs
      .filter(({ slices }) => slices.some(({ signature }) => signature?.status === 'unsigned'))
      .map(({ path }) => path),
    support: Object.fromEntries(Object.entries(tree.support).map(([name, list]) => [name, list.length])),
    fairPlay: tree.fairPlay.map(printable),
    traces: tracesOf(files, tree, programs),
    issues: tree.issues.map(({ code, path, detail }) => ({
      code,
      message: `${printable(path)}: ${printable(detail)}`,
    })),
  };
}

/** What programs that decrypt apps are known to leave behind. */
function tracesOf(
  files: readonly BundleFile[],
  { fairPlay }: BundleTree,
  programs: readonly ProgramInspection[],
): string[] {
  const traces = files
    .filter(({ path }) => /(?:^|\/)CrackerXI$/.test(path))
    .map(({ path }) => `${printable(path)}, a file of CrackerXI`);
  for (const key of fairPlay) {
    const home = /^(.*)SC_Info\/[^/]+\.sinf$/.exec(printable(key))?.[1];
    if (home === undefined) continue;
    const beside = programs.filter(({ path }) => path.slice(0, path.lastIndexOf('/') + 1) === home);
    const plain = beside.find(
      ({ slices }) =>
        slices.some(({ encryption }) => encryption?.id === 0) &&
        !slices.some(({ encryption }) => (encryption?.id ?? 0) !== 0),
    );
    if (plain !== undefined)
      traces.push(`${plain.path}, not encrypted (cryptid 0) beside its key in SC_Info`);
  }
  return traces;
}

function slotsOf(
  path: string,
  { bundles }: BundleTree,
  byPath: ReadonlyMap<string, BundleFile>,
  small: AppFiles['small'],
): SlotContent {
  const bundle = bundles.find(({ executable }) => executable === path);
  const read = (at: string | undefined): ReturnType<SlotContent> => {
    if (at === undefined) return 'absent';
    const file = byPath.get(at);
    return file === undefined ? 'absent' : small(file);
  };
  return (slot) => {
    if (bundle === undefined) return undefined;
    if (slot === 1) return read(bundle.infoPath);
    return slot === 3 ? read(bundle.codeResources) : undefined;
  };
}

function inspectBundle(
  bundle: AppleBundle,
  files: readonly BundleFile[],
  byPath: ReadonlyMap<string, BundleFile>,
  small: AppFiles['small'],
): BundleInspection {
  const { path, kind, info, executable, profile } = bundle;
  const text = (value: string | undefined): string | undefined =>
    value === undefined ? undefined : printable(value);
  const file = profile === undefined ? undefined : byPath.get(profile);
  const seal = inspectSeal(bundle, files, small);
  const fields = {
    identifier: text(info?.identifier),
    version: text(info?.shortVersion),
    build: text(info?.version),
    minimumOs: text(info?.minimumOs),
    executable: text(executable),
    extensionPoint: text(info?.extensionPoint),
  };
  return {
    path: printable(path),
    kind,
    ...Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)),
    platforms: (info?.platforms ?? []).map(printable),
    ...(file === undefined ? {} : { profile: inspectProfile(small(file)) }),
    ...(seal === undefined ? {} : { seal }),
  };
}

/** The entries of an archive as files. */
export function filesOfZip(walk: Walk, source: ByteSource, { entries }: ZipStructure): AppFiles {
  const byFile = new Map<BundleFile, ZipEntry>();
  for (const entry of entries) {
    const path = entry.rawName.toString('utf8');
    if (path.endsWith('/')) continue;
    const isLink = entry.externalAttributes >>> 28 === 0xa;
    const link = isLink ? (zipEntryContent(source, entry, HEAD)?.toString('utf8') ?? '') : undefined;
    byFile.set({ path, size: entry.size, ...(link === undefined ? {} : { link }) }, entry);
  }
  return {
    files: [...byFile.keys()],
    small(file) {
      const entry = byFile.get(file);
      return entry === undefined ? undefined : zipEntryContent(source, entry, MAX_SMALL);
    },
    content: (file) => {
      const entry = byFile.get(file);
      return entry === undefined
        ? Promise.resolve({ kind: 'unread', code: 'no-entry' })
        : entryContent(walk, source, entry, walk.options.limits.memberBytes);
    },
    holdsProgram: async (file) => {
      const entry = byFile.get(file);
      return entry !== undefined && (await programHead(source, entry)) !== undefined;
    },
  };
}

/** Files of a directory. */
export function filesOfDirectory(
  sources: readonly { readonly name: string; readonly source: ByteSource }[],
  links: readonly SetLink[] = [],
): AppFiles {
  const byFile = new Map<BundleFile, ByteSource>(
    sources.map(({ name, source }) => [{ path: name, size: source.size }, source]),
  );
  const linked = links.map(({ name, target }) => ({
    path: name,
    size: Buffer.byteLength(target),
    link: target,
  }));
  return {
    files: [...byFile.keys(), ...linked],
    small(file) {
      const source = byFile.get(file);
      return source === undefined || source.size > MAX_SMALL
        ? undefined
        : Buffer.from(source.read(0, source.size));
    },
    content: (file) => {
      const source = byFile.get(file);
      return Promise.resolve(
        source === undefined
          ? { kind: 'unread', code: 'no-entry' }
          : { kind: 'content', source, close: () => undefined },
      );
    },
    holdsProgram: (file) => {
      const source = byFile.get(file);
      return Promise.resolve(source !== undefined && isProgram(source));
    },
  };
}

/** The bundles in these files; `undefined` where there are none. */
export function bundlesIn({ files, small }: AppFiles): BundleTree | undefined {
  const tree = readBundleTree(files, (file) => {
    const bytes = small(file);
    return bytes === undefined ? undefined : new BufferSource(bytes);
  });
  return tree.kind === 'none' ? undefined : tree;
}
