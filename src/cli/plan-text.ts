// SPDX-License-Identifier: Apache-2.0
/** The plan in five lines, shown before anything but indexes is fetched. */
import {
  newestKnownText,
  printable,
  type BuildPlan,
  type CheckPlan,
  type ComparePlan,
  type HostPlan,
  type ImagePlan,
  type KnownResult,
  type Plan,
  type PublishedCondition,
} from '../index.js';

export function planInBrief(plan: Plan): string {
  const { build, compare, target } = plan;
  const replaced = plan.deviations.find(({ code }) => code === 'source-replaced');
  return [
    `plan      ${target.app} ${target.version}, channel ${target.channel}`,
    ...newestKnown(plan),
    `source    ${sourceInBrief(build)}${replaced === undefined ? '' : `, but ${replaced.what}`}`,
    `build     ${imageInBrief(build.environment.image)}; ${build.phases.map((phase) => `${phase.name} ${phase.network ? 'with' : 'without'} network`).join(', ')}`,
    `published ${publishedInBrief(
      compare,
      compare.pairs.map((pair) => pair.published),
    )}`,
    `expected  ${plan.expected.minutes} min, ${plan.expected.diskMiB} MiB disk, ${plan.expected.memoryMiB} MiB memory${plan.deviations.length === 0 ? '' : `; ${plan.deviations.length} deviations`}`,
    ...(plan.extrapolated === undefined || plan.extrapolated.changed.length === 0
      ? []
      : [
          `          extrapolated: ${plan.extrapolated.changed.join(', ')} (since ${plan.extrapolated.since})`,
        ]),
    ...(build.fallbacks ?? []).map((fallback) => `if gone   ${fallbackInBrief(fallback)}`),
    ...(plan.unconfirmed.length === 0 ? [] : [`          unconfirmed: ${plan.unconfirmed.join('; ')}`]),
    ...plan.unresolved.map((what) => `          ${what}`),
  ]
    .map((line) => printable(line))
    .join('\n');
}

/** Where nothing can be built: why, what would be done elsewhere, what can be checked. */
export function checksInBrief(plan: CheckPlan): string {
  const { target, obstacle, source, compare, files, checks, unconfirmed, knownResults } = plan;
  return [
    `plan      ${target.app} ${target.version}, channel ${target.channel}: checks only (${obstacle.code})`,
    ...newestKnown(plan),
    `why       ${obstacle.detail}`,
    ...(source === undefined
      ? []
      : [
          `source    ${source.repository} commit ${source.commit}${source.ref === undefined ? '' : ` (${source.ref})`}`,
        ]),
    ...obstacle.needs.map((what) => `needs     ${what}`),
    ...obstacle.steps.map((step, i) => `step ${i + 1}    ${step}`),
    `published ${publishedInBrief(compare, files)}`,
    ...(compare.encryption === undefined
      ? []
      : [
          `shows     ${compare.encryption.scheme}: ${compare.encryption.shows}`,
          `hides     ${compare.encryption.scheme}: ${compare.encryption.hides}`,
        ]),
    ...checks.map(
      ({ check, what, impossible }) =>
        `check     ${check}: ${what}${impossible === undefined ? '' : `; cannot be done: ${impossible}`}`,
    ),
    ...knownResults.map(knownResultText),
    ...unconfirmed.map((what) => `          unconfirmed: ${what}`),
  ]
    .map((line) => printable(line))
    .join('\n');
}

function newestKnown(plan: Plan | CheckPlan): readonly string[] {
  const text = newestKnownText(plan);
  return text === undefined ? [] : [`          ${text}`];
}

function sourceInBrief({ source }: BuildPlan): string {
  switch (source.kind) {
    case 'git':
      return `${source.repository} commit ${source.commit}${source.ref === undefined ? '' : ` (${source.ref})`}`;
    case 'debian':
      return `Debian ${source.suite} source package ${source.package} ${source.version}, ${source.files.length} files of the signed index of ${source.release.date}`;
    case 'bundled':
      return `files of this package (${source.directory}), tag ${source.tag}`;
  }
}

function imageOptions({
  target,
  arguments: values = {},
}: NonNullable<BuildPlan['environment']['dockerfile']>): readonly string[] {
  return [
    ...(target === undefined ? [] : [`stage ${target}`]),
    ...Object.entries(values).map(([name, value]) => `${name}=${value}`),
  ];
}

export function imageInBrief(image: ImagePlan): string {
  switch (image.kind) {
    case 'registry':
      return `image ${image.reference}@${image.digest}`;
    case 'lock':
      return `image ${image.name} from lock sha256:${image.sha256} (${image.packages} packages)`;
    case 'unresolved':
      return `image unresolved: ${image.reference}`;
    case 'none':
      return 'no container: a temporary directory with a clean environment';
    case 'host':
      return `no container: ${hostInBrief(image)}`;
  }
}

function fallbackInBrief(fallback: NonNullable<BuildPlan['fallbacks']>[number]): string {
  const changes = { yes: 'changes', no: 'cannot change', unknown: 'may change' }[fallback.canChangeOutput];
  const what =
    fallback.kind === 'image'
      ? imageInBrief(fallback.image)
      : `${fallback.by} in the place of ${fallback.of}`;
  return `${what} (${changes} the output)`;
}

function hostInBrief({ system, osVersion, architecture, xcode }: HostPlan): string {
  return [
    `a machine with ${system}${osVersion === undefined ? '' : ` ${osVersion}`}${architecture === undefined ? '' : ` (${architecture})`}`,
    ...(xcode === undefined
      ? []
      : [`Xcode ${xcode.version}${xcode.build === undefined ? '' : ` (${xcode.build})`}`]),
  ].join(', ');
}

