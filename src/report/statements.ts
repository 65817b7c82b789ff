// SPDX-License-Identifier: Apache-2.0
/**
 * Every sentence that a report says, with what it rests on and how to check it without this tool. Renderings only
 * repeat these; they have no words of their own but headings.
 */
import type { SetComparison } from '../compare/types.js';
import { checkStatements } from './check-statements.js';
import { environmentStatements } from './environment-statements.js';
import { idsigStatements } from './idsig-statements.js';
import { originStatements, sourceStatements } from './input-statements.js';
import { pairStatements } from './pair-statements.js';
import { AUTHENTICITY_TEXTS, UNVERIFIABLE_TEXTS } from './reason-texts.js';
import { clause, count, fetching, percent, say, some, type DecidedFacts } from './say.js';
import { splitStatements } from './split-statements.js';
import type { Statement } from './types.js';

export function statementsOf(facts: DecidedFacts): Statement[] {
  return [
    ...reasonStatements(facts),
    ...checkStatements(facts),
    ...pairStatements(facts),
    ...setStatements(facts),
    ...splitStatements(facts),
    ...idsigStatements(facts),
    ...buildStatements(facts),
    ...sourceStatements(facts),
    ...originStatements(facts),
    ...environmentStatements(facts),
    ...facts.knownResults.map((known, at) =>
      say(
        'known-result',
        `${known.by} reported ${known.result} for ${known.version} (${known.channel})${known.reason === undefined ? '' : `: ${clause(known.reason)}`}; this is their result, not ours.`,
        [`/knownResults/${at}`],
        fetching(known.url),
      ),
    ),
  ];
}

// ---------------------------------------------------------------- verdict

function reasonStatements({ verdict, builtBy, subject }: DecidedFacts): Statement[] {
  const list: Statement[] = [];
  if (verdict.kind === 'not-authentic')
    for (const [at, { code, detail }] of verdict.reasons.entries())
      list.push(
        say(
          `not-authentic-${code}`,
          `This file is not what the publisher signed: ${AUTHENTICITY_TEXTS[code].meaning} (${code}: ${clause(detail)}). This is about the file, not about the publisher.`,
          [`/verdict/reasons/${at}`],
          AUTHENTICITY_TEXTS[code].check,
        ),
      );
  if (verdict.kind === 'unverifiable')
    for (const [at, { code, detail }] of verdict.reasons.entries())
      list.push(
        say(
          `unverifiable-${code}`,
          `It could not be checked: ${UNVERIFIABLE_TEXTS[code].meaning} (${code}: ${clause(detail)}).`,
          [`/verdict/reasons/${at}`],
          UNVERIFIABLE_TEXTS[code].check,
        ),
      );
  if (builtBy !== undefined)
    list.push(
      say(
        'built-by',
        `The published ${subject.published.length === 1 ? 'file was' : 'files were'} built by the ${builtBy}.`,
        ['/builtBy'],
        'look at the page of the channel that the plan names',
      ),
    );
  return list;
}

// ---------------------------------------------------------------- the set

const has = ({ published }: DecidedFacts['subject'], name: string): boolean =>
  published.some((file) => file.name === name);

