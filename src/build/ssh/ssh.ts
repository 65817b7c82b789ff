// SPDX-License-Identifier: Apache-2.0
/**
 * Builds on another machine over SSH: what runs in no container here (Xcode on a Mac), and whatever else an account there
 * may run. The machine is asked what it is before anything is copied; the source goes in and the outputs come back with
 * their digests; phases go on when the connection breaks.
 */
import { createReadStream, promises as fs } from 'node:fs';
import path from 'node:path';
import { FailedHere } from '../../errors.js';
import type {
  BuildPlan,
  BuildResult,
  Deviation,
  EnvironmentRecord,
  InputInventory,
  LogRecord,
  PhasePlan,
} from '../../model.js';
import type { ExecutorDependencies } from '../container.js';
import { buildResult, type PhaseResult } from '../build-result.js';
import type { Executor, PrepareOutcome, PrepareRequest, PreparedBuild } from '../executor.js';
import { classifyPhase } from '../failure.js';
import { hostDifferences } from '../host-facts.js';
import { LogReader } from '../log-reader.js';
import { collectOutputs, outputDirectories } from '../outputs.js';
import { phaseVariables } from '../phase.js';
import { PhaseProgress } from '../phase-progress.js';
import { forgetRemote, noteRemote } from './abandoned-remote.js';
import { pinnedKey } from './known-hosts.js';
import { askMachine, type RemoteMachine } from './remote-machine.js';
import { bring, RemoteOutputs } from './remote-outputs.js';
import { runRemotely } from './remote-phase.js';
import { freeze, makePlace, REMOVE, sendSource, thaw, type RemotePlace } from './remote-place.js';
import { SshClient } from './ssh-client.js';
import type { SshHost } from './ssh-host.js';

const REMOTE_MACHINE: Deviation = {
  code: 'remote-machine',
  what: 'the build ran in a directory of an account on another machine, without a container',
  reason:
    'it was reached over SSH: the tools, the libraries and what else is installed are those of that machine, and nothing kept the build from its other files',
  canChangeOutput: 'unknown',
};
const REMOTE_NETWORK: Deviation = {
  code: 'remote-network',
  what: 'the build phase had the network of that machine, which the plan does not give it',
  reason: 'nothing there keeps one account from the network',
  canChangeOutput: 'unknown',
};

type Dependencies = Pick<ExecutorDependencies, 'takeInventory' | 'takeInventoryOfDirectory'>;

export class SshExecutor implements Executor {
  readonly kind = 'ssh';
  readonly #host: SshHost;
  readonly #dependencies: Dependencies;

  constructor(host: SshHost, dependencies: Dependencies) {
    this.#host = host;
    this.#dependencies = dependencies;
  }

  async probe(): Promise<{ readonly version: string }> {
    return { version: 'ssh' };
  }

