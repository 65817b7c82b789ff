// SPDX-License-Identifier: Apache-2.0
/** What a report says of each stage, as flat facts that can be set against those of another report. */
import type { LedgerNode, Owner, PairComparison } from '../compare/types.js';
import { describeDifference, where } from './describe-difference.js';
import { some } from './say.js';
import type { Report } from './types.js';
import { conditionsOf, otherConditions, VARIED_ENVIRONMENT } from './varied-statements.js';

/** In the order in which a difference leads to the next one. */
export const STAGES = [
  'published',
  'source',
  'plan',
  'environment',
  'fetched',
  'inputs',
  'outputs',
  'rules',
  'verdict',
] as const;
export type Stage = (typeof STAGES)[number];

/** What it is called for people, and what it is; sorted by the walk. */
export type Facts = ReadonlyMap<string, string>;

export function factsOf(stage: Stage, report: Report): Facts {
  const facts = new Map<string, string>();
  const put: Put = (label, value) => {
    if (value !== undefined) facts.set(label, value);
  };
  GATHER[stage](report, put);
  return facts;
}

type Put = (label: string, value: string | undefined) => void;

const GATHER = {
  published: ({ statement }, put) => {
    for (const { name, sha256 } of statement.subject.published) put(name, sha256);
  },
  source: ({ statement }, put) => {
    const { source } = statement;
    if (source === undefined) return;
    if (source.kind === 'git') {
      put('commit', source.commit);
      put('source tree', source.treeSha256);
      put('repository', source.repository);
      put('where the source came from', source.from);
      for (const { path, commit } of source.submodules) put(`submodule ${path}`, commit);
      for (const { path, sha256 } of source.lfs) put(`LFS file ${path}`, sha256);
      return;
    }
    put('source package', `${source.package} ${source.version}`);
    for (const { name, sha256 } of source.files) put(`source file ${name}`, sha256);
    put('source tree', source.treeSha256);
    put('index of the archive', source.release.sha256);
  },
  plan: ({ statement }, put) => {
    const { plan, checks } = statement;
    if (plan !== undefined) {
      const { source: _source, environment, ...build } = plan.build;
      const { image: _image, ...rest } = environment;
      leaves('', { ...build, environment: rest }, put);
      const { target: _target, rules: _rules, ...compare } = plan.compare;
      leaves('compare', compare, put);
    }
    if (checks !== undefined) leaves('checks', checks.compare, put);
  },
  environment: ({ statement, run }, put) => {
    const image = statement.plan?.build.environment.image;
    if (image !== undefined) leaves('image', image, put);
    const { environment } = run;
    if (environment?.image !== undefined) leaves('image used', environment.image, put);
    put('architecture', environment?.architecture);
    // engines give the same build, no container at all is something else
    put('container', environment === undefined ? undefined : yesNo(environment.executor !== 'local'));
    for (const { name, version, architecture } of environment?.packages ?? [])
      put(`package ${name}:${architecture}`, version);
    put('condition of the build', environment === undefined ? undefined : conditionsOf({ run }));
    for (const { code, what } of statement.deviations)
      if (code !== VARIED_ENVIRONMENT) put(`departure ${code}: ${what}`, 'listed');
  },
  fetched: ({ run }, put) => {
    const answers = new Map<string, Set<string>>();
    for (const { phase, requests } of run.fetched ?? [])
      for (const { method, url, status, sha256 } of requests) {
        const label = `${phase}: ${method} ${url}`;
        const answer = sha256 === undefined ? String(status ?? 'no answer') : `sha256:${sha256}`;
        answers.set(label, (answers.get(label) ?? new Set()).add(answer));
      }
    // in any order, and as often as a program liked
    for (const [label, of] of answers) put(label, [...of].sort().join(', '));
  },
  inputs: ({ statement }, put) => {
    const { linkable, unopened, origins, carried } = statement;
    if (statement.plan === undefined) return;
    put('objects and archives that may be linked in', String(linkable.count));
    for (const name of linkable.shown) put(`input ${name}`, 'present');
    for (const { place } of unopened?.inputs.shown ?? []) put(`archive ${place}`, 'not looked into');
    for (const origin of origins)
      if (origin.kind === 'carried') put(`${origin.member} carried in`, `from ${origin.from}`);
    for (const { path } of carried) put(`binary ${path}`, 'known to the recipe');
  },
  outputs: ({ statement }, put) => {
    const { buildFailure, subject } = statement;
    put(
      'build',
      buildFailure === undefined
        ? undefined
        : `the ${buildFailure.phase} phase failed with ${buildFailure.exitCode}: ${buildFailure.firstError[0] ?? ''}`,
    );
    for (const { name, sha256 } of subject.rebuilt) put(name, sha256);
  },
  rules: ({ statement }, put) => {
    for (const { rule } of statement.plan?.compare.rules ?? []) put(`rule ${rule}`, 'asked for');
    for (const pair of statement.comparison?.pairs ?? [])
      for (const { rule, publishedBytes, rebuiltBytes } of pair.rules)
        put(`${rule} in ${pair.published.name}`, `${publishedBytes} and ${rebuiltBytes} bytes`);
  },
  verdict: ({ statement, run }, put) => {
    put('samesource', run.tool.version);
    for (const { decoders } of statement.comparison?.pairs ?? [])
      for (const { name, version } of decoders) put(`decoder ${name}`, version);
    put('verdict', statement.verdict.kind);
    put('standing of the mismatch', run.standing);
  },
} as const satisfies Record<Stage, (report: Report, put: Put) => void>;

