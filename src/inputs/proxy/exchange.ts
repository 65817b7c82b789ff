// SPDX-License-Identifier: Apache-2.0
/** One request through our proxy: to the server, or to an earlier record; back to who asked, and into the cache. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { Sha256 } from '../../model.js';
import { firstOf } from '../../process.js';
import { fromCache } from '../cache.js';
import { Incoming } from '../incoming.js';
import { OwnAddress } from './hosts.js';
import { recordedLocation, requestKey, shownUrl } from './request-key.js';
import type { Upstream } from './upstream.js';
import type { Exchange, RecordedWorld, WorldRecord } from './world-record.js';

export interface ExchangeContext {
  readonly cache: string;
  readonly record: WorldRecord;
  readonly upstream: Upstream;
  readonly mirror: string | undefined;
  /** Instead of a server. */
  readonly replay: RecordedWorld | undefined;
  /** How often each was given. */
  readonly given: Map<Sha256, number>;
  /** Bytes that may still be kept. */
  readonly room: { left: number };
  /** What the record lacks. */
  readonly missing: Set<string>;
}

/** Of one connection, or between us and the server alone. */
const HOP_BY_HOP = new Set([
  'connection',
  'expect',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);
/** Of a person or a connection, and nothing that a build may depend on. */
const NOT_KEPT = new Set(['set-cookie', 'set-cookie2', 'alt-svc', 'www-authenticate', 'authentication-info']);

export const words = (text: string): string => `samesource: ${text}\n`;

export function refuse(response: ServerResponse, status: number, text: string): void {
  if (response.headersSent) response.destroy();
  else
    response
      .writeHead(status, { 'content-type': 'text/plain; charset=utf-8', connection: 'close' })
      .end(words(text));
}

/** `origin`: scheme, host and port; `target`: the rest of the address as it was sent. Never throws. */
export async function forward(
  request: IncomingMessage,
  response: ServerResponse,
  origin: URL,
  target: string,
  context: ExchangeContext,
): Promise<void> {
  const method = request.method ?? 'GET';
  const url = `${origin.origin}${target}`;
  const exchange = context.record.begin(method, shownUrl(url, context.mirror));
  const body = new RequestBody(request);
  const asked = { method, url, headers: request.headers };
  try {
    if (context.replay === undefined)
      await fromServer(request, response, { origin, target, body, exchange, context });
    exchange.key = requestKey({ ...asked, ...(await body.digest()) }, context.mirror);
    if (context.replay !== undefined) await fromRecord(response, exchange, context.replay, context);
  } catch (error) {
    // that nothing whole came of it is part of the record
    if (body.isRead) exchange.key ??= requestKey({ ...asked, ...(await body.digest()) }, context.mirror);
    exchange.problem ??= exchange.status === undefined ? 'no-answer' : 'cut';
    // whoever went away was not left waiting
    if (!response.destroyed) context.record.notServed(`${method} ${exchange.url}: ${exchange.problem}`);
    if (error instanceof OwnAddress || (error as { cause?: unknown }).cause instanceof OwnAddress)
      refuse(response, 403, `${origin.host} is an address of this machine, which a build does not see`);
    else refuse(response, 502, `no answer from ${origin.host}: ${codeOf(error)}`);
  }
}

const codeOf = (error: unknown): string => {
  const { code, message } = error as { code?: unknown; message?: unknown };
  return String(code ?? message ?? error).slice(0, 200);
};

/** What was sent along, digested as it goes by. */
class RequestBody {
  readonly #request: IncomingMessage;
  readonly #hash = createHash('sha256');
  readonly #present: boolean;
  #read = false;

  constructor(request: IncomingMessage) {
    this.#request = request;
    const { headers } = request;
    this.#present =
      headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? '0') > 0;
  }

  get stream(): AsyncIterable<Uint8Array> | null {
    return this.#present ? this.chunks() : null;
  }

  get isRead(): boolean {
    return this.#read || !this.#present;
  }

  async digest(): Promise<{ readonly body?: Sha256 }> {
    if (!this.#present) return {};
    if (!this.#read) for await (const _ of this.chunks());
    return { body: this.#hash.copy().digest('hex') };
  }

  async *chunks(): AsyncGenerator<Uint8Array> {
    const request: AsyncIterable<Buffer> = this.#request;
    for await (const chunk of request) {
      this.#hash.update(chunk);
      yield chunk;
    }
    this.#read = true;
  }
}

interface Forwarded {
  readonly origin: URL;
  readonly target: string;
  readonly body: RequestBody;
  readonly exchange: Exchange;
  readonly context: ExchangeContext;
}

async function fromServer(
  request: IncomingMessage,
  response: ServerResponse,
  { origin, target, body, exchange, context }: Forwarded,
): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) gone.abort();
  });
  const dispatcher = await context.upstream.dispatcherFor(origin);
  const answer = await dispatcher.request({
    origin: origin.origin,
    path: target,
    method: request.method ?? 'GET',
    headers: pairs(request.rawHeaders).flat(),
    body: body.stream as never,
    signal: gone.signal,
    responseHeaders: 'raw',
  });
  const headers = pairs(answer.headers as unknown as readonly string[]);
  exchange.status = answer.statusCode;
  if (answer.statusCode === 429 || answer.statusCode >= 500)
    context.record.notServed(`${exchange.method} ${exchange.url}: status ${answer.statusCode}`);
  exchange.headers = headers
    .filter(([name]) => !NOT_KEPT.has(name.toLowerCase()))
    .map(([name, value]) =>
      name.toLowerCase() === 'location'
        ? ([name, recordedLocation(value, `${origin.origin}${target}`, context.mirror)] as const)
        : ([name, value] as const),
    );
  response.writeHead(answer.statusCode, headers.flat() as never);
  await passOn(answer.body as AsyncIterable<Uint8Array>, response, exchange, context);
}

