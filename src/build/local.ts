// SPDX-License-Identifier: Apache-2.0
/**
 * Builds without a container: a temporary directory and a clean environment, nothing else kept apart. For the plans that
 * say so (the demo), and for who asks for it; whatever it is used for, the report says that no container was used.
 */
import { promises as fs } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { FailedHere } from '../errors.js';
import type { BuildResult, Deviation, LogRecord, PhasePlan, Variation } from '../model.js';
import { makeOwnedDirectory, removeOwned } from '../owned-directory.js';
import { run, type RunResult } from '../process.js';
import type { ExecutorDependencies } from './container.js';
import { buildResult, type PhaseResult } from './build-result.js';
import type { Executor, PreparedBuild, PrepareOutcome, PrepareRequest } from './executor.js';
import { classifyPhase } from './failure.js';
import { COPY, copySource, filesBelow, outputsOf, remove, type Place } from './local-tree.js';
import { logRecord } from './log-record.js';
import { LogReader } from './log-reader.js';
import { collectOutputs } from './outputs.js';
import { nothingRecorded } from './recorder.js';
import { phaseVariables } from './phase.js';
import { PhaseProgress } from './phase-progress.js';
import { variedVariables } from './variation.js';

const NO_CONTAINER: Deviation = {
  code: 'no-container',
  what: 'the build ran in a temporary directory of this machine, without a container',
  reason:
    'the local executor was used: the tools, the libraries and the path are those of this machine, and nothing kept the build from its other files, the published ones among them',
  canChangeOutput: 'unknown',
};
const LOG_BYTES = 64 << 20;

export class LocalExecutor implements Executor {
  readonly kind = 'local';
  readonly #dependencies: Pick<ExecutorDependencies, 'takeInventoryOfDirectory'>;

  constructor(dependencies: Pick<ExecutorDependencies, 'takeInventoryOfDirectory'>) {
    this.#dependencies = dependencies;
  }

  async probe(): Promise<{ readonly version: string }> {
    return { version: process.version };
  }

  async prepare(request: PrepareRequest): Promise<PrepareOutcome> {
    const root = await makeOwnedDirectory(os.tmpdir(), 'samesource-');
    try {
      const outcome = await this.#prepare(request, root);
      if (outcome.kind !== 'prepared') await removeOwned(root).catch(() => undefined);
      return outcome;
    } catch (error) {
      await removeOwned(root).catch(() => undefined);
      throw error;
    }
  }

  async #prepare(request: PrepareRequest, root: string): Promise<PrepareOutcome> {
    const { plan, source, signal, onProgress } = request;
    const started = performance.now();
    if (source === undefined)
      throw new FailedHere('plan-unresolved', `a ${plan.source.kind} source is fetched inside a container`, {
        hint: 'use docker or podman',
      });
    const name = path.posix.basename(plan.environment.directory);
    const place = {
      root,
      tree: path.join(root, 'work', name),
      prepared: path.join(root, 'prepared', name),
    };
    for (const made of ['home', 'tmp']) await fs.mkdir(path.join(root, made));
    await copySource(source, place.tree, signal);
    const build = plan.phases.find((phase) => phase.name === 'build');
    if (build === undefined) throw new FailedHere('plan-unresolved', 'the plan has no build phase');
    const prepare = plan.phases.find((phase) => phase.name === 'prepare');
    const logs: LogRecord[] = [];
    const online = plan.phases.filter((phase) => phase.network);
    if (online.some((phase) => phase.hosts !== undefined))
      throw new FailedHere(
        'no-recording',
        'the recipe lists the hosts that may be asked, which only a container can be kept to',
        {
          hint: 'use docker or podman',
        },
      );
    if (prepare !== undefined) {
      const { outcome, log } = await runLocally(request, prepare, place, 'prepare.log', signal);
      logs.push(log);
      if (outcome.kind === 'failed-here') throw outcome.error;
      if (outcome.kind === 'environment-gone') return outcome;
    }
    await fs.cp(path.dirname(place.tree), path.dirname(place.prepared), COPY);
    const inventory = await this.#dependencies.takeInventoryOfDirectory(place.prepared, {
      temporaryDirectory: request.directory,
      ...(signal === undefined ? {} : { signal }),
      ...(onProgress === undefined ? {} : { onProgress }),
    });
    const prepared: PreparedBuild = {
      inventory,
      environment: {
        executor: 'local',
        packages: [],
        kernel: `${os.type()} ${os.release()}`,
        cpuCount: os.availableParallelism(),
        architecture: process.arch,
        commands: plan.phases.map(({ script }) => script),
      },
      // a plan that names no image departs from nothing
      deviations: request.plan.environment.image.kind === 'none' ? [] : [NO_CONTAINER],
      logs,
      fetched: online.map((phase) =>
        nothingRecorded(phase.name, 'all', 'the local executor keeps nothing apart'),
      ),
      seconds: (performance.now() - started) / 1000,
      build: (attempt, stop, varied) => buildLocally(request, build, place, attempt, stop ?? signal, varied),
      variable: async (asked) => ({
        possible: asked.filter((each) => each === 'time-zone'),
        why: 'the build ran without a container',
      }),
      close: () => removeOwned(root).catch(() => undefined),
    };
    return { kind: 'prepared', prepared };
  }
}