  async prepare(asked: PrepareRequest): Promise<PrepareOutcome> {
    const request = { ...asked, run: asked.run.toLowerCase().replace(/[^a-z0-9]+/g, '-') };
    const { plan, source, signal } = request;
    if (source === undefined)
      throw new FailedHere('plan-unresolved', `a ${plan.source.kind} source is fetched inside a container`, {
        hint: 'use docker or podman',
      });
    const build = plan.phases.find(({ name }) => name === 'build');
    if (build === undefined) throw new FailedHere('plan-unresolved', 'the plan has no build phase');
    const pinned = await pinnedKey(this.#host, request.directory, signal);
    const client = new SshClient(this.#host, request.run, pinned, {
      onBroken: (why) =>
        request.onProgress?.({ kind: 'note', text: `the connection broke off (${why}); connecting again` }),
    });
    const { image } = plan.environment;
    // the path of the tree is part of what a machine of another system builds
    const outside = image.kind === 'host' ? plan.environment.directory : undefined;
    const machine = await fittingMachine(client, plan, signal);
    await noteRemote(request, { host: this.#host, pinned, outside: outside ?? '' });
    const remote = new Remote(client, request, machine, outside ?? '', this.#host);
    try {
      return await this.#prepare(remote, build, outside);
    } catch (error) {
      await remote.close();
      throw error;
    }
  }

  async #prepare(remote: Remote, build: PhasePlan, outside: string | undefined): Promise<PrepareOutcome> {
    const { client, request, machine } = remote;
    const { plan, signal } = request;
    const started = performance.now();
    remote.place = await makePlace(client, request, outside, machine.home);
    await sendSource(client, request, remote.place);
    const prepare = plan.phases.find(({ name }) => name === 'prepare');
    const logs: LogRecord[] = [];
    if (prepare !== undefined) {
      const ran = await remote.phase('prepare', prepare, signal);
      logs.push(ran.log);
      if (ran.outcome.kind === 'failed-here') throw ran.outcome.error;
      if (ran.outcome.kind === 'environment-gone') {
        await remote.close();
        return ran.outcome;
      }
    }
    await freeze(client, remote.place, signal);
    const inventory = await this.#inventory(remote, prepare !== undefined);
    const prepared: PreparedBuild = {
      inventory,
      environment: environmentOf(plan, machine),
      deviations: [REMOTE_MACHINE, ...(build.network ? [] : [REMOTE_NETWORK])],
      logs,
      seconds: (performance.now() - started) / 1000,
      build: (attempt, stop) => remote.build(attempt, build, stop ?? signal),
      close: () => remote.close(),
    };
    return { kind: 'prepared', prepared };
  }

  /** What was sent is known here; what a prepare phase fetched comes back to be looked into. */
  async #inventory({ client, request }: Remote, fetched: boolean): Promise<InputInventory> {
    const { plan, source, directory, signal, onProgress } = request;
    const more = {
      temporaryDirectory: directory,
      ...(signal === undefined ? {} : { signal }),
      ...(onProgress === undefined ? {} : { onProgress }),
    };
    if (!fetched && source !== undefined)
      return await this.#dependencies.takeInventoryOfDirectory(source.directory, more);
    const text = await client.checked('pack what was prepared', {}, PACK_PREPARED, {
      signal,
      timeoutMs: 60 * 60_000,
    });
    const [, size, sha256] = /^is file (\d{1,15}) ([0-9a-f]{64})$/m.exec(text) ?? [];
    const most = plan.environment.diskMiB * 2 ** 20;
    if (size === undefined || sha256 === undefined || Number(size) > most)
      throw new FailedHere(
        'transfer-damaged',
        `what was prepared there is no archive of at most ${most} bytes`,
      );
    const archive = path.join(directory, 'prepared.tar');
    try {
      await bring(client, {}, 'cat "$root/prepared.tar"', archive, { size: Number(size), sha256 }, signal);
      await client.checked('remove an archive', {}, 'rm -f "$root/prepared.tar"', { signal });
      return await this.#dependencies.takeInventory(createReadStream(archive), {
        ...more,
        sourceDirectory: '/prepared',
      });
    } finally {
      await fs.rm(archive, { force: true });
    }
  }
}

const PACK_PREPARED = String.raw`
COPYFILE_DISABLE=1 tar -cf "$root/prepared.tar" -C "$root" -- prepared
echo "is file $(bytes "$root/prepared.tar") $(digest < "$root/prepared.tar")"
`;

/** @throws FailedHere `host-differs`, `disk-full` before anything was copied */
async function fittingMachine(
  client: SshClient,
  plan: BuildPlan,
  signal: AbortSignal | undefined,
): Promise<RemoteMachine> {
  const { image, diskMiB, directory } = plan.environment;
  const tools = image.kind === 'host' ? image.tools : [];
  const place = image.kind === 'host' ? path.posix.dirname(directory) : '';
  const machine = await askMachine(client, tools, place, signal);
  const { facts } = machine;
  const different =
    image.kind === 'host'
      ? hostDifferences(image, facts)
      : facts.missing.length > 0
        ? [`not installed: ${facts.missing.join(', ')}`]
        : [];
  if (different.length > 0)
    throw new FailedHere(
      'host-differs',
      `the remote machine is not what the plan asks for: ${different.join('; ')}`,
      {
        hint: 'nothing was copied there; `verify plan APP VERSION` says what it must have',
      },
    );
  if (facts.freeMiB < diskMiB)
    throw new FailedHere(
      'disk-full',
      `the plan needs ${diskMiB} MiB of disk, ${facts.freeMiB} MiB are free on the remote machine`,
    );
  return machine;
}

/** As Node calls it on this machine: reports name architectures in one way. */
const ARCHITECTURES: Readonly<Record<string, string>> = { x86_64: 'x64', aarch64: 'arm64', i686: 'ia32' };

function environmentOf({ phases }: BuildPlan, { facts, tools }: RemoteMachine): EnvironmentRecord {
  return {
    executor: 'ssh',
    packages: [],
    kernel: `${facts.system} ${facts.release}`,
    cpuCount: facts.cpuCount,
    architecture: ARCHITECTURES[facts.architecture] ?? facts.architecture,
    commands: phases.map(({ script }) => script),
    tools,
  };
}

