// SPDX-License-Identifier: Apache-2.0
/** Decodes many pairs of entries ahead of the comparison on threads of their own, a bounded number of bytes at a time. */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { OpenFile } from '../../bytes.js';
import { cutBatches } from './batches.js';
import type { Inflated, InflatedPair } from './inflate.js';

export interface EntryJob {
  readonly p: { readonly offset: number; readonly length: number; readonly size: number };
  readonly r: { readonly offset: number; readonly length: number; readonly size: number };
  /** Of digests of the published content that are wanted too. */
  readonly algorithms?: readonly string[];
}

export interface PoolFiles {
  readonly published: OpenFile;
  readonly rebuilt: OpenFile;
}

/** Below this much compressed data beside the largest entry, starting threads costs more than it saves. */
const WORTHWHILE = 4 << 20;
const BATCH = { bytes: 2 << 20, jobs: 128 };
/** Batches under way or waiting to be taken, for each thread: what bounds the memory. */
const AHEAD = 3;

export function isWorthwhile(jobs: readonly EntryJob[]): boolean {
  let all = 0;
  let largest = 0;
  for (const { p, r } of jobs) {
    all += p.length + r.length;
    largest = Math.max(largest, p.length + r.length);
  }
  return all - largest >= WORTHWHILE && availableParallelism() > 1;
}

/** Small, so that decoded content that is no longer needed goes soon. */
const YOUNG_MB = 16;

interface Batch {
  readonly jobs: readonly EntryJob[];
  readonly done: Promise<readonly InflatedPair[]>;
  readonly resolve: (results: readonly InflatedPair[]) => void;
  readonly reject: (error: Error) => void;
}

/** Hands out results in the order of the jobs; `close` it. */
export class InflatePool {
  readonly #workers: readonly Worker[];
  readonly #idle: Worker[];
  readonly #batches: readonly Batch[];
  #sent = 0;
  #taken = 0;
  #current: readonly InflatedPair[] = [];
  #position = 0;

  constructor(files: PoolFiles, jobs: readonly EntryJob[]) {
    this.#batches = cutBatches(jobs, ({ p, r }) => p.size + r.size, BATCH).map((list) => {
      let resolve: Batch['resolve'] = () => undefined;
      let reject: Batch['reject'] = () => undefined;
      const done = new Promise<readonly InflatedPair[]>((yes, no) => {
        resolve = yes;
        reject = no;
      });
      // a failure is thrown by `next`; nobody else waits for these
      done.catch(() => undefined);
      return { jobs: list, done, resolve, reject };
    });
    const threads = Math.min(availableParallelism(), 4, this.#batches.length);
    this.#workers = Array.from({ length: threads }, () => this.#start(files));
    this.#idle = [...this.#workers, ...this.#workers];
    this.#pump();
  }

  /** The result of the next job. */
  async next(): Promise<InflatedPair> {
    if (this.#position === this.#current.length) {
      const batch = this.#batches[this.#taken++];
      if (batch === undefined) throw new Error('inflate pool: more results asked for than jobs given');
      this.#current = await batch.done;
      this.#position = 0;
      this.#pump();
    }
    const result = this.#current[this.#position++];
    if (result === undefined) throw new Error('inflate pool: a batch came back short');
    return result;
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }

  #start(files: PoolFiles): Worker {
    const worker = new Worker(new URL('./inflate-worker.js', import.meta.url), {
      workerData: files,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
    });
    worker.on('message', ({ batch, results }: { batch: number; results: readonly InflatedPair[] }) => {
      this.#batches[batch]?.resolve(results.map(revive));
      this.#idle.push(worker);
      this.#pump();
    });
    const fail = (error: Error): void => {
      for (const batch of this.#batches) batch.reject(error);
    };
    // a thread that ends for whatever reason must not be waited for
    worker.on('error', fail).on('exit', () => fail(new Error('inflate pool: a thread has ended')));
    return worker;
  }

  /** Gives batches to idle threads, unless the comparison is too far behind. */
  #pump(): void {
    while (this.#sent < this.#batches.length && this.#sent < this.#taken + AHEAD * this.#workers.length) {
      const worker = this.#idle.shift();
      const next = this.#batches[this.#sent];
      if (worker === undefined || next === undefined) return;
      worker.postMessage({ batch: this.#sent, jobs: next.jobs });
      this.#sent++;
    }
  }
}

/** Buffers arrive as plain byte arrays. Those of equal content stayed there. */
function revive(pair: InflatedPair): InflatedPair {
  if (pair.equal) return pair;
  return { ...pair, published: withBuffer(pair.published), rebuilt: withBuffer(pair.rebuilt) };
}

function withBuffer(side: Inflated): Inflated {
  if (side.kind === 'failed') return side;
  const { bytes } = side;
  return { ...side, bytes: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength) };
}
