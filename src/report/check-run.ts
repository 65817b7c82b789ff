// SPDX-License-Identifier: Apache-2.0
/** Whether what a report says of its run can be true of its verdict. */
import type { Found } from './check.js';
import type { Report } from './types.js';

export function checkRun({ statement, run }: Report, found: Found): void {
  const { kind } = statement.verdict;
  const matched = kind === 'reproducible' || kind === 'equivalent';
  if (run.matchingBuilds > run.builds)
    found('run', '/run/matchingBuilds', `${run.matchingBuilds}, of ${run.builds} builds`);
  if (run.builds > 0 && matched && run.matchingBuilds === 0)
    found('run', '/run/matchingBuilds', `0, and the verdict is ${kind}`);
  if ((kind === 'unreproducible' || kind === 'unbuildable') && run.matchingBuilds > 0)
    found('run', '/run/matchingBuilds', `${run.matchingBuilds}, and the verdict is ${kind}`);
  if (run.standing !== undefined && kind !== 'unreproducible')
    found('run', '/run/standing', `${run.standing}, and the verdict is ${kind}`);
  if ((run.standing === 'confirmed' || run.standing === 'unstable') && run.builds < 2)
    found('run', '/run/standing', `${run.standing}, of ${run.builds} builds`);
  if (run.standing === 'unstable' && (run.unstableMembers ?? []).length === 0)
    found('run', '/run/unstableMembers', 'unstable, and no member is named');
  if ((run.unstableMembers ?? []).length > 0 && run.builds < 2)
    found('run', '/run/unstableMembers', `named, of ${run.builds} builds`);
}
