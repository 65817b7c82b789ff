// SPDX-License-Identifier: Apache-2.0
/** What this room needs of a proxy that records a phase's way to the network; how it works is the business of `inputs`. */
import type { Server } from 'node:net';
import { FailedHere } from '../errors.js';
import type { FetchedWorld, PhaseName, Unrecorded } from '../model.js';

export interface RecorderOptions {
  readonly phase: PhaseName;
  readonly cache: string;
  readonly directory: string;
  readonly hosts?: readonly string[];
  readonly certificate?: boolean;
  readonly debianMirror?: string;
  readonly maxBytes: number;
  readonly signal?: AbortSignal;
}

export interface RecorderOutcome {
  readonly world: FetchedWorld;
  readonly refused: readonly string[];
  readonly missing: readonly string[];
  /** What no server answered, or not to its end, or with an error of its own. */
  readonly unserved: readonly string[];
}

export interface Recorder {
  readonly certificate?: { readonly pem: string; readonly keyStore: Uint8Array };
  listen(where: { readonly host: string; readonly port: number } | Server): Promise<number>;
  close(): Promise<RecorderOutcome>;
}

export type OpenRecorder = (options: RecorderOptions) => Promise<Recorder>;

export function nothingRecorded(phase: PhaseName, code: Unrecorded['code'], what: string): FetchedWorld {
  return {
    phase,
    from: 'network',
    count: 0,
    bytes: 0,
    requests: [],
    unrecorded: [{ code, what, count: 1 }],
  };
}

/** @throws FailedHere `host-refused`, `not-recorded`: whatever came of the phase, it was not what it asked for */
export function assertAnswered({ refused, missing }: RecorderOutcome, phase: PhaseName): void {
  if (refused.length > 0)
    throw new FailedHere(
      'host-refused',
      `the ${phase} phase asked ${refused.join(', ')}, which the recipe does not list`,
      { hint: "add it to the phase's hosts in the recipe, or keep the script from asking" },
    );
  if (missing.length > 0)
    throw new FailedHere(
      'not-recorded',
      `the ${phase} phase asked for what is not in the record: ${missing.slice(0, 10).join('; ')}${missing.length > 10 ? ` and ${missing.length - 10} more` : ''}`,
      { hint: 'run it without --offline' },
    );
}

/**
 * For a command that failed: it may have failed of what it did not get, whatever its log says.
 * @throws FailedHere `network`
 */
export function assertServed({ unserved }: RecorderOutcome, phase: PhaseName): void {
  if (unserved.length === 0) return;
  throw new FailedHere(
    'network',
    `the ${phase} phase failed, and not all that it asked for came whole: ${unserved.slice(0, 10).join('; ')}`,
    { hint: 'try again later: nobody knows what comes of it with everything there' },
  );
}
