// SPDX-License-Identifier: Apache-2.0
/** Runs commands under GNU time, interleaved, so that whatever else the machine does falls on all of them alike. */
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

export interface Command {
  readonly label: string;
  readonly argv: readonly string[];
  /** A run that ends otherwise measures something else; default 0. */
  readonly exit?: number;
}

export interface Sample {
  readonly seconds: number;
  /** user + system */
  readonly cpuSeconds: number;
  readonly peakBytes: number;
}

export function runOnce({ label, argv, exit = 0 }: Command): Sample {
  const record = path.join(tmpdir(), `samesource-bench-time-${process.pid}`);
  const started = performance.now();
  const result = spawnSync('/usr/bin/time', ['-v', '-o', record, ...argv], {
    stdio: ['ignore', 'ignore', 'pipe'],
    maxBuffer: 64 << 20,
  });
  const seconds = (performance.now() - started) / 1000;
  if (result.error !== undefined) throw result.error;
  if (result.status !== exit)
    throw new Error(
      `${label}: exit code ${result.status}, expected ${exit}\n${result.stderr.toString().trim().split('\n').slice(-5).join('\n')}`,
    );
  const said = readFileSync(record, 'utf8');
  rmSync(record);
  const field = (name: string): number => {
    const value = new RegExp(`${name}.*: ([\\d.]+)$`, 'm').exec(said)?.[1];
    if (value === undefined) throw new Error(`GNU time says nothing about ${name}`);
    return Number(value);
  };
  return {
    seconds,
    cpuSeconds: field('User time') + field('System time'),
    peakBytes: field('Maximum resident set size') * 1024,
  };
}

/** One round runs each measurement once; the first round only warms the caches and is left out. */
export async function interleaved<Name extends string>(
  measurements: Readonly<Partial<Record<Name, () => Sample | Promise<Sample>>>>,
  rounds: number,
): Promise<Readonly<Partial<Record<Name, readonly Sample[]>>>> {
  const samples: Partial<Record<Name, Sample[]>> = {};
  for (let round = 0; round <= rounds; round++)
    for (const [name, measure] of Object.entries(measurements) as [Name, () => Sample | Promise<Sample>][]) {
      const sample = await measure();
      if (round > 0) (samples[name] ??= []).push(sample);
    }
  return samples;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

export const medianSeconds = (samples: readonly Sample[]): number =>
  median(samples.map(({ seconds }) => seconds));

/** The median of the ratios of each round: `ours` and `peer` ran right after one another. */
export function medianRatio(ours: readonly Sample[], peer: readonly Sample[]): number {
  return median(ours.map(({ seconds }, round) => seconds / (peer[round]?.seconds ?? Number.NaN)));
}
