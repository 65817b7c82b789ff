// SPDX-License-Identifier: Apache-2.0
/** Whether what a report says of its run can be true of its verdict. */
import type { Found } from './check.js';
import { otherConditions, VARIED_ENVIRONMENT } from './varied-statements.js';
import type { Report, ReportStatement, RunRecord } from './types.js';

export function checkRun({ statement, run }: Report, found: Found): void {
  const { kind } = statement.verdict;
  checkPublished(statement, run, found);
  checkVariations(statement, run, found);
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

/** Nothing that is told of other conditions may be told in two ways. */
function checkVariations({ deviations, verdict }: ReportStatement, run: RunRecord, found: Found): void {
  const { variations = [] } = run;
  for (const [at, { varied, outcome, members = [], detail, reported }] of variations.entries()) {
    const pointer = `/run/variations/${at}`;
    if (varied.length === 0 || new Set(varied).size < varied.length)
      found('run', `${pointer}/varied`, `none, or one of them twice: ${varied.join(', ')}`);
    if (members.length > 0 !== (outcome === 'differs'))
      found('run', `${pointer}/members`, `${members.length}, and the outcome is ${outcome}`);
    if ((detail !== undefined) !== (outcome === 'not-possible' || outcome === 'failed'))
      found('run', `${pointer}/detail`, `whether it says why, and the outcome is ${outcome}`);
    if (reported === true && outcome !== 'differs')
      found('run', `${pointer}/reported`, `the outcome is ${outcome}`);
  }
  if (variations.some(({ outcome }) => outcome !== 'not-possible') && run.builds === 0)
    found('run', '/run/variations', 'of a run without a build');
  const reported = variations.filter((one) => one.reported === true);
  const departs = deviations.filter(({ code }) => code === VARIED_ENVIRONMENT);
  if (reported.length !== departs.length || reported.length > 1)
    found('run', '/run/variations', `${reported.length} reported, and ${departs.length} departures say so`);
  const [one] = reported;
  if (one === undefined) return;
  if (departs[0]?.what.includes(otherConditions(one.varied)) !== true)
    found('run', '/run/variations', 'the departure names other conditions');
  if (verdict.kind === 'unreproducible' || verdict.kind === 'unbuildable')
    found('run', '/run/variations', `one came nearer, and the verdict is ${verdict.kind}`);
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
