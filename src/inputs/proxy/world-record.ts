// SPDX-License-Identifier: Apache-2.0
/**
 * The record of what a phase fetched: a line a request, in the cache under its own SHA-256, with what an answer from it
 * needs. A report holds the first of them. Cookies, passwords, queries and the address of a mirror are in neither.
 */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { FailedHere } from '../../errors.js';
import type { FetchedWorld, FetchProblem, FetchRecord, PhaseName, Sha256, Unrecorded } from '../../model.js';
import { fromCache } from '../cache.js';
import { Incoming } from '../incoming.js';

/** Of an exchange, as it goes on. */
export interface Exchange {
  readonly method: string;
  readonly url: string;
  readonly time: string;
  key?: Sha256;
  status?: number;
  headers?: readonly (readonly [string, string])[];
  size: number;
  sha256?: Sha256;
  problem?: FetchProblem;
}

export type RecordedAnswer = Readonly<Exchange> & { readonly key: Sha256; readonly status: number };

export interface RecordedWorld {
  /** By what was asked, in the order in which they were given. */
  readonly answers: ReadonlyMap<Sha256, readonly RecordedAnswer[]>;
  /** What a server did not answer, or not to the end. */
  readonly unanswered: ReadonlySet<Sha256>;
}

const SHOWN = 1000;
const SHOWN_UNRECORDED = 200;
const MAX_REQUESTS = 100_000;
const KIND = { schemaVersion: 1, kind: 'fetched' };

export class WorldRecord {
  readonly #exchanges: Exchange[] = [];
  readonly #unserved = new Set<string>();
  readonly #unrecorded = new Map<string, { -readonly [Key in keyof Unrecorded]: Unrecorded[Key] }>();

  get unserved(): readonly string[] {
    return [...this.#unserved].sort();
  }

  /** Refused by us: whoever asked would have got it without a proxy. */
  refused(code: Unrecorded['code'], what: string): void {
    this.missed(code, what);
    this.notServed(`${what}: ${code}`);
  }

  notServed(what: string): void {
    if (this.#unserved.size < SHOWN_UNRECORDED) this.#unserved.add(what);
  }

  begin(method: string, url: string): Exchange {
    const exchange: Exchange = { method, url, time: new Date().toISOString(), size: 0 };
    if (this.#exchanges.length < MAX_REQUESTS) this.#exchanges.push(exchange);
    else this.missed('too-many', `requests beyond ${MAX_REQUESTS}`);
    return exchange;
  }

  missed(code: Unrecorded['code'], what: string, bytes?: number): void {
    const key = `${code} ${what}`;
    const known = this.#unrecorded.get(key);
    if (known === undefined) {
      if (this.#unrecorded.size < SHOWN_UNRECORDED)
        this.#unrecorded.set(key, { code, what, count: 1, ...(bytes === undefined ? {} : { bytes }) });
      return;
    }
    known.count++;
    if (bytes !== undefined) known.bytes = (known.bytes ?? 0) + bytes;
  }

  /** Keeps the list, and gives what a report tells of it. `from`: the record that answered. */
  async finish(phase: PhaseName, cache: string, from: Sha256 | undefined): Promise<FetchedWorld> {
    const record = from ?? (await this.#keep(cache));
    return {
      phase,
      from: from === undefined ? 'network' : 'record',
      count: this.#exchanges.length,
      bytes: this.#exchanges.reduce((sum, { size }) => sum + size, 0),
      requests: this.#exchanges.slice(0, SHOWN).map(shown),
      record,
      unrecorded: [...this.#unrecorded.values()].sort((a, b) =>
        `${a.code} ${a.what}` < `${b.code} ${b.what}` ? -1 : 1,
      ),
    };
  }

  async #keep(cache: string): Promise<Sha256> {
    const incoming = await Incoming.open(cache);
    try {
      const line = (value: object): Promise<void> =>
        incoming.write(Buffer.from(`${JSON.stringify(value)}\n`, 'utf8'));
      await line(KIND);
      for (const exchange of this.#exchanges) await line(exchange);
      return await incoming.keep();
    } finally {
      await incoming.drop();
    }
  }
}

function shown({ method, url, status, size, sha256, time, problem }: Exchange): FetchRecord {
  return {
    method,
    url,
    ...(status === undefined ? {} : { status }),
    size,
    ...(sha256 === undefined ? {} : { sha256 }),
    time,
    ...(problem === undefined ? {} : { problem }),
  };
}

/** @throws FailedHere `not-recorded` */
export async function readWorldRecord(cache: string, record: Sha256): Promise<RecordedWorld> {
  const file = await fromCache(cache, record);
  if (file === undefined)
    throw new FailedHere('not-recorded', `the record of what was fetched (${record}) is not in the cache`, {
      hint: 'copy the cache of the machine that made the report, or run it without --offline',
    });
  const answers = new Map<Sha256, RecordedAnswer[]>();
  const unanswered = new Set<Sha256>();
  let first = true;
  for await (const line of createInterface({ input: createReadStream(file, 'utf8'), crlfDelay: Infinity })) {
    const value = parsed(line, record);
    if (first && (value.kind !== KIND.kind || value.schemaVersion !== KIND.schemaVersion))
      throw notOurs(record);
    first = false;
    if (value.key === undefined) continue;
    if (value.problem === 'no-answer' || value.problem === 'cut') unanswered.add(value.key);
    if (value.status === undefined || value.problem !== undefined) continue;
    const list = answers.get(value.key);
    if (list === undefined) answers.set(value.key, [value as RecordedAnswer]);
    else list.push(value as RecordedAnswer);
  }
  return { answers, unanswered };
}

function parsed(line: string, record: Sha256): Partial<RecordedAnswer> & Partial<typeof KIND> {
  try {
    return JSON.parse(line) as Partial<RecordedAnswer> & Partial<typeof KIND>;
  } catch {
    throw notOurs(record);
  }
}

const notOurs = (record: Sha256): FailedHere =>
  new FailedHere('not-recorded', `${record} is no record of what was fetched that this version reads`);
