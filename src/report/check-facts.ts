// SPDX-License-Identifier: Apache-2.0
/** Whether subject, plan, source, set and origins speak of the same things. */
import { z } from 'zod';
import { canonicalJson, digestOf } from '../canonical-json.js';
import { isFolder, plannedTwin } from '../compare/folders.js';
import { matches } from '../compare/name-pattern.js';
import type { SetComparison } from '../compare/types.js';
import { RULE_NAMES, RULE_SETS } from '../model.js';
import { LINKABLE_SHOWN, publishedOf, rebuiltOf } from './assemble.js';
import type { Found } from './check.js';
import { checkIdsigs } from './check-idsigs.js';
import type { PlanRecord, ReportStatement } from './types.js';

export function checkFacts(statement: ReportStatement, found: Found): void {
  checkSubject(statement, found);
  checkOrigins(statement, found);
  checkChecks(statement, found);
  if (statement.comparison !== undefined) checkIdsigs(statement.comparison, found);
  const { plan } = statement;
  if (plan === undefined) {
    // what was compared of a target was expected by its plan
    if (statement.subject.target !== undefined && statement.comparison !== undefined)
      found('plan', '/statement/subject/target', 'files of a target were compared, and there is no plan');
    return;
  }
  if (plan.compareDigest !== digestOf(plan.compare))
    found('plan', '/statement/plan/compareDigest', `the compare part has ${digestOf(plan.compare)}`);
  if (plan.buildDigest !== undefined && plan.buildDigest !== digestOf(plan.build))
    found('plan', '/statement/plan/buildDigest', `the build part has ${digestOf(plan.build)}`);
  const compare = comparePart.safeParse(plan.compare);
  const build = buildPart.safeParse(plan.build);
  for (const [part, parsed] of [
    ['compare', compare],
    ['build', build],
  ] as const)
    if (!parsed.success)
      found(
        'plan',
        `/statement/plan/${part}`,
        parsed.error.issues.map(({ message, path }) => `${path.join('/')}: ${message}`).join('; '),
      );
  if (!compare.success || !build.success) return;
  checkTarget(statement, compare.data, build.data, found);
  checkSource(statement, plan, found);
  if (statement.comparison === undefined) return;
  checkSet(statement.comparison, compare.data, found);
  checkFolders(statement.comparison, compare.data.pairs, build.data, found);
}

/** A report of checks is about its target, and its verdict holds what kept the build from being made. */
function checkChecks(
  { checks, subject, unverifiable, plan, comparison }: ReportStatement,
  found: Found,
): void {
  if (checks === undefined) return;
  const at = '/statement/checks';
  if (plan !== undefined || comparison !== undefined)
    found('plan', at, 'checks stand in the place of a plan and a comparison, and there is one');
  if (checks.compareDigest !== digestOf(checks.compare))
    found('plan', `${at}/compareDigest`, `the compare part has ${digestOf(checks.compare)}`);
  const { app, channel } = subject.target ?? {};
  const parsed = comparePart.safeParse(checks.compare);
  if (!parsed.success || parsed.data.target.app !== app || parsed.data.target.channel !== channel)
    found('plan', `${at}/compare/target`, 'another target than the subject’s');
  if (!unverifiable.some(({ code }) => code === checks.obstacle.code))
    found('reason', '/statement/unverifiable', `${checks.obstacle.code} is no reason`);
  const names = checks.outcomes.map(({ check }) => check);
  if (new Set(names).size !== names.length) found('plan', `${at}/outcomes`, 'a check stands there twice');
}

/** What of a plan decides the meaning of a comparison. */
const comparePart = z.object({
  target: z.object({ app: z.string(), version: z.string(), channel: z.string() }),
  builtBy: z.string(),
  packageId: z.string().optional(),
  eachAlone: z.literal(true).optional(),
  signers: z.array(z.object({ sha256: z.string() })),
  pairs: z.array(z.object({ published: z.string(), output: z.string() })),
  notPublished: z.array(z.object({ pattern: z.string(), reason: z.string() })),
  rules: z.array(
    z.object({ rule: z.enum([...RULE_NAMES, ...(Object.keys(RULE_SETS) as (keyof typeof RULE_SETS)[])]) }),
  ),
});
type ComparePart = z.infer<typeof comparePart>;
const buildPart = z.object({
  app: z.string(),
  version: z.string(),
  outputs: z.array(z.object({ id: z.string(), path: z.string() })),
  environment: z.object({ image: z.object({ kind: z.string() }) }),
});
type BuildPart = z.infer<typeof buildPart>;

