// SPDX-License-Identifier: Apache-2.0
/** Whether the ranges of a recipe's builds overlap or leave a gap between them: decided exactly, by trying the edges. */
import { rangeOf } from './candidates.js';
import { compareVersions, inRange, type VersionRange, type VersionScheme } from './version.js';

export interface RangeFaults {
  readonly overlap?: string;
  readonly gap?: string;
}

/** Versions at which membership of the range begins or ends. */
function edgesOf(range: VersionRange): readonly string[] {
  switch (range.kind) {
    case 'any':
      return [];
    case 'exact':
      return [range.version];
    case 'prefix': {
      const next = BigInt(range.parts.at(-1) ?? '0') + 1n;
      return [range.parts.join('.'), [...range.parts.slice(0, -1), next].join('.')];
    }
    case 'bounds':
      return range.bounds.map(({ version }) => version);
  }
}

/** Membership changes at edges only: trying each edge, what lies just above it, and 0 below them all is exhaustive. */
export function rangeFaults(ranges: readonly string[], scheme: VersionScheme): RangeFaults {
  const parsed = ranges.map((text) => ({ text, range: rangeOf(text) }));
  const edges = parsed.flatMap(({ range }) => edgesOf(range));
  const probes = ['0', ...edges.flatMap((edge) => [edge, `${edge}.0.0.0.1`])].sort((a, b) =>
    compareVersions(a, b, scheme),
  );
  const held = probes.map((probe) => ({
    probe,
    by: parsed.filter(({ range }) => inRange(probe, range, scheme)).map(({ text }) => text),
  }));
  const overlap = held.find(({ by }) => by.length > 1);
  const first = held.findIndex(({ by }) => by.length > 0);
  const last = held.findLastIndex(({ by }) => by.length > 0);
  const gap = held.find(({ by }, i) => by.length === 0 && i > first && i < last);
  return {
    ...(overlap === undefined ? {} : { overlap: `${overlap.by.join(' and ')} both hold ${overlap.probe}` }),
    ...(gap === undefined ? {} : { gap: `no range holds ${gap.probe}, between others that do` }),
  };
}
