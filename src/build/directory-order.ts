// SPDX-License-Identifier: Apache-2.0
/**
 * The tree of a build in a tmpfs, which lists each directory by the order in which its names were made: unpacked in an
 * order of ours. A container of its own holds the tmpfs while the build's container is made, runs, and is read.
 */
import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { FailedHere } from '../errors.js';
import { throwIfAborted } from './engine-failure.js';
import { HOSTNAME, createArguments } from './phase.js';
import type { PreparedState } from './prepared-container.js';
import { runLabel } from './run-names.js';
import { assertSameTree, copyTree, type TreeCopy } from './tree-copy.js';

/** Where the tree of one varied build lies, as long as that is there. */
export interface OrderedTree {
  /** The container that holds it. */
  readonly holder: string;
  readonly directory: string;
  /** Of `create`. */
  readonly arguments: readonly string[];
  /** What the build writes into the tree is counted against its memory. */
  readonly memoryMiB: number;
  /** Paths below the directory that were there before, bytes as latin1. */
  readonly before: ReadonlySet<string>;
}

/** No build writes less. */
const LEAST_MIB = 256;
/** For everything else on the machine. */
const SPARE_MIB = 512;
/** No limit of a tmpfs: what ends a build that writes too much is its container's memory, and that is always noticed. A full disk may be hidden by a script. */
const UNLIMITED_MIB = 1 << 30;
/** What an engine puts something of its own into. */
const SYSTEM = ['/', '/dev', '/etc', '/proc', '/run', '/sys'];

/** One line each, with nothing but a shell. */
const ASK = [
  'while read -r key value rest; do if test "$key" = MemAvailable:; then echo "KiB $value"; fi; done </proc/meminfo',
  // a container may be kept from what is mounted into it
  'if test -r "$1" && test -x "$1"; then echo "readable"; fi',
  'while read -r from at type rest; do if test "$at" = "$1"; then echo "type $type"; fi; done </proc/self/mounts',
  // of cgroup v2 or v1
  'for file in /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes; do',
  '  if test -r "$file"; then read -r limit <"$file"; echo "limit $limit"; fi',
  'done',
].join('\n');
const HOLD = 'while sleep 3600; do :; done';

export class DirectoryOrder {
  readonly #state: PreparedState;
  readonly #directory: string;
  #copied: Promise<TreeCopy> | undefined;

  constructor(state: PreparedState) {
    this.#state = state;
    this.#directory = state.request.plan.environment.directory;
  }