const yesNo = (is: boolean): string => (is ? 'yes' : 'no');

function leaves(label: string, value: unknown, put: Put): void {
  if (typeof value !== 'object' || value === null) {
    put(label, String(value));
    return;
  }
  for (const [key, item] of Object.entries(value)) leaves(label === '' ? key : `${label}.${key}`, item, put);
}

/** Of each build under other conditions that gave something: whether it was what the first one gave. */
export function variedFacts({ run: { variations = [] } }: Report): Facts {
  const facts = new Map<string, string>();
  for (const { varied, outcome, members = [] } of variations) {
    const label = `a build with ${otherConditions(varied)}`;
    if (outcome === 'same') facts.set(label, 'the bytes of the first one');
    if (outcome === 'differs') facts.set(label, `other bytes than the first one in ${some(members, SHOWN)}`);
  }
  return facts;
}

const SHOWN = 10;

// ---------------------------------------------------------------- members

/** Of one rebuilt file: each leaf that is not identical, and what the comparison with the published file found there. */
export function memberFacts(pair: PairComparison): Facts {
  const findings = new Map<string, string[]>();
  for (const difference of pair.differences) {
    const place = where(difference.path);
    const said = describeDifference(difference).slice(place.length + 2);
    const list = findings.get(place);
    if (list === undefined) findings.set(place, [said]);
    else list.push(said);
  }
  const facts = new Map<string, string>();
  const put = (path: readonly string[], owner: Owner, size: number): void => {
    if (owner === 'identical') return;
    const place = where(path);
    facts.set(place, [`${owner}, ${size} bytes`, ...(findings.get(place) ?? [])].join('; '));
  };
  for (const node of pair.nodes) {
    for (const { name, occurrence, rebuilt, node: own, owner } of node.members)
      if (own === undefined)
        put([...node.path, occurrence === 0 ? name : `${name}#${occurrence}`], owner, rebuilt?.size ?? 0);
    put(node.path, ownOwner(node), node.members.length === 0 ? node.rebuilt.size : 0);
  }
  return facts;
}

const WORST = [
  'different',
  'missing',
  'unread',
  'encrypted',
  'excluded',
  'reencoded',
  'signature',
  'identical',
] as const satisfies readonly Owner[];

/** Of the bytes that belong to no member. */
function ownOwner({ published, rebuilt }: LedgerNode): Owner {
  const owners = new Set(
    [...published.runs, ...rebuilt.runs].flatMap(({ member, owner }) =>
      member === undefined ? [owner] : [],
    ),
  );
  return WORST.find((owner) => owners.has(owner)) ?? 'identical';
}
