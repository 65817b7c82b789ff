// SPDX-License-Identifier: Apache-2.0
/**
 * Every bit of a small APK, turned on one side or the other. Each is judged twice: by its verdict, and by the ledgers
 * alone, as if the signature had been found valid.
 */
import yauzl from 'yauzl';
import { BufferSource } from '../../src/bytes.js';
import { exitCodeFor } from '../../src/cli/exit-code.js';
import { compareSources, type CompareOptions } from '../../src/compare/compare.js';
import { type LedgerNode, type Owner, type PairComparison, type Run } from '../../src/compare/types.js';
import { verdictOf } from '../helpers/compare-buffers.js';

export type Mutated = 'published' | 'rebuilt' | 're-signed';

export interface SweepCase {
  readonly name: string;
  readonly published: Buffer;
  readonly rebuilt: Buffer;
  readonly options?: CompareOptions;
  /** The publisher's signature over any archive; absent: v1, whose signature does not follow a changed archive. */
  readonly resign?: (archive: Buffer) => Buffer;
}

export interface SweepCount {
  readonly bits: number;
  /** Outside of the signature: refused by the ledgers alone. */
  readonly byLedger: number;
  /** Inside of the signature: refused by the check of it, or by the ledgers. */
  readonly bySignature: number;
  /** A stream that gives the same content all the same: `equivalent` at best, its bytes counted as `reencoded`. */
  readonly repacked: number;
  /** Exit 0, by the rule or owner of the byte in the comparison without the mutation. */
  readonly accepted: Readonly<Record<string, number>>;
  readonly violations: readonly Violation[];
}

export interface Violation {
  readonly case: string;
  readonly mutated: Mutated;
  readonly bit: number;
  /** Of the byte, without the mutation. */
  readonly owner: string;
  readonly what: 'accepted' | 'not-refused-by-ledgers' | 'threw';
  readonly detail: string;
}

const MAY_CHANGE: ReadonlySet<Owner> = new Set(['excluded', 'reencoded']);
const REFUSED: ReadonlySet<Owner> = new Set(['different', 'missing', 'unread', 'encrypted']);
const NAMED: ReadonlySet<Owner> = new Set(['different', 'missing']);

/** One owner of each byte of a side, and the rule or owner by name. */
function ownersOf(node: LedgerNode | undefined, side: 'published' | 'rebuilt'): readonly (Run | undefined)[] {
  const { size, runs } = node?.[side] ?? { size: 0, runs: [] };
  const owners = Array.from<Run | undefined>({ length: size });
  for (const run of runs) owners.fill(run, run.offset, run.offset + run.length);
  return owners;
}

const nameOf = (run: Run | undefined): string => run?.rule ?? run?.owner ?? 'identical';

export async function compareFor(
  published: Buffer,
  rebuilt: Buffer,
  options: CompareOptions | undefined,
): Promise<{ readonly pair: PairComparison; readonly exit: number }> {
  const pair = await compareSources(new BufferSource(published), new BufferSource(rebuilt), options ?? {});
  return { pair, exit: exitCodeFor(verdictOf(pair)) };
}

/** A byte that is wrong, or that was not read outside of the signature. */
function ledgersRefuse(pair: PairComparison, signature: readonly (Run | undefined)[]): boolean {
  const root = pair.nodes[0];
  if (root === undefined) return false;
  for (const side of ['published', 'rebuilt'] as const)
    for (const run of root[side].runs) {
      if (NAMED.has(run.owner)) return true;
      if (!REFUSED.has(run.owner)) continue;
      if (side === 'rebuilt') return true;
      for (let at = run.offset; at < run.offset + run.length; at++)
        if (signature[at]?.owner !== 'signature') return true;
    }
  return false;
}

/** A well-mixed number for a position: which bits a part of the sweep takes. */
export function mixed(seed: number, value: number): number {
  let x = (value ^ seed) >>> 0;
  x = Math.imul(x ^ (x >>> 16), 0x45d9f3b) >>> 0;
  x = Math.imul(x ^ (x >>> 16), 0x45d9f3b) >>> 0;
  return (x ^ (x >>> 16)) >>> 0;
}

