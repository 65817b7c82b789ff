// SPDX-License-Identifier: Apache-2.0
/** Everything that one file says by itself. The signature is checked on another thread while the rest is read. */
import { availableParallelism } from 'node:os';
import { FileSource, sha256, type ByteSource } from '../../bytes.js';
import { FormatError } from '../../errors.js';
import { checkApkSignature, type ApkSections, type ApkSignatureCheck } from '../../formats/apk-signature.js';
import { readZip, type ZipStructure } from '../../formats/zip.js';
import { printable, printableBytes } from '../../printable.js';
import { kindOfArchive } from '../archive-kind.js';
import { FactThread, WORTH_A_THREAD } from '../fact-thread.js';
import { identityOf } from '../identity.js';
import { oneFileWalk, type OneFileOptions } from '../one-file.js';
import type { Walk } from '../walk.js';
import { openZipSide, signedSections } from '../zip/zip-side.js';
import { appFormat } from '../ipa/is-app.js';
import { byteMap } from './byte-map.js';
import { inspectLibrary, NATIVE_LIBRARY } from './native-library.js';
import { bundlesIn, filesOfZip, inspectApp } from './inspect-app.js';
import { inspectProgram, isProgram } from './program-facts.js';
import { inspectSignature } from './inspect-signature.js';
import { apkFacts, bundleFacts } from './manifest-facts.js';
import type { AppInspection, FileInspection, NativeLibrary } from './types.js';

export interface InspectFileOptions extends OneFileOptions {
  /** The v4 signature of the file. */
  readonly idsig?: ByteSource;
  /** Its structure, where that is known. */
  readonly zip?: ZipStructure;
}

const MAX_LIBRARIES = 5000;
/** Decoded bytes of libraries in all. */
const MAX_LIBRARY_BYTES = 4 * 2 ** 30;
const DEX = /^(?:[^/]+\/dex\/)?classes[0-9]*\.dex$/;

/** `name` as it is to be shown. Never throws for what the file holds. */
export async function inspectFile(
  source: ByteSource,
  name: string,
  options: InspectFileOptions = {},
): Promise<FileInspection> {
  const thread = threadFor(source);
  const walk = oneFileWalk(options);
  try {
    const known = await knownOf(walk, source, thread, options);
    return { name: printable(name), size: source.size, ...known };
  } finally {
    await walk.close();
    await thread?.close();
  }
}

function threadFor(source: ByteSource): FactThread | undefined {
  const worthwhile =
    source instanceof FileSource && source.size >= WORTH_A_THREAD && availableParallelism() > 1;
  return worthwhile ? FactThread.take() : undefined;
}

async function checked(
  source: ByteSource,
  sections: ApkSections,
  thread: FactThread | undefined,
): Promise<ApkSignatureCheck> {
  if (thread !== undefined && source instanceof FileSource) {
    const answer = await thread.ask({ kind: 'signature', file: source.lend(), sections });
    if (answer.kind === 'signature') return answer.check;
  }
  return checkApkSignature(source, sections);
}

type Known = Omit<FileInspection, 'name' | 'size'>;

async function knownOf(
  walk: Walk,
  source: ByteSource,
  thread: FactThread | undefined,
  options: InspectFileOptions,
): Promise<Known> {
  let zip: ZipStructure;
  try {
    zip = options.zip ?? readZip(source);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    const { identity, format, issues } = await identityOf(source, { walk });
    const nothing = { ...NO_CONTENT, sha256: sha256(source), identity, identityIssues: issues };
    if (format === 'deb') return { ...nothing, format };
    if (isProgram(source))
      return { ...nothing, identityIssues: [], format: 'mach-o', app: programAlone(source) };
    const { code, message, offset } = error;
    return { ...nothing, format: 'other', damage: { code, message: printable(message), offset } };
  }
  const app = appFormat(zip);
  if (app !== undefined) {
    const identity = await identityOf(source, { walk, zip });
    const files = filesOfZip(walk, source, zip);
    const tree = bundlesIn(files);
    const side = openZipSide('published', source, zip, true);
    return {
      ...NO_CONTENT,
      sha256: sha256(source),
      format: app,
      identity: identity.identity,
      identityIssues: identity.issues.map((issue) => ({ ...issue, message: printable(issue.message) })),
      entries: zip.entries.length,
      bytes: byteMap(source, side),
      ...(tree === undefined ? {} : { app: await inspectApp(files, tree, () => walk.checkAborted()) }),
    };
  }
  const check = checked(source, signedSections(zip), thread);
  // who asks gets the error; until then nobody waits
  check.catch(() => undefined);
  const identity = await identityOf(source, { walk, zip });
  const libraries = await librariesOf(walk, source, zip);
  const dex = zip.entries.filter(({ rawName }) => DEX.test(rawName.toString('latin1')));
  const kind = kindOfArchive(zip);
  const facts = await (kind === 'aab' ? bundleFacts : apkFacts)(walk, source, zip);
  const digest = sha256(source);
  const side = openZipSide('published', source, zip, false, await check);
  return {
    sha256: digest,
    format: kind,
    identity: identity.identity,
    identityIssues: identity.issues.map((issue) => ({ ...issue, message: printable(issue.message) })),
    signature: await inspectSignature(source, side, identity.identity, options.idsig),
    entries: zip.entries.length,
    bytes: byteMap(source, side),
    dex: { count: dex.length, bytes: dex.reduce((sum, { size }) => sum + size, 0) },
    libraries,
    ...facts,
  };
}

function programAlone(source: ByteSource): AppInspection {
  return {
    kind: 'none',
    bundles: [],
    programs: [inspectProgram(source, '')],
    unsigned: [],
    support: {},
    fairPlay: [],
    traces: [],
    issues: [],
  };
}

const NO_CONTENT = {
  entries: 0,
  bytes: [],
  dex: { count: 0, bytes: 0 },
  libraries: [],
  permissions: [],
} as const;

async function librariesOf(walk: Walk, source: ByteSource, zip: ZipStructure): Promise<NativeLibrary[]> {
  const libraries: NativeLibrary[] = [];
  let room = MAX_LIBRARY_BYTES;
  for (const entry of zip.entries) {
    if (!NATIVE_LIBRARY.test(entry.rawName.toString('latin1'))) continue;
    walk.checkAborted();
    if (libraries.length < MAX_LIBRARIES && entry.size <= room) {
      room -= entry.size;
      libraries.push(await inspectLibrary(walk, source, entry, walk.options.limits.memberBytes));
    } else
      libraries.push({ name: printableBytes(entry.rawName), size: entry.size, tools: [], unread: 'limits' });
  }
  return libraries;
}
