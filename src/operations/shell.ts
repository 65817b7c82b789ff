// SPDX-License-Identifier: Apache-2.0
/** A shell inside of a run that was kept. From then on the run is `assisted`, whatever is done there. */
import { openShell, type EndedPhase } from '../build/phase-shell.js';
import { UsageError } from '../errors.js';
import { storageFailure } from '../inputs/atomic-file.js';
import type { PhaseName } from '../model.js';
import { writeKeptRun, type KeptRun } from './kept-run.js';
import { withKeptRun } from './kept-runs.js';
import type { OperationOptions } from './options.js';
import { startRunKeeper } from './run-keeper.js';

export interface ShellRequest {
  readonly run: string;
  /** Default: the last one that began. */
  readonly phase?: PhaseName;
  /** Without one: a shell that reads from where this process reads. */
  readonly command?: string;
  /** Whether this process reads from a terminal and writes to one. */
  readonly terminal?: boolean;
}

/**
 * What the shell prints goes to where this process prints. Returns the exit code of the command or of the shell.
 * @throws UsageError `unknown-run`, `phase-not-run`
 * @throws FailedHere `run-in-use`, `kept-run-damaged`, `kept-state-gone`, `kept-state-changed`, `no-engine`, `interrupted` …
 */
export async function shell(
  request: ShellRequest,
  { signal, onProgress }: OperationOptions = {},
): Promise<number> {
  return await withKeptRun(request.run, async ({ directory, kept }) => {
    const ended = endedPhase(kept, request.phase);
    const at = new Date().toISOString();
    const how = request.command === undefined ? 'verify shell' : 'verify shell --command';
    // before there is a shell: whoever is in it is no longer asked
    try {
      await writeKeptRun(directory, { ...kept, touched: [...kept.touched, { phase: ended.phase, at, how }] });
    } catch (cause) {
      throw storageFailure(cause, 'the mark that this run is touched', directory);
    }
    onProgress?.({
      kind: 'note',
      text: `a copy of where the ${ended.phase} phase ended; run ${kept.run} is assisted from now on`,
    });
    const keeper = await startRunKeeper();
    try {
      return await openShell(ended, {
        ...(request.command === undefined ? {} : { command: request.command }),
        terminal: request.command === undefined && request.terminal === true,
        directory,
        ...(signal === undefined ? {} : { signal }),
      });
    } finally {
      keeper.done();
    }
  });
}

/** @throws UsageError `phase-not-run` */
export function endedPhase(kept: KeptRun, asked: PhaseName | undefined): EndedPhase {
  const { run, engine, phases, frozen } = kept;
  const begun = phases.filter(({ phase }) => asked === undefined || phase === asked).at(-1);
  if (begun === undefined || engine === undefined)
    throw new UsageError('phase-not-run', `run ${run} did not come to its ${asked ?? 'first'} phase`, {
      hint: `it came to: ${phases.map(({ phase }) => phase).join(', ') || 'none'}`,
    });
  const { phase, container, arguments: args } = begun;
  // the container of a phase that was frozen is gone
  const image =
    phase === 'prepare' && frozen !== undefined ? { name: frozen.image, id: frozen.imageId } : undefined;
  return {
    kind: engine,
    run,
    phase,
    container,
    arguments: args,
    ...(image === undefined ? {} : { image }),
  };
}
