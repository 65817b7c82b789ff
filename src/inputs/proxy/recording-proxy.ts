// SPDX-License-Identifier: Apache-2.0
/**
 * The one way out of a container's phase: an HTTP proxy that records what it lets through, or answers from such a record.
 * Whoever speaks to it is the publisher's script and may say anything.
 */
import { createServer, type IncomingMessage } from 'node:http';
import type { Server } from 'node:net';
import path from 'node:path';
import type { Duplex } from 'node:stream';
import type { Dispatcher } from 'undici';
import { FailedHere } from '../../errors.js';
import type { FetchedWorld, PhaseName, Sha256 } from '../../model.js';
import { readyForIncoming } from '../incoming.js';
import { Authority } from './authority.js';
import { forward, refuse, type ExchangeContext } from './exchange.js';
import { isListed } from './hosts.js';
import { refuseTunnel, tunnel, type TunnelContext } from './tunnel.js';
import { hostAndPort, upstream } from './upstream.js';
import { readWorldRecord, WorldRecord } from './world-record.js';

export interface ProxyOptions {
  readonly phase: PhaseName;
  readonly cache: string;
  /** Of this run. */
  readonly directory: string;
  /** All that may be asked; default every host. */
  readonly hosts?: readonly string[];
  /** HTTPS is read, by a certificate that the container is to trust. */
  readonly certificate?: boolean;
  /** May always be asked, also on this machine, and is `<archive>` in the record. */
  readonly debianMirror?: string;
  /** More than that is not kept. */
  readonly maxBytes: number;
  /** Digest of a record: nothing is asked of the network. */
  readonly replay?: Sha256;
  /** `host:port` of servers on this machine that may be asked. */
  readonly trusted?: readonly string[];
  /** To those; default as our own downloads. */
  readonly dispatcher?: Dispatcher;
  readonly signal?: AbortSignal;
}

/** What the phase was told by us and not by a server. */
export interface ProxyOutcome {
  readonly world: FetchedWorld;
  /** Hosts that the recipe does not list. */
  readonly refused: readonly string[];
  /** What the record lacks. */
  readonly missing: readonly string[];
  /** What no server answered, or not to its end, or with an error of its own. */
  readonly unserved: readonly string[];
}

export interface RecordingProxy {
  readonly certificate?: { readonly pem: string; readonly keyStore: Uint8Array };
  /** On an address of this machine, or on a socket that listens already. The port. */
  listen(where: { readonly host: string; readonly port: number } | Server): Promise<number>;
  /** Ends every connection. */
  close(): Promise<ProxyOutcome>;
}

const MAX_HEADERS = 64 << 10;
const MAX_CONNECTIONS = 512;
const MAX_NAMED = 50;
const HEAD_MS = 60_000;
const CLOSE_MS = 10_000;

