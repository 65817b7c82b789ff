// SPDX-License-Identifier: Apache-2.0
/** The engine for a plan, wired to the package's images and inventory. */
import type { Executor } from '../build/executor.js';
import { chooseExecutor } from '../build/executors.js';
import type { OpenRecorder } from '../build/recorder.js';
import { FailedHere } from '../errors.js';
import { imageContents, takeInventory, takeInventoryOfDirectory } from '../build/inventory.js';
import { recordingProxy } from '../inputs/proxy/recording-proxy.js';
import type { PhaseName, Plan, Sha256 } from '../model.js';
import { rootFileSystem } from './image.js';
import type { OperationOptions } from './options.js';
import { remoteOf, type RemoteRequest } from './remote.js';

export interface EngineRequest extends RemoteRequest {
  /** `--engine local` as root, for a plan that asks for a container: the published source then owns this machine. */
  readonly allowLocalAsRoot?: boolean;
  /** False: containers get the engine's network, and what they fetch is not recorded. */
  readonly record?: boolean;
  /** Digests of records, by phase and turn, that answer in place of the network; nothing else is asked either. */
  readonly replay?: Readonly<Partial<Record<PhaseName, readonly Sha256[]>>>;
}

/** Nothing where what is fetched is not recorded. */
export const recording = ({ record, replay }: EngineRequest): { readonly openRecorder?: OpenRecorder } =>
  record === false && replay === undefined ? {} : { openRecorder: recorderFor(replay) };

/** @throws FailedHere `not-recorded` */
function recorderFor(replay: EngineRequest['replay']): OpenRecorder {
  const turns: Partial<Record<PhaseName, number>> = {};
  return async (asked) => {
    if (replay === undefined) return await recordingProxy(asked);
    const turn = turns[asked.phase] ?? 0;
    turns[asked.phase] = turn + 1;
    const records = replay[asked.phase] ?? [];
    // builds that were made again beside the one of the report
    const record = records[Math.min(turn, records.length - 1)];
    if (record !== undefined) return await recordingProxy({ ...asked, replay: record });
    throw new FailedHere(
      'not-recorded',
      `the report has no record of what the ${asked.phase} phase fetched`,
      {
        hint: 'run it without --offline',
      },
    );
  };
}

export async function executorFor(
  { build }: Plan,
  request: EngineRequest,
  options: OperationOptions,
): Promise<Executor> {
  const { image } = build.environment;
  const { signal } = options;
  let base: string | undefined;
  const remote = remoteOf(request);
  return await chooseExecutor(
    {
      image,
      ...(remote === undefined
        ? request.engine === undefined
          ? {}
          : { engine: request.engine }
        : { engine: 'ssh', host: remote }),
      ...(request.allowLocalAsRoot === undefined ? {} : { allowLocalAsRoot: request.allowLocalAsRoot }),
      ...(signal === undefined ? {} : { signal }),
    },
    {
      ...recording(request),
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
