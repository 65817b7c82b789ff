// SPDX-License-Identifier: Apache-2.0
/** The way from our proxy to a server: as for our own downloads through the machine's proxy, and never to this machine. */
import net from 'node:net';
import type { Dispatcher } from 'undici';
import { dispatcher, proxyFor } from '../http/http-proxy.js';
import { guardedLookup, isOwnAddress, OwnAddress, plainHost } from './hosts.js';

const CONNECT_MS = 30_000;

export interface Upstream {
  /** @throws OwnAddress */
  dispatcherFor(url: URL): Promise<Dispatcher>;
  /** @throws OwnAddress */
  connect(host: string, port: number): Promise<net.Socket>;
  close(): Promise<void>;
}

/** `trusted`: `host:port` of servers that may lie on this machine, as a mirror does. */
export async function upstream(trusted: ReadonlySet<string>, toTrusted?: Dispatcher): Promise<Upstream> {
  const { Agent, Client } = await import('undici');
  const limits = { headersTimeout: 0, bodyTimeout: 0, maxHeaderSize: 64 << 10, connections: 32 };
  const guarded = new Agent({ ...limits, connect: { lookup: guardedLookup, timeout: CONNECT_MS } });
  const isTrusted = (url: URL): boolean => trusted.has(hostAndPort(url));
  const check = (url: URL): void => {
    if (!isTrusted(url) && isOwnAddress(url.hostname))
      throw new OwnAddress(`${url.hostname} is an address of this machine`);
  };
  return {
    async dispatcherFor(url) {
      if (isTrusted(url)) return toTrusted ?? (await dispatcher());
      check(url);
      return proxyFor(url) === undefined ? guarded : await dispatcher();
    },
    async connect(host, port) {
      const url = new URL(`https://${host}:${port}`);
      check(url);
      const proxy = proxyFor(url);
      if (proxy === undefined)
        return await directly(plainHost(host), port, isTrusted(url) ? undefined : guardedLookup);
      const at = new URL(proxy);
      const client = new Client(at.origin, limits);
      const { statusCode, socket } = await client.connect({
        path: `${host}:${port}`,
        headers: {
          host: `${host}:${port}`,
          ...(at.username === '' ? {} : { 'proxy-authorization': basic(at) }),
        },
      });
      if (statusCode === 200 && socket instanceof net.Socket) return socket;
      socket.destroy();
      throw new Error(`the proxy answers with status ${statusCode}`);
    },
    async close() {
      await guarded.destroy();
    },
  };
}

export const hostAndPort = (url: URL): string =>
  `${plainHost(url.hostname)}:${url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : url.port}`;

const basic = ({ username, password }: URL): string =>
  `Basic ${Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64')}`;

async function directly(
  host: string,
  port: number,
  lookup: net.LookupFunction | undefined,
): Promise<net.Socket> {
  const socket = net.connect({ host, port, ...(lookup === undefined ? {} : { lookup }) });
  socket.setTimeout(CONNECT_MS, () => socket.destroy(new Error('no connection in time')));
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve).once('error', reject);
  });
  socket.setTimeout(0).removeAllListeners('timeout');
  return socket;
}