function checkSubject({ subject, comparison }: ReportStatement, found: Found): void {
  for (const side of ['published', 'rebuilt'] as const) {
    const names = subject[side].map(({ name }) => name);
    const twice = names.find((name, at) => names.indexOf(name) !== at);
    if (twice !== undefined) found('subject', `/statement/subject/${side}`, `${twice} stands there twice`);
    if (comparison === undefined) continue;
    const compared = side === 'published' ? publishedOf(comparison) : rebuiltOf(comparison);
    if (canonicalJson(subject[side]) !== canonicalJson(compared))
      found('subject', `/statement/subject/${side}`, 'other files than those that were compared');
  }
}

function checkOrigins({ origins, linkable }: ReportStatement, found: Found): void {
  const pointer = '/statement/linkable';
  const expected = Math.min(linkable.count, LINKABLE_SHOWN);
  if (linkable.shown.length !== expected)
    found('origin', pointer, `${linkable.shown.length} shown, ${linkable.count} counted`);
  const all = new Set(linkable.shown);
  const cut = linkable.shown.length < linkable.count;
  const members = new Set<string>();
  for (const [at, origin] of origins.entries()) {
    if (members.has(origin.member))
      found('origin', `/statement/origins/${at}`, `${origin.member} has two origins`);
    members.add(origin.member);
    if (origin.kind !== 'built') continue;
    const place = `/statement/origins/${at}/mayContain`;
    if (origin.mayContain.length > linkable.count)
      found('origin', place, `${origin.mayContain.length}, of ${linkable.count} that were there`);
    const unknown = cut ? undefined : origin.mayContain.find((name) => !all.has(name));
    if (unknown !== undefined) found('origin', place, `${unknown} is not among what may be linked in`);
  }
}

function checkTarget(
  { subject, builtBy }: ReportStatement,
  compare: ComparePart,
  build: BuildPart,
  found: Found,
): void {
  if (canonicalJson(subject.target ?? null) !== canonicalJson(compare.target))
    found('plan', '/statement/plan/compare/target', 'another target than the subject’s');
  if (build.app !== compare.target.app || build.version !== compare.target.version)
    found(
      'plan',
      '/statement/plan/build',
      `${build.app} ${build.version}, the target is ${compare.target.app} ${compare.target.version}`,
    );
  if (builtBy !== undefined && builtBy !== compare.builtBy)
    found('plan', '/statement/builtBy', `${builtBy}, the plan says ${compare.builtBy}`);
}

/** What was built is what the plan names, or the report says that it is not upstream's. */
function checkSource({ source }: ReportStatement, { build }: PlanRecord, found: Found): void {
  if (source === undefined) return;
  const planned = build.source;
  const differs = (key: string, is: string, plan: string): void => {
    if (is !== plan) found('plan', `/statement/source/${key}`, `${is}, the plan says ${plan}`);
  };
  if (source.kind === 'debian' && planned.kind === 'debian') {
    differs('package', source.package, planned.package);
    differs('version', source.version, planned.version);
    differs('files', digestOf(source.files), digestOf(planned.files));
    differs('release/sha256', source.release.sha256, planned.release.sha256);
  } else if (source.kind === 'git' && planned.kind === 'git' && source.from === 'upstream') {
    differs('commit', source.commit, planned.commit);
    differs('repository', source.repository, planned.repository);
  } else if (source.kind === 'debian' || planned.kind === 'debian')
    found('plan', '/statement/source/kind', `${source.kind}, the plan says ${planned.kind}`);
  else if (source.from === 'bundled' && planned.kind !== 'bundled')
    found('plan', '/statement/source/from', `bundled, the plan says ${planned.kind}`);
}

