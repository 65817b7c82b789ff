// SPDX-License-Identifier: Apache-2.0
/**
 * What the end of a phase means: success, the publisher's command failing, something that a server says is gone, or our
 * side. Pure. Every doubt is ours: only a command of the build phase that ended by itself, with no sign of our side in
 * the container's state or anywhere in the log, is told of the publisher.
 */
import { FailedHere } from '../errors.js';
import { knownFailure } from '../known-failures.js';
import type { PhaseName } from '../model.js';
import type { HowEnded } from '../process.js';
import type { KnownLogLine } from './known-lines.js';
import type { LogSummary } from './log-reader.js';

/** Of a container, after its program ended or was ended. */
export interface ContainerState {
  readonly running: boolean;
  /** False when the runtime could not start it, which is never the fault of what should have run in it. */
  readonly started: boolean;
  readonly exitCode: number;
  readonly outOfMemory: boolean;
  readonly error: string;
}

export interface PhaseEnd {
  readonly phase: PhaseName;
  readonly network: boolean;
  readonly minutes: number;
  readonly memoryMiB: number;
  /** Of the program that we started: the engine's client, or the script itself. */
  readonly client: HowEnded;
  /** Undefined when there was no container, or it is gone. */
  readonly state: ContainerState | undefined;
  readonly container: boolean;
  readonly log: LogSummary;
  /** The Debian archive that the phase was given: what a signed index lists and it lacks is its own gap. */
  readonly debianMirror?: string;
  /** What the engine's client said last, when it ended without the script. */
  readonly said?: string;
}

export type PhaseOutcome =
  | { readonly kind: 'succeeded' }
  | { readonly kind: 'command-failed'; readonly exitCode: number }
  | { readonly kind: 'environment-gone'; readonly url: string; readonly status: 404 | 410 }
  | { readonly kind: 'failed-here'; readonly error: FailedHere };

export function classifyPhase(end: PhaseEnd): PhaseOutcome {
  const own = endedByUs(end) ?? (end.container ? containerDied(end) : undefined);
  if (own !== undefined) return { kind: 'failed-here', error: own };
  const code = exitCodeOf(end);
  // a build that goes on after one of its programs was killed makes something else than it would have made
  if (end.log.memoryKills > 0) return ours(outOfMemory(end));
  // nor is what it wrote whole, whatever it says itself
  if (end.log.fullAtEnd) return ours(diskFull(end, `when the ${end.phase} phase ended`));
  if (code === 0) return { kind: 'succeeded' };
  const sign = signOfOurSide(end, code);
  if (sign !== undefined) return sign;
  if (end.phase === 'build') return { kind: 'command-failed', exitCode: code };
  return ours(
    new FailedHere('prepare-failed', `the prepare phase ended with exit code ${code}${lastWords(end)}`, {
      known: end.log.known,
    }),
  );
}

const ours = (error: FailedHere): PhaseOutcome => ({ kind: 'failed-here', error });

function lastWords({ log }: PhaseEnd): string {
  const lines = (log.firstError.length > 0 ? log.firstError : log.tail.slice(-5)).filter(
    (line) => line.trim() !== '',
  );
  return lines.length === 0 ? '' : `: ${lines.slice(0, 5).join(' | ')}`;
}

/** The script's own code; a container's init is our wrapper, which passes it on. */
function exitCodeOf({ client, log, state, container }: PhaseEnd): number {
  if (container) return log.scriptCode ?? state?.exitCode ?? 1;
  if (client.kind === 'exited') return client.code;
  return 1;
}

function endedByUs({ client, phase, minutes }: PhaseEnd): FailedHere | undefined {
  if (client.kind === 'aborted')
    return new FailedHere('interrupted', `interrupted during the ${phase} phase`);
  if (client.kind === 'timed-out')
    return new FailedHere(
      'time-limit',
      `the ${phase} phase took longer than ${Math.round(client.afterMs / 600) / 100} of ${minutes} minutes`,
      { hint: 'a faster machine, or more minutes in the recipe' },
    );
  return undefined;
}

function outOfMemory({ phase, memoryMiB, log }: PhaseEnd): FailedHere {
  const line = log.signs.outOfMemory;
  return new FailedHere(
    'out-of-memory',
    `the ${phase} phase ran out of memory (${memoryMiB} MiB)${line === undefined ? '' : `: ${line}`}`,
    { hint: knownFailure('out-of-memory').advice, known: beyondSigns(log.known) },
  );
}

function diskFull({ log }: PhaseEnd, when: string): FailedHere {
  const line = log.signs.diskFull;
  return new FailedHere('disk-full', `the disk is full ${when}${line === undefined ? '' : `: ${line}`}`, {
    hint: knownFailure('disk-full').advice,
    known: beyondSigns(log.known),
  });
}

