// SPDX-License-Identifier: Apache-2.0
/** What is known so far of one run, so that every way out of the pipeline reports all of it. */
import { findInInputs, originsOf } from '../build/origin.js';
import { bestBuild, isMismatch, matchesPublished, stabilityOf, type Stability } from '../compare/builds.js';
import { compareSet } from '../compare/compare-set.js';
import { environmentEvidence, gatherEvidence, type FileEvidence } from '../compare/publisher-evidence.js';
import { toolchainDrift } from '../compare/toolchain-drift.js';
import type { SetComparison } from '../compare/types.js';
import { buildInfoFacts, withBuildInfo } from '../inputs/debian/buildinfo.js';
import type { PublishedFile, PublishedOutcome } from '../inputs/published.js';
import { redacted } from '../report/redact.js';
import { isKnownFailure } from '../known-failures.js';
import type {
  BuildResult,
  Deviation,
  FetchedWorld,
  LogRecord,
  Plan,
  PreparedFacts,
  Reason,
  UnverifiableReason,
  Variation,
} from '../model.js';
import { assembleReport, type ReportInput } from '../report/assemble.js';
import type {
  BuildUse,
  EnvironmentEvidence,
  Report,
  RunRecord,
  SourceRecord,
  VariedBuild,
} from '../report/types.js';
import { variedDeparture } from './varied-departure.js';
import type { StoppedBuild, SuppliedBuild } from './build-supply.js';
import { carriesSignature } from './carries-signature.js';
import { reasonsBeside, type Judgement } from './judge-published.js';
import type { PipelineOptions } from './options.js';
import { publishedOrigins } from './published-origins.js';
import { debianSource } from './source-record.js';
import { missingTools, toolsOf } from './tools-of.js';

export interface Verified {
  readonly report: Report;
  /** Uncut, when files were compared. */
  readonly comparison?: SetComparison;
  readonly logs: readonly LogRecord[];
}

export type SucceededBuild = SuppliedBuild & {
  readonly result: Extract<BuildResult, { kind: 'succeeded' }>;
};

export interface ComparedBuild {
  readonly build: SucceededBuild;
  readonly comparison: SetComparison;
  /** Where it was not made as planned; such a build counts beside the planned ones by what it gave. */
  readonly varied?: readonly Variation[];
}

export class Draft {
  notObtained: readonly string[] = [];
  readonly #plan: Plan;
  readonly #options: PipelineOptions;
  readonly #seconds: Record<string, number> = {};
  readonly #logs: LogRecord[] = [];
  #published: readonly PublishedFile[] = [];
  #judged: Judgement = { kind: 'judged', signatures: [], notAuthentic: [], unverifiable: [] };
  #fetched: readonly FetchedWorld[] = [];
  readonly #otherBuilds: { readonly attempt: number; readonly outcome: string }[] = [];
  readonly #variations: VariedBuild[] = [];
  #source: SourceRecord | undefined;
  #prepared: PreparedFacts | undefined;
  readonly #seen = new Set<PreparedFacts>();
  readonly #uses: BuildUse[] = [];
  #stops = 0;
  #deviations: readonly Deviation[];

  constructor(plan: Plan, options: PipelineOptions) {
    this.#plan = plan;
    this.#options = options;
    this.#deviations = plan.deviations;
    const { source } = plan.build;
    if (source.kind === 'debian') this.#source = debianSource(source);
  }

  async timed<T>(stage: string, work: () => Promise<T>): Promise<T> {
    const started = performance.now();
    this.#options.signal?.throwIfAborted();
    try {
      return await work();
    } finally {
      this.#seconds[stage] = (this.#seconds[stage] ?? 0) + (performance.now() - started) / 1000;
    }
  }

  note(text: string): void {
    this.#options.onProgress?.({ kind: 'note', text });
  }

