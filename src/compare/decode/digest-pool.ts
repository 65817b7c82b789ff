// SPDX-License-Identifier: Apache-2.0
/** Digests of many entries at once, on threads of their own where there is enough of it. */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { FileSource, ForwardReader, type ByteSource } from '../../bytes.js';
import { digestEntry, type DigestJob, type EntryDigests } from './digest-entry.js';

/** Below this much content, starting threads costs more than it saves. */
const WORTHWHILE = 8 << 20;
const BATCH_BYTES = 4 << 20;
const BATCH_JOBS = 256;
/** Small, so that the memory of what was decoded goes soon. */
const YOUNG_MB = 8;

export interface ContentDigests {
  readonly result: Promise<ReadonlyMap<number, EntryDigests>>;
  /** Before the result is there it never comes. */
  readonly close: () => Promise<void>;
}

export function digestContents(source: ByteSource, jobs: readonly DigestJob[]): ContentDigests {
  const ordered = [...jobs].sort((a, b) => a.offset - b.offset);
  const bytes = ordered.reduce((sum, { length, size }) => sum + length + size, 0);
  if (source instanceof FileSource && bytes >= WORTHWHILE && availableParallelism() > 1) {
    const pool = new DigestPool(source, cut(ordered));
    return { result: pool.result, close: () => pool.close() };
  }
  const result = digestHere(source, ordered);
  // who asks gets the error
  result.catch(() => undefined);
  return { result, close: () => Promise.resolve() };
}

async function digestHere(
  source: ByteSource,
  jobs: readonly DigestJob[],
): Promise<Map<number, EntryDigests>> {
  const reader = new ForwardReader(source);
  const found = new Map<number, EntryDigests>();
  for (const job of jobs) {
    const digests = digestEntry(source, reader, job);
    found.set(job.entry, digests instanceof Promise ? await digests : digests);
  }
  return found;
}

class DigestPool {
  readonly result: Promise<ReadonlyMap<number, EntryDigests>>;
  readonly #workers: readonly Worker[];

  constructor(source: FileSource, batches: readonly (readonly DigestJob[])[]) {
    const file = source.lend();
    const waiting = [...batches].reverse();
    const found = new Map<number, EntryDigests>();
    const threads = Math.min(availableParallelism(), 4, batches.length);
    this.#workers = Array.from(
      { length: threads },
      () =>
        new Worker(new URL('./digest-worker.js', import.meta.url), {
          workerData: file,
          resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
        }),
    );
    let left = batches.length;
    this.result = new Promise((resolve, reject) => {
      for (const worker of this.#workers) {
        const next = (): void => {
          const batch = waiting.pop();
          if (batch !== undefined) worker.postMessage(batch);
        };
        worker.on('message', (results: readonly (readonly [number, EntryDigests])[]) => {
          for (const [entry, digests] of results) found.set(entry, digests);
          left -= 1;
          if (left === 0) resolve(found);
          next();
        });
        // a thread that ends for whatever reason must not be waited for
        worker.on('error', reject).on('exit', () => reject(new Error('digest pool: a thread has ended')));
        // one being digested, one ready
        next();
        next();
      }
    });
    this.result.catch(() => undefined);
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }
}

function cut(jobs: readonly DigestJob[]): DigestJob[][] {
  const batches: DigestJob[][] = [];
  let bytes = BATCH_BYTES;
  for (const job of jobs) {
    const last = batches.at(-1);
    if (last === undefined || bytes >= BATCH_BYTES || last.length >= BATCH_JOBS) {
      batches.push([job]);
      bytes = 0;
    } else last.push(job);
    bytes += job.length + job.size;
  }
  return batches;
}
