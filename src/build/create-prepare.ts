// SPDX-License-Identifier: Apache-2.0
/** The container of the prepare phase: created with the source, the hosts file and apt's sources in it, not started. */
import { readFile } from 'node:fs/promises';
import { FailedHere } from '../errors.js';
import type { PhasePlan } from '../model.js';
import { APT_CLEAN_UP, aptFiles } from './debian-sources.js';
import type { Engine } from './engine.js';
import { throwIfAborted } from './engine-failure.js';
import type { PrepareRequest } from './executor.js';
import { accountIn, passwdOf, type Account } from './inside.js';
import type { Leftovers } from './leftovers.js';
import type { PhaseNetwork } from './phase-network.js';
import { proxyFiles } from './phase-proxy.js';
import {
  createArguments,
  HOSTNAME,
  hostsFile,
  isRoot,
  phaseDirectory,
  phaseVariables,
  wrapperScript,
  type ContainerLimits,
} from './phase.js';
import { runLabel } from './run-names.js';
import { directoriesTo, treeItems } from './source-tar.js';
import { tarStream, type TarItem } from './tar-write.js';

/** Created, not started, with everything in it that the prepare phase needs. */
export async function createPrepare(
  engine: Engine,
  image: string,
  name: string,
  phase: PhasePlan,
  limits: ContainerLimits,
  request: PrepareRequest,
  leftovers: Leftovers,
  network?: PhaseNetwork,
): Promise<void> {
  const { plan, run, source, signal, debianMirror } = request;
  throwIfAborted(signal, 'before the prepare phase');
  const look = leftovers.container(`samesource-${run}-look`);
  await engine.checked(['create', '--name', look, ...runLabel(run), '--entrypoint', 'sh', image]);
  const passwd = await passwdOf(engine, look);
  const [own, builder] = [accountIn(passwd, phase.user), accountIn(passwd, plan.environment.user)];
  await leftovers.removeContainer(look);
  const apt = plan.source.kind === 'debian' && debianMirror !== undefined && phase.name === 'prepare';
  if (apt && !isRoot(phase.user))
    throw new FailedHere('plan-unresolved', 'the prepare phase of a Debian source runs as root');
  const variables = phaseVariables(plan.environment, own.home, source?.commitTime);
  // a network of this run alone is gone when it ends: whoever looks inside later gets the engine's
  const args = (reach: readonly string[] | undefined): readonly string[] => [
    ...createArguments(name, run, plan, phase, variables, limits, { network: reach }),
    ...engine.description.createArguments(HOSTNAME),
  ];
  if (phase.name === 'prepare')
    await request.journal?.began({
      phase: 'prepare',
      attempt: 1,
      container: name,
      arguments: args(undefined),
    });
  await engine.checked([
    'create',
    ...args(network?.arguments),
    image,
    '-c',
    wrapperScript(variables, phase, apt ? [APT_CLEAN_UP] : [], network?.proxy),
    'sh',
    phase.script,
  ]);
  await engine.copyIn(name, tarStream(items(request, phase, own, builder, apt, network)), signal);
}

async function* items(
  { plan, source, debianMirror, signal }: PrepareRequest,
  phase: PhasePlan,
  own: Account,
  builder: Account,
  apt: boolean,
  network: PhaseNetwork | undefined,
): AsyncGenerator<TarItem> {
  const mtime = source?.commitTime ?? 0;
  yield hostsFile(HOSTNAME, mtime);
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
  if (network?.proxy !== undefined) yield* proxyFiles(network.proxy, own, mtime);
}

/** The first of the engine's runtimes that starts a container here. */
export async function chooseRuntime(
  engine: Engine,
  image: string,
  { run, signal }: Pick<PrepareRequest, 'run' | 'signal'>,
): Promise<void> {
  const { runtimes } = engine.description;
  if (runtimes.length < 2 || engine.runtimeTried) return;
  const name = `samesource-${run}-trial`;
  let said = '';
  for (const runtime of runtimes) {
    engine.useRuntime(runtime);
    // to its end, as `throwIfAborted` says
    const { ended, stderr } = await engine.run([
      'run',
      '--rm',
      '--name',
      name,
      ...runLabel(run),
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
    ]);
    engine.runtimeTried = ended.kind === 'exited' && ended.code === 0;
    if (!engine.runtimeTried) await engine.removeContainer(name);
    throwIfAborted(signal, 'before the prepare phase');
    if (engine.runtimeTried) return;
    said = said === '' ? stderr.toString().trim() : said;
  }
  throw new FailedHere('engine-died', `${engine.kind} starts no container: ${said.slice(0, 500)}`);
}

/** Hard limit for open files of this process: where it is low, an engine may not give a container more. */
export async function openFilesLimit(): Promise<number> {
  const limits = await readFile('/proc/self/limits', 'utf8').catch(() => '');
  const hard = /^Max open files\s+\d+\s+(\d+)/m.exec(limits)?.[1];
  return hard === undefined ? Number.MAX_SAFE_INTEGER : Number(hard);
}
