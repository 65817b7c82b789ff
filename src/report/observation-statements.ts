// SPDX-License-Identifier: Apache-2.0
/** What is said of the ambiguities of a pair: which, where, on which side, and that no verdict comes of them. */
import type { Observation, PairComparison, Sightings } from '../compare/types.js';
import { OBSERVATION_TEXTS } from './observation-texts.js';
import { clause, count, quoted, say } from './say.js';
import type { Statement } from './types.js';

export function observationStatements(pair: PairComparison, base: string): Statement[] {
  return (pair.observations ?? []).map((observation, at) => {
    const { title, meaning, check } = OBSERVATION_TEXTS[observation.code];
    const file = [pair.published.name, ...observation.path].join(' > ');
    return say(
      `ambiguous-${observation.code.slice('zip/'.length)}`,
      `${file} has ${title} (${observation.code}; ${sides(observation)}): ${meaning}.`,
      [`${base}/observations/${at}`],
      check.replace('FILE', quoted(pair.published.name)),
    );
  });
}

function sides({ published, rebuilt }: Observation): string {
  if (published !== undefined && rebuilt !== undefined) {
    const same = published.count === rebuilt.count;
    return same
      ? `both sides, ${shown(published)}`
      : `published ${shown(published)}; rebuilt ${shown(rebuilt)}`;
  }
  if (published !== undefined) return `published only, ${shown(published)}`;
  return `rebuilt only, ${rebuilt === undefined ? '' : shown(rebuilt)}`;
}

function shown({ count: all, first }: Sightings): string {
  const [one] = first;
  if (one === undefined) return count(all, 'time');
  const member = one.member === undefined ? '' : ` (${one.member})`;
  const detail = one.detail === undefined ? '' : `: ${clause(one.detail)}`;
  return `${all === 1 ? '' : `${count(all, 'time')}, first `}at offset ${one.offset}${member}${detail}`;
}
