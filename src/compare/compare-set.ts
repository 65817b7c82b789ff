// SPDX-License-Identifier: Apache-2.0
/** All published files of a target against all rebuilt ones: pairing by plan or by name, then pair by pair. */
import { sha256, FileSource } from '../bytes.js';
import { RULE_SETS, type FileIdentity, type PairPlan, type RuleName, type RuleSetName } from '../model.js';
import { ARCHIVE_NAME } from './archive-kind.js';
import { comparePair, type SetOptions } from './compare.js';
import { compareSplitFiles } from './compare-split-files.js';
import type { DeviceSpecification } from './device-specification.js';
import { checkedBeside, idsigsAmong, isReadIdsig } from './idsig-beside.js';
import { isFolder, plannedTwin } from './folders.js';
import { matches } from './name-pattern.js';
import type { SetFile } from './set-members.js';
import { directorySlots } from './ipa/directory-slots.js';
import { compareLinks, type SetLink } from './link-pairs.js';
import type { IdsigRecord, PairComparison, SetComparison, Side, SplitSetRecord } from './types.js';

export type { SetFile };

export interface RebuiltFile extends SetFile {
  /** Id of the plan's output. */
  readonly output?: string;
  /** Path below the output, where that is a directory. */
  readonly member?: string;
}

export interface SetRequest {
  readonly published: readonly SetFile[];
  readonly rebuilt: readonly RebuiltFile[];
  /** Without them files are paired by name; two single files are a pair whatever they are called. */
  readonly pairs?: readonly PairPlan[];
  readonly notPublished?: readonly { readonly pattern: string; readonly reason: string }[];
  readonly notObtained?: readonly string[];
  /** Symbolic links beside them, where both sides are directories. */
  readonly links?: Readonly<Record<Side, readonly SetLink[]>>;
  /** Of published archives of splits, by name: which device got them. */
  readonly devices?: ReadonlyMap<string, DeviceSpecification>;
}

/** Names of rules and of sets of them; each rule once. */
export function expandRules(names: readonly (RuleName | RuleSetName)[]): RuleName[] {
  const expanded = names.flatMap((name): readonly RuleName[] =>
    name in RULE_SETS ? RULE_SETS[name as RuleSetName] : [name as RuleName],
  );
  return [...new Set(expanded)].sort();
}

export async function compareSet(request: SetRequest, options: SetOptions = {}): Promise<SetComparison> {
  const { idsigs: beside, ...files } = withoutIdsigs(request);
  const { paired, onlyPublished, onlyRebuilt, ...folders } = pairFiles({ ...request, ...files });
  const slots = directorySlots(request);
  const pairs: PairComparison[] = [];
  const sets: SetComparison[] = [];
  for (const [at, { published, rebuilt }] of paired.entries()) {
    const set = await compareArchives(published, rebuilt, request, options);
    if (set !== undefined) {
      sets.push(set);
      continue;
    }
    const started = performance.now();
    options.onProgress?.({
      kind: 'phase-started',
      phase: `compare-${at}`,
      title: `compare ${published.name}`,
    });
    const pair = await comparePair(published.path, rebuilt.path, {
      ...options,
      publishedName: published.name,
      rebuiltName: rebuilt.name,
      slots: slots({ published: published.name, rebuilt: rebuilt.member ?? rebuilt.name }),
    });
    pairs.push(pair);
    options.onProgress?.({
      kind: 'phase-finished',
      phase: `compare-${at}`,
      seconds: (performance.now() - started) / 1000,
      outcome: pair.worst,
    });
  }
  const links = await compareLinks(request.links?.published ?? [], request.links?.rebuilt ?? [], options);
  const declared = ({ name }: SetFile) => request.notPublished?.find(({ pattern }) => matches(pattern, name));
  const splits = sets.flatMap((set) => (set.splits === undefined ? [] : [set.splits]));
  const idsigs = [...beside, ...sets.flatMap((set) => set.idsigs ?? [])];
  return {
    pairs: [...pairs, ...links.pairs, ...sets.flatMap((set) => set.pairs)],
    unpairedPublished: [
      ...onlyPublished.map(identify),
      ...links.unpairedPublished,
      ...sets.flatMap((set) => set.unpairedPublished),
    ],
    notObtained: request.notObtained ?? [],
    unpairedRebuilt: [
      ...onlyRebuilt.filter((file) => declared(file) === undefined).map(identify),
      ...links.unpairedRebuilt,
      ...sets.flatMap((set) => set.unpairedRebuilt),
    ],
    notPublished: [
      ...[...onlyRebuilt, ...folders.notSeen].flatMap((file) => {
        const found = declared(file);
        return found === undefined ? [] : [{ name: file.name, reason: found.reason }];
      }),
      ...sets.flatMap((set) => set.notPublished),
    ],
    ...(splits.length === 0 ? {} : { splits: together(splits) }),
    ...(idsigs.length === 0 ? {} : { idsigs }),
    ...(request.pairs?.some(({ published }) => isFolder(published)) === true
      ? {
          folders: {
            outside: folders.outside.map(identify),
            notSeen: folders.notSeen.filter((file) => declared(file) === undefined).map(({ name }) => name),
          },
        }
      : {}),
  };
}

