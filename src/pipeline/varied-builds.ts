// SPDX-License-Identifier: Apache-2.0
/**
 * A mismatch is confirmed under other conditions than the plan's: if the bytes are the same, they hold there too. If they
 * are not, it is found out whether the build is deterministic at all, and if it is, which condition changes which member.
 */
import { differingMembers, isMismatch, isNearer } from '../compare/builds.js';
import { compareSet } from '../compare/compare-set.js';
import { FailedHere } from '../errors.js';
import type { BuiltFile, Variation } from '../model.js';
import type { BuildAgain } from './build-again.js';
import type { ComparedBuild } from './draft.js';
import { howItEnded } from './how-it-ended.js';

/** The publisher's script is not to blame for what it does not know. */
const TREE_IN_MEMORY =
  'its tree was a file system of its own, in memory, which can be the reason as well as the order';

type Outcome = 'confirms' | 'differs' | 'nearer' | 'failed' | 'failed-here';

export class VariedBuilds {
  readonly #builds: ComparedBuild[];
  readonly #again: BuildAgain;
  readonly #plain: () => Promise<boolean>;

  /** `builds`: the first one, a mismatch; those that count are put behind it. `plain`: one more as the plan says. */
  constructor(builds: ComparedBuild[], again: BuildAgain, plain: () => Promise<boolean>) {
    this.#builds = builds;
    this.#again = again;
    this.#plain = plain;
  }

  /** @throws FailedHere where nothing can be built here at all */
  async confirm(asked: readonly Variation[]): Promise<void> {
    const { supply } = this.#again;
    if (await this.#heldBefore(asked)) return;
    let { possible, why } = await supply.variable(asked);
    this.#tellImpossible(asked, possible, why);
    let outcome = possible.length === 0 ? 'failed' : await this.#vary(possible);
    const rest = possible.filter((one) => one !== 'directory-order');
    const failedSomehow = outcome === 'failed' || outcome === 'failed-here';
    if (failedSomehow && rest.length > 0 && rest.length < possible.length) {
      // its tree lies in memory: how much the build would write there nobody knew, and it is a file system of its own,
      // which a script can trip over (a hard link that leads out of it, its directory anew) without any order of names
      const failed = 'a build with another order of directories gave nothing to compare';
      why = why === undefined ? failed : `${why}; ${failed}`;
      possible = rest;
      outcome = await this.#vary(rest);
    }
    const confirming = this.#builds.at(-1);
    if (outcome === 'confirms' && confirming !== undefined) {
      const { made, executor, engineVersion } = confirming.build.use;
      await supply.noteVaried(this.#first().build.use, {
        schemaVersion: 1,
        asked: [...asked],
        varied: [...possible],
        ...(why === undefined ? {} : { why }),
        made,
        executor,
        ...(engineVersion === undefined ? {} : { engineVersion }),
      });
    }
    if (outcome === 'confirms' || outcome === 'nearer') return;
    const went = await this.#plain();
    const last = this.#builds.at(-1);
    if (!went || last === undefined || outcome !== 'differs' || possible.length < 2) return;
    // what differs from itself owes it to no condition
    if (!isMismatch(last.comparison) || !sameBytes(this.#first(), last)) return;
    for (const one of possible) {
      const alone = await this.#vary([one]);
      if (alone === 'nearer' || alone === 'failed' || alone === 'failed-here') return;
    }
  }

  /** An earlier run made the varied build, and it gave what the kept one here is. */
  async #heldBefore(asked: readonly Variation[]): Promise<boolean> {
    const { supply, report } = this.#again;
    const first = this.#first();
    const note = await supply.variedBefore(first.build.use);
    if (note === undefined || [...note.asked].sort().join() !== [...asked].sort().join()) return false;
    const { made, executor, engineVersion, varied } = note;
    const use = {
      made,
      executor,
      ...(engineVersion === undefined ? {} : { engineVersion }),
      reused: true,
    };
    this.#tellImpossible(asked, varied, note.why);
    report.tellVaried({ varied, outcome: 'same' });
    this.#builds.push({ ...first, build: { ...first.build, use }, varied });
    return true;
  }

  #tellImpossible(
    asked: readonly Variation[],
    possible: readonly Variation[],
    detail: string | undefined,
  ): void {
    const varied = asked.filter((each) => !possible.includes(each));
    if (varied.length > 0 && detail !== undefined)
      this.#again.report.tellVaried({ varied, outcome: 'not-possible', detail });
  }

  #first(): ComparedBuild {
    const [first] = this.#builds;
    if (first === undefined) throw new Error('there is no first build');
    return first;
  }

  async #vary(varied: readonly Variation[]): Promise<Outcome> {
    const { supply, report, compared } = this.#again;
    report.note(`building under other conditions than the plan's: ${varied.join(', ')}`);
    let build: Awaited<ReturnType<typeof supply.varied>>;
    try {
      build = await supply.varied(varied);
    } catch (error) {
      if (!(error instanceof FailedHere) || error.code === 'interrupted') throw error;
      const detail = `it could not be done here (${error.code}: ${error.message})`;
      report.tellVaried({ varied, outcome: 'failed', detail });
      return 'failed-here';
    }
    report.takeLogs(build);
    if (build.kind === 'stopped' || build.result.kind === 'failed') {
      const own = varied.includes('directory-order') ? `; ${TREE_IN_MEMORY}` : '';
      report.tellVaried({ varied, outcome: 'failed', detail: `${howItEnded(build)}${own}` });
      return 'failed';
    }
    const one: ComparedBuild = { ...(await compared({ ...build, result: build.result })), varied };
    const first = this.#first();
    if (sameBytes(first, one)) {
      report.tellVaried({ varied, outcome: 'same' });
      // alone it was tried to find what all of them together changed
      if (this.#builds.length === 1) this.#builds.push(one);
      return 'confirms';
    }
    // a match is a proof whatever the conditions were: to tell a mismatch all the same would be false
    const nearer = this.#builds.every(({ comparison }) => isNearer(one.comparison, comparison));
    if (nearer) this.#builds.push(one);
    const members = await this.#members(first, one);
    report.tellVaried({ varied, outcome: 'differs', members, ...(nearer ? { reported: true } : {}) });
    return nearer ? 'nearer' : 'differs';
  }

  async #members(first: ComparedBuild, other: ComparedBuild): Promise<readonly string[]> {
    const { workspace, signal } = this.#again.options;
    const ours = await compareSet(
      { published: outputsOf(first), rebuilt: outputsOf(other) },
      { temporaryDirectory: workspace.directory, ...(signal === undefined ? {} : { signal }) },
    );
    const members = differingMembers(ours);
    // the same content in another encoding, or what nobody can read, is in no member
    return members.length > 0 ? members : differingFiles(first, other);
  }
}

const outputsOf = ({ build }: ComparedBuild): readonly BuiltFile[] => build.result.outputs;

function differingFiles(one: ComparedBuild, other: ComparedBuild): readonly string[] {
  const digests = new Map(outputsOf(one).map(({ name, sha256 }) => [name, sha256]));
  const names = outputsOf(other).flatMap(({ name, sha256 }) => {
    const same = digests.get(name) === sha256;
    if (same) digests.delete(name);
    return same ? [] : [name];
  });
  return [...new Set([...names, ...digests.keys()])].sort();
}

const sameBytes = (one: ComparedBuild, other: ComparedBuild): boolean =>
  differingFiles(one, other).length === 0;
