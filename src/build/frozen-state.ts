// SPDX-License-Identifier: Apache-2.0
/** A container's state as an image to start builds from, and what is known of what is in it. */
import os from 'node:os';
import type { EnvironmentRecord, InputInventory, PhasePlan } from '../model.js';
import type { ExecutorDependencies } from './container.js';
import type { Engine } from './engine.js';
import { throwIfAborted } from './engine-failure.js';
import type { PrepareRequest } from './executor.js';
import { accountIn, packagesOf, passwdOf, type Account } from './inside.js';
import type { Leftovers } from './leftovers.js';
import { imageOfRun } from './run-names.js';

export interface Frozen {
  /** What the engine calls it. */
  readonly image: string;
  readonly inventory: InputInventory;
  /** Of the build phase. */
  readonly account: Account;
  readonly packages: EnvironmentRecord['packages'];
}

export async function freezeState(
  engine: Engine,
  container: string,
  request: PrepareRequest,
  build: PhasePlan,
  leftovers: Leftovers,
  takeInventory: ExecutorDependencies['takeInventory'],
): Promise<Frozen> {
  const { plan, run, directory, signal, onProgress } = request;
  const inventory = await takeInventory(engine.exportContainer(container, directory, signal), {
    sourceDirectory: plan.environment.directory,
    temporaryDirectory: directory,
    ...(signal === undefined ? {} : { signal }),
    ...(onProgress === undefined ? {} : { onProgress }),
  });
  const account = accountIn(await passwdOf(engine, container), build.user);
  const packages = await packagesOf(engine, container);
  const image = leftovers.image(imageOfRun(run, 'prepared'));
  throwIfAborted(signal, 'before the state was frozen');
  await engine.freeze(container, image);
  throwIfAborted(signal, 'before the build phase');
  return { image, inventory, account, packages };
}

export function environmentRecord(
  engine: Engine,
  engineVersion: string,
  { packages }: Frozen,
  { plan }: PrepareRequest,
  image?: EnvironmentRecord['image'],
  /** Where it was another one than the plan's. */
  prepareScript?: string,
): EnvironmentRecord {
  return {
    executor: engine.kind,
    engineVersion,
    ...(image === undefined ? {} : { image }),
    packages,
    kernel: `${os.type()} ${os.release()}`,
    cpuCount: os.availableParallelism(),
    architecture: process.arch,
    commands: plan.phases.map(({ name, script }) =>
      name === 'prepare' ? (prepareScript ?? script) : script,
    ),
  };
}