function publishedInBrief(
  { acquisition, builtBy, signers }: ComparePlan,
  published: readonly string[],
): string {
  const { size } = new Set(published);
  const files = `${size} ${size === 1 ? 'file' : 'files'} built by the ${builtBy}`;
  const pinned =
    signers.length === 0 ? '' : `, ${signers.length} pinned signer${signers.length === 1 ? '' : 's'}`;
  switch (acquisition.kind) {
    case 'handed-over':
      return `${files}${pinned}, handed over with --published (${acquisition.how})`;
    case 'url':
      return `${files}${pinned}, from ${acquisition.url}`;
    case 'latest-json':
      return `${files}${pinned}, as ${acquisition.index} says`;
    case 'github-release':
      return `${files}${pinned}, ${acquisition.asset} of release ${acquisition.tag} of ${acquisition.repository}`;
    case 'debian-archive':
      return `${files}, from the Debian archive`;
    case 'fdroid':
      return `${files}${pinned}, of the F-Droid repository ${acquisition.repository}`;
    case 'phone':
      return `${files}${pinned}, ${acquisition.package} as it lies on a phone`;
    case 'site-files':
      return `what ${acquisition.entry} serves, and the files that this names`;
    case 'debian-repository':
      return `${files}, ${acquisition.package} ${acquisition.version} of the Debian repository ${acquisition.url} ${acquisition.suite}`;
    case 'bundled':
      return `${files}${pinned}, files of this package`;
  }
}

function conditionText({ versionCode, abi }: PublishedCondition): string {
  return [
    ...(versionCode === undefined
      ? []
      : [`versionCode mod ${versionCode.modulus} is ${versionCode.remainder}`]),
    ...(abi === undefined ? [] : [`its code is for ${abi}`]),
  ].join(' and ');
}

const knownResultText = ({ by, channel, result, reason, url }: KnownResult): string =>
  `known result    ${by} (${channel}): ${result}${reason === undefined ? '' : `; ${reason}`} ${url}`;

/** Every detail of a plan, for reading. */
export function wholePlan(plan: Plan): string {
  const { build, compare } = plan;
  const { environment } = build;
  const lines = [
    `build digest    ${plan.buildDigest ?? 'none: the plan is unresolved'}`,
    `compare digest  ${plan.compareDigest}`,
    `recipe          ${plan.recipe.app} sha256:${plan.recipe.sha256}`,
    `environment     user ${environment.user}, ${environment.directory}, ${environment.locale}, ${environment.timeZone}, SOURCE_DATE_EPOCH ${environment.sourceDateEpoch}`,
    ...(environment.dockerfile === undefined
      ? []
      : [
          `dockerfile      ${environment.dockerfile.from}: ${[environment.dockerfile.path, ...imageOptions(environment.dockerfile)].join(', ')}`,
        ]),
    ...plan.toolchain.map(({ what, value, file, assumed }) =>
      assumed === true
        ? `toolchain       ${what} is taken to be ${value}; ${file} was not read`
        : `toolchain       ${what} ${value} (${file})`,
    ),
    ...Object.entries(environment.variables).map(([name, value]) => `variable        ${name}=${value}`),
    ...('assertions' in build.source
      ? build.source.assertions.map(
          ({ file, what, expected }) => `assertion       ${file} says ${what} ${expected}`,
        )
      : []),
    ...build.phases.flatMap((phase) => [
      `phase ${phase.name}   user ${phase.user}, network ${phase.network ? 'on' : 'off'}${phase.networkReason === undefined ? '' : ` (${phase.networkReason})`}`,
      ...(phase.hosts === undefined ? [] : [`                only ${phase.hosts.join(', ')}`]),
      ...(phase.certificate === undefined
        ? []
        : ['                HTTPS is read by our proxy, whose certificate it is given']),
      ...phase.script
        .trimEnd()
        .split('\n')
        .map((line) => `                | ${line}`),
    ]),
    ...build.outputs.map(({ id, path }) => `output          ${id}: ${path}`),
    ...(compare.packageId === undefined ? [] : [`package         ${compare.packageId}`]),
    ...(compare.versionCodes === undefined ? [] : [`version code    ${compare.versionCodes.join(' or ')}`]),
    ...compare.signers.map(
      ({ sha256, statedBy, source }) => `signer          ${sha256} (${statedBy}: ${source})`,
    ),
    ...compare.pairs.map(
      ({ published, output, when }) =>
        `pair            ${published} = ${output}${when === undefined ? '' : ` when ${conditionText(when)}`}`,
    ),
    ...compare.notPublished.map(({ pattern, reason }) => `not published   ${pattern}: ${reason}`),
    ...compare.rules.map(
      ({ rule, reason, reference }) => `rule            ${rule}: ${reason} (${reference})`,
    ),
    ...plan.deviations.map(
      ({ code, what, reason, canChangeOutput }) =>
        `deviation       ${code}: ${what}; ${reason}; can change the output: ${canChangeOutput}`,
    ),
    ...(plan.vary === undefined ? [] : [`vary            ${plan.vary.join(', ')}: to confirm a mismatch`]),
    ...plan.carried.map(({ path, note }) => `carried         ${path}: ${note}`),
    ...plan.skipped.map(({ version, reason }) => `skipped         ${version}: ${reason}`),
    ...plan.knownResults.map(knownResultText),
  ];
  return lines.map((line) => printable(line)).join('\n');
}
