// SPDX-License-Identifier: Apache-2.0
/** How a phase's script is run: what it sees of the world is the plan's and the same in every engine. Pure. */
import path from 'node:path';
import type { BuildPlan, EnvironmentPlan, PhasePlan } from '../model.js';
import { DISK_FULL, ENDED_LINE, KILLS } from './log-reader.js';
import { PROXY_CLEAN_UP, proxyLines, type PhaseProxy } from './phase-proxy.js';
import { runLabel } from './run-names.js';
import type { TarItem } from './tar-write.js';

/** Fixed: it leaks into the outputs of some builds. */
export const HOSTNAME = 'build';
const ROOM = '/tmp/samesource-room';
/** What engines write for a container without network, so that both give the same; with it Docker adds the address. */
export function hostsFile(hostName: string, mtime: number): TarItem {
  const text = [
    '127.0.0.1\tlocalhost',
    '::1\tlocalhost ip6-localhost ip6-loopback',
    'fe00::0\tip6-localnet',
    'ff00::0\tip6-mcastprefix',
    'ff02::1\tip6-allnodes',
    'ff02::2\tip6-allrouters',
    `127.0.0.1\t${hostName}`,
    '',
  ].join('\n');
  return { kind: 'text', path: 'etc/hosts', uid: 0, gid: 0, mode: 0o644, mtime, text };
}

/** What engines and their users' settings put into the environment beside the image's own variables. */
const NOT_THE_PLANS = [
  'container',
  'HOSTNAME',
  'TERM',
  'OLDPWD',
  'http_proxy',
  'https_proxy',
  'ftp_proxy',
  'no_proxy',
  'all_proxy',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'FTP_PROXY',
  'NO_PROXY',
  'ALL_PROXY',
];
const PROXIES = /_proxy$/i;

export const isRoot = (user: string): boolean => user === 'root' || user === '0' || user === '0:0';

/** Root of a container, as apt and dpkg need it: owners, modes, other users' files, `_apt`, and files with capabilities. */
const ROOT_CAPABILITIES = ['CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID', 'SETFCAP', 'SETGID', 'SETUID'];

export const epochOf = (plan: EnvironmentPlan, commitTime: number | undefined): number | undefined =>
  typeof plan.sourceDateEpoch === 'number'
    ? plan.sourceDateEpoch
    : plan.sourceDateEpoch === 'commit'
      ? commitTime
      : undefined;

/** Sorted: the order of an environment can be seen from inside. */
export function phaseVariables(
  plan: EnvironmentPlan,
  home: string,
  commitTime: number | undefined,
): readonly (readonly [string, string])[] {
  const epoch = epochOf(plan, commitTime);
  const variables = {
    HOME: home,
    LANG: plan.locale,
    LC_ALL: plan.locale,
    TZ: plan.timeZone,
    ...(epoch === undefined ? {} : { SOURCE_DATE_EPOCH: String(epoch) }),
    ...plan.variables,
  };
  return Object.entries(variables).sort(([one], [other]) => (one < other ? -1 : 1));
}

/** Debian's prepare phase unpacks the tree itself, in the parent of where it will lie. */
export const phaseDirectory = (plan: BuildPlan, phase: PhasePlan): string =>
  plan.source.kind === 'debian' && phase.name === 'prepare'
    ? path.posix.dirname(plan.environment.directory)
    : plan.environment.directory;

/** What is unset before a script begins, since it would come from engine or image. `own`: names of the plan's variables. */
export const outsideVariables = (own: ReadonlySet<string>, network: boolean): readonly string[] =>
  [...NOT_THE_PLANS, 'SOURCE_DATE_EPOCH'].filter(
    (name) => !own.has(name) && !(network && PROXIES.test(name)),
  );

/**
 * The container's first process: a shell that collects what the script leaves behind and says how the script ended, by
 * which an end from outside can be told from the script's own. One stream, so that the log keeps its order.
 */
export function wrapperScript(
  variables: readonly (readonly [string, string])[],
  phase: PhasePlan,
  cleanUp: readonly string[],
  proxy?: PhaseProxy,
): string {
  const own = new Set(variables.map(([name]) => name));
  const unset = outsideVariables(own, phase.network && proxy === undefined);
  return [
    'exec 2>&1',
    'umask 022',
    `unset ${unset.join(' ')}`,
    ...(proxy === undefined ? [] : proxyLines(proxy)),
    'sh -eu -c "$1"',
    'code=$?',
    ...cleanUp,
    ...(proxy?.certificate === undefined ? [] : [PROXY_CLEAN_UP]),
    // not every engine tells of a killed program when the first one lives on (cgroup v2, v1)
    'kills=0',
    'for file in /sys/fs/cgroup/memory.events /sys/fs/cgroup/memory/memory.oom_control; do',
    '  if test -r "$file"; then',
    '    while read -r key value; do if test "$key" = oom_kill; then kills=$value; fi; done < "$file"',
    '  fi',
    'done',
    'if test "$kills" = 0; then kills=; fi',
    // a program that says nothing of a write that failed leaves half a file
    'full=',
    'if test -d /tmp && test -w /tmp; then',
    `  { echo room > ${ROOM}; } 2>/dev/null || full='${DISK_FULL}'`,
    `  rm -f ${ROOM} 2>/dev/null`,
    'fi',
    `echo "${ENDED_LINE}$code\${kills:+${KILLS}$kills}$full"`,
    'exit "$code"',
    '',
  ].join('\n');
}

export interface ContainerLimits {
  readonly cpus: number;
  /** Hard limit of this machine for open files. */
  readonly openFiles: number;
}

/** What a container is told beside the plan; by default what each one is. */
export interface ContainerFrame {
  readonly network?: readonly string[] | undefined;
  readonly hostName?: string;
  readonly cpuSet?: string;
  readonly memoryMiB?: number;
}

/** Arguments of `create`, up to the image. */
export function createArguments(
  name: string,
  run: string,
  plan: BuildPlan,
  phase: PhasePlan,
  variables: readonly (readonly [string, string])[],
  limits: ContainerLimits,
  { network, hostName = HOSTNAME, cpuSet, memoryMiB = plan.environment.memoryMiB }: ContainerFrame = {},
): string[] {
  const hard = Math.min(16_384, limits.openFiles);
  return [
    '--name',
    name,
    ...runLabel(run),
    '--hostname',
    hostName,
    ...(network ?? (phase.network ? [] : ['--network', 'none'])),
    '--user',
    phase.user,
    '--workdir',
    phaseDirectory(plan, phase),
    '--cap-drop',
    'ALL',
    ...(isRoot(phase.user) ? ROOT_CAPABILITIES.flatMap((capability) => ['--cap-add', capability]) : []),
    '--security-opt',
    'no-new-privileges',
    '--pids-limit',
    '4096',
    // the soft limit of a login on Debian; engines' own defaults differ and cannot be set on every machine
    '--ulimit',
    `nofile=${Math.min(1024, hard)}:${hard}`,
    '--ulimit',
    'nproc=4096:4096',
    '--memory',
    `${memoryMiB}m`,
    '--memory-swap',
    `${memoryMiB}m`,
    '--cpus',
    String(Math.min(plan.environment.cpus, limits.cpus)),
    ...(cpuSet === undefined ? [] : ['--cpuset-cpus', cpuSet]),
    ...variables.flatMap(([key, value]) => ['--env', `${key}=${value}`]),
    '--entrypoint',
    'sh',
  ];
}
