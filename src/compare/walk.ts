// SPDX-License-Identifier: Apache-2.0
/** One comparison of two files under way: limits, findings, and the walk from node to node. */
import { mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { ByteSource } from '../bytes.js';
import type { AuthenticityReason, OnProgress, Reason, RuleName, UnverifiableReason } from '../model.js';
import type { SlotContent } from '../formats/code-signature-check.js';
import type { ReadSignature } from './authenticity.js';
import type { FileFacts } from './file-facts.js';
import type { NoTransplant, Transplant } from './zip/transplant.js';
import type { ZipSide } from './zip/zip-side.js';
import type { Difference, LedgerNode, Member, Observation, Owner, Proof, Side } from './types.js';

export interface Limits {
  /** Containers inside of containers. */
  readonly depth: number;
  /** Decoded bytes of one member. */
  readonly memberBytes: number;
  /** Decoded bytes of all members together, the larger side of each. */
  readonly decodedBytes: number;
  /** Nodes whose details are kept. */
  readonly nodes: number;
}

export const DEFAULT_LIMITS: Limits = {
  depth: 10,
  memberBytes: 4 * 2 ** 30,
  decodedBytes: 16 * 2 ** 30,
  nodes: 200_000,
};

/** Content up to this size is held in memory while it is compared; more is streamed or spilled to disk. */
export const HELD_BYTES = 16 << 20;

/** Where a node stands in the tree. */
export interface Place {
  readonly path: readonly string[];
  readonly parent?: number;
  readonly depth: number;
}

export interface NodeResult {
  readonly index: number;
  readonly worst: Owner;
}

/** The walk from node to node, handed in so that containers can descend without importing each other. */
export interface Descent {
  readonly compareNode: (
    walk: Walk,
    published: ByteSource,
    rebuilt: ByteSource,
    place: Place,
  ) => Promise<NodeResult>;
  /** Whether the starts of both sides are those of one container format. */
  readonly looksLikeContainer: (publishedHead: ByteSource, rebuiltHead: ByteSource) => boolean;
}

/** Findings that are kept in full; the ledgers list every run all the same. */
const MAX_DIFFERENCES = 20_000;
/** Of all archives of a pair. */
const MAX_OBSERVATIONS = 500;

export interface WalkOptions {
  readonly limits: Limits;
  readonly rules: ReadonlySet<RuleName>;
  /** SHA-256 of certificates that may have signed. */
  readonly pinned?: ReadonlySet<string>;
  /** Where spilled content goes; a directory of its own is made there when needed and removed by `close`. */
  readonly temporaryDirectory: string;
  readonly signal?: AbortSignal;
  readonly onProgress?: OnProgress;
}

export interface TransplantSource extends Readonly<Record<Side, ZipSide>> {
  readonly plan: () => Transplant | NoTransplant;
}

/** Mutable state of one comparison; `close` it. */
export class Walk {
  readonly options: WalkOptions;
  /** Of the roots. */
  readonly facts: FileFacts;
  readonly nodes: LedgerNode[] = [];
  readonly differences: Difference[] = [];
  readonly observations: Observation[] = [];
  /** Findings beyond those kept. */
  differencesCut = 0;
  readonly unverifiable: Reason<UnverifiableReason>[] = [];
  /** Signatures inside of the published file that do not hold. */
  readonly notAuthentic: Reason<AuthenticityReason>[] = [];
  /** When both roots are apps of Apple's platforms: files of the bundle that the program at this path belongs to. */
  slotContent: ((side: Side, path: readonly string[], slot: number) => ReturnType<SlotContent>) | undefined;
  readonly ruleBytes = new Map<RuleName, Record<Side, number>>();
  readonly decoders = new Map<string, string>();
  /** Of the root's published side, filled in by the container that finds one. */
  signature: ReadSignature | undefined;
  /** When both roots are ZIP archives: what the published one can be made again from. */
  transplant: TransplantSource | undefined;
  /** When both roots are programs: the published one is made again from the rebuilt one and its own signature. */
  remake: (() => Proof) | undefined;
  /** Where another reader sees something else in the published root. */
  disagreement: string | undefined;
  #reserved = 0;
  #decoded = 0;
  #spill: string | undefined;
  #spilled = 0;

  readonly #descent: Descent;

  constructor(options: WalkOptions, facts: FileFacts, descent: Descent) {
    this.options = options;
    this.facts = facts;
    this.#descent = descent;
  }

  compareNode(published: ByteSource, rebuilt: ByteSource, place: Place): Promise<NodeResult> {
    return this.#descent.compareNode(this, published, rebuilt, place);
  }

  looksLikeContainer(publishedHead: ByteSource, rebuiltHead: ByteSource): boolean {
    return this.#descent.looksLikeContainer(publishedHead, rebuiltHead);
  }

  report(difference: Difference): void {
    if (this.differences.length < MAX_DIFFERENCES) this.differences.push(difference);
    else this.differencesCut++;
  }

  observe(found: readonly Observation[]): void {
    for (const observation of found)
      if (this.observations.length < MAX_OBSERVATIONS) this.observations.push(observation);
      else this.differencesCut++;
  }

  /** An index in `nodes`, in order of visit: parents before children. */
  reserve(): number {
    return this.#reserved++;
  }

  set(index: number, compared: LedgerNode): void {
    this.nodes[index] = compared;
  }

  /**
   * Whether content of these stated sizes may be decoded: counts it if so. A member over the limit on one side only is
   * `one-side`; the sum over all members counts for both sides alike, since it says nothing about either.
   */
  mayDecode(published: number, rebuilt: number, where: readonly string[]): 'yes' | 'one-side' | 'no' {
    const { memberBytes, decodedBytes } = this.options.limits;
    const over = Number(published > memberBytes) + Number(rebuilt > memberBytes);
    if (over > 0)
      this.cannotVerify(
        'limits',
        `${where.join(' > ')}: ${Math.max(published, rebuilt)} decoded bytes, limit ${memberBytes} (--max-member)`,
      );
    if (over === 1) return 'one-side';
    if (over === 2) return 'no';
    const size = Math.max(published, rebuilt);
    if (this.#decoded + size > decodedBytes) {
      this.cannotVerify(
        'limits',
        `${where.join(' > ')}: more than ${decodedBytes} decoded bytes in all (--max-decoded)`,
      );
      return 'no';
    }
    this.#decoded += size;
    return 'yes';
  }

  /** Of all members together; a stream that states no size may take as much, and is counted when it has ended. */
  get roomToDecode(): number {
    return this.options.limits.decodedBytes - this.#decoded;
  }

  countDecoded(bytes: number): void {
    this.#decoded += bytes;
  }

  cannotVerify(code: UnverifiableReason, detail: string): void {
    this.unverifiable.push({ code, detail });
  }

  coverByRule(rule: RuleName, side: Side, bytes: number): void {
    const sums = this.ruleBytes.get(rule) ?? { published: 0, rebuilt: 0 };
    sums[side] += bytes;
    this.ruleBytes.set(rule, sums);
  }

  /** Path of a new temporary file. */
  spillPath(): string {
    this.#spill ??= mkdtempSync(path.join(this.options.temporaryDirectory, 'samesource-'));
    return path.join(this.#spill, String(this.#spilled++));
  }

  async close(): Promise<void> {
    await this.facts.close();
    if (this.#spill !== undefined) rmSync(this.#spill, { recursive: true, force: true });
    this.#spill = undefined;
  }

  checkAborted(): void {
    this.options.signal?.throwIfAborted();
  }
}

export function node(
  place: Place,
  format: string,
  published: LedgerNode['published'],
  rebuilt: LedgerNode['rebuilt'],
  members: readonly Member[],
): LedgerNode {
  return {
    path: place.path,
    format,
    ...(place.parent === undefined ? {} : { parent: place.parent }),
    published,
    rebuilt,
    members,
  };
}
