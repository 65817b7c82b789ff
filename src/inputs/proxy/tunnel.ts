// SPDX-License-Identifier: Apache-2.0
/** CONNECT: opened and read where the container trusts our certificate, else a tunnel of which only host and bytes are known. */
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { TLSSocket } from 'node:tls';
import type { Authority } from './authority.js';
import { OwnAddress } from './hosts.js';
import { words } from './exchange.js';
import type { Upstream } from './upstream.js';
import type { WorldRecord } from './world-record.js';

/** First byte of a TLS record that holds a handshake (RFC 8446, section 5.1). */
const HANDSHAKE = 0x16;
const HANDSHAKE_MS = 30_000;

export interface TunnelContext {
  readonly authority: Authority | undefined;
  readonly upstream: Upstream;
  readonly record: WorldRecord;
  /** Instead of servers. */
  readonly offline: boolean;
  readonly missing: Set<string>;
  /** Gets what was TLS, without it. */
  readonly opened: (socket: TLSSocket, origin: URL) => void;
}

export function refuseTunnel(client: Duplex, status: number, reason: string, text: string): void {
  client.end(
    `HTTP/1.1 ${status} ${reason}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n${words(text)}`,
  );
}

/** Never throws. */
export async function tunnel(
  client: Duplex,
  head: Buffer,
  at: { readonly host: string; readonly port: number },
  context: TunnelContext,
): Promise<void> {
  const name = `${at.host}:${at.port}`;
  const { authority, record, offline, missing } = context;
  if (authority === undefined) {
    if (offline) {
      missing.add(`CONNECT ${name}`);
      refuseTunnel(
        client,
        504,
        'Gateway Timeout',
        `what went through a tunnel to ${name} is not in the record`,
      );
      return;
    }
    await pass(client, head, at, 'tunnel', context);
    return;
  }
  client.write('HTTP/1.1 200 Connection established\r\n\r\n');
  const first = head.length > 0 ? head : await firstBytes(client);
  if (first.length === 0) return void client.destroy();
  if (first[0] !== HANDSHAKE) {
    if (offline) {
      missing.add(`CONNECT ${name}`);
      client.destroy();
    } else await pass(client, first, at, 'other-protocol', context, true);
    return;
  }
  client.unshift(first);
  const secureContext = await authority.contextFor(at.host).catch(() => undefined);
  if (secureContext === undefined) {
    record.refused('other-protocol', name);
    return void client.destroy();
  }
  const secured = new TLSSocket(client, {
    isServer: true,
    secureContext,
    ALPNProtocols: ['http/1.1'],
  });
  const timer = setTimeout(() => secured.destroy(new Error('no handshake in time')), HANDSHAKE_MS);
  let shaken = false;
  secured.on('error', () => {
    clearTimeout(timer);
    // its certificate is refused by who does not look where it was put
    if (!shaken) record.refused('certificate-refused', name);
    secured.destroy();
  });
  secured.once('secure', () => {
    shaken = true;
    clearTimeout(timer);
    context.opened(secured, new URL(`https://${name}`));
  });
  secured.once('close', () => clearTimeout(timer));
}

async function pass(
  client: Duplex,
  head: Buffer,
  { host, port }: { readonly host: string; readonly port: number },
  code: 'tunnel' | 'other-protocol',
  { upstream, record }: TunnelContext,
  answered = false,
): Promise<void> {
  const name = `${host}:${port}`;
  let server;
  try {
    server = await upstream.connect(host, port);
  } catch (error) {
    record.notServed(`CONNECT ${name}: no-answer`);
    if (answered) client.destroy();
    else if (error instanceof OwnAddress)
      refuseTunnel(
        client,
        403,
        'Forbidden',
        `${host} is an address of this machine, which a build does not see`,
      );
    else refuseTunnel(client, 502, 'Bad Gateway', `no connection to ${name}`);
    return;
  }
  server.on('error', () => undefined);
  if (!answered) client.write('HTTP/1.1 200 Connection established\r\n\r\n');
  let bytes = head.length;
  const count = async function* (chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      bytes += chunk.length;
      yield chunk;
    }
  };
  if (head.length > 0) server.write(head);
  // one end that is closed closes the other
  await Promise.all([pipeline(client, count, server), pipeline(server, count, client)]).catch(() => {
    client.destroy();
    server.destroy();
  });
  record.missed(code, name, bytes);
}

async function firstBytes(client: Duplex): Promise<Buffer> {
  return await new Promise<Buffer>((resolve) => {
    const timer = setTimeout(() => resolve(Buffer.alloc(0)), HANDSHAKE_MS);
    const done = (chunk: Buffer): void => {
      clearTimeout(timer);
      client.pause();
      resolve(chunk);
    };
    client.once('data', done);
    client.once('close', () => done(Buffer.alloc(0)));
    client.once('end', () => done(Buffer.alloc(0)));
  });
}
