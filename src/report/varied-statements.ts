// SPDX-License-Identifier: Apache-2.0
/** What builds under other conditions than the plan's gave, in sentences. */
import type { Variation } from '../model.js';
import { clause, count, some } from './say.js';
import type { Report, RunRecord, Statement, VariedBuild } from './types.js';

/** Code of the departure of a report whose build was made under other conditions. */
export const VARIED_ENVIRONMENT = 'varied-environment';

const OTHER = {
  cpus: 'another number of CPUs',
  'host-name': 'another host name',
  'time-zone': 'another time zone',
  'directory-order': 'another order of directories',
} as const satisfies Record<Variation, string>;
const SHOWN = 10;

/** `another host name and another time zone` */
export function otherConditions(varied: readonly Variation[]): string {
  const words = varied.map((each) => OTHER[each]);
  const last = words.at(-1) ?? '';
  return words.length < 2 ? last : `${words.slice(0, -1).join(', ')} and ${last}`;
}

/** What else was otherwise with them: a build may have noticed that, and no order. */
export const beside = (varied: readonly Variation[]): string =>
  varied.includes('directory-order') ? ' (its tree lay in memory, and the build had more of that)' : '';

/** Those of the build that the report compares. */
export function conditionsOf({ run: { variations = [] } }: Pick<Report, 'run'>): string {
  const reported = variations.find((one) => one.reported === true);
  return reported === undefined ? 'as planned' : `with ${otherConditions(reported.varied)}`;
}

export function variedStatements({
  variations = [],
  standing,
}: Pick<RunRecord, 'variations' | 'standing'>): Statement[] {
  const list = variations.map((one, at): Statement => {
    const basis = [`/run/variations/${at}`];
    return { code: `variation-${one.outcome}`, sentence: sentenceOf(one), basis, check: CHECK[one.outcome] };
  });
  const basis = ['/run/variations'];
  const differs = variations.some(({ outcome, reported }) => outcome === 'differs' && reported !== true);
  if (differs && standing === 'confirmed')
    list.push({
      code: 'variation-matters',
      sentence:
        'Builds as planned agree where they differ from the published file; under other conditions they give other bytes.',
      basis,
      check: CHECK.differs,
    });
  const alone = variations.filter(({ varied, outcome }) => varied.length === 1 && outcome !== 'not-possible');
  if (differs && alone.length > 1 && alone.every(({ outcome }) => outcome === 'same'))
    list.push({
      code: 'variation-together',
      sentence: 'None of these conditions changed the outputs alone.',
      basis,
      check: CHECK.differs,
    });
  return list;
}

const CHECK = {
  same: 'build it again under these conditions and compare the SHA-256 of the outputs',
  differs: 'diffoscope BUILD-1 BUILD-2',
  'not-possible': 'nproc; free -m',
  failed: 'build it again under these conditions',
} as const satisfies Record<VariedBuild['outcome'], string>;

function sentenceOf({ varied, outcome, members = [], detail = '', reported }: VariedBuild): string {
  const other = otherConditions(varied);
  switch (outcome) {
    case 'same':
      return `A build with ${other} gave the same bytes as the first one.`;
    case 'differs':
      return `A build with ${other}${beside(varied)} differed from the first one in ${count(members.length, 'member')} (${some(members, SHOWN)})${reported === true ? ', and came nearer to the published file than each build as planned: this report compares it' : ''}.`;
    case 'not-possible':
      return `No build was made with ${other}: ${clause(detail)}.`;
    case 'failed':
      return `A build with ${other} gave nothing to compare: ${clause(detail)}.`;
  }
}
