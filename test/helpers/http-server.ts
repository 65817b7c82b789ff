// SPDX-License-Identifier: Apache-2.0
/** A web server on this machine whose every answer a test decides. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { ExecutionContext } from 'ava';

export interface LocalServer {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  /** Paths in the order in which they were asked for. */
  readonly requests: readonly string[];
}

/** `answer` gets the number of requests that this path has seen before. Closed with the test. */
export async function localServer(
  t: ExecutionContext,
  answer: (request: IncomingMessage, response: ServerResponse, before: number) => void,
): Promise<LocalServer> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    const before = requests.filter((earlier) => earlier === path).length;
    requests.push(path);
    answer(request, response, before);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { url: `http://127.0.0.1:${address.port}`, requests };
}
