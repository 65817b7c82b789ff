// SPDX-License-Identifier: Apache-2.0
/** What an executor tells of a run that may be kept, at each step: what is told is there even if the next step is a kill. */
import type { BuildResult, FetchedWorld, PhaseName } from '../model.js';
import type { PreparedBuild } from './executor.js';
import type { Account } from './inside.js';

export interface BegunPhase {
  readonly phase: PhaseName;
  /** Of builds from the same prepared state; 1 for what prepares it. */
  readonly attempt: number;
  readonly container: string;
  /** Of `create`, up to the image: all that the phase sees of the world. */
  readonly arguments: readonly string[];
}

/** The state right before the build phase, frozen. */
export interface FrozenState extends Pick<
  PreparedBuild,
  'inventory' | 'environment' | 'deviations' | 'logs' | 'seconds'
> {
  /** What was got over the network to get there. */
  readonly fetched: readonly FetchedWorld[];
  /** What the engine calls it. */
  readonly image: string;
  /** What it is: the engine derives it from the content. */
  readonly imageId: string;
  /** Of the build phase. */
  readonly account: Account;
}

/**
 * With one, an executor removes none of its containers of phases and none of its images: whoever gave the journal decides
 * at the end of the run. No method throws.
 */
export interface RunJournal {
  engine(kind: 'docker' | 'podman'): Promise<void>;
  /** Before its container is made. */
  began(phase: BegunPhase): Promise<void>;
  prepared(state: FrozenState): Promise<void>;
  built(attempt: number, result: BuildResult): Promise<void>;
}
