// SPDX-License-Identifier: Apache-2.0
/** Where the published files of a run came from, for the run part of its report. */
import type { PublishedFile } from '../inputs/published.js';
import type { PublishedOrigin } from '../report/types.js';
import type { FileSignature } from './judge-published.js';

/** `signatures`: what was found of them before a build. */
export function publishedOrigins(
  files: readonly PublishedFile[],
  signatures: readonly FileSignature[],
): readonly PublishedOrigin[] {
  return files.map(({ name, from, fetched, digestFrom, index, phone }) => ({
    file: name,
    from,
    ...(fetched === undefined ? {} : { fetched }),
    ...(digestFrom === undefined ? {} : { digestFrom }),
    ...(index === undefined ? {} : { index }),
    ...(phone === undefined ? {} : { phone }),
    signatures: signatures
      .filter(({ published }) => published === name)
      .map(({ file, status, signers }) => ({ file, status, signers })),
  }));
}
