// SPDX-License-Identifier: Apache-2.0
/** One live line per phase on a terminal, plain lines anywhere else. */
import { printable, type OnProgress, type Plan, type ProgressEvent } from '../index.js';
import type { Output } from './output.js';
import { planInBrief } from './plan-text.js';

const TICK_MS = 200;

export interface Progress {
  readonly onProgress: OnProgress;
  /** Ends the live line. */
  close(): void;
}

interface Running {
  readonly title: string;
  readonly started: number;
  detail: string;
}

export function showProgress(output: Output, stream: NodeJS.WriteStream = process.stderr): Progress {
  if (output.quiet) return { onProgress: () => undefined, close: () => undefined };
  const live = stream.isTTY && process.env['TERM'] !== 'dumb';
  const running = new Map<string, Running>();
  const erase = (): void => {
    if (live) stream.write('\r\x1b[K');
  };
  const draw = (): void => {
    const current = [...running.values()].at(-1);
    if (!live || current === undefined) return;
    const text = `… ${current.title} ${elapsed(current.started)}${current.detail}`;
    stream.write(`\r\x1b[K${text.slice(0, Math.max(20, (stream.columns || 80) - 1))}`);
  };
  const timer = live ? setInterval(draw, TICK_MS).unref() : undefined;
  const print = (text: string): void => {
    erase();
    stream.write(`${text}\n`);
    draw();
  };
  return {
    onProgress: (event: ProgressEvent) => {
      switch (event.kind) {
        case 'phase-started': {
          // names of files are in there
          const title = printable(event.title);
          running.set(event.phase, { title, started: performance.now(), detail: '' });
          if (live) draw();
          else print(`… ${title}`);
          break;
        }
        case 'phase-progress': {
          const phase = running.get(event.phase);
          if (phase !== undefined) phase.detail = ` ${amount(event)}`;
          break;
        }
        case 'phase-finished': {
          const title = running.get(event.phase)?.title ?? printable(event.phase);
          running.delete(event.phase);
          print(
            `✓ ${title} ${event.seconds.toFixed(1)} s${event.outcome === undefined ? '' : `: ${event.outcome}`}`,
          );
          break;
        }
        case 'note':
          print(`  ${event.text.split('\n').map(printable).join('\n')}`);
          break;
        case 'plan':
          print(planInBrief(event.plan satisfies Plan));
          break;
      }
    },
    close: () => {
      clearInterval(timer);
      erase();
    },
  };
}

function elapsed(started: number): string {
  const seconds = Math.floor((performance.now() - started) / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

function amount({ done, total, unit }: Extract<ProgressEvent, { kind: 'phase-progress' }>): string {
  const shown = (n: number): string => (unit === 'bytes' ? `${(n / 1e6).toFixed(1)} MB` : `${n} ${unit}`);
  return total === undefined ? shown(done) : `${shown(done)} of ${shown(total)}`;
}
