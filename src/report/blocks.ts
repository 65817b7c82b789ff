// SPDX-License-Identifier: Apache-2.0
/** Evidence that is lines of text as they were: the first error of a build, commands, packages, logs, tools. */
import type { Report } from './types.js';

export interface Block {
  readonly id:
    'first-error' | 'failure-tail' | 'commands' | 'packages' | 'tools' | 'logs' | 'unstable' | 'variations';
  readonly title: string;
  /** JSON pointer into the report. */
  readonly pointer: string;
  readonly lines: readonly string[];
}

/** Those with at least one line, what went wrong first. */
export function blocksOf({ statement, run }: Report): readonly Block[] {
  const { environment } = run;
  const blocks: readonly Block[] = [
    {
      id: 'first-error',
      title: 'First error of the build',
      pointer: '/statement/buildFailure/firstError',
      lines: statement.buildFailure?.firstError ?? [],
    },
    {
      id: 'failure-tail',
      title: 'End of the build’s log',
      pointer: '/run/failureTail',
      lines: run.failureTail ?? [],
    },
    {
      id: 'unstable',
      title: 'Members in which our builds differ from each other',
      pointer: '/run/unstableMembers',
      lines: run.unstableMembers ?? [],
    },
    {
      id: 'variations',
      title: 'Members that differ under other conditions than the plan’s',
      pointer: '/run/variations',
      lines: (run.variations ?? []).flatMap(({ varied, members = [] }) =>
        members.map((member) => `${varied.join(', ')}: ${member}`),
      ),
    },
    {
      id: 'commands',
      title: 'Commands of the build',
      pointer: '/run/environment/commands',
      lines: environment?.commands ?? [],
    },
    {
      id: 'tools',
      title: 'Tools that took part',
      pointer: '/run/tools',
      lines: run.tools.map(({ name, version }) => `${name} ${version}`),
    },
    {
      id: 'logs',
      title: 'Logs by digest',
      pointer: '/run/logs',
      lines: run.logs.map(({ phase, name, sha256 }) => `${sha256}  ${phase}: ${name}`),
    },
    {
      id: 'packages',
      title: 'Packages of the environment',
      pointer: '/run/environment/packages',
      lines: (environment?.packages ?? []).map(
        ({ name, version, architecture }) => `${name} ${version} ${architecture}`,
      ),
    },
  ];
  return blocks.filter(({ lines }) => lines.length > 0);
}
