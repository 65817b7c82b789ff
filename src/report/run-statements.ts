// SPDX-License-Identifier: Apache-2.0
/** What one run of ours was like, in sentences. */
import { publishedStatements } from './published-statements.js';
import { fetchedStatements } from './fetched-statements.js';
import { knownFailure } from '../known-failures.js';
import { count, quoted, some } from './say.js';
import { variedStatements } from './varied-statements.js';
import type { BuildUse, ReportStatement, RunRecord, Statement } from './types.js';

const SHOWN = 10;
/** Of a line, for a shell: it may go on below. */
const CHECKED = 60;

export function runStatements(run: Omit<RunRecord, 'statements'>, statement: ReportStatement): Statement[] {
  const list: Statement[] = [...publishedStatements(run)];
  const said = (code: string, sentence: string, pointer: string, check: string): void => {
    list.push({ code, sentence, basis: [`/run${pointer}`], check });
  };
  const again = 'build it again from the plan and compare the SHA-256 of the outputs';
  const built = statement.verdict.kind === 'unbuildable' ? 'The build was tried' : 'It was built';
  if (run.builds > 0)
    said(
      'builds',
      `${built} ${run.builds === 1 ? 'once' : `${run.builds} times`} on one machine; ${run.matchingBuilds} of the builds matched.`,
      '/builds',
      again,
    );
  for (const [at, { id, line }] of (run.knownFailures ?? []).entries()) {
    const { happened, advice } = knownFailure(id);
    said(
      `known-failure-${id}`,
      `A line of the log is known: ${happened}. To try: ${advice}. The line: “${line}”.`,
      `/knownFailures/${at}`,
      `grep -nF -e ${quoted(line.slice(0, CHECKED))} LOG`,
    );
  }
  for (const [at, use] of (run.usedBuilds ?? []).entries())
    if (use.reused) said('build-reused', reuse(use, at, run), `/usedBuilds/${at}`, again);
  for (const [at, { attempt, outcome }] of (run.otherBuilds ?? []).entries())
    said(
      'build-ended-otherwise',
      `Build ${attempt} gave nothing to compare: ${outcome.replace(/\.$/, '')}.`,
      `/otherBuilds/${at}`,
      again,
    );
  if (statement.verdict.kind === 'unreproducible' && run.standing !== undefined)
    said(
      `standing-${run.standing}`,
      {
        single: 'The mismatch was seen in one build and not confirmed by another.',
        confirmed:
          'The mismatch is confirmed: two clean builds of ours agree where they differ from the published file.',
        unstable: 'Our own builds disagree with each other there: the build itself is not deterministic.',
      }[run.standing],
      '/standing',
      again,
    );
  const unstable = run.unstableMembers ?? [];
  if (unstable.length > 0)
    said(
      'unstable-members',
      `Our builds differ from each other in ${count(unstable.length, 'member')}: ${some(unstable, SHOWN)}.`,
      '/unstableMembers',
      'diffoscope BUILD-1 BUILD-2',
    );
  list.push(...variedStatements(run));
  environment(run, said);
  list.push(...fetchedStatements(run));
  for (const [at, log] of run.logs.entries())
    if (log.truncatedBytes > 0)
      said(
        'log-truncated',
        `The log of the ${log.phase} phase was longer than is kept: ${count(log.truncatedBytes, 'byte')} of it are counted only.`,
        `/logs/${at}`,
        again,
      );
  if (run.missingTools.length > 0)
    said(
      'missing-tools',
      `Missing on the machine: ${run.missingTools.join(', ')}.`,
      '/missingTools',
      'command -v TOOL',
    );
  if (run.resumed !== undefined)
    said(
      'resumed',
      `${run.resumed.from === 'build' ? 'Its environment was prepared' : 'Its environment was prepared and the build was made'} in an earlier run of ours, which began ${run.resumed.begun}, and was used again by its digest.`,
      '/resumed',
      again,
    );
  if (run.replayOf !== undefined)
    said(
      'replay',
      `It is a replay: its plan was taken from the report whose statement has SHA-256 ${run.replayOf}, and not made of a recipe here.`,
      '/replayOf',
      'verify plan APP VERSION --json | jq -r .buildDigest',
    );
  if (run.supersedes !== undefined)
    said(
      'supersedes',
      `It takes the place of the report whose statement has SHA-256 ${run.supersedes}.`,
      '/supersedes',
      'look for the digest among the reports of the same app and version',
    );
  return list;
}

function reuse(
  { id, made, executor, engineVersion, of }: BuildUse,
  at: number,
  { usedBuilds = [] }: Omit<RunRecord, 'statements'>,
): string {
  const which = usedBuilds.length === 1 ? 'The build' : `Build ${at + 1}`;
  const what =
    of === undefined
      ? 'the kept result of the same plan'
      : `the kept result of ${of.app} ${of.version} (build digest ${of.buildDigest})`;
  const engine = `${executor}${engineVersion === undefined ? '' : ` ${engineVersion}`}`;
  return `${which} was not made for this report: it is ${what}, made with ${engine} at ${made}${id === undefined ? '' : ` (${id})`}.`;
}

/** Where a build ran that had no image. */
const WITHOUT_IMAGE = {
  local: 'in a temporary directory of the machine itself, without a container',
  ssh: 'in a directory of an account on another machine, reached over SSH, without a container',
  docker: 'with docker, without an image',
  podman: 'with podman, without an image',
} as const satisfies Record<NonNullable<RunRecord['environment']>['executor'], string>;

function environment(
  { environment: record }: Omit<RunRecord, 'statements'>,
  said: (code: string, sentence: string, pointer: string, check: string) => void,
): void {
  if (record === undefined) return;
  const { executor, engineVersion, image } = record;
  const engine = `${executor}${engineVersion === undefined ? '' : ` ${engineVersion}`}`;
  const digests = [
    ...(image?.digest === undefined ? [] : [`digest ${image.digest}`]),
    ...(image?.lockSha256 === undefined ? [] : [`lock SHA-256 ${image.lockSha256}`]),
    ...(image?.rootfsSha256 === undefined ? [] : [`root file system SHA-256 ${image.rootfsSha256}`]),
  ];
  const where =
    image === undefined
      ? WITHOUT_IMAGE[executor]
      : `with ${engine} in image ${image.name}${digests.length === 0 ? '' : ` (${digests.join(', ')})`}`;
  said(
    'environment',
    `The build ran ${where}: ${record.architecture}, ${record.kernel}, ${count(record.cpuCount, 'CPU')}, ${count(record.packages.length, 'package')} installed.`,
    '/environment',
    'dpkg-query -W   # inside of the image',
  );
  if (record.commands.length > 0)
    said(
      'commands',
      `${count(record.commands.length, 'command')} ${record.commands.length === 1 ? 'is' : 'are'} recorded as run there.`,
      '/environment/commands',
      'run them one after the other in the same image',
    );
}
