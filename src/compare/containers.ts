// SPDX-License-Identifier: Apache-2.0
/** The registry of containers: formats whose records are compared one by one. A new one is a file and a line here. */
import type { ByteSource } from '../bytes.js';
import { FormatError } from '../errors.js';
import type { Container, Opened } from './container.js';
import type { LedgerNode, Side } from './types.js';
import type { Place, Walk } from './walk.js';
import { arContainer } from './ar-container.js';
import { encodedContainer } from './encoded/encoded-container.js';
import { gzip } from './encoded/gzip.js';
import { xz } from './encoded/xz.js';
import { zstd } from './encoded/zstd.js';
import { machoContainer } from './macho/macho-container.js';
import { tarContainer } from './tar-container.js';
import { zipContainer } from './zip/zip-container.js';

/** Parses both sides; `undefined` when one of them does not parse, which is then on record. */
type Opener = (
  walk: Walk,
  published: ByteSource,
  rebuilt: ByteSource,
  place: Place,
) => ((index: number) => Promise<LedgerNode>) | undefined;

function opener<Structure>(container: Container<Structure>): {
  readonly format: string;
  readonly recognizes: (source: ByteSource) => boolean;
  readonly open: Opener;
} {
  return {
    format: container.format,
    recognizes: (source) => container.recognizes(source),
    open: (walk, published, rebuilt, place) => {
      const parse = (source: ByteSource, side: Side): Opened<Structure> | undefined => {
        try {
          return { source, structure: container.parse(source) };
        } catch (error) {
          if (!(error instanceof FormatError)) throw error;
          walk.report({
            kind: 'malformed',
            path: place.path,
            side,
            code: error.code,
            offset: error.offset,
            detail: error.detail,
          });
          return undefined;
        }
      };
      const p = parse(published, 'published');
      const r = parse(rebuilt, 'rebuilt');
      return p === undefined || r === undefined
        ? undefined
        : (index) => container.compare(walk, p, r, place, index);
    },
  };
}

const REGISTRY = [
  opener(arContainer),
  opener(encodedContainer(gzip)),
  opener(encodedContainer(xz)),
  opener(encodedContainer(zstd)),
  opener(machoContainer),
  opener(tarContainer),
  opener(zipContainer),
] as const;

/** The format that recognises both sides, the first of the registry. */
export function containerFor(published: ByteSource, rebuilt: ByteSource): Opener | undefined {
  return REGISTRY.find(({ recognizes }) => recognizes(published) && recognizes(rebuilt))?.open;
}

/** Of one file by itself: the first of the registry that recognises it. */
export function formatOf(source: ByteSource): string | undefined {
  return REGISTRY.find(({ recognizes }) => recognizes(source))?.format;
}

/** The format of one side that the other side does not have, and which side that other one is. */
export function formatOfOne(
  published: ByteSource,
  rebuilt: ByteSource,
): { readonly format: string; readonly lacking: Side } | undefined {
  for (const { format, recognizes } of REGISTRY) {
    const [p, r] = [recognizes(published), recognizes(rebuilt)];
    if (p !== r) return { format, lacking: p ? 'rebuilt' : 'published' };
  }
  return undefined;
}