async function buildLocally(
  request: PrepareRequest,
  phase: PhasePlan,
  place: Place,
  attempt: number,
  signal: AbortSignal | undefined,
  varied: readonly Variation[] = [],
): Promise<BuildResult> {
  const title = varied.length === 0 ? String(attempt) : `varied-${attempt}`;
  const work = path.dirname(place.tree);
  for (const made of ['work', 'home', 'tmp']) await remove(path.join(place.root, made));
  for (const made of ['home', 'tmp']) await fs.mkdir(path.join(place.root, made));
  await fs.cp(path.dirname(place.prepared), work, COPY);
  const before = new Set(await filesBelow(work));
  const ran = await runLocally(request, phase, place, `build-${title}.log`, signal, varied);
  // as in a container: the temporary directory is another one in each run
  const shown = (line: string): string =>
    line.replaceAll(place.tree, request.plan.environment.directory).replaceAll(place.root, '<temporary>');
  const directory = path.join(request.directory, 'outputs', title);
  const collect = () => collectOutputs(request.plan, outputsOf(request, place, before), directory);
  return buildResult(ran, collect, shown);
}

async function runLocally(
  request: PrepareRequest,
  phase: PhasePlan,
  place: Place,
  logName: string,
  signal: AbortSignal | undefined,
  varied: readonly Variation[] = [],
): Promise<PhaseResult> {
  const { plan, source, directory, onProgress } = request;
  const { minutes, memoryMiB } = plan.environment;
  const file = path.join(directory, 'logs', logName);
  await fs.mkdir(path.dirname(file), { recursive: true });
  const progress = new PhaseProgress(phase.name, `${phase.name}, without a container`, onProgress);
  const reader = new LogReader(phase.script);
  const variables = variedVariables(
    phaseVariables(plan.environment, path.join(place.root, 'home'), source?.commitTime),
    varied,
    plan.environment,
  );
  const result: RunResult = await run('sh', ['-eu', '-c', phase.script], {
    cwd: place.tree,
    env: {
      // the Node that runs this is the one that a build script gets
      PATH: [path.dirname(process.execPath), process.env['PATH'] ?? '/usr/bin:/bin'].join(path.delimiter),
      TMPDIR: path.join(place.root, 'tmp'),
      ...Object.fromEntries(variables),
    },
    timeoutMs: minutes * 60_000,
    logFile: file,
    logBytes: LOG_BYTES,
    captureBytes: 4096,
    wholeGroup: true,
    onLine: (line) => {
      progress.line();
      reader.push(line);
    },
    ...(signal === undefined ? {} : { signal }),
  });
  const summary = { ...reader.summary(), fullAtEnd: await isFull(place.root) };
  const outcome = classifyPhase({
    phase: phase.name,
    // nothing keeps a local script from the network, whatever the plan says
    network: true,
    minutes,
    memoryMiB,
    client: result.ended,
    state: undefined,
    container: false,
    log: summary,
  });
  return {
    outcome,
    summary,
    log: logRecord(phase.name, file, result),
    seconds: progress.finish(outcome.kind),
  };
}

async function isFull(directory: string): Promise<boolean> {
  const { bavail } = await fs.statfs(directory);
  return bavail === 0;
}
