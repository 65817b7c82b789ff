// SPDX-License-Identifier: Apache-2.0
/** Which executor a plan gets: the one that was asked for, else the first engine that answers; `local` only for plans that say so. */
import { FailedHere, UsageError } from '../errors.js';
import type { ImagePlan } from '../model.js';
import { ContainerExecutor, type ExecutorDependencies } from './container.js';
import { DOCKER } from './docker.js';
import type { Executor, ExecutorKind } from './executor.js';
import { LocalExecutor } from './local.js';
import { PODMAN } from './podman.js';
import type { SshHost } from './ssh/ssh-host.js';
import { SshExecutor } from './ssh/ssh.js';

export interface ExecutorChoice {
  readonly image: ImagePlan;
  /** `--engine` */
  readonly engine?: ExecutorKind;
  /** Of the engine `ssh`. */
  readonly host?: SshHost;
  /** Somebody else's build script as root of this machine: never without being told to. */
  readonly allowLocalAsRoot?: boolean;
  readonly signal?: AbortSignal;
}

export function makeExecutor(
  kind: Exclude<ExecutorKind, 'ssh'>,
  dependencies: ExecutorDependencies,
): Executor {
  switch (kind) {
    case 'docker':
      return new ContainerExecutor(DOCKER, dependencies);
    case 'podman':
      return new ContainerExecutor(PODMAN, dependencies);
    case 'local':
      return new LocalExecutor(dependencies);
  }
}

/**
 * @throws FailedHere `no-engine` with what to install or start; `plan-unresolved`
 * @throws UsageError `local-as-root`, `engine-without-image`, `ssh-without-host`
 */
export async function chooseExecutor(
  choice: ExecutorChoice,
  dependencies: ExecutorDependencies,
): Promise<Executor> {
  const { image, engine, signal } = choice;
  if (image.kind === 'unresolved')
    throw new FailedHere('plan-unresolved', `the image of the plan is not known: ${image.reference}`);
  if (engine === 'ssh') {
    if (choice.host === undefined)
      throw new UsageError('ssh-without-host', 'the engine ssh needs a machine', {
        hint: '--host user@name, and the key that it must show: --host-key SHA256:…',
      });
    return new SshExecutor(choice.host, dependencies);
  }
  if (image.kind === 'host')
    throw new FailedHere('plan-unresolved', `the plan is for a machine with ${image.system}`, {
      hint: '--engine ssh --host user@name runs it there; `verify plan APP VERSION --script` prints it',
    });
  if (image.kind === 'none') {
    if (engine === undefined || engine === 'local') return makeExecutor('local', dependencies);
    throw new UsageError('engine-without-image', `the plan names no image that ${engine} could run`, {
      hint: 'leave --engine out: this build runs in a temporary directory',
    });
  }
  if (engine === 'local') {
    if (process.getuid?.() === 0 && choice.allowLocalAsRoot !== true)
      throw new UsageError('local-as-root', 'a build script would run as root of this machine', {
        hint: 'run it as another user, or with a container engine (--engine docker or podman)',
      });
    return makeExecutor('local', dependencies);
  }
  if (engine !== undefined) {
    const executor = makeExecutor(engine, dependencies);
    await executor.probe(signal);
    return executor;
  }
  const refused: FailedHere[] = [];
  for (const kind of ['docker', 'podman'] as const) {
    const executor = makeExecutor(kind, dependencies);
    try {
      await executor.probe(signal);
      return executor;
    } catch (error) {
      if (!(error instanceof FailedHere) || error.code !== 'no-engine') throw error;
      refused.push(error);
    }
  }
  throw new FailedHere(
    'no-engine',
    `no container engine answers: ${refused.map((error) => error.message).join('; ')}`,
    {
      hint: refused.flatMap((error) => error.hint ?? []).join(' · '),
      cause: refused[0],
    },
  );
}
