// SPDX-License-Identifier: Apache-2.0
/** One file over HTTP(S), complete and hashed, or no file at all. RFC 9110. */
import { createHash } from 'node:crypto';
import type { promises as fs } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { FailedHere, UsageError } from '../errors.js';
import type { OnProgress, Sha256 } from '../model.js';
import { storageFailure, writeAside } from './atomic-file.js';
import { statusFailure, transportFailure, type HttpFailure } from './http-failure.js';

export interface DownloadRequest {
  readonly url: string;
  /** What it is in people's words; part of every message. */
  readonly what: string;
  /** Final name; never holds a partial file. */
  readonly target: string;
  /** From a signed index or a recipe. */
  readonly expected?: { readonly size?: number; readonly sha256?: Sha256 };
  /** Attacker-controlled bodies end here. */
  readonly maxBytes?: number;
  /** Longest silence of the server. */
  readonly idleMs?: number;
  readonly attempts?: number;
  /** First pause between attempts; doubles each time. */
  readonly backoffMs?: number;
  /** Longest `Retry-After` that we wait for. */
  readonly maxWaitMs?: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnProgress | undefined;
  /** Phase name in progress events. */
  readonly phase?: string;
}

export type DownloadOutcome =
  | { readonly kind: 'done'; readonly path: string; readonly size: number; readonly sha256: Sha256 }
  /** The server says that it is not there (404) or no longer (410). */
  | { readonly kind: 'gone'; readonly url: string; readonly status: 404 | 410 }
  /** Complete, but not the bytes that were expected; not kept. `size` is where reading stopped. */
  | {
      readonly kind: 'wrong-content';
      readonly url: string;
      readonly expected: { readonly size?: number; readonly sha256?: Sha256 };
      readonly size: number;
      readonly sha256?: Sha256;
    };

const DEFAULT_MAX_BYTES = 16 * 2 ** 30;
const PROGRESS_EVERY = 1 << 20;

/** Not an error of anybody: leaves `writeAside` without a file. */
class NotKept extends Error {
  readonly outcome: DownloadOutcome;
  constructor(outcome: DownloadOutcome) {
    super(outcome.kind);
    this.outcome = outcome;
  }
}

class Attempt extends Error {
  readonly failure: HttpFailure;
  constructor(failure: HttpFailure) {
    super(failure.error.message);
    this.failure = failure;
  }
}

function throwIfAborted(signal: AbortSignal | undefined, what: string): void {
  if (signal?.aborted === true) throw new FailedHere('interrupted', `interrupted while fetching ${what}`);
}

function checkUrl(url: string, what: string): void {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || (parsed.protocol !== 'https:' && parsed.protocol !== 'http:'))
    throw new UsageError('bad-url', `cannot fetch ${what}: ${url} is not an http or https address`);
  if (parsed.username !== '' || parsed.password !== '')
    throw new UsageError('bad-url', `cannot fetch ${what}: the address holds a user name or password`);
}

/**
 * Tries again after 5xx, 429 and broken connections; honours `Retry-After` within bounds.
 * @throws FailedHere `network`, `rate-limited`, `disk-full`, `unreadable-input` (larger than `maxBytes`), `interrupted`
 */
export async function download(request: DownloadRequest): Promise<DownloadOutcome> {
  const { what, signal } = request;
  checkUrl(request.url, what);
  const attempts = request.attempts ?? 4;
  for (let attempt = 1; ; attempt++) {
    throwIfAborted(signal, what);
    try {
      return await once(request);
    } catch (error) {
      throwIfAborted(signal, what);
      if (!(error instanceof Attempt)) throw storageFailure(error, what, request.target);
      const { failure } = error;
      const wait = failure.waitMs ?? (request.backoffMs ?? 500) * 2 ** (attempt - 1);
      if (!failure.retry || attempt >= attempts || wait > (request.maxWaitMs ?? 30_000)) throw failure.error;
      request.onProgress?.({
        kind: 'note',
        text: `${failure.error.message}; trying again in ${Math.ceil(wait / 1000)} s`,
      });
      try {
        await delay(wait, undefined, signal === undefined ? {} : { signal });
      } catch {
        throwIfAborted(signal, what);
      }
    }
  }
}

