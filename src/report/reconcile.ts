// SPDX-License-Identifier: Apache-2.0
/**
 * Two reports about one target, stage by stage in the order in which a difference leads to the next one: the first stage
 * at which they part is where to look. Pure; what machines differ in without a say in the result is told and parts nothing.
 */
import { canonicalJson } from '../canonical-json.js';
import { UsageError } from '../errors.js';
import type { Target, VerdictKind } from '../model.js';
import { factsOf, memberFacts, STAGES, variedFacts, type Facts, type Stage } from './reconcile-facts.js';
import type { Report } from './types.js';

/** One fact that is another in each report; absent where a report does not say it. */
export interface Parting {
  readonly what: string;
  readonly one?: string;
  readonly other?: string;
}

export interface ReconciledStage {
  readonly stage: Stage;
  /** `aside`: it differs, and nothing else does. */
  readonly outcome: 'same' | 'parted' | 'aside' | 'not-recorded';
  readonly partings: readonly Parting[];
}

export interface Reconciliation {
  readonly target?: Target;
  readonly verdicts: readonly [VerdictKind, VerdictKind];
  /** Files of one name, of one version and channel, with other bytes in each report. */
  readonly publishedDiffer: readonly Parting[];
  readonly stages: readonly ReconciledStage[];
  /** The first stage at which they part. */
  readonly first?: Stage;
  /** `same file, same commit; image differs; then classes3.dex` */
  readonly sentence: string;
  /** Of the machines; none of it parts them. */
  readonly machines: readonly Parting[];
  /** Builds under other conditions that only one of them made; none of it parts them. */
  readonly triedByOne: readonly Parting[];
}

/** @throws UsageError `other-target` */
export function reconcile(one: Report, other: Report): Reconciliation {
  const { target } = one.statement.subject;
  assertSameTarget(target, other.statement.subject.target);
  const all = STAGES.map((stage) => reconciled(stage, one, other));
  // an archive's index is another one each day, and is none in the result
  const alone = all.every(({ stage, outcome }) => stage === 'fetched' || outcome !== 'parted');
  const stages = all.map((stage): ReconciledStage =>
    alone && stage.outcome === 'parted' ? { ...stage, outcome: 'aside' } : stage,
  );
  const first = stages.find(({ outcome }) => outcome === 'parted')?.stage;
  return {
    ...(target === undefined ? {} : { target }),
    verdicts: [one.statement.verdict.kind, other.statement.verdict.kind],
    publishedDiffer: (stages[0]?.partings ?? []).filter(isOfBoth),
    stages,
    ...(first === undefined ? {} : { first }),
    sentence: sentenceOf(stages),
    machines: partings(machineOf(one), machineOf(other)),
    triedByOne: variedPartings(one, other).filter((parting) => !isOfBoth(parting)),
  };
}

function assertSameTarget(one: Target | undefined, other: Target | undefined): void {
  if (canonicalJson(one ?? {}) === canonicalJson(other ?? {})) return;
  throw new UsageError(
    'other-target',
    `the reports are of different targets: ${named(one)}, and ${named(other)}`,
    { hint: 'name two reports about one version on one channel' },
  );
}

const named = (target: Target | undefined): string =>
  target === undefined
    ? 'a comparison without app and version'
    : `${target.app} ${target.version} (${target.channel})`;

function reconciled(stage: Stage, one: Report, other: Report): ReconciledStage {
  const [mine, theirs] = [factsOf(stage, one), factsOf(stage, other)];
  // a build without a recording fetched something as well
  if (stage === 'fetched' && (mine.size === 0 || theirs.size === 0))
    return { stage, outcome: 'not-recorded', partings: [] };
  const found = partings(mine, theirs);
  const members = stage === 'outputs' && found.length > 0 ? partedMembers(one, other, found) : [];
  // only what both tried can have come out otherwise
  const varied = stage === 'outputs' ? variedPartings(one, other).filter(isOfBoth) : [];
  const outcome =
    found.length + varied.length > 0
      ? 'parted'
      : mine.size === 0 && theirs.size === 0
        ? 'not-recorded'
        : 'same';
  return { stage, outcome, partings: [...found, ...members, ...varied] };
}

