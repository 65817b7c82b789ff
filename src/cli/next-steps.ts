// SPDX-License-Identifier: Apache-2.0
/** What to do after a verdict, as commands. */
import { printable, type Report } from '../index.js';

/** Where the report is, and what to do next. */
export function nextSteps({ statement, statementSha256, run }: Report, location: string | undefined): string {
  const { verdict, plan, subject } = statement;
  const steps: string[] = [];
  if (location !== undefined)
    steps.push(`read it in a browser: ${location}/index.html`, `check it: verify report ${location} --check`);
  switch (verdict.kind) {
    case 'reproducible':
    case 'equivalent':
      steps.push('quote it: verify report REPORT --format brief');
      break;
    case 'unreproducible':
      if (run.standing === 'single')
        steps.push('confirm it with one more build: the same command without --no-confirm');
      if (
        plan?.build.source.kind === 'debian' &&
        !statement.publisherEnvironment.some(({ from }) => from === 'buildinfo')
      )
        steps.push(
          'name the differing build dependencies: --buildinfo FILE with the publisher’s record of its build',
        );
      break;
    case 'unverifiable':
      if (verdict.reasons.some((reason) => reason.code === 'no-published-artifact'))
        steps.push('hand the published file over: --published FILE');
      if (verdict.reasons.some((reason) => reason.code === 'limits'))
        steps.push('raise the limit that the reason names');
      break;
    case 'unbuildable':
      steps.push(
        'look inside: the same command with --keep failed, then `verify shell RUN`',
        `see the whole log: verify build ${subject.target?.app ?? ''} ${subject.target?.version ?? ''}`,
      );
      break;
    case 'not-authentic':
      steps.push('get the file again from the publisher; --build-anyway compares it nevertheless');
      break;
  }
  return [
    `statement sha256:${statementSha256}`,
    ...(location === undefined ? [] : [`report    ${location}`]),
    'Next',
    ...steps.map((step) => `  - ${printable(step)}`),
  ].join('\n');
}
