// SPDX-License-Identifier: Apache-2.0
/** Kept builds of a plan as the pipeline takes them, and the way in which it gives new ones to be kept. */
import path from 'node:path';
import { FailedHere } from '../errors.js';
import { buildKey } from '../inputs/builds/build-key.js';
import { lockBuild } from '../inputs/builds/build-lock.js';
import { buildsFor, noteUse, unlessDamaged, type FoundBuild } from '../inputs/builds/find-builds.js';
import { loadBuild } from '../inputs/builds/load-build.js';
import { storeBuild } from '../inputs/builds/store-build.js';
import { readVariedNote, writeVariedNote, type VariedNote } from '../inputs/builds/varied-note.js';
import { readEnds } from '../inputs/read-ends.js';
import type { BuildKey, KeptBuild, Plan, Sha256 } from '../model.js';
import { redacted } from '../report/redact.js';
import type { FinishedBuild, SuppliedBuild, SupplyOptions } from './build-supply.js';

export class KeptSupply {
  readonly #plan: Plan;
  readonly #options: SupplyOptions;
  #key: Promise<BuildKey | undefined> | undefined;
  #found: Promise<FoundBuild[]> | undefined;
  /** What was given counts once, however often is looked. */
  readonly #given = new Set<string>();

  constructor(plan: Plan, options: SupplyOptions) {
    this.#plan = plan;
    this.#options = options;
  }

  async isEmpty(): Promise<boolean> {
    return (await this.#all()).length === 0;
  }

  /** The next one that is not damaged. */
  async next(): Promise<SuppliedBuild | undefined> {
    const { workspace } = this.#options;
    for (let found = (await this.#all()).shift(); found !== undefined; found = (await this.#all()).shift()) {
      const { place, build } = found;
      this.#given.add(which(build));
      await noteUse(workspace.cache, place);
      const loaded = await unlessDamaged(workspace.cache, place, this.#damaged, () =>
        loadBuild(workspace.cache, place, build, path.join(workspace.directory, 'kept', place.id)),
      );
      if (loaded === undefined) continue;
      const { executor, engineVersion } = build.prepared.environment;
      this.#note(
        `the build ${place.id.slice(0, 12)} of ${build.made} (${executor}) is used again; --fresh builds anew`,
      );
      return {
        kind: 'built',
        ...loaded,
        ...(build.source === undefined ? {} : { source: build.source }),
        use: {
          id: place.id,
          made: build.made,
          executor,
          ...(engineVersion === undefined ? {} : { engineVersion }),
          reused: true,
        },
      };
    }
    return undefined;
  }

  /**
   * What another process keeps while this one waits for it; else what `make` gives, while others wait. Where nothing is
   * kept or used, nobody waits for anybody.
   * @throws FailedHere `interrupted`, and what `make` throws
   */
  async alone<T>(make: () => Promise<T>): Promise<T | SuppliedBuild> {
    const { workspace, storing, madeSince, engine, signal, onProgress } = this.#options;
    const key = storing === false || madeSince !== undefined ? undefined : await this.#keyOf();
    if (key === undefined) return await make();
    const lock = await lockBuild({ cache: workspace.cache, key, engine, signal, onProgress });
    try {
      this.#found = undefined;
      return (await this.next()) ?? (await make());
    } finally {
      await lock?.release();
    }
  }

  /** Its id. A build that cannot be kept is used all the same. */
  async keep(made: FinishedBuild): Promise<Sha256 | undefined> {
    const key = await this.#keyOf();
    if (key === undefined) return undefined;
    const { workspace, redact } = this.#options;
    const { attempt, source, prepared, result } = made;
    const clean = {
      ...prepared,
      deviations: redacted(prepared.deviations, redact),
    };
    const told =
      result.kind === 'failed'
        ? {
            ...result,
            firstError: redacted(result.firstError, redact),
            tail: redacted(result.tail, redact),
            known: redacted(result.known, redact),
          }
        : result;
    try {
      const { id } = await storeBuild(
        workspace.cache,
        {
          key,
          plan: this.#plan.build,
          run: workspace.run,
          attempt,
          ...(source === undefined ? {} : { source }),
          prepared: clean,
          result: told,
        },
        async (file) => redact(await readEnds(file)),
      );
      return id;
    } catch (error) {
      if (!(error instanceof FailedHere)) throw error;
      this.#note(`this build could not be kept for later: ${error.message}`);
      return undefined;
    }
  }

  /** Whether the kept build `id` held under other conditions; of the engine that was asked for, if one was. */
  async variedNote(id: Sha256): Promise<VariedNote | undefined> {
    const { engine, workspace } = this.#options;
    const key = await this.#keyOf();
    if (key === undefined) return undefined;
    const note = await readVariedNote(workspace.cache, { digest: key.buildDigest, id });
    return engine !== undefined && note?.executor !== engine ? undefined : note;
  }

  async noteVaried(id: Sha256, note: VariedNote): Promise<void> {
    const key = await this.#keyOf();
    if (key !== undefined && this.#options.storing !== false)
      await writeVariedNote(this.#options.workspace.cache, { digest: key.buildDigest, id }, note);
  }

  /** What succeeds once is no source that does not build; the newest speaks first. */
  async #all(): Promise<FoundBuild[]> {
    this.#found ??= this.#find();
    return await this.#found;
  }

  async #find(): Promise<FoundBuild[]> {
    const key = await this.#keyOf();
    if (key === undefined) return [];
    const { engine, madeSince, workspace } = this.#options;
    const { image } = this.#plan.build.environment;
    const all = await buildsFor(workspace.cache, key, this.#damaged);
    const seen = new Set<string>();
    const fitting = all.filter(({ build }) => {
      const { made, prepared } = build;
      const { executor } = prepared.environment;
      // a copy of a build confirms nothing
      if (seen.has(which(build))) return false;
      seen.add(which(build));
      if (madeSince !== undefined && made < madeSince.toISOString()) return false;
      if (engine !== undefined) return executor === engine;
      // what another machine made is taken only by who asks for another machine
      return executor !== 'ssh' && (image.kind === 'none' || executor !== 'local');
    });
    const succeeded = fitting.filter(({ build }) => build.result.kind === 'succeeded');
    return (succeeded.length > 0 ? succeeded : fitting).filter(
      ({ build }) => build.run !== workspace.run && !this.#given.has(which(build)),
    );
  }

  /** None where no build may take another one's place: nobody knows what a directory held that was handed over. */
  async #keyOf(): Promise<BuildKey | undefined> {
    const { build, buildDigest } = this.#plan;
    if (buildDigest === undefined || this.#options.source !== undefined) return undefined;
    this.#key ??= buildKey(build, buildDigest, this.#options.workspace.packageRoot);
    return await this.#key;
  }

  readonly #damaged = ({ id }: { readonly id: Sha256 }, why: string): void =>
    this.#note(`the kept build ${id.slice(0, 12)} is damaged and was removed: ${why}`);

  #note(text: string): void {
    this.#options.onProgress?.({ kind: 'note', text });
  }
}

const which = ({ run, attempt }: Pick<KeptBuild, 'run' | 'attempt'>): string => `${run} ${attempt}`;