function containerDied(end: PhaseEnd): FailedHere | undefined {
  const { state, phase, log, said } = end;
  const words = said === undefined || said === '' ? '' : `: ${said}`;
  if (/no space left on device/i.test(`${state?.error ?? ''} ${state?.started === false ? words : ''}`))
    return new FailedHere('disk-full', `the disk is full where the engine keeps its containers${words}`, {
      hint: knownFailure('disk-full').advice,
    });
  if (state === undefined)
    return new FailedHere('engine-died', `the container of the ${phase} phase is gone${words}`);
  if (state.outOfMemory) return outOfMemory(end);
  if (state.running)
    return new FailedHere(
      'engine-died',
      `the engine's client ended during the ${phase} phase, the container did not${words}`,
    );
  if (!state.started || state.error !== '')
    return new FailedHere(
      'engine-died',
      `the engine could not run the ${phase} phase: ${state.error === '' ? (said ?? '') : state.error}`,
    );
  // a script can print what our wrapper prints, but not end as it does
  if (log.scriptCode !== state.exitCode)
    return new FailedHere(
      'engine-died',
      `the container of the ${phase} phase was ended from outside (exit code ${state.exitCode})`,
    );
  return undefined;
}

function signOfOurSide(end: PhaseEnd, code: number): PhaseOutcome | undefined {
  const { signs } = end.log;
  const { phase } = end;
  if (signs.diskFull !== undefined) return ours(diskFull(end, `for the ${phase} phase`));
  if (signs.outOfMemory !== undefined || code === 137) return ours(outOfMemory(end));
  if (end.client.kind === 'signalled' || code > 128)
    return ours(
      new FailedHere(
        'engine-died',
        `a command of the ${phase} phase was ended by signal ${end.client.kind === 'signalled' ? end.client.signal : code - 128}`,
      ),
    );
  return end.network ? networkSign(end) : noNetworkSign(end);
}

/** A build that wants the network which the plan does not give it: our plan is not the publisher's way to build. */
function noNetworkSign({ phase, log }: PhaseEnd): PhaseOutcome | undefined {
  const { unreachable } = log.signs;
  if (unreachable === undefined) return undefined;
  return ours(
    new FailedHere(
      'network',
      `the ${phase} phase asked for ${unreachable.what} and has no network: ${unreachable.line}`,
      {
        hint: 'fetch it in the prepare phase, or give the phase the network with a networkReason',
        known: beyondSigns(log.known),
      },
    ),
  );
}

function networkSign({ phase, log, debianMirror }: PhaseEnd): PhaseOutcome | undefined {
  const { limited, serverError, unreachable, untrusted, gone } = log.signs;
  const known = beyondSigns(log.known);
  if (limited !== undefined)
    return ours(
      new FailedHere('rate-limited', `a server limits how often it answers (429): ${limited.line}`, {
        hint: knownFailure('rate-limited').advice,
        known,
      }),
    );
  if (serverError !== undefined)
    return ours(
      new FailedHere('network', `a server has a problem (${serverError.status}): ${serverError.line}`, {
        hint: knownFailure('server-error').advice,
        known,
      }),
    );
  if (gone !== undefined) {
    const { url, status, line } = gone;
    // an index that was just verified lists it, so that it was not taken away upstream
    if (url !== undefined && debianMirror !== undefined && url.startsWith(debianMirror))
      return ours(
        new FailedHere(
          'mirror-incomplete',
          `the archive does not deliver what its index lists (${status}): ${line}`,
          { hint: 'try again later, or another mirror (SAMESOURCE_DEBIAN_MIRROR)' },
        ),
      );
    if (url !== undefined) return { kind: 'environment-gone', url, status };
    return ours(
      new FailedHere(
        'network',
        `a download of the ${phase} phase was answered with ${status}, and the log does not say which: ${line}`,
        { known },
      ),
    );
  }
  if (unreachable !== undefined)
    return ours(
      new FailedHere('network', `${unreachable.what} could not be reached: ${unreachable.line}`, {
        hint: knownFailure('unreachable').advice,
        known,
      }),
    );
  if (untrusted !== undefined)
    return ours(
      new FailedHere('network', `a server's certificate was not trusted: ${untrusted}`, {
        hint: knownFailure('tls-untrusted').advice,
        known,
      }),
    );
  return undefined;
}

/** What a sign says stands in the error itself. */
function beyondSigns(known: readonly KnownLogLine[]): readonly KnownLogLine[] {
  return known.filter(({ id }) => knownFailure(id).on instanceof RegExp);
}
