// SPDX-License-Identifier: Apache-2.0
/** What the tools of an Android build left in an APK: plugin, compiler, native tools, commit. */
import { BufferSource, type ByteSource } from '../../bytes.js';
import { FormatError } from '../../errors.js';
import { readAndroidManifest } from '../../formats/android-manifest.js';
import { readVersionControlInfo, VERSION_CONTROL_INFO } from '../../formats/version-control-info.js';
import { readZip, type ZipEntry } from '../../formats/zip.js';
import { printable, printableBytes } from '../../printable.js';
import { entryContent, heldContent } from '../one-file.js';
import type { Walk } from '../walk.js';
import { collectElf, isElf } from './elf-evidence.js';
import type { FactCollector } from './facts.js';
import type { EvidenceBudget } from './budget.js';

const MAX_TEXT = 256 << 10;
const MAX_MANIFEST = 8 << 20;
const MAX_MARKER = 1024;
const MAX_MARKERS = 100;
const SCAN = 4 << 20;

/** Each member is read at most once, and only where its name makes it a candidate. */
export async function collectApk(
  walk: Walk,
  facts: FactCollector,
  source: ByteSource,
  budget: EvidenceBudget,
): Promise<void> {
  for (const entry of readZip(source).entries) {
    const name = entry.rawName.toString('latin1');
    const collect = collectorOf(name);
    if (collect === undefined) continue;
    walk.checkAborted();
    const member = printableBytes(entry.rawName);
    if (!budget.take(entry.size, member)) continue;
    await collect(walk, facts, { source, entry, member, budget });
  }
}

interface Candidate {
  readonly source: ByteSource;
  readonly entry: ZipEntry;
  readonly member: string;
  readonly budget: EvidenceBudget;
}

type Collect = (walk: Walk, facts: FactCollector, candidate: Candidate) => Promise<void>;

const BY_NAME: ReadonlyMap<string, Collect> = new Map([
  [
    'META-INF/com/android/build/gradle/app-metadata.properties',
    text((facts, bytes, member) => {
      const version = /^androidGradlePluginVersion=(\S{1,100})$/m.exec(bytes.toString('latin1'))?.[1];
      if (version !== undefined)
        facts.add('gradle-metadata', `Android Gradle Plugin ${printable(version)}`, member);
    }),
  ],
  ['kotlin-tooling-metadata.json', text(kotlinTooling)],
  [
    VERSION_CONTROL_INFO,
    text((facts, bytes, member) => {
      const { revisions, error } = readVersionControlInfo(bytes);
      for (const revision of revisions) facts.add('version-control-info', `commit ${revision}`, member);
      if (error !== undefined) facts.add('version-control-info', `no commit: ${error}`, member);
    }),
  ],
  [
    'AndroidManifest.xml',
    text((facts, bytes, member) => {
      const { compileSdk } = readAndroidManifest(new BufferSource(bytes));
      if (compileSdk?.kind === 'integer')
        facts.add('compile-sdk', `compiled against SDK ${compileSdk.value}`, member);
    }, MAX_MANIFEST),
  ],
]);

function collectorOf(name: string): Collect | undefined {
  if (/^classes[0-9]*\.dex$/.test(name)) return dexMarkers;
  if (/\.so(\.[0-9]+)*$/.test(name)) return nativeLibrary;
  return BY_NAME.get(name);
}

function text(
  collect: (facts: FactCollector, bytes: Buffer, member: string) => void,
  limit = MAX_TEXT,
): Collect {
  return async (walk, facts, { source, entry, member, budget }) => {
    const bytes = await heldContent(entryContent(walk, source, entry, limit));
    if (typeof bytes === 'string') return budget.unread(member, bytes);
    budget.guard(member, () => collect(facts, bytes, member));
  };
}

/** Written by the Kotlin Gradle plugin: what built, and with which version of Gradle. */
function kotlinTooling(facts: FactCollector, bytes: Buffer, member: string): void {
  let parsed: unknown;
  try {
    parsed = JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    throw new FormatError('json', 'syntax', 0, 'no JSON', { cause });
  }
  if (typeof parsed !== 'object' || parsed === null) return;
  const fields = new Map<string, unknown>(Object.entries(parsed));
  for (const [name, title] of [
    ['buildSystemVersion', 'Gradle'],
    ['buildPluginVersion', 'Kotlin plugin'],
  ] as const) {
    const version = fields.get(name);
    if (typeof version === 'string') facts.add('kotlin-tooling', `${title} ${printable(version)}`, member);
  }
}

/** `~~R8{…}`, `~~D8{…}`, `~~L8{…}` among the strings of a DEX file (com.android.tools.r8.dex.Marker). */
async function dexMarkers(walk: Walk, facts: FactCollector, candidate: Candidate): Promise<void> {
  const { source, entry, member, budget } = candidate;
  const content = await entryContent(walk, source, entry, budget.memberBytes);
  if (content.kind === 'unread') return budget.unread(member, content.code);
  try {
    const markers = new Set<string>();
    const { size } = content.source;
    for (let at = 0; at < size; at += SCAN) {
      const chunk = content.source.read(at, Math.min(SCAN + MAX_MARKER, size - at));
      for (
        let found = chunk.indexOf('~~');
        found !== -1 && found < SCAN;
        found = chunk.indexOf('~~', found + 2)
      ) {
        const head = chunk.toString('latin1', found + 2, found + 5);
        if (!/^[RDL]8\{/.test(head) || markers.size === MAX_MARKERS) continue;
        const end = chunk.subarray(found, found + MAX_MARKER).indexOf('}\0');
        if (end !== -1) markers.add(printableBytes(chunk.subarray(found, found + end + 1)));
      }
    }
    for (const marker of markers) facts.add('r8-marker', marker, member);
  } finally {
    content.close();
  }
}

async function nativeLibrary(walk: Walk, facts: FactCollector, candidate: Candidate): Promise<void> {
  const { source, entry, member, budget } = candidate;
  const content = await entryContent(walk, source, entry, budget.memberBytes);
  if (content.kind === 'unread') return budget.unread(member, content.code);
  try {
    if (isElf(content.source)) budget.guard(member, () => collectElf(facts, content.source, member));
  } finally {
    content.close();
  }
}