const variedPartings = (one: Report, other: Report): readonly Parting[] =>
  partings(variedFacts(one), variedFacts(other));

const isOfBoth = ({ one, other }: Parting): boolean => one !== undefined && other !== undefined;

function partings(one: Facts, other: Facts): readonly Parting[] {
  const labels = [...one.keys(), ...[...other.keys()].filter((label) => !one.has(label))];
  return labels.flatMap((what) => {
    const [mine, theirs] = [one.get(what), other.get(what)];
    if (mine === theirs) return [];
    return [
      {
        what,
        ...(mine === undefined ? {} : { one: mine }),
        ...(theirs === undefined ? {} : { other: theirs }),
      },
    ];
  });
}

/** Of a member that no ledger tells apart from the published one. */
const IDENTICAL = 'identical';

/** Inside of the rebuilt files that are not the same; a report only says how each stands to the published file. */
function partedMembers(one: Report, other: Report, found: readonly Parting[]): readonly Parting[] {
  const names = new Set(found.map(({ what }) => what));
  const pairs = other.statement.comparison?.pairs ?? [];
  return (one.statement.comparison?.pairs ?? []).flatMap((pair) => {
    const twin = pairs.find(
      ({ published, rebuilt }) =>
        published.name === pair.published.name && rebuilt.name === pair.rebuilt.name,
    );
    if (twin === undefined || !names.has(pair.rebuilt.name)) return [];
    return partings(memberFacts(pair), memberFacts(twin)).map(
      ({ what, one: mine = IDENTICAL, other: theirs = IDENTICAL }) => ({
        what: `${pair.rebuilt.name} > ${what}`,
        one: mine,
        other: theirs,
      }),
    );
  });
}

// ---------------------------------------------------------------- in words

const SAME = {
  published: 'same file',
  source: 'same source',
  plan: 'same plan',
  environment: 'same environment',
  fetched: 'same fetched files',
  inputs: 'same inputs',
  outputs: 'same rebuilt files',
  rules: 'same rules',
  verdict: 'same verdict',
} as const satisfies Record<Stage, string>;

function sentenceOf(stages: readonly ReconciledStage[]): string {
  const first = stages.findIndex(({ outcome }) => outcome === 'parted');
  const same = stages
    .slice(0, first === -1 ? undefined : first)
    .filter(({ outcome }) => outcome === 'same')
    .map(({ stage }) => SAME[stage]);
  const parted = stages.filter(({ outcome }) => outcome === 'parted');
  const told = parted.map((stage, at) => (at === 0 ? `${shown(stage)} differs` : `then ${shown(stage)}`));
  return [...(same.length === 0 ? [] : [same.join(', ')]), ...told].join('; ');
}

/** The first of them, inside of files where that is known. */
function shown({ stage, partings: [...all] }: ReconciledStage): string {
  const inside = stage === 'outputs' ? all.filter(({ what }) => what.includes(' > ')) : [];
  const content = inside.find(notTheFile) ?? inside[0];
  const names = new Set(
    (content === undefined ? all : [content, ...inside.filter(notTheFile)]).map(({ what }) =>
      short(what.split(' > ').at(-1) ?? what),
    ),
  );
  const [name = stage] = names;
  return names.size > 1 ? `${name} (and ${names.size - 1} more)` : name;
}

const notTheFile = ({ what }: Parting): boolean => !what.endsWith(' > the file itself');

/** `image.digest` and `image used.digest` are the image. */
const short = (name: string): string => (/^image(?: used)?\./.test(name) ? 'image' : name);

function machineOf({ run }: Report): Facts {
  const { environment } = run;
  const engine =
    environment === undefined ? undefined : `${environment.executor} ${environment.engineVersion ?? ''}`;
  return new Map(
    [
      ['time', run.time],
      ['engine', engine?.trim()],
      ['kernel', environment?.kernel ?? run.kernel],
      ['CPUs', String(environment?.cpuCount ?? run.cpuCount)],
      ['node', run.node],
    ].flatMap(([label, value]) =>
      label === undefined || value === undefined ? [] : [[label, value] as const],
    ),
  );
}
