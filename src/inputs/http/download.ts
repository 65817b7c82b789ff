// SPDX-License-Identifier: Apache-2.0
/** One file over HTTP(S), complete and hashed, or no file at all; a broken connection goes on where it broke. RFC 9110. */
import { setTimeout as delay } from 'node:timers/promises';
import { FailedHere, UsageError } from '../../errors.js';
import type { Fetched, OnProgress, Sha256 } from '../../model.js';
import { storageFailure } from '../atomic-file.js';
import { decoded, isPlainCoding } from './content-coding.js';
import { AttemptFailed, exchange, type Answer } from './http-exchange.js';
import { statusFailure } from './http-failure.js';
import { dispatcher } from './http-proxy.js';
import { Pace, PACE, type PaceLimits } from './http-pace.js';
import { PartialFile, type Validator } from './partial-file.js';

export interface DownloadRequest {
  readonly url: string;
  /** What it is in people's words; part of every message. */
  readonly what: string;
  /** Final name; never holds a partial file. */
  readonly target: string;
  /** From a signed index or a recipe. */
  readonly expected?: { readonly size?: number; readonly sha256?: Sha256 };
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent to `url` alone: no redirect, message or record has it. */
  readonly authorization?: string | undefined;
  /** A directory for what arrived before this run failed, and from which the next one goes on. */
  readonly kept?: string;
  /** Attacker-controlled bodies end here. */
  readonly maxBytes?: number;
  /** Longest silence of the server, and the least that it must send. */
  readonly pace?: Partial<PaceLimits>;
  /** For all attempts together. */
  readonly totalMs?: number;
  /** In a row that brought nothing. */
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
  | {
      readonly kind: 'done';
      readonly path: string;
      readonly size: number;
      readonly sha256: Sha256;
      readonly fetched: Fetched;
    }
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
const MAX_BACKOFF_MS = 10_000;
/** However much each of them brought. */
const MAX_ATTEMPTS = 40;
const HOURS = 60 * 60 * 1000;

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
 * @throws FailedHere `network`, `rate-limited`, `time-limit`, `disk-full`, `unreadable-input` (larger than `maxBytes`, or
 * a bomb), `interrupted`
 */
export async function download(request: DownloadRequest): Promise<DownloadOutcome> {
  const { what, target } = request;
  checkUrl(request.url, what);
  throwIfAborted(request.signal, what);
  let part: PartialFile | undefined;
  // loaded before the time of the server begins
  await dispatcher();
  try {
    part = await PartialFile.open(target, request.kept);
    const outcome = await untilDone(request, part);
    if (outcome.kind === 'done') await part.publish();
    else await part.discard();
    return outcome;
  } catch (error) {
    const failure = storageFailure(error, what, target);
    const goesOn = failure instanceof FailedHere && KEEPING.has(failure.code);
    if (part !== undefined)
      await (goesOn && canResume(request, part.validator) ? part.keep() : part.discard());
    throw failure;
  }
}

/** What a later run may get over. */
const KEEPING: ReadonlySet<string> = new Set(['network', 'rate-limited', 'time-limit', 'interrupted']);

async function untilDone(request: DownloadRequest, part: PartialFile): Promise<DownloadOutcome> {
  const { what, signal } = request;
  const totalMs = request.totalMs ?? 6 * HOURS;
  const deadline = AbortSignal.timeout(totalMs);
  let fruitless = 0;
  let resumed = part.size > 0;
  for (let attempt = 1; ; attempt++) {
    throwIfAborted(signal, what);
    const before = part.size;
    try {
      const outcome = await once(request, part, deadline);
      resumed ||= before > 0;
      // a server whose files change behind one address: what is expected must be wrong from the first byte on
      if (outcome.kind !== 'wrong-content' || !resumed) return outcome;
      resumed = false;
      await part.restart();
    } catch (error) {
      throwIfAborted(signal, what);
      if (deadline.aborted)
        throw new FailedHere(
          'time-limit',
          `could not fetch ${what} from ${request.url} within ${Math.ceil(totalMs / 1000)} seconds: ${part.size} bytes arrived`,
          { hint: 'try again on a faster line' },
        );
      if (!(error instanceof AttemptFailed)) throw error;
      const { failure } = error;
      resumed ||= before > 0;
      if (!canResume(request, part.validator)) await part.restart();
      fruitless = part.size > before ? 1 : fruitless + 1;
      const wait =
        failure.waitMs ?? Math.min(MAX_BACKOFF_MS, (request.backoffMs ?? 500) * 2 ** (fruitless - 1));
      const over = fruitless >= (request.attempts ?? 4) || attempt >= MAX_ATTEMPTS;
      if (!failure.retry || over || wait > (request.maxWaitMs ?? 30_000)) throw failure.error;
      request.onProgress?.({
        kind: 'note',
        text: `${failure.error.message}; trying again in ${Math.ceil(wait / 1000)} s${part.size === 0 ? '' : `, from byte ${part.size} on`}`,
      });
      try {
        await delay(wait, undefined, {
          signal: AbortSignal.any([deadline, ...(signal === undefined ? [] : [signal])]),
        });
      } catch {
        // the loop says what it was
      }
    }
  }
}

/** Two answers become one file only if nothing else can come of it: one strong validator, or a digest to check with. */
function canResume({ expected }: DownloadRequest, { etag }: Validator): boolean {
  return etag !== undefined || expected?.sha256 !== undefined;
}

async function once(
  request: DownloadRequest,
  part: PartialFile,
  deadline: AbortSignal,
): Promise<DownloadOutcome> {
  const { url, what, headers, authorization } = request;
  const pace = new Pace({ ...PACE, ...request.pace });
  const signals = [pace.signal, deadline, ...(request.signal === undefined ? [] : [request.signal])];
  try {
    const answer = await exchange({
      url,
      what,
      headers: { ...headers, ...rangeHeaders(part) },
      authorization,
      signal: AbortSignal.any(signals),
    });
    try {
      const { status } = answer;
      if (status === 404 || status === 410) return { kind: 'gone', url, status };
      if (status === 416 && part.size > 0) {
        await part.restart();
        return await once(request, part, deadline);
      }
      if (status !== 200 && status !== 206) throw new AttemptFailed(statusFailure(what, url, answer));
      if (!isRestOf(answer, part)) {
        if (status === 206) {
          // not what was asked for: all of it, then
          const asked = part.size > 0;
          await part.restart();
          if (asked) return await once(request, part, deadline);
          throw new AttemptFailed(statusFailure(what, url, answer));
        }
        await part.restart();
      }
      return await receive(request, answer, part, pace);
    } finally {
      answer.discard();
    }
  } finally {
    pace.stop();
  }
}

function rangeHeaders({ size, validator: { etag, lastModified } }: PartialFile): Record<string, string> {
  const condition = etag ?? lastModified;
  return size === 0
    ? {}
    : { range: `bytes=${size}-`, ...(condition === undefined ? {} : { 'if-range': condition }) };
}

/** A 206 that begins where the part ends, of the same file (RFC 9110, section 14.4). */
function isRestOf(answer: Answer, { size, validator }: PartialFile): boolean {
  if (answer.status !== 206 || size === 0) return false;
  const range = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15})$/.exec(answer.header('content-range') ?? '');
  const etag = answer.header('etag');
  return (
    range !== null &&
    Number(range[1]) === size &&
    isPlainCoding(answer.header('content-encoding')) &&
    (validator.etag === undefined || etag === undefined || etag === validator.etag)
  );
}

