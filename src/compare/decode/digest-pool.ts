// SPDX-License-Identifier: Apache-2.0
/**
 * Digests of many entries at once, on threads of their own where there is enough of it. The threads take their jobs
 * themselves: who asked may be busy for a while, and is one of them from then on. What somebody else turns out to decode
 * anyway can be taken out again.
 */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { FileSource, ForwardReader, type ByteSource } from '../../bytes.js';
import { cutBatches } from './batches.js';
import { digestEntry, type DigestJob, type EntryDigests } from './digest-entry.js';
import {
  claim,
  digestBatches,
  type DigestOrder,
  type DigestResult,
  type NumberedJob,
} from './digest-order.js';

/** Below this much content, starting threads costs more than it saves. */
const WORTHWHILE = 8 << 20;
const BATCH = { bytes: 4 << 20, jobs: 256 };
/** Small, so that the memory of what was decoded goes soon. */
const YOUNG_MB = 8;

export interface ContentDigests {
  /** Of every job but those taken out and not put back: these are digested now. May be asked once. */
  readonly result: () => Promise<ReadonlyMap<number, EntryDigests>>;
  /** The algorithms asked for, if nobody has begun with this entry: whoever takes it decodes it and may `put` the digests. */
  readonly take: (entry: number) => readonly string[] | undefined;
  readonly put: (entry: number, digests: EntryDigests) => void;
  readonly close: () => Promise<void>;
}

export function digestContents(source: ByteSource, jobs: readonly DigestJob[]): ContentDigests {
  const ordered = [...jobs]
    .sort((a, b) => a.offset - b.offset)
    .map((job, number): NumberedJob => ({ ...job, number }));
  const state = new Int32Array(new SharedArrayBuffer((ordered.length + 1) * 4));
  const bytes = ordered.reduce((sum, { length, size }) => sum + length + size, 0);
  const pool =
    source instanceof FileSource && bytes >= WORTHWHILE && availableParallelism() > 1
      ? new DigestPool(source, {
          file: source.lend(),
          batches: cutBatches(ordered, ({ length, size }) => length + size, BATCH),
          state,
        })
      : undefined;
  const byEntry = new Map(ordered.map((job) => [job.entry, job]));
  const put = new Map<number, EntryDigests>();
  return {
    async result() {
      const found = new Map([...((await pool?.finish()) ?? []), ...put]);
      const reader = new ForwardReader(source);
      for (const job of ordered) {
        if (found.has(job.entry)) continue;
        const digests = digestEntry(source, reader, job);
        found.set(job.entry, digests instanceof Promise ? await digests : digests);
      }
      return found;
    },
    take(entry) {
      const job = byEntry.get(entry);
      return job !== undefined && claim(state, job.number) ? job.algorithms : undefined;
    },
    put: (entry, digests) => void put.set(entry, digests),
    close: () => pool?.close() ?? Promise.resolve(),
  };
}

/** The thread of who asks comes on top. */
const THREADS = 4;

class DigestPool {
  readonly #source: FileSource;
  readonly #order: DigestOrder;
  readonly #found = new Map<number, EntryDigests>();
  readonly #workers: readonly Worker[];
  readonly #ended: Promise<void>;

  constructor(source: FileSource, order: DigestOrder) {
    this.#source = source;
    this.#order = order;
    const threads = Math.min(availableParallelism() - 1, THREADS, order.batches.length);
    this.#workers = Array.from(
      { length: threads },
      () =>
        new Worker(new URL('./digest-worker.js', import.meta.url), {
          workerData: order,
          resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
        }),
    );
    let left = threads;
    this.#ended = new Promise((resolve, reject) => {
      for (const worker of this.#workers) {
        let done = false;
        worker.on('message', (message: readonly DigestResult[] | 'done') => {
          if (message !== 'done') this.#take(message);
          else {
            done = true;
            if (--left === 0) resolve();
          }
        });
        worker.on('error', reject);
        // one that ends without having done its part must not be waited for
        worker.on('exit', () => {
          if (!done) reject(new Error('digest pool: a thread has ended'));
        });
      }
    });
    // who asks gets the error
    this.#ended.catch(() => undefined);
  }

  async finish(): Promise<ReadonlyMap<number, EntryDigests>> {
    for await (const results of digestBatches(this.#order, this.#source)) {
      this.#take(results);
      // for what the threads have to say, and for a signal
      await new Promise((resolve) => setImmediate(resolve));
    }
    await this.#ended;
    return this.#found;
  }

  #take(results: readonly DigestResult[]): void {
    for (const [entry, digests] of results) this.#found.set(entry, digests);
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }
}