async function once(request: DownloadRequest): Promise<DownloadOutcome> {
  const { url, what, target } = request;
  const idle = new IdleTimer(request.idleMs ?? 60_000);
  const signal = request.signal === undefined ? idle.signal : AbortSignal.any([idle.signal, request.signal]);
  try {
    const response = await exchange(url, what, signal);
    try {
      const { status } = response;
      if (status === 404 || status === 410) return { kind: 'gone', url, status };
      if (status !== 200) throw new Attempt(statusFailure(what, url, response));
      return await writeAside(target, (handle) => receive(request, response, handle, idle));
    } finally {
      // an unread body would keep the connection
      await response.body?.cancel().catch(() => undefined);
    }
  } catch (error) {
    if (error instanceof NotKept) return error.outcome;
    throw error;
  } finally {
    idle.stop();
  }
}

async function exchange(url: string, what: string, signal: AbortSignal): Promise<Response> {
  let response: Response;
  try {
    // identity: the bytes of a .xz or .apk as they lie there, not as a server would like to pack them
    response = await fetch(url, { signal, headers: { 'accept-encoding': 'identity' } });
  } catch (error) {
    throw new Attempt(transportFailure(what, url, error));
  }
  if (url.startsWith('https:') && response.url.startsWith('http:')) {
    await response.body?.cancel();
    throw new FailedHere(
      'network',
      `could not fetch ${what} from ${url}: it redirects to an address without TLS`,
    );
  }
  return response;
}

/** Tells a broken connection from a failure of our own disk. */
async function* chunks(response: Response, what: string, url: string): AsyncGenerator<Uint8Array> {
  if (response.body === null) return;
  const reader = response.body.getReader();
  try {
    for (;;) {
      const { value } = await reader.read().catch((error: unknown) => {
        throw new Attempt(transportFailure(what, url, error));
      });
      if (value === undefined) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
    reader.releaseLock();
  }
}

async function receive(
  request: DownloadRequest,
  response: Response,
  handle: fs.FileHandle,
  idle: IdleTimer,
): Promise<DownloadOutcome> {
  const { url, what, expected = {}, phase = 'download', onProgress } = request;
  const limit = request.maxBytes ?? DEFAULT_MAX_BYTES;
  const announced = Number(response.headers.get('content-length') ?? Number.NaN);
  const total = expected.size ?? (Number.isSafeInteger(announced) ? announced : undefined);
  const hash = createHash('sha256');
  let size = 0;
  let told = 0;
  for await (const chunk of chunks(response, what, url)) {
    idle.touch();
    size += chunk.byteLength;
    if (expected.size !== undefined && size > expected.size) {
      throw new NotKept({ kind: 'wrong-content', url, expected, size });
    }
    if (size > limit) {
      throw new FailedHere(
        'unreadable-input',
        `${what} from ${url} is larger than the limit of ${limit} bytes`,
      );
    }
    hash.update(chunk);
    for (let done = 0; done < chunk.byteLength;)
      done += (await handle.write(chunk, done, chunk.byteLength - done)).bytesWritten;
    if (onProgress !== undefined && size - told >= PROGRESS_EVERY) {
      told = size;
      onProgress({
        kind: 'phase-progress',
        phase,
        done: size,
        ...(total === undefined ? {} : { total }),
        unit: 'bytes',
      });
    }
  }
  const sha256 = hash.digest('hex');
  if ((expected.size ?? size) !== size || (expected.sha256 ?? sha256) !== sha256)
    throw new NotKept({ kind: 'wrong-content', url, expected, size, sha256 });
  return { kind: 'done', path: request.target, size, sha256 };
}

/** Aborts when nothing has arrived for a while; the abort reason has the code that `transportFailure` knows. */
class IdleTimer {
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout;
  constructor(ms: number) {
    const reason = Object.assign(new Error(`nothing arrived for ${ms} ms`), { code: 'UND_ERR_BODY_TIMEOUT' });
    this.#timer = setTimeout(() => this.#controller.abort(reason), ms);
  }
  get signal(): AbortSignal {
    return this.#controller.signal;
  }
  touch(): void {
    this.#timer.refresh();
  }
  stop(): void {
    clearTimeout(this.#timer);
  }
}