/** Weak ones (`W/"…"`) do not promise the same bytes. */
function validatorOf(answer: Answer): Validator {
  const etag = answer.header('etag');
  const lastModified = answer.header('last-modified');
  if (!isPlainCoding(answer.header('content-encoding'))) return {};
  return {
    ...(etag !== undefined && /^"[\x21\x23-\x7e\x80-\xff]{0,200}"$/.test(etag) ? { etag } : {}),
    ...(lastModified !== undefined && !Number.isNaN(Date.parse(lastModified)) ? { lastModified } : {}),
  };
}

/** How many bytes the whole file will have, if the server says it. */
function announcedSize(answer: Answer): number | undefined {
  const text =
    answer.status === 206
      ? /\/(\d{1,15})$/.exec(answer.header('content-range') ?? '')?.[1]
      : isPlainCoding(answer.header('content-encoding'))
        ? /^\d{1,15}$/.exec(answer.header('content-length') ?? '')?.[0]
        : undefined;
  return text === undefined ? undefined : Number(text);
}

/** What the server says of the file: attacker-controlled, bounded. */
function described(answer: Answer): Pick<Fetched, 'etag' | 'contentType' | 'lastModified'> {
  const said = (name: string): string | undefined => answer.header(name)?.slice(0, 200);
  const [etag, contentType, lastModified] = [said('etag'), said('content-type'), said('last-modified')];
  return {
    ...(etag === undefined ? {} : { etag }),
    ...(contentType === undefined ? {} : { contentType }),
    ...(lastModified === undefined ? {} : { lastModified }),
  };
}

async function receive(
  request: DownloadRequest,
  answer: Answer,
  part: PartialFile,
  pace: Pace,
): Promise<DownloadOutcome> {
  const { url, what, expected = {}, phase = 'download', onProgress } = request;
  const limit = request.maxBytes ?? DEFAULT_MAX_BYTES;
  const announced = announcedSize(answer);
  const total = expected.size ?? announced;
  const tooLarge = (): FailedHere =>
    new FailedHere('unreadable-input', `${what} from ${url} is larger than the limit of ${limit} bytes`);
  if ((announced ?? 0) > limit && expected.size === undefined) throw tooLarge();
  if (part.size === 0) part.validator = validatorOf(answer);
  let told = part.size;
  const paced = async function* (): AsyncGenerator<Uint8Array> {
    for await (const chunk of answer.body) {
      pace.arrived(chunk.byteLength);
      yield chunk;
    }
  };
  for await (const chunk of decoded(paced(), answer.header('content-encoding'), what)) {
    const size = part.size + chunk.byteLength;
    if (expected.size !== undefined && size > expected.size)
      return { kind: 'wrong-content', url, expected, size };
    if (size > limit) throw tooLarge();
    await part.add(chunk);
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
  const { size } = part;
  // a 206 may end before the file does
  if (announced !== undefined && answer.status === 206 && size < announced)
    throw new AttemptFailed({
      retry: true,
      error: new FailedHere(
        'network',
        `could not fetch ${what} from ${url}: ${size} of ${announced} bytes arrived`,
      ),
    });
  const sha256 = part.sha256();
  if ((expected.size ?? size) !== size || (expected.sha256 ?? sha256) !== sha256)
    return { kind: 'wrong-content', url, expected, size, sha256 };
  return {
    kind: 'done',
    path: request.target,
    size,
    sha256,
    fetched: {
      url,
      hops: answer.hops,
      time: new Date().toISOString(),
      size,
      sha256,
      ...described(answer),
      digestExpected: expected.sha256 !== undefined,
    },
  };
}