/** At the pace of the slower of both; what is not whole is not kept. */
async function passOn(
  body: AsyncIterable<Uint8Array>,
  response: ServerResponse,
  exchange: Exchange,
  context: ExchangeContext,
): Promise<void> {
  let incoming: Incoming | undefined;
  const stated = exchange.headers?.find(([name]) => name.toLowerCase() === 'content-length')?.[1];
  // whoever has all of it may be gone before we are done with it
  let whole = false;
  // the chunk before is on its way to the disk while the next one comes
  let stored: Promise<boolean> = Promise.resolve(true);
  const discard = async (): Promise<void> => {
    await stored;
    await incoming?.drop();
    incoming = undefined;
  };
  const drop = async (problem: NonNullable<Exchange['problem']>): Promise<void> => {
    exchange.problem = problem;
    await discard();
  };
  try {
    for await (const chunk of body) {
      exchange.size += chunk.length;
      whole = stated === String(exchange.size);
      const written = response.write(chunk);
      if (whole) response.end();
      context.room.left -= chunk.length;
      if (context.room.left < 0) await drop('too-large');
      else if (exchange.problem === undefined) {
        incoming ??= await Incoming.open(context.cache).catch(() => undefined);
        // a full disk ends the phase by itself; whoever asked gets what they asked for
        if (incoming === undefined || !(await stored)) await drop('not-stored');
        else
          stored = incoming.write(chunk).then(
            () => true,
            () => false,
          );
      }
      if (whole) continue;
      if (response.destroyed) throw new Error('whoever asked is gone');
      if (!written && response.writableNeedDrain) await firstOf(response, 'drain', 'close');
    }
  } catch (error) {
    if (!whole) {
      await discard();
      throw error;
    }
  }
  if (!(await stored)) await drop('not-stored');
  try {
    if (incoming !== undefined) exchange.sha256 = await incoming.keep();
    incoming = undefined;
    response.end();
  } finally {
    await discard();
  }
}

async function fromRecord(
  response: ServerResponse,
  exchange: Exchange,
  { answers, unanswered }: RecordedWorld,
  context: ExchangeContext,
): Promise<void> {
  const key = exchange.key ?? '';
  const recorded = answers.get(key);
  const before = context.given.get(key) ?? 0;
  context.given.set(key, before + 1);
  // asked more often than then: the last answer was the one that was worked with
  const answer = recorded?.[Math.min(before, recorded.length - 1)];
  const file = answer?.sha256 === undefined ? undefined : await fromCache(context.cache, answer.sha256);
  if (answer === undefined && unanswered.has(key)) {
    exchange.problem = 'no-answer';
    refuse(response, 502, `nothing whole came of ${exchange.method} ${exchange.url} when it was recorded`);
    return;
  }
  if (answer === undefined || (answer.sha256 !== undefined && file === undefined)) {
    context.missing.add(`${exchange.method} ${exchange.url}`);
    exchange.problem = 'no-answer';
    refuse(response, 504, `${exchange.method} ${exchange.url} is not in the record`);
    return;
  }
  exchange.status = answer.status;
  exchange.size = answer.size;
  response.writeHead(answer.status, (answer.headers ?? []).flat() as never);
  if (file === undefined) {
    response.end();
    return;
  }
  if (answer.sha256 !== undefined) exchange.sha256 = answer.sha256;
  // whoever has enough of it may be gone before its end
  await pipeline(createReadStream(file, { highWaterMark: 1 << 18 }), response).catch(() => undefined);
}

/** Names and values in turn, as they came, without those of the connection. */
function pairs(raw: readonly (string | Buffer)[]): [string, string][] {
  const text = raw.map((item) => (typeof item === 'string' ? item : item.toString('latin1')));
  const named = new Set(HOP_BY_HOP);
  for (let at = 0; at + 1 < text.length; at += 2)
    if (text[at]?.toLowerCase() === 'connection')
      for (const name of (text[at + 1] ?? '').split(',')) named.add(name.trim().toLowerCase());
  const kept: [string, string][] = [];
  for (let at = 0; at + 1 < text.length; at += 2) {
    const [name = '', value = ''] = [text[at], text[at + 1]];
    if (!named.has(name.toLowerCase())) kept.push([name, value]);
  }
  return kept;
}