  /** Why it is not possible here. @throws FailedHere `interrupted` */
  async whyNot(signal: AbortSignal | undefined): Promise<string | undefined> {
    if (SYSTEM.includes(this.#directory)) return `the tree is ${this.#directory} of the system`;
    try {
      await this.#room(await this.#copy(signal), 'trial', signal);
      return undefined;
    } catch (error) {
      if (!(error instanceof FailedHere) || error.code === 'interrupted') throw error;
      return `no other order of directories can be made here (${error.code}: ${error.message.slice(0, 300)})`;
    }
  }

  /**
   * `title`: no other build of this run has it.
   * @throws FailedHere `out-of-memory`, `disk-full`, `engine-died`, `unreadable-input`, `interrupted`, and what `work` throws
   */
  async around<T>(
    title: string,
    signal: AbortSignal | undefined,
    work: (tree: OrderedTree) => Promise<T>,
  ): Promise<T> {
    const { engine, request, leftovers, image } = this.#state;
    const { run } = request;
    const copied = await this.#copy(signal);
    const memoryMiB = await this.#room(copied, title, signal);
    const name = `samesource-${run}-tree-${title}`;
    const [volume, holder] = [leftovers.volume(name), leftovers.container(name)];
    try {
      throwIfAborted(signal, 'before the build phase');
      await engine.createMemoryVolume(volume, run, UNLIMITED_MIB);
      await engine.checked([
        ...holderArguments(holder, run),
        ...mounted(volume, this.#directory),
        image,
        '-c',
        HOLD,
      ]);
      await engine.checked(['start', holder]);
      await engine.copyIn(holder, createReadStream(copied.file, { highWaterMark: 1 << 20 }), signal);
      await assertSameTree(this.#state, holder, this.#directory, copied, signal);
      return await work({
        holder,
        directory: this.#directory,
        arguments: mounted(volume, this.#directory),
        memoryMiB,
        before: new Set(copied.record.keys()),
      });
    } finally {
      await leftovers.removeContainer(holder);
      await leftovers.removeVolume(volume);
    }
  }

  /** Never throws. */
  async close(): Promise<void> {
    const copied = await this.#copied?.catch(() => undefined);
    if (copied !== undefined) await rm(copied.file, { force: true }).catch(() => undefined);
  }

  async #copy(signal: AbortSignal | undefined): Promise<TreeCopy> {
    this.#copied ??= copyTree(this.#state, this.#directory, signal);
    return await this.#copied;
  }

  /** MiB of memory for what the build writes into its tree. @throws FailedHere */
  async #room(copied: TreeCopy, title: string, signal: AbortSignal | undefined): Promise<number> {
    const { engine, request, leftovers, image, phase, limits } = this.#state;
    const { run, plan } = request;
    const { memoryMiB, diskMiB } = plan.environment;
    const name = `samesource-${run}-room-${title}`;
    const [volume, container] = [leftovers.volume(name), leftovers.container(name)];
    let said: string;
    try {
      throwIfAborted(signal, 'before the build phase');
      await engine.createMemoryVolume(volume, run, 1);
      const args = [
        'run',
        ...createArguments(container, run, plan, { ...phase, network: false }, [], limits),
        ...engine.description.createArguments(HOSTNAME),
        ...mounted(volume, this.#directory),
      ];
      const script = [image, '-c', ASK, 'sh', this.#directory];
      // to its end, as `throwIfAborted` says
      said = await engine.checked([...args, ...script]);
    } finally {
      await leftovers.removeContainer(container);
      await leftovers.removeVolume(volume);
    }
    throwIfAborted(signal, 'before the build phase');
    if (!/^type tmpfs$/m.test(said) || !/^readable$/m.test(said))
      throw new FailedHere(
        'engine-died',
        `${engine.kind} gives a container no directory in memory that it can read`,
      );
    // an engine that cannot limit it says so and goes on
    if (!(Number(/^limit (\d+)$/m.exec(said)?.[1]) <= memoryMiB * 2 ** 20))
      throw new FailedHere('engine-died', `${engine.kind} does not limit the memory of a container here`);
    const kibibytes = Number(/^KiB (\d+)$/m.exec(said)?.[1] ?? 0);
    const free = Math.max(0, Math.floor(kibibytes / 1024) - SPARE_MIB);
    return roomFor({ free, tree: copied.mebibytes, memory: memoryMiB, disk: diskMiB });
  }
}

/** All in MiB. @throws FailedHere `out-of-memory` */
export function roomFor(all: {
  readonly free: number;
  readonly tree: number;
  readonly memory: number;
  readonly disk: number;
}): number {
  const { free, tree, memory, disk } = all;
  const least = Math.min(disk, tree + LEAST_MIB);
  const room = Math.min(disk, free - tree - memory);
  if (room >= least) return room;
  throw new FailedHere(
    'out-of-memory',
    `a tree of ${tree} MiB, ${least} MiB for what is written there and ${memory} MiB for the build are more than the ${free} MiB of memory that are free`,
  );
}

const mounted = (volume: string, directory: string): readonly string[] => [
  '--volume',
  `${volume}:${directory}:nocopy`,
];

/** It may look into every directory, and do nothing else. */
const HOLDER =
  '--network none --user 0 --workdir / --cap-drop ALL --cap-add DAC_OVERRIDE --security-opt no-new-privileges ' +
  '--pids-limit 64 --ulimit nofile=1024:1024 --ulimit nproc=4096:4096 --entrypoint sh';

const holderArguments = (name: string, run: string): readonly string[] => [
  'create',
  '--name',
  name,
  ...runLabel(run),
  ...HOLDER.split(' '),
];
