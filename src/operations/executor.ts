// SPDX-License-Identifier: Apache-2.0
/** The engine for a plan, wired to the package's images and inventory. */
import type { Executor, ExecutorKind } from '../build/executor.js';
import { chooseExecutor } from '../build/executors.js';
import type { Plan } from '../model.js';
import type { OperationOptions } from './options.js';

export interface EngineRequest {
  readonly engine?: ExecutorKind;
  /** `--engine local` as root, for a plan that asks for a container: the published source then owns this machine. */
  readonly allowLocalAsRoot?: boolean;
}

export async function executorFor(
  { build }: Plan,
  request: EngineRequest,
  options: OperationOptions,
): Promise<Executor> {
  return await chooseExecutor(build, request, options);
}
