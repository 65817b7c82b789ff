// SPDX-License-Identifier: Apache-2.0
/** Tools that took part in a comparison, or would have, for the run part of its report. */
import type { PairComparison } from '../compare/types.js';

/** Each once, sorted by name. */
export function toolsOf(pairs: readonly PairComparison[]): { name: string; version: string }[] {
  const tools = new Map(pairs.flatMap((pair) => pair.decoders.map(({ name, version }) => [name, version])));
  return [...tools].sort().map(([name, version]) => ({ name, version }));
}

export function missingTools(pairs: readonly PairComparison[]): string[] {
  const named = pairs.flatMap((pair) =>
    pair.differences.flatMap((found) =>
      found.kind === 'unread' && found.code === 'missing-tool'
        ? [/: (\S+) is not installed/.exec(found.detail)?.[1] ?? '']
        : [],
    ),
  );
  return [...new Set(named.filter((name) => name !== ''))].sort();
}