  takePublished(obtained: Extract<PublishedOutcome, { kind: 'obtained' }>): void {
    this.#published = obtained.files;
    this.notObtained = obtained.notObtained;
    for (const detail of obtained.details) this.note(detail);
    if (obtained.ignored.length > 0)
      this.note(`not asked for, so not compared: ${obtained.ignored.join(', ')}`);
  }

  /** Holds whatever comes after: a build does not make a file somebody else's, or checked. */
  takeJudgement(judged: Judgement): void {
    this.#judged = judged;
  }

  /** A build beside the first one that there is nothing to compare of. */
  endedOtherwise(attempt: number, outcome: string): void {
    this.#otherBuilds.push({ attempt, outcome: this.#options.redact(outcome) });
    this.note(`build ${attempt} gave nothing to compare: ${outcome}`);
  }

  /** A build, or none, under other conditions than the plan's. */
  tellVaried({ detail, ...about }: VariedBuild): void {
    const told = detail === undefined ? {} : { detail: this.#options.redact(detail) };
    this.#variations.push({ ...about, ...told });
    const what = about.members === undefined ? '' : ` in ${about.members.length} places`;
    const why = detail === undefined ? '' : ` (${detail})`;
    this.note(`other ${about.varied.join(', ')}: ${about.outcome}${what}${why}`);
  }

  /** Of several builds the report tells of the one that is compared in the end: `#speaksOf`. */
  takeBuild(build: SuppliedBuild | StoppedBuild): void {
    this.takeLogs(build);
    if (build.kind === 'built') this.#uses.push(build.use);
    else this.#stops++;
    if (this.#uses.length + this.#stops === 1) this.#speaksOf(build);
  }

  takeLogs(build: SuppliedBuild | StoppedBuild): void {
    const { prepared } = build;
    if (prepared !== undefined && !this.#seen.has(prepared)) {
      this.#seen.add(prepared);
      this.#logs.push(...prepared.logs);
      const reused = build.kind === 'built' && build.use.reused;
      if (!reused) this.#seconds['prepare'] = prepared.seconds;
    }
    if (build.kind === 'built') this.#logs.push(...build.result.logs);
  }

  #speaksOf({
    source,
    prepared,
    result,
  }: Pick<StoppedBuild, 'source' | 'prepared'> & Partial<Pick<SuppliedBuild, 'result'>>): void {
    if (source !== undefined) this.#source = source;
    this.#prepared = prepared;
    if (prepared === undefined) return;
    const inBuild = result?.kind === 'succeeded' ? (result.fetched ?? []) : [];
    this.#fetched = [...(prepared.fetched ?? []), ...inBuild];
    const { buildInfo, redact } = this.#options;
    const { directory } = this.#plan.build.environment;
    const { packages } = prepared.environment;
    this.#deviations = [
      ...(buildInfo === undefined
        ? this.#plan.deviations
        : withBuildInfo(this.#plan.deviations, buildInfo, { packages, directory })),
      ...redacted(prepared.deviations, redact),
    ];
  }

  async unverifiable(...reasons: readonly Reason<UnverifiableReason>[]): Promise<Verified> {
    const { notAuthentic, unverifiable } = reasonsBeside(this.#judged);
    return await this.#finish({ notAuthentic, unverifiable: [...reasons, ...unverifiable] });
  }

  async notAuthentic(): Promise<Verified> {
    return await this.#finish(reasonsBeside(this.#judged));
  }

  async unbuildable({
    phase,
    exitCode,
    firstError,
    tail,
    known,
  }: Extract<BuildResult, { kind: 'failed' }>): Promise<Verified> {
    return await this.#finish(
      { ...reasonsBeside(this.#judged), buildFailure: { phase, exitCode, firstError } },
      {
        builds: 1,
        failureTail: redacted(tail, this.#options.redact),
        ...(known.length === 0
          ? {}
          : { knownFailures: redacted(known, this.#options.redact).filter(isKnownFailure) }),
      },
    );
  }

  async compared(builds: readonly ComparedBuild[]): Promise<Verified> {
    const comparisons = builds.map((one) => one.comparison);
    const chosen = builds[bestBuild(comparisons)];
    if (chosen === undefined) throw new Error('no build was compared');
    const { build, comparison, varied } = chosen;
    this.#speaksOf(build);
    if (varied !== undefined) this.#deviations = [...this.#deviations, variedDeparture(varied)];
    for (const one of builds) if (one.varied !== undefined) this.#uses.push(one.build.use);
    const matching = comparisons.filter((one) => matchesPublished(one)).length;
    const judged = reasonsBeside(this.#judged, comparison);
    const authentic =
      judged.notAuthentic.length === 0 && comparison.pairs.every((pair) => pair.notAuthentic.length === 0);
    // a standing is of what is said of the publisher, and nothing is where the file is not theirs
    const standing =
      authentic && isMismatch(comparison) ? await stability(chosen, builds, this.#options) : undefined;
    // side by side: both wait for decoders most of the time
    const gathering = this.timed('evidence', () => this.#evidence(comparison, build.result));
    const looking = this.timed('origin', () =>
      originsOf(build.result.outputs, this.#inventory(), {
        temporaryDirectory: this.#options.workspace.directory,
        ...(this.#options.signal === undefined ? {} : { signal: this.#options.signal }),
      }),
    );
    // also when one of them fails: their files lie in a directory that goes with this run
    await Promise.allSettled([gathering, looking]);
    const evidence = await gathering;
    const { origins, unopened } = await looking;
    this.#deviations = [
      ...this.#deviations,
      // what a file without a twin names is set against nothing
      ...toolchainDrift(
        evidence.published.filter(({ file }) => evidence.rebuilt.has(file)),
        [...evidence.rebuilt.values()],
      ),
    ];
    return await this.#finish(
      {
        rebuilt: [...build.result.outputs, ...build.result.extra],
        comparison,
        notAuthentic: judged.notAuthentic,
        unverifiable: [
          ...judged.unverifiable,
          ...this.#artifactInInputs(),
          ...(await this.#signedByPublisher(comparison, build.result)),
        ],
        origins,
        linkable: this.#inventory().linkable,
        unopened: { inputs: this.#inventory().unopened, outputs: unopened },
        publisherEnvironment: [
          ...this.#claims(),
          ...environmentEvidence(evidence.published, evidence.rebuilt),
        ],
      },
      {
        builds: builds.length,
        matchingBuilds: matching,
        ...(standing === undefined
          ? {}
          : { standing: standing.standing, unstableMembers: standing.unstable }),
        ...(this.#variations.length === 0 ? {} : { variations: this.#variations }),
        ...(this.#otherBuilds.length === 0 ? {} : { otherBuilds: this.#otherBuilds }),
        tools: toolsOf(comparison.pairs),
        missingTools: missingTools(comparison.pairs),
      },
    );
  }

  /** Of both sides, the rebuilt one by the name of its published twin. */
  async #evidence(
    { pairs }: SetComparison,
    build: SucceededBuild['result'],
  ): Promise<{
    readonly published: readonly FileEvidence[];
    readonly rebuilt: ReadonlyMap<string, FileEvidence>;
  }> {
    const options = { temporaryDirectory: this.#options.workspace.directory };
    const published: FileEvidence[] = [];
    for (const file of this.#published) published.push(await gatherEvidence(file, options));
    const rebuilt = new Map<string, FileEvidence>();
    for (const file of build.outputs) {
      const twin = pairs.find((pair) => pair.rebuilt.name === file.name)?.published.name;
      if (twin !== undefined) rebuilt.set(twin, await gatherEvidence(file, options));
    }
    return { published, rebuilt };
  }

  #inventory(): PreparedFacts['inventory'] {
    if (this.#prepared === undefined) throw new Error('nothing was prepared');
    return this.#prepared.inventory;
  }

  /** A build that had the published file at hand proves nothing. */
  #artifactInInputs(): Reason<UnverifiableReason>[] {
    return this.#published.flatMap((file) => {
      const place = findInInputs(this.#inventory(), file.sha256);
      return place === undefined
        ? []
        : [{ code: 'artifact-in-inputs' as const, detail: `${file.name} lies among the inputs: ${place}` }];
    });
  }

  /** Nor does one that gave a file with the publisher's own signature, which no source holds. */
  async #signedByPublisher(
    { pairs }: SetComparison,
    build: SucceededBuild['result'],
  ): Promise<Reason<UnverifiableReason>[]> {
    const { signers } = this.#plan.compare;
    const reasons: Reason<UnverifiableReason>[] = [];
    for (const { name, path } of build.outputs) {
      const paired = pairs.some((pair) => pair.rebuilt.name === name);
      const signer = paired ? await carriesSignature(path, signers) : undefined;
      if (signer !== undefined)
        reasons.push({
          code: 'artifact-in-inputs',
          detail: `${name} came out of the build with the publisher's signature (certificate ${signer})`,
        });
    }
    return reasons;
  }

  #claims(): readonly EnvironmentEvidence[] {
    const { buildInfo } = this.#options;
    return buildInfo === undefined ? [] : buildInfoFacts(buildInfo);
  }

  async #finish(
    found: Partial<Omit<ReportInput, 'run'>>,
    run: Partial<Omit<RunRecord, 'statements'>> = {},
  ): Promise<Verified> {
    const { target, build, compare, recipe, buildDigest, compareDigest, carried, knownResults } = this.#plan;
    const { redact } = this.#options;
    const report = assembleReport({
      target,
      builtBy: compare.builtBy,
      published: this.#published,
      rebuilt: [],
      ...(this.#source === undefined ? {} : { source: this.#source }),
      plan: {
        recipeSha256: recipe.sha256,
        ...(buildDigest === undefined ? {} : { buildDigest }),
        compareDigest,
        build,
        compare,
      },
      carried,
      knownResults,
      deviations: this.#deviations,
      ...found,
      // a compiler's words and a server's
      ...(found.buildFailure === undefined ? {} : { buildFailure: redacted(found.buildFailure, redact) }),
      ...(found.unverifiable === undefined ? {} : { unverifiable: redacted(found.unverifiable, redact) }),
      run: await this.#options.describeRun({
        seconds: this.#seconds,
        ...(this.#published.length === 0
          ? {}
          : { published: redacted(publishedOrigins(this.#published, this.#judged.signatures), redact) }),
        ...(this.#prepared === undefined ? {} : { environment: this.#prepared.environment }),
        ...(this.#fetched.length === 0 ? {} : { fetched: redacted(this.#fetched, redact) }),
        ...(this.#uses.length === 0 ? {} : { usedBuilds: this.#uses }),
        logs: this.#logs.map(({ phase, path, sha256, truncatedBytes }) => ({
          phase,
          name: path.slice(path.lastIndexOf('/') + 1),
          sha256,
          truncatedBytes,
        })),
        ...run,
      }),
    });
    const { comparison } = found;
    return { report, ...(comparison === undefined ? {} : { comparison }), logs: this.#logs };
  }
}

/** The reported build against each other one of ours. */
async function stability(
  chosen: ComparedBuild,
  builds: readonly ComparedBuild[],
  options: PipelineOptions,
): Promise<Stability> {
  const ours: SetComparison[] = [];
  for (const other of builds)
    if (other !== chosen)
      ours.push(
        await compareSet(
          { published: chosen.build.result.outputs, rebuilt: other.build.result.outputs },
          {
            temporaryDirectory: options.workspace.directory,
            ...(options.signal === undefined ? {} : { signal: options.signal }),
          },
        ),
      );
  return stabilityOf(chosen.comparison, ours);
}
