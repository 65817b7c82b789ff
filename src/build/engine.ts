// SPDX-License-Identifier: Apache-2.0
/** A container engine through its command line. What differs between engines is data: an EngineDescription each. */
import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { FailedHere } from '../errors.js';
import {
  cleanEnvironment,
  filter,
  firstOf,
  run,
  runAttached,
  type FilterEnd,
  type RunOptions,
  type RunResult,
} from '../process.js';
import { engineFailure, streamFailure } from './engine-failure.js';
import type { ContainerState } from './failure.js';
import { imagesOfRun, RUN_LABEL, runLabel } from './run-names.js';
import type { TreeBounds, TreeFile } from './file-tree.js';
import { OneFile, type OneFileOptions, type TakenFile } from './tar-read.js';
import { TreeReader } from './tree-read.js';

export interface EngineDescription {
  readonly kind: 'docker' | 'podman';
  readonly command: string;
  /** Prints the version of the part that runs containers. */
  readonly versionArguments: readonly string[];
  /** Global arguments to try in this order until a container starts. */
  readonly runtimes: readonly (readonly string[])[];
  readonly createArguments: (hostName: string) => readonly string[];
  /**
   * How a container gets to our proxy and to nothing else: a network that leads nowhere but to this machine, where the
   * engine gives that network an address here; else no network, and a socket that this process opens inside.
   */
  readonly reach: 'gateway' | 'namespace';
  readonly copyInArguments: readonly string[];
  /** Links are followed by the engine, inside the container: not every engine can leave that out. */
  readonly copyOutArguments: readonly string[];
  /** Whether links are followed from what is mounted into a container to its own files, and back. */
  readonly followsAcrossVolumes: boolean;
  /** Whether what is copied out says whose the files were. */
  readonly copyOutOwners: boolean;
  /** No layer of another day is used, none is left. */
  readonly buildArguments: readonly string[];
  /** It opens its standard output by name, which does not work for a socket: the export goes to a file instead. */
  readonly exportsToFile: boolean;
  readonly installHint: string;
  readonly startHint: string;
}

interface CopyTree {
  readonly into: string;
  readonly bounds: TreeBounds;
  readonly signal?: AbortSignal;
}

/** How the user's own set-up reaches the engine. */
const PASSED = [
  'DOCKER_HOST',
  'DOCKER_CONTEXT',
  'DOCKER_CONFIG',
  'DOCKER_CERT_PATH',
  'DOCKER_TLS_VERIFY',
  'CONTAINER_HOST',
  'CONTAINER_SSHKEY',
  'CONTAINERS_CONF',
  'CONTAINERS_STORAGE_CONF',
  'XDG_RUNTIME_DIR',
  'XDG_CONFIG_HOME',
  'XDG_DATA_HOME',
  'DBUS_SESSION_BUS_ADDRESS',
  'USER',
];
const QUICK_MS = 60_000;
const SLOW_MS = 30 * 60_000;
const REMOVALS = 3;

export class Engine {
  readonly description: EngineDescription;
  #runtime: readonly string[];
  #temporary: string | undefined;
  /** Once a container has started with it. */
  runtimeTried = false;

  constructor(description: EngineDescription) {
    this.description = description;
    this.#runtime = description.runtimes[0] ?? [];
  }

  get kind(): 'docker' | 'podman' {
    return this.description.kind;
  }

  /** Temporary files of its client go there: Podman leaves some of what it copied. */
  workIn(directory: string): void {
    this.#temporary = directory;
  }

  /** Where `start` is called: what watches over a container of Podman leaves a file `oom` there. */
  get startIn(): Pick<RunOptions, 'cwd'> {
    return this.#temporary === undefined ? {} : { cwd: this.#temporary };
  }

  useRuntime(args: readonly string[]): void {
    this.#runtime = args;
  }

