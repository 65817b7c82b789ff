// SPDX-License-Identifier: Apache-2.0
/** A web server that knows ranges and validators (RFC 9110, section 14) and breaks off where a test says. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ExecutionContext } from 'ava';
import { localServer } from './http-server.js';

export interface RangedFile {
  readonly bytes: Buffer;
  readonly etag?: string;
  readonly lastModified?: string;
}

export interface Ranged {
  readonly url: string;
  /** `Range` of each request, in order; `undefined` for all of the file. */
  readonly ranges: readonly (string | undefined)[];
}

/** `file`: what is there at the n-th request. `cut`: after how many bytes that answer breaks off. */
export async function rangedServer(
  t: ExecutionContext,
  file: (request: number) => RangedFile,
  cut: (request: number) => number | undefined = () => undefined,
): Promise<Ranged> {
  const ranges: (string | undefined)[] = [];
  const { url } = await localServer(t, (request, response) => {
    const at = ranges.length;
    ranges.push(request.headers.range);
    send(request, response, file(at), cut(at));
  });
  return { url: `${url}/file`, ranges };
}

function send(
  { headers }: IncomingMessage,
  response: ServerResponse,
  { bytes, etag, lastModified }: RangedFile,
  cut: number | undefined,
): void {
  const common = {
    ...(etag === undefined ? {} : { etag }),
    ...(lastModified === undefined ? {} : { 'last-modified': lastModified }),
  };
  const from = /^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1];
  const condition = headers['if-range'];
  const start =
    from !== undefined && (condition === undefined || condition === etag || condition === lastModified)
      ? Number(from)
      : 0;
  if (start >= bytes.length) {
    response.writeHead(416, { 'content-range': `bytes */${bytes.length}` }).end();
    return;
  }
  const body = bytes.subarray(start);
  if (start === 0) response.writeHead(200, { ...common, 'content-length': body.length });
  else
    response.writeHead(206, {
      ...common,
      'content-length': body.length,
      'content-range': `bytes ${start}-${bytes.length - 1}/${bytes.length}`,
    });
  if (cut === undefined) response.end(body);
  // a client that has not read yet would lose what is on its way
  else response.write(body.subarray(0, cut), () => setTimeout(() => response.destroy(), 150));
}
