// SPDX-License-Identifier: Apache-2.0
/**
 * Builds in a container. Nothing of this machine is mounted: the source goes in as a tar stream, the outputs come out as
 * one, and no published file ever goes in. Preparation is frozen as an image, from which every build starts anew.
 */
import { readFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { FailedHere } from '../errors.js';
import type { InputInventory, OnProgress, PhasePlan } from '../model.js';
import { runPhase } from './container-phase.js';
import { APT_CLEAN_UP, aptFiles, checkSourceFiles } from './debian-sources.js';
import { Engine, throwIfAborted, type EngineDescription } from './engine.js';
import type { Executor, PreparedBuild, PrepareOutcome, PrepareRequest } from './executor.js';
import { provideImage, type ImageOutcome, type MakeRootFileSystem } from './images.js';
import { accountIn, packagesOf, passwdOf, type Account } from './inside.js';
import { Leftovers } from './leftovers.js';
import {
  createArguments,
  HOSTS,
  isRoot,
  phaseDirectory,
  phaseVariables,
  wrapperScript,
  type ContainerLimits,
} from './phase.js';
import { PreparedContainer } from './prepared-container.js';
import { probeEngine } from './probe.js';
import { directoriesTo, treeItems } from './source-tar.js';
import { tarStream, type TarItem } from './tar-write.js';

export interface InventoryOptions {
  /** Absolute, inside the container. */
  readonly sourceDirectory: string;
  readonly temporaryDirectory: string;
  readonly signal?: AbortSignal;
  readonly onProgress?: OnProgress;
}

/** What executors need of the rooms beside them. */
export interface ExecutorDependencies {
  readonly rootFileSystem: MakeRootFileSystem;
  /** `exported`: uncompressed tar of the whole file system before the build phase. */
  readonly takeInventory: (
    exported: AsyncIterable<Uint8Array>,
    options: InventoryOptions,
  ) => Promise<InputInventory>;
  readonly takeInventoryOfDirectory: (
    directory: string,
    options: Omit<InventoryOptions, 'sourceDirectory'>,
  ) => Promise<InputInventory>;
}

type ReadyImage = Extract<ImageOutcome, { kind: 'ready' }>;

export class ContainerExecutor implements Executor {
  readonly kind: 'docker' | 'podman';
  readonly #engine: Engine;
  readonly #dependencies: ExecutorDependencies;

  constructor(description: EngineDescription, dependencies: ExecutorDependencies) {
    this.kind = description.kind;
    this.#engine = new Engine(description);
    this.#dependencies = dependencies;
  }

  probe(signal?: AbortSignal): Promise<{ readonly version: string }> {
    return probeEngine(this.#engine, signal);
  }

  async prepare(asked: PrepareRequest): Promise<PrepareOutcome> {
    // names of images are lower case
    const request = { ...asked, run: asked.run.toLowerCase().replace(/[^a-z0-9]+/g, '-') };
    const leftovers = new Leftovers(this.#engine);
    try {
      const outcome = await this.#prepare(request, leftovers);
      if (outcome.kind !== 'prepared') await leftovers.removeAll();
      return outcome;
    } catch (error) {
      await leftovers.removeAll();
      throw error;
    }
  }

  async #prepare(request: PrepareRequest, leftovers: Leftovers): Promise<PrepareOutcome> {
    const engine = this.#engine;
    const { plan, run, signal } = request;
    const started = performance.now();
    const { version } = await this.probe(signal);
    leftovers.image(`localhost/samesource-${run}-image:latest`);
    const image = await provideImage(engine, request, this.#dependencies.rootFileSystem);
    if (image.kind !== 'ready') return image;
    await chooseRuntime(engine, image.reference, leftovers, request);
    const limits = { cpus: os.availableParallelism(), openFiles: await openFilesLimit() };
    const name = leftovers.container(`samesource-${run}-prepare`);
    const phase = plan.phases.find((each) => each.name === 'prepare');
    const build = plan.phases.find((each) => each.name === 'build');
    if (build === undefined) throw new FailedHere('plan-unresolved', 'the plan has no build phase');
    await createPrepare(
      engine,
      image,
      name,
      phase ?? { ...build, network: false },
      limits,
      request,
      leftovers,
    );
    const logs = [...image.logs];
    if (phase !== undefined) {
      const { outcome, log } = await runPhase(engine, {
        name,
        phase,
        title: 'preparing the environment',
        logFile: path.join(request.directory, 'logs', 'prepare.log'),
        minutes: plan.environment.minutes,
        memoryMiB: plan.environment.memoryMiB,
        ...onlyDefined(request),
      });
      logs.push(log);
      if (outcome.kind === 'failed-here') throw withLog(outcome.error, log.path);
      if (outcome.kind === 'environment-gone') return outcome;
      const reasons = await checkSourceFiles(engine, name, plan, signal);
      if (reasons.length > 0) return { kind: 'untrusted', reasons };
    }
    const inventory = await this.#dependencies.takeInventory(
      engine.exportContainer(name, request.directory, signal),
      {
        sourceDirectory: plan.environment.directory,
        temporaryDirectory: request.directory,
        ...onlyDefined(request),
      },
    );
    const account = accountIn(await passwdOf(engine, name), build.user);
    const packages = await packagesOf(engine, name);
    const prepared = leftovers.image(`localhost/samesource-${run}-prepared:latest`);
    throwIfAborted(signal, 'before the state was frozen');
    await engine.checked(['commit', name, prepared], { timeoutMs: 30 * 60_000 });
    throwIfAborted(signal, 'before the build phase');
    await leftovers.removeContainer(name);
    const environment: PreparedBuild['environment'] = {
      executor: this.kind,
      engineVersion: version,
      image: image.record,
      packages,
      kernel: `${os.type()} ${os.release()}`,
      cpuCount: limits.cpus,
      architecture: process.arch,
      commands: plan.phases.map(({ script }) => script),
    };
    const { deviations } = image;
    const seconds = (performance.now() - started) / 1000;
    const result = { inventory, environment, deviations, logs, seconds };
    return {
      kind: 'prepared',
      prepared: new PreparedContainer({
        ...result,
        engine,
        request,
        image: prepared,
        account,
        phase: build,
        limits,
        leftovers,
      }),
    };
  }
}

const onlyDefined = ({ signal, onProgress, debianMirror }: PrepareRequest) => ({
  ...(signal === undefined ? {} : { signal }),
  ...(onProgress === undefined ? {} : { onProgress }),
  ...(debianMirror === undefined ? {} : { debianMirror }),
});

const withLog = (error: FailedHere, log: string): FailedHere =>
  new FailedHere(error.code, error.message, {
    cause: error,
    hint: `${error.hint === undefined ? '' : `${error.hint}; `}the log is ${log}`,
  });

/** Created, not started, with everything in it that the prepare phase needs. */
async function createPrepare(
  engine: Engine,
  image: ReadyImage,
  name: string,
  phase: PhasePlan,
  limits: ContainerLimits,
  request: PrepareRequest,
  leftovers: Leftovers,
): Promise<void> {
  const { plan, run, source, signal, debianMirror } = request;
  throwIfAborted(signal, 'before the prepare phase');
  const look = leftovers.container(`samesource-${run}-look`);
  await engine.checked(['create', '--name', look, '--entrypoint', 'sh', image.reference]);
  const passwd = await passwdOf(engine, look);
  const [own, builder] = [accountIn(passwd, phase.user), accountIn(passwd, plan.environment.user)];
  await leftovers.removeContainer(look);
  const apt = plan.source.kind === 'debian' && debianMirror !== undefined && phase.name === 'prepare';
  if (apt && !isRoot(phase.user))
    throw new FailedHere('plan-unresolved', 'the prepare phase of a Debian source runs as root');
  const variables = phaseVariables(plan.environment, own.home, source?.commitTime);
  await engine.checked([
    'create',
    ...createArguments(name, run, plan, phase, variables, limits),
    ...engine.description.createArguments,
    image.reference,
    '-c',
    wrapperScript(variables, phase, apt ? APT_CLEAN_UP : ''),
    'sh',
    phase.script,
  ]);
  await engine.copyIn(name, tarStream(items(request, phase, own, builder, apt)), signal);
}

async function* items(
  { plan, source, debianMirror, signal }: PrepareRequest,
  phase: PhasePlan,
  own: Account,
  builder: Account,
  apt: boolean,
): AsyncGenerator<TarItem> {
  const mtime = source?.commitTime ?? 0;
  yield { kind: 'text', path: 'etc/hosts', uid: 0, gid: 0, mode: 0o644, mtime, text: HOSTS };
  const owner = source === undefined ? own : builder;
  yield* directoriesTo(
    source === undefined ? phaseDirectory(plan, phase) : plan.environment.directory,
    owner,
    mtime,
  );
  if (source !== undefined)
    yield* treeItems(source.directory, {
      uid: builder.uid,
      gid: builder.gid,
      mtime,
      prefix: plan.environment.directory.replace(/^\/+/, ''),
      ...(signal === undefined ? {} : { signal }),
    });
  if (apt && plan.source.kind === 'debian' && debianMirror !== undefined)
    yield* aptFiles(plan.source, debianMirror, mtime);
}

/** The first of the engine's runtimes that starts a container here. */
async function chooseRuntime(
  engine: Engine,
  image: string,
  leftovers: Leftovers,
  { run, signal }: PrepareRequest,
): Promise<void> {
  const { runtimes } = engine.description;
  if (runtimes.length < 2 || engine.runtimeTried) return;
  const name = leftovers.container(`samesource-${run}-trial`);
  let said = '';
  for (const runtime of runtimes) {
    engine.useRuntime(runtime);
    const { ended, stderr } = await engine.run(
      [
        'run',
        '--rm',
        '--name',
        name,
        '--network',
        'none',
        '--ulimit',
        'nofile=1024:1024',
        '--ulimit',
        'nproc=4096:4096',
        '--entrypoint',
        'sh',
        image,
        '-c',
        ':',
      ],
      signal === undefined ? {} : { signal },
    );
    if (ended.kind === 'aborted') throw new FailedHere('interrupted', 'interrupted before the prepare phase');
    engine.runtimeTried = ended.kind === 'exited' && ended.code === 0;
    if (engine.runtimeTried) return;
    await engine.removeContainer(name);
    said = said === '' ? stderr.toString().trim() : said;
  }
  throw new FailedHere('engine-died', `${engine.kind} starts no container: ${said.slice(0, 500)}`);
}

/** Hard limit for open files of this process: where it is low, an engine may not give a container more. */
async function openFilesLimit(): Promise<number> {
  const limits = await readFile('/proc/self/limits', 'utf8').catch(() => '');
  const hard = /^Max open files\s+\d+\s+(\d+)/m.exec(limits)?.[1];
  return hard === undefined ? Number.MAX_SAFE_INTEGER : Number(hard);
}