/** `takes`: whether this bit is turned. */
export async function sweep(
  { name, published, rebuilt, options, resign }: SweepCase,
  mutated: Mutated,
  takes: (bit: number) => boolean,
): Promise<SweepCount> {
  const clean = await compareFor(published, rebuilt, options);
  const owners = ownersOf(clean.pair.nodes[0], mutated === 'rebuilt' ? 'rebuilt' : 'published');
  const signature = ownersOf(clean.pair.nodes[0], 'published');
  const file = mutated === 'published' ? published : rebuilt;
  const accepted: Record<string, number> = {};
  const violations: Violation[] = [];
  let [bits, byLedger, bySignature, repacked] = [0, 0, 0, 0];
  for (let bit = 0; bit < file.length * 8; bit++) {
    if (!takes(bit)) continue;
    bits++;
    const turned = Buffer.from(file);
    const at = bit >> 3;
    turned[at] = (turned[at] ?? 0) ^ (1 << (bit & 7));
    // the archive as it was built has the same bytes at the same places, up to the signing block
    const owner = mutated === 're-signed' ? undefined : owners[at];
    const violation = (what: Violation['what'], detail: string): void => {
      violations.push({ case: name, mutated, bit, owner: nameOf(owner), what, detail });
    };
    try {
      const [p, r] =
        mutated === 'published'
          ? [turned, rebuilt]
          : mutated === 'rebuilt'
            ? [published, turned]
            : [resigned(turned, resign), rebuilt];
      if (mutated === 're-signed' && p.equals(published)) {
        // who signs has written the same over it
        repacked++;
        continue;
      }
      const { pair, exit } = await compareFor(p, r, options);
      const changeable = MAY_CHANGE.has(owner?.owner ?? 'identical');
      const inSignature = mutated === 'published' && (owner?.owner === 'signature' || changeable);
      if (!changeable && pair.worst !== 'identical' && !ledgersRefuse(pair, signature) && !inSignature) {
        if (await sameContent(turned, file)) {
          repacked++;
          continue;
        }
      }
      if (exit === 0) {
        const key = nameOf(owner);
        accepted[key] = (accepted[key] ?? 0) + 1;
        if (!changeable) violation('accepted', pair.worst);
      } else if (inSignature) bySignature++;
      else if (ledgersRefuse(pair, signature)) byLedger++;
      else violation('not-refused-by-ledgers', pair.worst);
    } catch (error) {
      violation('threw', error instanceof Error ? (error.stack ?? error.message) : String(error));
    }
  }
  return { bits, byLedger, bySignature, repacked, accepted, violations };
}

/** By another reader than ours: every entry's name and content, in order. */
async function sameContent(one: Buffer, other: Buffer): Promise<boolean> {
  const [a, b] = [await contents(one), await contents(other)];
  return a.length === b.length && a.every((bytes, index) => bytes.equals(b[index] ?? Buffer.alloc(0)));
}

function contents(archive: Buffer): Promise<Buffer[]> {
  return new Promise((resolve, reject) => {
    yauzl.fromBuffer(archive, { lazyEntries: true, decodeStrings: false }, (failed, zip) => {
      if (failed !== null) return reject(failed);
      const found: Buffer[] = [];
      zip.on('entry', (entry: yauzl.Entry) => {
        // without decoded strings a name is a buffer
        found.push(Buffer.from(entry.fileName as unknown as Buffer));
        zip.openReadStream(entry, (broken, stream) => {
          if (broken !== null) return reject(broken);
          const chunks: Buffer[] = [];
          stream.on('data', (chunk: Buffer) => chunks.push(chunk));
          stream.on('error', reject);
          stream.on('end', () => {
            found.push(Buffer.concat(chunks));
            zip.readEntry();
          });
        });
      });
      zip.on('end', () => resolve(found));
      zip.on('error', reject);
      zip.readEntry();
    });
  });
}

function resigned(archive: Buffer, resign: SweepCase['resign']): Buffer {
  if (resign === undefined) throw new Error('this signature is not made again');
  try {
    return resign(archive);
  } catch (error) {
    // an archive whose end does not say where its directory is cannot be signed: it goes out as it is
    if (error instanceof RangeError) return archive;
    throw error;
  }
}

export const sumOf = (counts: readonly SweepCount[]): SweepCount => ({
  bits: counts.reduce((sum, { bits }) => sum + bits, 0),
  byLedger: counts.reduce((sum, { byLedger }) => sum + byLedger, 0),
  bySignature: counts.reduce((sum, { bySignature }) => sum + bySignature, 0),
  repacked: counts.reduce((sum, one) => sum + one.repacked, 0),
  accepted: counts.reduce<Record<string, number>>((sums, { accepted }) => {
    for (const [key, count] of Object.entries(accepted)) sums[key] = (sums[key] ?? 0) + count;
    return sums;
  }, {}),
  violations: counts.flatMap(({ violations }) => violations),
});
