// SPDX-License-Identifier: Apache-2.0
/**
 * The build of a plan as a shell script for a machine of another system: what it needs is checked first, then the source
 * is fetched and checked, the steps run, the outputs are gathered with their digests. What a recipe says is only ever a
 * quoted word; the commands around it are the ones below.
 */
import { FailedHere, UsageError } from '../errors.js';
import type { HostPlan, Plan, SourcePlan } from '../model.js';
import { printable } from '../printable.js';
import { HOST_SCRIPT_COMMANDS } from './host-script-commands.js';
import { SYSTEM_NAMES } from './host-facts.js';
import { shellCall, shellQuote } from './shell-quote.js';

/** @throws UsageError `script-not-for-this`, `recipe-invalid`; FailedHere `plan-unresolved` */
export function hostScript(plan: Plan): string {
  const { target, build } = plan;
  const { source, environment } = build;
  const { image } = environment;
  if (image.kind !== 'host' || source.kind !== 'git')
    throw new UsageError('script-not-for-this', `${target.app} ${target.version} is built in a container`, {
      hint: '`verify build` does it where Docker or Podman runs',
    });
  if (source.commit === 'unresolved')
    throw new FailedHere(
      'plan-unresolved',
      `which commit ${source.ref ?? target.version} of ${source.repository} is could not be looked up`,
      { hint: 'a script names the commit: print it where the repository can be reached' },
    );
  const lines = [
    shellCall('plan', target.app, target.version, plan.recipe.sha256),
    ...checksOf(image, plan),
    'checked "$@"',
    ...sourceOf(source),
    environment.sourceDateEpoch === 'commit'
      ? 'epoch_of_commit'
      : shellCall('epoch', epochOf(environment.sourceDateEpoch)),
    ...(source.fullHistory ? [] : ['without_history']),
    `set -- ${variablesOf(plan).map(shellQuote).join(' ')}`,
    ...build.phases.map(({ name, script }) => `${shellCall('step', name, script)} "$@"`),
    ...build.outputs.map(({ id, path }) => shellCall('output', id, path)),
    ...plan.compare.pairs.map(({ published, output }) =>
      shellCall(
        'compare',
        published,
        build.outputs.find(({ id }) => id === output)?.path ?? output,
        ...plan.compare.rules.flatMap(({ rule }) => ['--rule', rule]),
      ),
    ),
  ];
  assertReadable(lines);
  // a file that was cut on its way here is no script: nothing of it runs
  return `${HOST_SCRIPT_COMMANDS}\nmain() {\n${lines.join('\n')}\n}\n\nmain "$@"\n`;
}

function checksOf(image: HostPlan, { build: { environment } }: Plan): readonly string[] {
  return [
    shellCall('need_system', SYSTEM_NAMES[image.system]),
    ...(image.architecture === undefined ? [] : [shellCall('need_architecture', image.architecture)]),
    ...(image.osVersion === undefined ? [] : [shellCall('need_os_version', image.osVersion)]),
    ...[...new Set(['git', 'perl', 'awk', ...image.tools])].map((tool) => shellCall('need_tool', tool)),
    ...(image.xcode === undefined
      ? []
      : [shellCall('need_xcode', image.xcode.version, image.xcode.build ?? '')]),
    shellCall('need_directory', environment.directory, String(environment.diskMiB)),
  ];
}

function sourceOf(source: Extract<SourcePlan, { kind: 'git' }>): readonly string[] {
  return [
    shellCall('fetch_source', source.repository, source.commit, source.ref ?? ''),
    ...(source.submodules ? ['fetch_submodules'] : []),
    ...(source.lfs ? ['fetch_lfs'] : []),
    'check_source',
    ...source.assertions.map(({ file, pattern, expected, what }) =>
      shellCall('source_says', file, pattern, expected, what),
    ),
  ];
}

/** `changelog` is for Debian sources, which no other system builds. */
const epochOf = (epoch: Plan['build']['environment']['sourceDateEpoch']): string =>
  typeof epoch === 'number' ? String(epoch) : '';

function variablesOf({ build: { environment } }: Plan): readonly string[] {
  const { locale, timeZone, variables } = environment;
  return [
    `LANG=${locale}`,
    `LC_ALL=${locale}`,
    `TZ=${timeZone}`,
    ...Object.entries(variables).map(([name, value]) => `${name}=${value}`),
  ];
}

/** Controls but for the tab, and characters without a shape, some of which turn the direction of what follows. */
const HIDDEN = /(?!\t)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}]/u;

/** A script is read before it is run: nothing in it may look like something else than it is. */
function assertReadable(lines: readonly string[]): void {
  for (const line of lines.flatMap((text) => text.split('\n')))
    if (HIDDEN.test(line))
      throw new UsageError(
        'recipe-invalid',
        `a script cannot show what is in ${printable(line).slice(0, 200)}`,
      );
}
