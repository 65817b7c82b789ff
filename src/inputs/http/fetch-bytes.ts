// SPDX-License-Identifier: Apache-2.0
/** A file over HTTP(S) that is checked as a whole and then let go: nothing of it stays. */
import { createHash } from 'node:crypto';
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { storageFailure, sweepParts } from '../atomic-file.js';
import { download, type DownloadOutcome, type DownloadRequest } from './download.js';

export type Fetched<T> =
  { readonly kind: 'done'; readonly value: T } | Extract<DownloadOutcome, { readonly kind: 'gone' }>;

export interface FetchRequest extends Omit<DownloadRequest, 'target' | 'expected'> {
  readonly maxBytes: number;
}

/** @throws FailedHere as `download` */
export async function fetchBytes(cache: string, request: FetchRequest): Promise<Fetched<Buffer>> {
  return await fetchAside(cache, request, async (file) => await fs.readFile(file));
}

/** As `fetchBytes` for what is too large to hold: `read` gets a file that is gone afterwards. */
export async function fetchAside<T>(
  cache: string,
  request: FetchRequest,
  read: (file: string) => Promise<T>,
): Promise<Fetched<T>> {
  const incoming = path.join(cache, 'incoming');
  await fs.mkdir(incoming, { recursive: true }).catch((error: unknown) => {
    throw storageFailure(error, request.what, incoming);
  });
  await sweepParts(incoming);
  const name = createHash('sha256').update(`${request.url}\0${performance.now()}`).digest('hex');
  const target = path.join(incoming, `.bytes.part-${process.pid}-${name.slice(0, 12)}`);
  try {
    const outcome = await download({ ...request, target });
    if (outcome.kind === 'gone') return outcome;
    return { kind: 'done', value: await read(target) };
  } finally {
    await fs.rm(target, { force: true });
  }
}
