// SPDX-License-Identifier: Apache-2.0
/** Runs one phase in a container that was created for it, to an end that is known: its own, or ours by name. */
import { promises as fs } from 'node:fs';
import path from 'node:path';
import type { OnProgress, PhasePlan } from '../model.js';
import type { Engine } from './engine.js';
import type { PhaseResult } from './build-result.js';
import { classifyPhase } from './failure.js';
import { logRecord } from './log-record.js';
import { LogReader } from './log-reader.js';
import { PhaseProgress } from './phase-progress.js';

export interface PhaseRun {
  readonly name: string;
  readonly phase: PhasePlan;
  readonly title: string;
  readonly logFile: string;
  readonly minutes: number;
  readonly memoryMiB: number;
  readonly debianMirror?: string;
  /** Done while it runs; its failure ends the phase and is what came of it. `ended` is aborted when the phase has ended. */
  readonly onStart?: (ended: AbortSignal) => Promise<void>;
  readonly signal?: AbortSignal;
  readonly onProgress?: OnProgress;
}

const LOG_BYTES = 64 << 20;

export async function runPhase(engine: Engine, request: PhaseRun): Promise<PhaseResult> {
  const { name, phase, minutes, memoryMiB, debianMirror, signal } = request;
  await fs.mkdir(path.dirname(request.logFile), { recursive: true });
  const progress = new PhaseProgress(phase.name, request.title, request.onProgress);
  const reader = new LogReader(phase.script, (line) => hideMirror(line, debianMirror));
  const kill = (): void => {
    // by its name: ending the client alone would leave the container running
    void engine.run(['kill', name]).catch(() => undefined);
  };
  const timer = setTimeout(kill, minutes * 60_000);
  signal?.addEventListener('abort', kill, { once: true });
  const over = new AbortController();
  let failed: unknown;
  const started = request.onStart?.(over.signal).catch((error: unknown) => {
    failed = error;
    kill();
  });
  try {
    const result = await engine.run(['start', '--attach', name], {
      ...engine.startIn,
      timeoutMs: minutes * 60_000,
      logFile: request.logFile,
      logBytes: LOG_BYTES,
      captureBytes: 4096,
      onLine: (line) => {
        progress.line();
        reader.push(line);
      },
      ...(signal === undefined ? {} : { signal }),
    });
    over.abort();
    await started;
    if (failed !== undefined && signal?.aborted !== true) throw failed;
    const state = await engine.state(name);
    const summary = reader.summary();
    const outcome = classifyPhase({
      phase: phase.name,
      network: phase.network,
      minutes,
      memoryMiB,
      client: result.ended,
      state,
      container: true,
      log: summary,
      said: hideMirror(result.stderr.toString().trim().split('\n').at(-1) ?? '', debianMirror),
      ...(debianMirror === undefined ? {} : { debianMirror }),
    });
    const seconds = progress.finish(outcome.kind);
    return { outcome, summary, log: logRecord(phase.name, request.logFile, result), seconds };
  } finally {
    over.abort();
    clearTimeout(timer);
    signal?.removeEventListener('abort', kill);
  }
}

/** Which mirror this machine uses is nobody's business and no fact about the build. */
export function hideMirror(line: string, mirror: string | undefined): string {
  return mirror === undefined ? line : line.replaceAll(mirror.replace(/\/+$/, ''), '<archive>');
}