export async function recordingProxy(options: ProxyOptions): Promise<RecordingProxy> {
  const { cache, phase, hosts, debianMirror, replay, signal } = options;
  await readyForIncoming(cache);
  const mirror = debianMirror === undefined ? undefined : new URL(debianMirror);
  const recorded = replay === undefined ? undefined : await readWorldRecord(cache, replay);
  const authority =
    options.certificate === true
      ? await Authority.make(path.join(options.directory, `authority-${phase}`), signal)
      : undefined;
  const trusted = new Set([
    ...(options.trusted ?? []),
    ...(mirror === undefined ? [] : [hostAndPort(mirror)]),
  ]);
  const record = new WorldRecord();
  const server = await upstream(trusted, options.dispatcher);
  const refused = new Set<string>();
  const missing = new Set<string>();
  const working = new Set<Promise<void>>();
  const opened = new WeakMap<object, URL>();
  const sockets = new Set<Duplex>();
  const context: ExchangeContext = {
    cache,
    record,
    upstream: server,
    mirror: debianMirror,
    replay: recorded,
    given: new Map(),
    room: { left: options.maxBytes },
    missing,
  };
  const remember = (set: Set<string>, what: string): void => {
    if (set.size < MAX_NAMED) set.add(what);
  };
  const isRefused = (at: URL): boolean => {
    if (hosts === undefined || isListed(at.hostname, hosts)) return false;
    if (mirror !== undefined && hostAndPort(at) === hostAndPort(mirror)) return false;
    remember(refused, at.hostname);
    return true;
  };
  const work = (one: Promise<void>): void => {
    const done = one.finally(() => working.delete(done));
    working.add(done);
  };
  const proxy = createServer({
    maxHeaderSize: MAX_HEADERS,
    headersTimeout: HEAD_MS,
    requestTimeout: 0,
    keepAliveTimeout: HEAD_MS,
  });
  proxy.maxConnections = MAX_CONNECTIONS;
  proxy.on('connection', (socket) => {
    sockets.add(socket);
    // what ends a connection is seen where it is read or written
    socket.on('error', () => undefined);
    socket.once('close', () => sockets.delete(socket));
  });
  proxy.on('request', (request, response) => {
    response.on('error', () => undefined);
    const asked = addressOf(request, opened.get(request.socket));
    if (asked === undefined) {
      record.refused('not-http', shownTarget(request.url));
      refuse(response, 400, 'this is a proxy for http and https addresses');
    } else if (isRefused(asked.origin))
      refuse(response, 403, `the recipe does not list ${asked.origin.hostname}, so that it is not asked`);
    else work(forward(request, response, asked.origin, asked.target, context));
  });
  const tunnels: TunnelContext = {
    authority,
    upstream: server,
    record,
    offline: recorded !== undefined,
    missing,
    opened: (socket, origin) => {
      opened.set(socket, origin);
      proxy.emit('connection', socket);
    },
  };
  proxy.on('connect', (request, socket, head) => {
    const at = authorityOf(request.url);
    if (at === undefined) {
      record.refused('not-http', shownTarget(request.url));
      refuseTunnel(socket, 400, 'Bad Request', 'expected a host and a port');
    } else if (isRefused(at))
      refuseTunnel(
        socket,
        403,
        'Forbidden',
        `the recipe does not list ${at.hostname}, so that it is not asked`,
      );
    else
      work(
        tunnel(socket, head, { host: at.hostname, port: Number(at.port === '' ? 443 : at.port) }, tunnels),
      );
  });
  proxy.on('upgrade', (request, socket) => {
    record.refused('other-protocol', `upgrade to ${shownTarget(request.headers.upgrade)}`);
    refuseTunnel(socket, 501, 'Not Implemented', 'only http and https are let through');
  });
  proxy.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (error.code !== 'ECONNRESET') record.refused('not-http', error.code ?? 'unknown');
    if (socket.writable) refuseTunnel(socket, 400, 'Bad Request', 'this is no request that we understand');
    else socket.destroy();
  });
  return {
    ...(authority === undefined ? {} : { certificate: { pem: authority.pem, keyStore: authority.keyStore } }),
    async listen(where) {
      await new Promise<void>((resolve, reject) => {
        proxy.once('error', reject);
        if ('listen' in where) proxy.listen(where, resolve);
        else proxy.listen(where.port, where.host, resolve);
      }).catch((error: unknown) => {
        throw new FailedHere(
          'no-recording',
          `the recording proxy cannot listen: ${(error as Error).message}`,
          { cause: error },
        );
      });
      const address = proxy.address();
      return typeof address === 'object' && address !== null ? address.port : 0;
    },
    async close() {
      proxy.close();
      for (const socket of sockets) socket.destroy();
      await Promise.race([
        Promise.all(working),
        new Promise<void>((resolve) => void setTimeout(resolve, CLOSE_MS).unref()),
      ]);
      await server.close();
      const world = await record.finish(phase, cache, replay);
      return {
        world,
        refused: [...refused].sort(),
        missing: [...missing].sort().slice(0, MAX_NAMED),
        unserved: record.unserved,
      };
    },
  };
}

const shownTarget = (text: string | undefined): string =>
  (text ?? '')
    .replace(/\?.*$/s, '?…')
    .replace(/[^\x21-\x7e…]/g, '?')
    .slice(0, 100);

/** RFC 9112, section 3.2: the absolute form; inside of an opened tunnel the origin form. */
function addressOf(
  request: IncomingMessage,
  inside: URL | undefined,
): { readonly origin: URL; readonly target: string } | undefined {
  const url = request.url ?? '';
  const [, absolute, rest = ''] = /^(https?:\/\/[^/?#]+)([^#]*)$/i.exec(url) ?? [];
  if (absolute !== undefined) {
    const target = rest.startsWith('/') ? rest : `/${rest}`;
    // a user name in an address is no part of it for the server
    const plain = absolute.replace(/\/\/[^/]*@/, '//');
    return URL.canParse(plain) ? { origin: new URL(plain), target } : undefined;
  }
  return inside !== undefined && url.startsWith('/') ? { origin: inside, target: url } : undefined;
}

function authorityOf(text: string | undefined): URL | undefined {
  if (text === undefined || !/^(?:\[[0-9a-f:.]+\]|[^\s:/?#@[\]]+):\d{1,5}$/i.test(text)) return undefined;
  return URL.canParse(`https://${text}`) ? new URL(`https://${text}`) : undefined;
}
