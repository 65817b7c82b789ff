// SPDX-License-Identifier: Apache-2.0
/** `build` of an engine, with its log: like the prepare phase, it fetches, and what it cannot fetch has a name. */
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { FailedHere } from '../errors.js';
import type { EnvironmentPlan, LogRecord } from '../model.js';
import type { Engine } from './engine.js';
import { engineFailure } from './engine-failure.js';
import type { PrepareRequest } from './executor.js';
import { classifyPhase } from './failure.js';
import { LogReader } from './log-reader.js';
import { logRecord } from './log-record.js';
import { PhaseProgress } from './phase-progress.js';

/** Its name inside the context, where it hides no file of the tree. */
export const DOCKERFILE = '.samesource.Dockerfile';

export type BuiltImage =
  | { readonly kind: 'built'; readonly log: LogRecord }
  | { readonly kind: 'environment-gone'; readonly url: string; readonly status: 404 | 410 };

/** @throws FailedHere `prepare-failed`, `network`, `time-limit`, `disk-full`, `interrupted` … */
export async function buildImage(
  engine: Engine,
  tag: string,
  context: AsyncIterable<Uint8Array>,
  request: PrepareRequest,
): Promise<BuiltImage> {
  const { minutes, memoryMiB, dockerfile } = request.plan.environment;
  const progress = new PhaseProgress('image', 'building the image on its pinned base', request.onProgress);
  const reader = new LogReader('');
  const file = path.join(request.directory, 'logs', 'image.log');
  await fs.mkdir(path.dirname(file), { recursive: true });
  const { buildArguments } = engine.description;
  const own = buildOptions(dockerfile);
  const result = await engine.run(
    ['build', ...buildArguments, ...own, '--tag', tag, '--file', DOCKERFILE, '-'],
    {
      input: context,
      timeoutMs: minutes * 60_000,
      logFile: file,
      onLine: (line) => {
        progress.line();
        reader.push(line);
      },
      ...(request.signal === undefined ? {} : { signal: request.signal }),
    },
  );
  progress.finish();
  const { ended } = result;
  if (ended.kind === 'exited' && ended.code === 0)
    return { kind: 'built', log: logRecord('prepare', file, result) };
  if (ended.kind !== 'exited') throw engineFailure(engine.kind, 'build', result);
  const log = reader.summary();
  const outcome = classifyPhase({
    phase: 'prepare',
    network: true,
    minutes,
    memoryMiB,
    client: ended,
    state: undefined,
    container: false,
    log,
  });
  if (outcome.kind === 'environment-gone') return outcome;
  if (outcome.kind === 'failed-here' && outcome.error.code !== 'prepare-failed') throw outcome.error;
  const words = log.firstError.length > 0 ? log.firstError.slice(0, 5) : log.tail.slice(-5);
  throw new FailedHere('prepare-failed', `the image could not be built: ${words.join(' | ')}`, {
    log: file,
    known: log.known,
  });
}

/** What the plan says about the Dockerfile beside its path; sorted, so that one plan gives one command. */
export function buildOptions(dockerfile: EnvironmentPlan['dockerfile']): readonly string[] {
  const values = Object.entries(dockerfile?.arguments ?? {}).sort(([one], [other]) => (one < other ? -1 : 1));
  return [
    ...values.flatMap(([name, value]) => ['--build-arg', `${name}=${value}`]),
    ...(dockerfile?.target === undefined ? [] : ['--target', dockerfile.target]),
  ];
}