  #environment(): Record<string, string> {
    const own = PASSED.flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value] as const];
    });
    const temporary = this.#temporary === undefined ? {} : { TMPDIR: this.#temporary };
    return cleanEnvironment({ ...Object.fromEntries(own), ...temporary });
  }

  run(args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
    const { command } = this.description;
    return run(command, [...this.#runtime, ...args], {
      timeoutMs: QUICK_MS,
      ...options,
      env: this.#environment(),
    });
  }

  /**
   * At this process's own terminal, to its exit code.
   * @throws FailedHere `interrupted`
   */
  async attached(args: readonly string[], signal?: AbortSignal): Promise<number> {
    const ended = await runAttached(this.description.command, [...this.#runtime, ...args], {
      // a terminal is drawn as its name says
      env: { ...this.#environment(), TERM: process.env['TERM'] ?? 'dumb' },
      ...(signal === undefined ? {} : { signal }),
    });
    if (ended.kind === 'exited') return ended.code;
    throw new FailedHere('interrupted', `interrupted during ${this.kind} ${args[0] ?? ''}`);
  }

  /** @throws FailedHere what the engine's words mean */
  async checked(args: readonly string[], options: RunOptions = {}): Promise<string> {
    const result = await this.run(args, options);
    if (result.ended.kind === 'exited' && result.ended.code === 0) return result.stdout.toString().trim();
    throw engineFailure(this.kind, args[0] ?? '', result);
  }

  /** Streams a tar into the container's root. */
  async copyIn(name: string, tar: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<void> {
    const args = ['cp', ...this.description.copyInArguments, '-', `${name}:/`];
    const end = await this.#stream(args, tar, () => undefined, signal);
    if (end.kind !== 'done')
      throw streamFailure(this.kind, 'cp', end.kind === 'failed' ? end.detail : 'too much');
  }

  /** `undefined`: there is no such file. Links to a file of another name are refused. Without `file` its content is returned as text. */
  async copyOut(
    name: string,
    from: string,
    options: OneFileOptions & { readonly signal?: AbortSignal },
  ): Promise<(TakenFile & { readonly text: string }) | { readonly refused: string } | undefined> {
    const one = new OneFile(path.posix.basename(from), options);
    if (!(await this.#copyOut(name, from, (chunk) => one.push(chunk), options.signal))) return undefined;
    const taken = await one.end();
    return taken === undefined || 'refused' in taken ? taken : { ...taken, text: one.text };
  }

  /**
   * All files of a directory, put below `into`; otherwise as `copyOut`.
   * @throws FailedHere `output-refused`
   */
  async copyTreeOut(
    name: string,
    from: string,
    { into, bounds, signal }: CopyTree,
  ): Promise<readonly TreeFile[] | { readonly refused: string } | undefined> {
    const tree = new TreeReader(path.posix.basename(from), into, bounds);
    if (!(await this.#copyOut(name, from, (chunk) => tree.push(chunk), signal))) return undefined;
    return await tree.end();
  }

  /** A file or a directory as the tar that the engine makes of it. */
  async copyTarOut(
    name: string,
    from: string,
    onChunk: (chunk: Buffer) => Promise<void>,
    signal?: AbortSignal,
  ): Promise<void> {
    if (!(await this.#copyOut(name, from, onChunk, signal)))
      throw new FailedHere('engine-died', `${this.kind} cp: there is no ${from}`);
  }

  /** False: there is no such file. */
  async #copyOut(
    name: string,
    from: string,
    onChunk: (chunk: Buffer) => Promise<void>,
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    const end = await this.#stream(
      ['cp', ...this.description.copyOutArguments, `${name}:${from}`, '-'],
      [],
      onChunk,
      signal,
    );
    if (end.kind === 'failed' && /could ?n[o']t (?:be )?f(?:i|ou)nd|no such file/i.test(end.detail))
      return false;
    if (end.kind !== 'done')
      throw streamFailure(this.kind, 'cp', end.kind === 'failed' ? end.detail : 'too much');
    return true;
  }

  /** The whole file system of a container as a tar stream. `directory`: where a file may lie meanwhile. */
  async *exportContainer(name: string, directory: string, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    if (!this.description.exportsToFile) {
      yield* this.#exportStream(name, signal);
      return;
    }
    const file = path.join(directory, `${name}.tar`);
    try {
      await this.checked(['export', '--output', file, name], {
        timeoutMs: SLOW_MS,
        ...(signal === undefined ? {} : { signal }),
      });
      for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) yield chunk as Buffer;
    } finally {
      await rm(file, { force: true });
    }
  }

  async *#exportStream(name: string, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    const through = new PassThrough({ highWaterMark: 1 << 20 });
    const ended = this.#stream(
      ['export', name],
      [],
      async (chunk) => {
        if (through.destroyed) return;
        if (!through.write(chunk)) await firstOf(through, 'drain', 'close');
      },
      signal,
    ).then(
      (end) => {
        if (end.kind === 'done') through.end();
        else
          through.destroy(
            streamFailure(this.kind, 'export', end.kind === 'failed' ? end.detail : 'too much'),
          );
      },
      (error: unknown) => {
        through.destroy(error instanceof Error ? error : new Error(String(error)));
      },
    );
    for await (const chunk of through) yield chunk as Buffer;
    await ended;
  }

  async state(name: string): Promise<ContainerState | undefined> {
    const result = await this.run(['inspect', '--type', 'container', '--format', '{{json .State}}', name]);
    if (result.ended.kind !== 'exited' || result.ended.code !== 0) return undefined;
    const state = JSON.parse(result.stdout.toString()) as {
      readonly Running?: boolean;
      /** Year 1 for a container that was never started. */
      readonly StartedAt?: string;
      readonly ExitCode?: number;
      readonly OOMKilled?: boolean;
      readonly Error?: string;
    };
    return {
      running: state.Running === true,
      started: state.StartedAt?.startsWith('0001') === false,
      exitCode: state.ExitCode ?? 0,
      outOfMemory: state.OOMKilled === true,
      error: state.Error ?? '',
    };
  }

  /** Process id of a running container's first program; 0 for one that does not run. */
  async pid(name: string): Promise<number> {
    const { stdout } = await this.run(['inspect', '--type', 'container', '--format', '{{.State.Pid}}', name]);
    const pid = Number(stdout.toString().trim());
    return Number.isSafeInteger(pid) && pid > 0 ? pid : 0;
  }

  /** One that leads to this machine and nowhere else. Its address here. */
  async createNetwork(name: string, ofRun: string): Promise<string> {
    await this.checked(['network', 'create', '--internal', ...runLabel(ofRun), name]);
    const described = await this.checked(['network', 'inspect', '--format', '{{json .IPAM.Config}}', name]);
    const gateway = /"Gateway":"([\d.]+)"/.exec(described)?.[1];
    if (gateway === undefined)
      throw new FailedHere('no-recording', `${this.kind} made a network without a gateway`);
    return gateway;
  }

  /** In memory, of at most so many MiB; empty whenever no container uses it. */
  async createMemoryVolume(name: string, ofRun: string, mebibytes: number): Promise<void> {
    // `size` is the quota of a disk to Podman, which not every disk has; a block is a page, of 4 KiB or more
    const blocks = mebibytes * 256;
    await this.checked([
      'volume',
      'create',
      ...runLabel(ofRun),
      ...['type=tmpfs', 'device=tmpfs', `o=nr_blocks=${blocks},nr_inodes=0,mode=0755`].flatMap((option) => [
        '--opt',
        option,
      ]),
      name,
    ]);
  }

  /** With the containers that use it. False as of `removeNetwork`. */
  async removeVolume(name: string): Promise<boolean> {
    const users = await this.#listed(['ps', '--all', '--quiet', '--filter', `volume=${name}`]);
    for (const id of users ?? []) await this.removeContainer(id);
    return await this.#remove('volume', name);
  }

  /** Of a container that does not run: what is left of the networks of an earlier start. */
  async leaveNetworks(container: string): Promise<void> {
    const format = '{{range $name, $_ := .NetworkSettings.Networks}}{{println $name}}{{end}}';
    const had = await this.checked(['inspect', '--type', 'container', '--format', format, container]);
    for (const network of had.split('\n').filter((name) => name !== ''))
      await this.run(['network', 'disconnect', '--force', network, container]);
  }

  /** False when it is still there, or the engine does not answer. Never throws. */
  removeNetwork(name: string): Promise<boolean> {
    return this.#remove('network', name);
  }

  async #remove(what: 'network' | 'volume', name: string): Promise<boolean> {
    for (let count = 0; count < REMOVALS; count++) {
      // what has just ended may hold on to it for a moment
      if (count > 0) await sleep(count * 500);
      const result = await this.run([what, 'rm', name]).catch(() => undefined);
      if (result === undefined) return false;
      const { ended, stderr } = result;
      if (ended.kind === 'exited' && (ended.code === 0 || /not found|no such/i.test(stderr.toString())))
        return true;
    }
    return false;
  }

  /** Also when it runs; nothing happens when there is none. Never throws. */
  async removeContainer(name: string): Promise<void> {
    // `rm -f` of Podman asks the container to end, and waits
    await this.run(['kill', name]).catch(() => undefined);
    for (let count = 0; count < REMOVALS; count++) {
      const result = await this.run(['rm', '-f', '-v', name]).catch(() => undefined);
      if (result === undefined) return;
      const { ended, stderr } = result;
      // a busy engine may not get it done the first time
      if (ended.kind === 'exited' && (ended.code === 0 || /no such/i.test(stderr.toString()))) return;
    }
  }

  /** All that carries the label or the name of a run. False when something may be left, since the engine does not answer. */
  async removeRun(name: string): Promise<boolean> {
    const list = () => this.#containersOf(name, '--all');
    for (const id of (await list()) ?? []) await this.removeContainer(id);
    const othersGo = await this.#removeOthersOf(name);
    const images = imagesOfRun(name);
    for (const image of images) if (await this.hasImage(image)) await this.removeImage(image);
    // one that has lost its name to another; with a name of somebody's own it is theirs
    const nameless = ['--filter', 'dangling=true', '--filter', `label=${RUN_LABEL}=${name}`];
    for (const id of (await this.#listed(['images', '--quiet', ...nameless])) ?? [])
      await this.removeImage(id);
    const left = await list();
    if (left === undefined || left.length > 0) return false;
    if (!othersGo) return false;
    for (const image of images) if (await this.hasImage(image)) return false;
    return true;
  }

  /** Its containers stay; none of them runs any more. False as of `removeRun`. */
  async stopRun(name: string): Promise<boolean> {
    for (const id of (await this.#containersOf(name)) ?? [])
      await this.run(['kill', id]).catch(() => undefined);
    // also the containers of a varied build: nothing goes on from one
    const othersGo = await this.#removeOthersOf(name);
    return othersGo && (await this.#containersOf(name))?.length === 0;
  }

  /** Networks and volumes. */
  async #removeOthersOf(name: string): Promise<boolean> {
    const list = (what: 'network' | 'volume') =>
      this.#listed([what, 'ls', '--quiet', '--filter', `label=${RUN_LABEL}=${name}`]);
    const [networks, volumes] = [await list('network'), await list('volume')];
    for (const id of networks ?? []) if (!(await this.removeNetwork(id))) return false;
    for (const id of volumes ?? []) if (!(await this.removeVolume(id))) return false;
    return networks !== undefined && volumes !== undefined;
  }

  /** Those that run, or all. */
  async #containersOf(name: string, ...all: readonly '--all'[]): Promise<readonly string[] | undefined> {
    return await this.#listed(['ps', ...all, '--quiet', '--filter', `label=${RUN_LABEL}=${name}`]);
  }

  async #listed(args: readonly string[]): Promise<readonly string[] | undefined> {
    const result = await this.run(args).catch(() => undefined);
    if (result?.ended.kind !== 'exited' || result.ended.code !== 0) return undefined;
    return result.stdout
      .toString()
      .split('\n')
      .filter((id) => id !== '');
  }

  async removeImage(name: string): Promise<void> {
    await this.run(['rmi', '-f', name], { timeoutMs: SLOW_MS }).catch(() => undefined);
  }

  async hasImage(name: string): Promise<boolean> {
    return (await this.findImage(name)) !== undefined;
  }

  /** Its id, which is a digest over what it holds. */
  async findImage(name: string): Promise<string | undefined> {
    const { ended, stdout } = await this.run(['image', 'inspect', '--format', '{{.Id}}', name]);
    return ended.kind === 'exited' && ended.code === 0 ? stdout.toString().trim() : undefined;
  }

  /** As `findImage`, of one that must be there. */
  async imageId(name: string): Promise<string> {
    return await this.checked(['image', 'inspect', '--format', '{{.Id}}', name]);
  }

  /** A container's file system as an image. */
  async freeze(container: string, image: string): Promise<void> {
    await this.checked(['commit', container, image], { timeoutMs: SLOW_MS });
  }

  async #stream(
    args: readonly string[],
    input: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
    onChunk: (chunk: Buffer) => void | Promise<void>,
    signal: AbortSignal | undefined,
  ): Promise<FilterEnd> {
    try {
      return await filter(this.description.command, [...this.#runtime, ...args], input, onChunk, {
        ...(signal === undefined ? {} : { signal }),
        env: this.#environment(),
        maxBytes: Number.MAX_SAFE_INTEGER,
        timeoutMs: SLOW_MS,
      });
    } catch (error) {
      if (signal?.aborted === true)
        throw new FailedHere('interrupted', `interrupted during ${args[0] ?? ''}`, { cause: error });
      throw error;
    }
  }
}