/** Of one run. */
class Remote {
  place: RemotePlace | undefined;
  readonly client: SshClient;
  readonly request: PrepareRequest;
  readonly machine: RemoteMachine;
  readonly #outside: string;
  readonly #host: SshHost;
  readonly #names: readonly RegExp[];

  constructor(
    client: SshClient,
    request: PrepareRequest,
    machine: RemoteMachine,
    outside: string,
    host: SshHost,
  ) {
    this.client = client;
    this.request = request;
    this.machine = machine;
    this.#outside = outside;
    this.#host = host;
    this.#names = namesOf(host);
  }

  async phase(name: string, phase: PhasePlan, signal: AbortSignal | undefined): Promise<PhaseResult> {
    const { plan, source, directory, onProgress } = this.request;
    const { minutes, memoryMiB } = plan.environment;
    const place = this.#made();
    const progress = new PhaseProgress(phase.name, `${phase.name}, on another machine`, onProgress);
    const reader = new LogReader(phase.script);
    const end = await runRemotely(this.client, {
      name,
      phase,
      tree: place.tree,
      variables: this.#variables(place, source?.commitTime),
      minutes,
      logFile: path.join(directory, 'logs', `${name}.log`),
      onLine: (line) => {
        progress.line();
        reader.push(line);
      },
      hide: (line) => this.#shown(line),
      signal,
      onProgress,
    });
    const summary = reader.summary();
    const outcome = classifyPhase({
      phase: phase.name,
      // nothing keeps a script there from the network, whatever the plan says
      network: true,
      minutes,
      memoryMiB,
      client: end.client,
      state: undefined,
      container: false,
      log: summary,
    });
    return { outcome, summary, log: end.log, seconds: progress.finish(outcome.kind) };
  }

  async build(attempt: number, phase: PhasePlan, signal: AbortSignal | undefined): Promise<BuildResult> {
    const { plan, directory } = this.request;
    const place = this.#made();
    await thaw(this.client, place, signal);
    const outputs = new RemoteOutputs({
      client: this.client,
      plan,
      tree: place.tree,
      temporaryDirectory: directory,
      signal,
    });
    await outputs.remember(outputDirectories(plan));
    const ran = await this.phase(`build-${attempt}`, phase, signal);
    const to = path.join(directory, 'outputs', String(attempt));
    return buildResult(ran, () => collectOutputs(plan, outputs, to));
  }

  /** Never throws: what cannot be removed now is removed by the next run that reaches the machine. */
  async close(): Promise<void> {
    await this.client
      .call({ outside: this.#outside }, REMOVE, { tries: 4, timeoutMs: 30 * 60_000 })
      .then(({ code }) => (code === 0 ? forgetRemote(this.request) : undefined))
      .catch(() => undefined);
  }

  #made(): RemotePlace {
    if (this.place === undefined) throw new Error('the remote machine has no place yet');
    return this.place;
  }

  /** The last of a name counts. */
  #variables(
    { home, root }: RemotePlace,
    commitTime: number | undefined,
  ): readonly (readonly [string, string])[] {
    const { environment } = this.request.plan;
    return [
      ['TMPDIR', `${root}/tmp`],
      // the account's own tools look for what is the account's
      ...(this.#outside === '' ? [] : ([['USER', this.#host.user]] as const)),
      ...phaseVariables(environment, home, commitTime),
    ];
  }

  /** The directories of the account are other ones on each machine. */
  #shown(line: string): string {
    const { tree, root } = this.#made();
    const plain = line
      .replaceAll(tree, this.request.plan.environment.directory)
      .replaceAll(root, '<temporary>')
      .replaceAll(this.machine.home === '/root' ? root : this.machine.home, '<home>');
    return this.#names.reduce((text, name) => text.replace(name, '<private>'), plain);
  }
}

/** Words that name nobody in particular. */
const COMMON = new Set(['root', 'user', 'admin', 'runner', 'localhost', 'builder', 'debian', 'build']);

/** Only as words of their own: names of accounts and machines are ordinary words too. */
function namesOf({ host, user }: SshHost): readonly RegExp[] {
  return [host, user]
    .filter((name) => name.length >= 3 && !COMMON.has(name))
    .map(
      (name) =>
        new RegExp(`(?<![\\p{L}\\d_-])${name.replace(/[\\^$.|?*+()[\]{}]/g, '\\$&')}(?![\\p{L}\\d_-])`, 'gu'),
    );
}
