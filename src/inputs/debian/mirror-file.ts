// SPDX-License-Identifier: Apache-2.0
/** A file that a signed index lists, from whatever mirror: it is that file, or the mirror is incomplete, which is ours. */
import { FailedHere } from '../../errors.js';
import type { Fetched } from '../../model.js';
import type { IndexedFile } from './debian-release.js';
import { cachedDownload } from '../cache.js';
import type { DownloadRequest } from '../http/download.js';

export interface IndexedRequest extends Omit<DownloadRequest, 'url' | 'target' | 'expected'> {
  /** Address of the archive, with or without a slash at its end. */
  readonly mirror: string;
  /** Below the archive's root. */
  readonly path: string;
  readonly expected: IndexedFile;
  /** What to do about a file that is not as the index says; default: for a mirror of Debian. */
  readonly hint?: string;
}

export function mirrorUrl(mirror: string, path: string): string {
  const escaped = path.split('/').map((part) => encodeURIComponent(part));
  return `${mirror.replace(/\/+$/, '')}/${escaped.join('/')}`;
}

const HINT =
  'the mirror may be in the middle of an update: try again later, or name another one in SAMESOURCE_DEBIAN_MIRROR';

export type MirrorFile =
  /** `path`: of the file in the cache. */
  | { readonly kind: 'done'; readonly path: string; readonly fetched?: Fetched }
  | { readonly kind: 'gone'; readonly status: 404 | 410 };

/**
 * Returns the path of the file in the cache.
 * @throws FailedHere `mirror-incomplete` when the mirror has it not or has other bytes under its name
 */
export async function indexedDownload(cache: string, request: IndexedRequest): Promise<string> {
  return (await indexedFile(cache, request)).path;
}

/** As `indexedDownload`, with where it came from. */
export async function indexedFile(
  cache: string,
  request: IndexedRequest,
): Promise<Extract<MirrorFile, { kind: 'done' }>> {
  const { path, what } = request;
  const file = await onceIndexedDownload(cache, request);
  if (file.kind === 'done') return file;
  throw new FailedHere(
    'mirror-incomplete',
    `the signed index lists ${what} (${path}), but the mirror answers with status ${file.status}`,
    { hint: request.hint ?? HINT },
  );
}

/**
 * As `indexedDownload` for what an index listed once and perhaps lists no more: that it is gone is an answer.
 * @throws FailedHere `mirror-incomplete` when the mirror has other bytes under its name
 */
export async function onceIndexedDownload(cache: string, request: IndexedRequest): Promise<MirrorFile> {
  const { mirror, path, expected, what } = request;
  const outcome = await cachedDownload(cache, { ...request, url: mirrorUrl(mirror, path) });
  switch (outcome.kind) {
    case 'done':
      return {
        kind: 'done',
        path: outcome.path,
        ...(outcome.fetched === undefined ? {} : { fetched: outcome.fetched }),
      };
    case 'gone':
      return { kind: 'gone', status: outcome.status };
    case 'wrong-content':
      throw new FailedHere(
        'mirror-incomplete',
        `the mirror delivers other bytes for ${what} (${path}): ` +
          (outcome.sha256 === undefined || outcome.size !== expected.size
            ? `${outcome.size} bytes or more, the signed index says ${expected.size}`
            : `SHA-256 ${outcome.sha256}, the signed index says ${expected.sha256}`),
        { hint: request.hint ?? HINT },
      );
  }
}
