// SPDX-License-Identifier: Apache-2.0
/** Whether what a report says of its run can be true of its verdict. */
import type { Found } from './check.js';
import type { Report, ReportStatement, RunRecord } from './types.js';

export function checkRun({ statement, run }: Report, found: Found): void {
  const { kind } = statement.verdict;
  checkPublished(statement, run, found);
  if (run.assisted !== undefined)
    found('assisted', '/run/assisted', `no verdict comes of such a run: ${run.assisted}`);
  if (run.resumed !== undefined && run.resumed.begun > run.time)
    found('run', '/run/resumed', `it began ${run.resumed.begun}, and this run ended ${run.time}`);
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

/** What is told of a file is told of the file that the statement is about. */
function checkPublished({ subject }: ReportStatement, { published = [] }: RunRecord, found: Found): void {
  for (const [at, { file, from, fetched, digestFrom, index }] of published.entries()) {
    const pointer = `/run/published/${at}`;
    if ((index !== undefined) !== (from === 'fdroid' || from === 'debian-repository'))
      found('run', `${pointer}/index`, `${index === undefined ? 'none' : 'there'}, of a file from ${from}`);
    if ((published[at]?.phone !== undefined) !== (from === 'phone'))
      found('run', `${pointer}/phone`, `of a file from ${from}`);
    if (index !== undefined && digestFrom?.includes(index.url) !== true)
      found('run', `${pointer}/digestFrom`, `another than the index ${index.url}`);
    if (fetched === undefined) continue;
    if (fetched.digestExpected !== (digestFrom !== undefined))
      found('run', `${pointer}/digestFrom`, 'whether a digest was expected is told in two ways');
    // the statement names the members of an archive
    const same = subject.published.find(({ name }) => name === file);
    if (same !== undefined && (fetched.sha256 !== same.sha256 || fetched.size !== same.size))
      found(
        'run',
        `${pointer}/fetched`,
        `SHA-256 ${fetched.sha256}, and the statement's ${file} has ${same.sha256}`,
      );
  }
}
