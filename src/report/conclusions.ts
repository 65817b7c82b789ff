// SPDX-License-Identifier: Apache-2.0
/** What a report does not say, and what the publisher can do about a negative. */
import type { CauseKind } from '../compare/types.js';
import { checksDoNotSay } from './check-statements.js';
import { telling, UNTELLING } from './describe-difference.js';
import { AUTHENTICITY_TEXTS, CAUSE_ADVICE, UNVERIFIABLE_TEXTS } from './reason-texts.js';
import { count, say, type DecidedFacts } from './say.js';
import type { Statement } from './types.js';

export function doesNotSay(facts: DecidedFacts): Statement[] {
  const carried = facts.origins.filter((origin) => origin.kind === 'carried').length + facts.carried.length;
  const no = (code: string, sentence: string, ...basis: readonly string[]): Statement =>
    say(code, sentence, basis, 'grep -o \'"code":"[^"]*"\' report.json | sort -u   # all that it does say');
  return [
    no('not-safe', 'It does not say that the source is safe or does what it promises.', '/verdict'),
    no(
      'not-others',
      'It says nothing about servers, other files, other devices, other channels or later updates.',
      '/subject',
    ),
    ...(facts.checks === undefined
      ? [
          no(
            'not-carried',
            `It says nothing about what is inside of carried binaries (${carried} listed).`,
            '/origins',
            '/carried',
          ),
        ]
      : []),
    ...checksDoNotSay(facts).map(({ code, sentence }) => no(code, sentence, '/checks/outcomes')),
    ...((facts.plan ?? facts.checks)?.compare.acquisition.kind === 'site-files'
      ? [
          no(
            'not-other-visitors',
            'It does not say what another visitor, or the same one at another time, is served: a site can give each its own files.',
            facts.plan === undefined ? '/checks/compare/acquisition' : '/plan/compare/acquisition',
          ),
          no(
            'not-all-of-site',
            'It does not say that the site serves no other files than those that a scan of its texts found.',
            facts.plan === undefined ? '/checks/compare/acquisition' : '/plan/compare/acquisition',
          ),
        ]
      : []),
    no('not-audit', 'It is not an audit.', '/verdict'),
  ];
}

const AGAIN = 'run the same command again afterwards: the plan and the published files are named by digest';

export function publisherCan(facts: DecidedFacts): Statement[] {
  const { verdict, plan } = facts;
  const can = (code: string, what: string, ...basis: readonly string[]): Statement =>
    say(code, `The publisher can ${what}.`, basis, AGAIN);
  switch (verdict.kind) {
    case 'reproducible':
    case 'equivalent':
      return [];
    case 'unreproducible':
      return [environmentAdvice(facts), ...causeAdvice(facts, can)];
    case 'unbuildable':
      return [
        can(
          'fix-build',
          'state how this source is built, or correct it',
          plan === undefined ? '/verdict' : '/plan/build',
        ),
      ];
    case 'unverifiable':
      return verdict.reasons
        .map(({ code }, at) => ({ code, at }))
        .filter(({ code, at }) => verdict.reasons.findIndex((reason) => reason.code === code) === at)
        .map(({ code, at }) =>
          can(`resolve-${code}`, UNVERIFIABLE_TEXTS[code].publisherCan, `/verdict/reasons/${at}`),
        );
    case 'not-authentic':
      return verdict.reasons
        .map(({ code }, at) => ({ code, at }))
        .filter(({ code, at }) => verdict.reasons.findIndex((reason) => reason.code === code) === at)
        .map(({ code, at }) =>
          can(`resolve-${code}`, AUTHENTICITY_TEXTS[code].publisherCan, `/verdict/reasons/${at}`),
        );
  }
}

function environmentAdvice({ deviations, publisherEnvironment }: DecidedFacts): Statement {
  return say(
    'publish-environment',
    'The publisher can state the exact build environment of this release: image digest, package versions, commands.',
    deviations.length > 0
      ? ['/deviations']
      : publisherEnvironment.length > 0
        ? ['/publisherEnvironment']
        : ['/verdict'],
    AGAIN,
  );
}

/** One sentence for each cause that was found, and one for all findings whose cause nobody knows. */
function causeAdvice(
  { comparison }: DecidedFacts,
  can: (code: string, what: string, ...basis: readonly string[]) => Statement,
): Statement[] {
  const first = new Map<CauseKind, string>();
  let unexplained = 0;
  for (const [at, pair] of (comparison?.pairs ?? []).entries())
    for (const [index, difference] of pair.differences.entries()) {
      const kind = 'cause' in difference ? difference.cause?.kind : undefined;
      if (kind === undefined || kind === 'unknown') {
        if (telling(difference) < UNTELLING) unexplained++;
      } else if (!first.has(kind)) first.set(kind, `/comparison/pairs/${at}/differences/${index}`);
    }
  const advice = [...first]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([kind, pointer]) => {
      const what = CAUSE_ADVICE[kind] as string | undefined;
      return what === undefined ? [] : [can(`avoid-${kind}`, what, pointer)];
    });
  return unexplained === 0
    ? advice
    : [
        ...advice,
        can(
          'explain',
          `say where the ${count(unexplained, 'finding')} without a known cause ${unexplained === 1 ? 'comes' : 'come'} from`,
          '/comparison/pairs',
        ),
      ];
}
