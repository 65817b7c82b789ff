// SPDX-License-Identifier: Apache-2.0
/** The entries of an archive that differ, decoded before the comparison comes to them. */
import { FileSource } from '../../bytes.js';
import type { ZipEntry, ZipStructure } from '../../formats/zip.js';
import type { Pair } from '../align.js';
import type { Opened } from '../container.js';
import type { ContentDigests } from '../decode/digest-pool.js';
import { inflatePairAside, type InflatedPair } from '../decode/inflate.js';
import { InflatePool, isWorthwhile, type EntryJob } from '../decode/inflate-pool.js';
import { isHeldDeflate } from './data.js';
import type { EntryEquality } from './entry-equality.js';

export interface DecodedAhead {
  /** The decoded sides of this pair, if they are at hand; pairs are asked for in their order. */
  get(pairIndex: number): Promise<InflatedPair | undefined>;
  close(): Promise<void>;
}

/** On threads of their own, when there is enough of it. */
class DecodedByThreads implements DecodedAhead {
  readonly #pool: InflatePool;
  readonly #waiting: number[];

  constructor(pool: InflatePool, pairIndices: readonly number[]) {
    this.#pool = pool;
    this.#waiting = [...pairIndices].reverse();
  }

  async get(pairIndex: number): Promise<InflatedPair | undefined> {
    for (
      let next = this.#waiting.at(-1);
      next !== undefined && next <= pairIndex;
      next = this.#waiting.at(-1)
    ) {
      this.#waiting.pop();
      const result = await this.#pool.next();
      if (next === pairIndex) return result;
    }
    return undefined;
  }

  close(): Promise<void> {
    return this.#pool.close();
  }
}

/** `undefined` where nothing is decoded, or where the bytes are not those of files. */
export function decodeAhead(
  published: Opened<ZipStructure>,
  rebuilt: Opened<ZipStructure>,
  pairs: readonly Pair[],
  equality: EntryEquality,
  digests: Pick<ContentDigests, 'take'> | undefined,
): DecodedAhead | undefined {
  const [p, r] = [published.source, rebuilt.source];
  if (!(p instanceof FileSource) || !(r instanceof FileSource)) return undefined;
  // what is decoded here need not be decoded again for its digest
  const wantedOf = (pair: number): readonly string[] | undefined =>
    digests?.take(pairs[pair]?.published ?? -1);
  const jobs: EntryJob[] = [];
  const indices: number[] = [];
  for (const [index, pair] of pairs.entries()) {
    const a = published.structure.entries[pair.published];
    const b = rebuilt.structure.entries[pair.rebuilt];
    if (a === undefined || b === undefined || !isHeldDeflate(a, b) || equality.data(index)) continue;
    jobs.push({ p: jobSide(a), r: jobSide(b) });
    indices.push(index);
  }
  if (!isWorthwhile(jobs)) return decodeLargest(p, r, jobs, indices, wantedOf);
  const all = jobs.map((job, at): EntryJob => {
    const algorithms = wantedOf(indices[at] ?? -1);
    return algorithms === undefined ? job : { ...job, algorithms };
  });
  return new DecodedByThreads(new InflatePool({ published: p.lend(), rebuilt: r.lend() }, all), indices);
}

/** One entry, which is mostly the only one. */
function decodeLargest(
  p: FileSource,
  r: FileSource,
  jobs: readonly EntryJob[],
  indices: readonly number[],
  wantedOf: (pair: number) => readonly string[] | undefined,
): DecodedAhead | undefined {
  const weight = (job: EntryJob): number => job.p.length + job.r.length;
  const largest = jobs.reduce<EntryJob | undefined>(
    (best, job) => (best === undefined || weight(job) > weight(best) ? job : best),
    undefined,
  );
  if (largest === undefined) return undefined;
  const index = indices[jobs.indexOf(largest)] ?? -1;
  const pair = inflatePairAside(
    {
      raw: p.read(largest.p.offset, largest.p.length),
      size: largest.p.size,
      algorithms: wantedOf(index),
    },
    { raw: r.read(largest.r.offset, largest.r.length), size: largest.r.size },
  );
  return {
    get: (pairIndex) => (pairIndex === index ? pair : Promise.resolve(undefined)),
    close: async () => void (await pair),
  };
}

function jobSide(entry: ZipEntry): EntryJob['p'] {
  return { offset: entry.dataOffset, length: entry.compressedSize, size: entry.size };
}
