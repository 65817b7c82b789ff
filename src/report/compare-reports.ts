// SPDX-License-Identifier: Apache-2.0
/** Two reports of one plan, stage by stage: what came of it then, and what comes of it now. Pure. */
import { canonicalJson, digestOf } from '../canonical-json.js';
import type { FetchedWorld, FileIdentity } from '../model.js';
import type { Report } from './types.js';
import { conditionsOf, variedStatements } from './varied-statements.js';

export const REPLAY_STAGES = [
  'published',
  'source',
  'environment',
  'conditions',
  'inputs',
  'fetched',
  'outputs',
  'comparison',
  'statement',
] as const;

export interface ReplayStage {
  readonly stage: (typeof REPLAY_STAGES)[number];
  /** `unknown`: one of the two does not say it. */
  readonly outcome: 'same' | 'other' | 'unknown';
  /** In people's words; of what is other, the first. */
  readonly detail: string;
}

const SHOWN = 5;

export function compareReports(then: Report, now: Report): readonly ReplayStage[] {
  const [was, is] = [then.statement, now.statement];
  return [
    files('published', was.subject.published, is.subject.published),
    stage('source', was.source, is.source, sourceText(now)),
    stage('environment', environmentOf(then), environmentOf(now), environmentText(now)),
    stage('conditions', builtUnder(then), builtUnder(now), conditionsText(then, now)),
    stage('inputs', inputsOf(then), inputsOf(now), `${is.linkable.count} objects and archives to link`),
    fetchedStage(then.run.fetched, now.run.fetched),
    files('outputs', was.subject.rebuilt, is.subject.rebuilt),
    stage('comparison', was.comparison, is.comparison, `verdict ${is.verdict.kind}`),
    then.statementSha256 === now.statementSha256
      ? { stage: 'statement', outcome: 'same', detail: `sha256:${now.statementSha256}` }
      : {
          stage: 'statement',
          outcome: 'other',
          detail: `sha256:${then.statementSha256} then, sha256:${now.statementSha256} now; ${partsThatDiffer(then, now)}`,
        },
  ];
}

function stage(name: ReplayStage['stage'], was: unknown, is: unknown, detail: string): ReplayStage {
  if (was === undefined && is === undefined)
    return { stage: name, outcome: 'unknown', detail: 'neither report says' };
  if (was === undefined || is === undefined)
    return {
      stage: name,
      outcome: 'unknown',
      detail: `only the report of ${was === undefined ? 'now' : 'then'} says`,
    };
  return { stage: name, outcome: digestOf(was) === digestOf(is) ? 'same' : 'other', detail };
}

/** Members of the statement, which is what the digest is over. */
function partsThatDiffer(then: Report, now: Report): string {
  const [was, is] = [then.statement, now.statement] as unknown as Record<string, unknown>[];
  const names = [...new Set([...Object.keys(was ?? {}), ...Object.keys(is ?? {})])].sort();
  const text = (value: unknown): string => (value === undefined ? '' : canonicalJson(value));
  return `they differ in ${names.filter((name) => text(was?.[name]) !== text(is?.[name])).join(', ')}`;
}

function sourceText({ statement: { source } }: Report): string {
  if (source === undefined) return '';
  const tree = source.treeSha256 === undefined ? '' : `, tree sha256:${source.treeSha256}`;
  return source.kind === 'git'
    ? `commit ${source.commit}${tree}`
    : `${source.package} ${source.version}${tree}`;
}

const environmentOf = ({ run: { environment } }: Report): unknown =>
  environment === undefined
    ? undefined
    : {
        image: environment.image ?? null,
        architecture: environment.architecture,
        packages: environment.packages,
      };

function environmentText({ run: { environment } }: Report): string {
  const image = environment?.image;
  const digest = image?.rootfsSha256 ?? image?.digest;
  return `${image?.name ?? environment?.executor ?? ''}${digest === undefined ? '' : ` ${digest}`}, ${environment?.packages.length ?? 0} packages`;
}

const builtUnder = (report: Report): string | undefined =>
  report.run.environment === undefined ? undefined : conditionsOf(report);

function conditionsText(then: Report, now: Report): string {
  const [was, is] = [conditionsOf(then), conditionsOf(now)];
  if (was === is) return is;
  const tried = variedStatements(now.run).map(({ sentence }) => sentence);
  const why = tried.length === 0 ? 'no build under other conditions was made' : tried.join(' ');
  return `then ${was}, now ${is}: ${why}`;
}

const inputsOf = ({ statement: { source, linkable, unopened } }: Report): unknown => ({
  tree: source?.treeSha256 ?? null,
  linkable,
  unopened: unopened?.inputs ?? null,
});

function files(
  name: 'published' | 'outputs',
  was: readonly FileIdentity[],
  is: readonly FileIdentity[],
): ReplayStage {
  const lines = (list: readonly FileIdentity[]): readonly string[] =>
    list.map((file) => `${file.name} sha256:${file.sha256}`);
  return lists(name, lines(was), lines(is), `${is.length} ${is.length === 1 ? 'file' : 'files'}`);
}

function fetchedStage(
  was: readonly FetchedWorld[] | undefined,
  is: readonly FetchedWorld[] | undefined,
): ReplayStage {
  if (was === undefined || is === undefined)
    return {
      stage: 'fetched',
      outcome: 'unknown',
      detail: `what the phases fetched ${was === undefined ? 'then' : 'now'} was not recorded`,
    };
  const cut = [...was, ...is].some(({ count, requests }) => count > requests.length);
  const lines = (worlds: readonly FetchedWorld[]): readonly string[] =>
    worlds.flatMap(({ phase, requests }) =>
      requests.map(
        ({ method, url, status, sha256 }) =>
          `${phase}: ${method} ${url} ${sha256 === undefined ? (status ?? 'no answer') : `sha256:${sha256}`}`,
      ),
    );
  const found = lists('fetched', lines(was), lines(is), `${lines(is).length} answers`);
  return found.outcome === 'same' && cut
    ? {
        stage: 'fetched',
        outcome: 'unknown',
        detail: `the first ${lines(is).length} answers are the same; a report lists no more`,
      }
    : found;
}

/** In any order, each once: programs ask at the same time, and again. */
function lists(
  name: ReplayStage['stage'],
  was: readonly string[],
  is: readonly string[],
  detail: string,
): ReplayStage {
  const [before, after] = [new Set(was), new Set(is)];
  const gone = [...before].filter((line) => !after.has(line)).sort();
  const added = [...after].filter((line) => !before.has(line)).sort();
  if (gone.length + added.length === 0) return { stage: name, outcome: 'same', detail };
  const shown = [...gone.map((line) => `then ${line}`), ...added.map((line) => `now ${line}`)];
  const more = shown.length > SHOWN ? `; and ${shown.length - SHOWN} more` : '';
  return { stage: name, outcome: 'other', detail: `${shown.slice(0, SHOWN).join('; ')}${more}` };
}
