// SPDX-License-Identifier: Apache-2.0
/** The engine for a plan, wired to the package's images and inventory. */
import type { Executor, ExecutorKind } from '../build/executor.js';
import { chooseExecutor } from '../build/executors.js';
import { imageContents, takeInventory, takeInventoryOfDirectory } from '../build/inventory.js';
import { recordingProxy } from '../inputs/proxy/recording-proxy.js';
import type { Plan } from '../model.js';
import { rootFileSystem } from './image.js';
import type { OperationOptions } from './options.js';

export interface EngineRequest {
  readonly engine?: ExecutorKind;
  /** `--engine local` as root, for a plan that asks for a container: the published source then owns this machine. */
  readonly allowLocalAsRoot?: boolean;
  /** False: containers get the engine's network, and what they fetch is not recorded. */
  readonly record?: boolean;
}

export async function executorFor(
  { build }: Plan,
  request: EngineRequest,
  options: OperationOptions,
): Promise<Executor> {
  const { image } = build.environment;
  const { signal } = options;
  let base: string | undefined;
  return await chooseExecutor(
    { image, ...request, ...(signal === undefined ? {} : { signal }) },
    {
      ...(request.record === false ? {} : { openRecorder: recordingProxy }),
      rootFileSystem: async (name, more) => {
        const made = await rootFileSystem(name, more);
        base = made.path;
        return made;
      },
      // what the base image brought along is told apart from what the prepare phase fetched
      takeInventory: async (exported, more) =>
        await takeInventory(exported, {
          ...more,
          ...(base === undefined ? {} : { image: await imageContents(base, more.signal) }),
        }),
      takeInventoryOfDirectory: (directory, more) =>
        takeInventoryOfDirectory(directory, { ...more, sourceDirectory: directory }),
    },
  );
}