/** A published file and an output that are archives of splits. */
async function compareArchives(
  published: SetFile,
  rebuilt: SetFile,
  { notPublished, devices }: SetRequest,
  options: SetOptions,
): Promise<SetComparison | undefined> {
  if (!ARCHIVE_NAME.test(published.name) && !ARCHIVE_NAME.test(rebuilt.name)) return undefined;
  const device = devices?.get(published.name);
  return await compareSplitFiles(
    {
      deliveries: [{ name: published.name, files: [published], ...(device === undefined ? {} : { device }) }],
      rebuilt: [rebuilt],
      asked: false,
      ...(notPublished === undefined ? {} : { notPublished }),
    },
    options,
  );
}

function together(splits: readonly SplitSetRecord[]): SplitSetRecord {
  const all = <Key extends keyof SplitSetRecord>(key: Key) =>
    splits.flatMap((one): readonly SplitSetRecord[Key][number][] => one[key]);
  return {
    deliveries: all('deliveries'),
    notDelivered: all('notDelivered'),
    missing: all('missing'),
    metadata: all('metadata'),
    issues: all('issues'),
    notAuthentic: all('notAuthentic'),
  };
}

/** Both sides without v4 signatures that are part of another file's. */
function withoutIdsigs({ published, rebuilt }: SetRequest): Pick<SetRequest, 'published' | 'rebuilt'> & {
  readonly idsigs: readonly IdsigRecord[];
} {
  const idsigs: IdsigRecord[] = [];
  const verified = new Set<SetFile>();
  for (const { idsig, apk } of idsigsAmong(published))
    withBoth(idsig, apk, (source, of) => {
      const found = checkedBeside({ name: idsig.name, source }, { name: apk.name, source: of });
      if (found !== undefined) idsigs.push(found);
      if (found?.status === 'verified') verified.add(idsig);
    });
  const left = published.filter((file) => !verified.has(file));
  const read = new Set<SetFile>();
  for (const { idsig, apk } of idsigsAmong(rebuilt))
    // the twin of a published one that was not verified has to be that
    if (!left.some(({ name }) => name === idsig.name))
      withBoth(idsig, apk, (source, of) => {
        if (isReadIdsig(source, of)) read.add(idsig);
      });
  return { published: left, rebuilt: rebuilt.filter((file) => !read.has(file)), idsigs };
}

function withBoth(
  { path: one }: SetFile,
  { path: other }: SetFile,
  visit: (one: FileSource, other: FileSource) => void,
): void {
  const source = FileSource.open(one);
  try {
    const second = FileSource.open(other);
    try {
      visit(source, second);
    } finally {
      second.close();
    }
  } finally {
    source.close();
  }
}

interface Pairing {
  readonly paired: readonly { readonly published: SetFile; readonly rebuilt: RebuiltFile }[];
  readonly onlyPublished: readonly SetFile[];
  readonly onlyRebuilt: readonly RebuiltFile[];
  /** Published files that no pair is about, where folders are named. */
  readonly outside: readonly SetFile[];
  /** Rebuilt files of a folder, where none was published at their path. */
  readonly notSeen: readonly RebuiltFile[];
}

function hasLinks(links: SetRequest['links']): boolean {
  return links !== undefined && links.published.length + links.rebuilt.length > 0;
}

function pairFiles({ published, rebuilt, pairs, links }: SetRequest): Pairing {
  const [onlyOne] = published;
  const [onlyOther] = rebuilt;
  const areSingle = published.length === 1 && rebuilt.length === 1 && !hasLinks(links);
  if (pairs === undefined && areSingle && onlyOne && onlyOther)
    return {
      paired: [{ published: onlyOne, rebuilt: onlyOther }],
      onlyPublished: [],
      onlyRebuilt: [],
      outside: [],
      notSeen: [],
    };
  const folders = (pairs ?? []).filter((pair) => isFolder(pair.published));
  const partner = (file: SetFile): RebuiltFile | undefined => {
    if (pairs === undefined) return rebuilt.find((other) => other.name === file.name);
    const twin = plannedTwin(pairs, file.name);
    return twin && rebuilt.find((other) => other.output === twin.output && other.member === twin.member);
  };
  const paired = [];
  const onlyPublished = [];
  const outside = [];
  const used = new Set<RebuiltFile>();
  for (const file of published) {
    const other = partner(file);
    if (other !== undefined && !used.has(other)) {
      used.add(other);
      paired.push({ published: file, rebuilt: other });
    } else if (folders.length > 0 && plannedTwin(pairs ?? [], file.name) === undefined) outside.push(file);
    else onlyPublished.push(file);
  }
  const ofFolder = ({ output, member }: RebuiltFile): boolean =>
    member !== undefined && folders.some((pair) => pair.output === output);
  const left = rebuilt.filter((file) => !used.has(file));
  return {
    paired,
    onlyPublished,
    onlyRebuilt: left.filter((file) => !ofFolder(file)),
    outside,
    notSeen: left.filter(ofFolder),
  };
}

function identify({ name, path }: SetFile): FileIdentity {
  const source = FileSource.open(path);
  try {
    return { name, size: source.size, sha256: sha256(source) };
  } finally {
    source.close();
  }
}
