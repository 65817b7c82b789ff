// SPDX-License-Identifier: Apache-2.0
/** A web server with TLS and a certificate of its own authority, for tests that `need(t, 'openssl')`. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { ExecutionContext } from 'ava';
import { Authority } from '../../src/inputs/proxy/authority.js';
import { temporaryDirectory } from './temp-directory.js';

export interface LocalTlsServer {
  readonly port: number;
  /** What a client must trust. */
  readonly pem: string;
}

export async function localTlsServer(
  t: ExecutionContext,
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<LocalTlsServer> {
  const authority = await Authority.make(temporaryDirectory(t));
  const context = await authority.contextFor('localhost');
  const server = createServer({ SNICallback: (_, callback) => callback(null, context) }, answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { port: address.port, pem: authority.pem };
}