function setStatements({ comparison, coverage, subject, plan }: DecidedFacts): Statement[] {
  if (comparison === undefined) return [];
  const list: Statement[] = [];
  if (comparison.pairs.length > 0)
    list.push(
      say(
        'coverage',
        `${percent(coverage.ratio)} of the content matched (${coverage.matched} of ${coverage.total} content bytes; ${coverage.rootMatched} of ${coverage.rootTotal} file bytes), in ${count(comparison.pairs.length, 'pair')} of files.`,
        ['/coverage'],
        'add up the sums of both ledgers in report.json',
      ),
    );
  for (const [at, file] of comparison.unpairedPublished.entries())
    list.push(
      say(
        'unpaired-published',
        `${file.name} is published and our build made no such file.`,
        [`/comparison/unpairedPublished/${at}`],
        'list the outputs of the build',
      ),
    );
  for (const [at, name] of comparison.notObtained.entries())
    list.push(
      say(
        'not-obtained',
        `${name} is published and was not obtained, so nothing is said about it.`,
        [`/comparison/notObtained/${at}`],
        'fetch it from the channel',
      ),
    );
  const others =
    plan?.compare.eachAlone === true
      ? new Set(plan.compare.pairs.map(({ published }) => published).filter((name) => !has(subject, name)))
      : new Set<string>();
  if (others.size > 0)
    list.push(
      say(
        'other-deliveries',
        `Users get one of ${count(others.size + subject.published.length, 'file')} of this version; nothing is said about ${some([...others], 20)}.`,
        ['/plan/compare/pairs'],
        'fetch them from the channel',
      ),
    );
  const declared = comparison.notPublished;
  if (declared.length > 0)
    list.push(
      say(
        'declared-unpublished',
        `${count(declared.length, 'rebuilt file')} that the recipe declares unpublished ${declared.length === 1 ? 'was' : 'were'} not compared: ${some(
          declared.map(({ name }) => name),
          20,
        )}.`,
        ['/comparison/notPublished'],
        'list the channel',
      ),
    );
  for (const [at, { name }] of comparison.unpairedRebuilt.entries())
    list.push(
      say(
        'undeclared-rebuilt',
        `${name} was built and has no published twin.`,
        [`/comparison/unpairedRebuilt/${at}`],
        'list the channel',
      ),
    );
  list.push(...folderStatements(comparison));
  if (subject.published.length > 0 && comparison.pairs.length === 0)
    list.push(
      say('nothing-compared', 'No file was compared.', ['/comparison/pairs'], 'sha256sum PUBLISHED REBUILT'),
    );
  return list;
}

function folderStatements({ folders }: SetComparison): Statement[] {
  const { outside = [], notSeen = [] } = folders ?? {};
  const list: Statement[] = [];
  if (outside.length > 0)
    list.push(
      say(
        'published-outside',
        `${count(outside.length, 'published file')} of folders that the plan does not name ${outside.length === 1 ? 'was' : 'were'} compared with nothing: ${some(
          outside.map(({ name }) => name),
          20,
        )}.`,
        ['/comparison/folders/outside'],
        'list the outputs of the build',
      ),
    );
  if (notSeen.length > 0)
    list.push(
      say(
        'rebuilt-not-seen',
        `${count(notSeen.length, 'rebuilt file')} ${notSeen.length === 1 ? 'was' : 'were'} not among the published files that were seen, and not compared: ${some(notSeen, 20)}.`,
        ['/comparison/folders/notSeen'],
        'ask the site for the same paths',
      ),
    );
  return list;
}

// ---------------------------------------------------------------- build

function buildStatements({ buildFailure, plan }: DecidedFacts): Statement[] {
  const list: Statement[] = [];
  if (buildFailure !== undefined)
    list.push(
      say(
        'build-failed',
        `A command of the ${buildFailure.phase} phase ended with exit code ${buildFailure.exitCode}${buildFailure.firstError.length === 0 ? '' : `; its first error: ${clause(buildFailure.firstError[0] ?? '')}`}; nothing of ours is known to have caused it.`,
        ['/buildFailure'],
        'run the commands of the plan by hand',
      ),
    );
  if (plan?.build.environment.image.kind === 'none')
    list.push(
      say(
        'no-container',
        'The build ran in a temporary directory of the machine itself; no container was used, so that nothing kept it from the other files there, the published ones among them.',
        ['/plan/build/environment/image'],
        'grep -o \'"image":{[^}]*}\' report.json',
      ),
    );
  if (plan?.build.environment.image.kind === 'host')
    list.push(
      say(
        'on-host',
        'The build ran on a machine of another system than ours, without a container, so that nothing kept it from what else was there.',
        ['/plan/build/environment/image'],
        'grep -o \'"image":{[^}]*}\' report.json',
      ),
    );
  return list;
}