/** Every published file that the plan names is compared, unpaired or not obtained; nothing is waived that it does not name. */
function checkSet(comparison: SetComparison, plan: ComparePart, found: Found): void {
  const accounted = new Set([
    ...publishedOf(comparison).map(({ name }) => name),
    ...comparison.notObtained,
    // an archive of splits: its members are compared in its place
    ...(comparison.splits?.deliveries ?? []).map(({ name }) => name),
  ]);
  // deliveries of which users get one: nothing is said about the others
  const alone = plan.eachAlone === true && plan.pairs.some(({ published }) => accounted.has(published));
  for (const [at, { published }] of plan.pairs.entries())
    if (!alone && !isFolder(published) && !accounted.has(published))
      found('set', `/statement/plan/compare/pairs/${at}`, `nothing is said about ${published}`);
  for (const [at, { name, reason }] of comparison.notPublished.entries())
    if (plan.notPublished.find((known) => matches(known.pattern, name))?.reason !== reason)
      found(
        'set',
        `/statement/comparison/notPublished/${at}`,
        `the plan does not declare ${name} unpublished`,
      );
  const allowed = new Set(
    plan.rules.flatMap(({ rule }): readonly string[] =>
      rule in RULE_SETS ? RULE_SETS[rule as keyof typeof RULE_SETS] : [rule],
    ),
  );
  for (const [at, pair] of comparison.pairs.entries()) {
    const base = `/statement/comparison/pairs/${at}`;
    for (const [index, { rule, class: ruleClass }] of pair.rules.entries())
      if (ruleClass === 'store-edit' && !allowed.has(rule))
        found('set', `${base}/rules/${index}`, `the plan does not allow rule ${rule}`);
    checkExpected(pair, plan, base, found);
  }
}

/** What is told of folders is what the plan's pairs say of each path. */
function checkFolders(
  comparison: SetComparison,
  pairs: ComparePart['pairs'],
  build: BuildPart,
  found: Found,
): void {
  const folders = pairs.filter(({ published }) => isFolder(published));
  const { folders: record } = comparison;
  const base = '/statement/comparison';
  if (folders.length > 0 !== (record !== undefined))
    found('set', `${base}/folders`, `${folders.length} folders are planned`);
  for (const [at, { name }] of (record?.outside ?? []).entries())
    if (plannedTwin(pairs, name) !== undefined)
      found('set', `${base}/folders/outside/${at}`, `the plan names the folder of ${name}`);
  const roots = build.outputs
    .filter(({ id }) => folders.some(({ output }) => output === id))
    .map(({ path }) => path.split('/').at(-2) ?? '');
  for (const [at, name] of (record?.notSeen ?? []).entries())
    if (!roots.some((root) => `/${name}`.includes(`/${root}/`)))
      found('set', `${base}/folders/notSeen/${at}`, `${name} lies in no output that is a directory`);
  for (const [at, { published, rebuilt }] of comparison.pairs.entries()) {
    const member = plannedTwin(pairs, published.name)?.member;
    if (member !== undefined && !rebuilt.name.endsWith(`/${member}`))
      found('set', `${base}/pairs/${at}`, `${published.name} is compared with ${rebuilt.name}`);
  }
}

/** A file that is not what the plan expects of its signer or package says so. */
function checkExpected(
  { signature, identity, notAuthentic, unverifiable }: SetComparison['pairs'][number],
  { signers, packageId }: ComparePart,
  base: string,
  found: Found,
): void {
  const says = (code: string): boolean =>
    [...notAuthentic, ...unverifiable].some((reason) => reason.code === code);
  const expects = (holds: boolean, code: string, detail: string): void => {
    if (holds && !says(code))
      found('signature', `${base}/notAuthentic`, `${detail}, and ${code} is no reason`);
  };
  // a package that nobody could read is not another one
  const named = identity['package'];
  if (packageId !== undefined)
    expects(
      named !== packageId,
      named === undefined ? 'unread' : 'other-package',
      `package ${named ?? 'unknown'}, planned ${packageId}`,
    );
  if (signers.length === 0) return;
  const { status } = signature;
  expects(
    status === 'unsigned' || status === 'not-applicable',
    'unsigned',
    `${status}, and the plan pins a signer`,
  );
  expects(status === 'unchecked', 'signature-unchecked', 'unchecked, and the plan pins a signer');
  expects(
    signature.signers.some(({ certificateSha256, lineage = [] }) => {
      const keys = new Set([certificateSha256, ...lineage.map((step) => step.certificateSha256)]);
      return !signers.some((pin) => keys.has(pin.sha256));
    }),
    'signer-not-pinned',
    'signed by a certificate that the plan does not pin',
  );
}
