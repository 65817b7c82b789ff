// SPDX-License-Identifier: Apache-2.0
/** Progress of a phase by the lines that it prints: often enough to be alive, seldom enough to cost nothing. */
import type { OnProgress } from '../model.js';

const EVERY_MS = 200;

export class PhaseProgress {
  readonly #phase: string;
  readonly #onProgress: OnProgress | undefined;
  readonly #started = performance.now();
  #lines = 0;
  #told = 0;
  #last = -Infinity;

  constructor(phase: string, title: string, onProgress: OnProgress | undefined) {
    this.#phase = phase;
    this.#onProgress = onProgress;
    onProgress?.({ kind: 'phase-started', phase, title });
  }

  line(): void {
    this.#lines++;
    const now = performance.now();
    if (now - this.#last >= EVERY_MS) this.#tell(now);
  }

  /** Seconds since it began. */
  finish(outcome?: string): number {
    if (this.#lines > this.#told) this.#tell(performance.now());
    const seconds = (performance.now() - this.#started) / 1000;
    this.#onProgress?.({
      kind: 'phase-finished',
      phase: this.#phase,
      seconds,
      ...(outcome === undefined ? {} : { outcome }),
    });
    return seconds;
  }

  #tell(now: number): void {
    this.#last = now;
    this.#told = this.#lines;
    this.#onProgress?.({ kind: 'phase-progress', phase: this.#phase, done: this.#lines, unit: 'lines' });
  }
}
