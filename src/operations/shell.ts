// SPDX-License-Identifier: Apache-2.0
/** A shell inside of a run that was kept. From then on the run is `assisted`, whatever is done there. */
import { openShell, reachesNetwork, type EndedPhase } from '../build/phase-shell.js';
import type { RecorderOutcome } from '../build/recorder.js';
import type { ShellRule } from '../build/shell-network.js';
import { UsageError } from '../errors.js';
import { storageFailure } from '../inputs/atomic-file.js';
import { cacheDirectory } from '../inputs/cache.js';
import { debianMirror } from '../inputs/debian/debian-mirror.js';
import type { PhaseName } from '../model.js';
import { recording, type EngineRequest } from './executor.js';
import { PLAN_FILE, readKept, writeKeptRun, type KeptPlan, type KeptRun } from './kept-run.js';
import { withKeptRun } from './kept-runs.js';
import type { OperationOptions } from './options.js';
import { startRunKeeper } from './run-keeper.js';
import { needsArchive } from './workspace.js';

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
    const rule = await ruleOf(ended, kept, directory, signal);
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
      return await openShell(rule === undefined ? ended : { ...ended, rule }, {
        ...(request.command === undefined ? {} : { command: request.command }),
        terminal: request.command === undefined && request.terminal === true,
        directory,
        onFetched: (outcome) => onProgress?.({ kind: 'note', text: fetchedLine(outcome) }),
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

/**
 * How the phase reached the network; nothing where it did not, or had the engine's. What a shell fetches is for its user
 * alone: none of it is kept.
 * @throws FailedHere `kept-run-damaged`
 */
async function ruleOf(
  { phase: name, arguments: args }: EndedPhase,
  kept: KeptRun,
  directory: string,
  signal: AbortSignal | undefined,
): Promise<ShellRule | undefined> {
  const { openRecorder: open } = recording(kept.request as EngineRequest);
  if (open === undefined || !reachesNetwork(args)) return undefined;
  const { plan } = (await readKept(directory, PLAN_FILE, kept.planSha256)) as KeptPlan;
  const phase = plan.build.phases.find((each) => each.name === name);
  return {
    open,
    options: {
      phase: name,
      cache: cacheDirectory(),
      directory,
      maxBytes: 0,
      ...(phase?.hosts === undefined ? {} : { hosts: phase.hosts }),
      ...(phase?.certificate === undefined ? {} : { certificate: phase.certificate }),
      ...(needsArchive(plan) ? { debianMirror: await debianMirror() } : {}),
      ...(signal === undefined ? {} : { signal }),
    },
  };
}

function fetchedLine({ world, refused }: RecorderOutcome): string {
  let { count, bytes } = world;
  // what the proxy passes on without reading it
  for (const tunnel of world.unrecorded)
    if (tunnel.bytes !== undefined) {
      count += tunnel.count;
      bytes += tunnel.bytes;
    }
  const not =
    refused.length === 0 ? '' : `; refused, since the recipe does not list it: ${refused.join(', ')}`;
  return `went over the network from this shell, and into no report: ${count} ${count === 1 ? 'request' : 'requests'}, ${bytes} bytes${not}`;
}
