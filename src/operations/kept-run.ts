// SPDX-License-Identifier: Apache-2.0
/**
 * The folder of a run that is kept: what was planned, how far each phase came, and the digests of what it left. `run.json`
 * is written anew, whole, at each step, so that it is true after a kill as well.
 */
import { createHash } from 'node:crypto';
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { FailedHere } from '../errors.js';
import { writeAside } from '../inputs/atomic-file.js';
import type { Fact, Plan } from '../model.js';

export const RUN_FILE = 'run.json';
export const PLAN_FILE = 'plan.json';
export const PREPARED_FILE = 'prepared.json';
export const REPORT_FILE = 'report.json';
export const builtFile = (attempt: number): string => `built-${attempt}.json`;

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const phaseName = z.enum(['prepare', 'build']);

const phase = z.strictObject({
  phase: phaseName,
  attempt: z.int().min(1),
  container: z.string(),
  arguments: z.array(z.string()),
  begun: z.string(),
  /** Absent while it runs, and after a kill. */
  ended: z
    .strictObject({
      at: z.string(),
      outcome: z.string(),
      /** Of the file with what it gave. */
      sha256: sha256.optional(),
    })
    .optional(),
});

const keptRun = z.strictObject({
  schemaVersion: z.literal(1),
  run: z.string().regex(/^[a-z0-9-]+$/),
  operation: z.enum(['verify', 'build']),
  begun: z.string(),
  tool: z.string(),
  /** The machine that has its containers, where a machine says who it is. */
  machine: z.string().optional(),
  target: z.strictObject({ app: z.string(), version: z.string(), channel: z.string() }),
  planSha256: sha256,
  /** Of the files of this package that the plan names by path. */
  packageSha256: sha256.optional(),
  /** As the operation was asked. */
  request: z.looseObject({ app: z.string(), version: z.string() }),
  recipes: z.string().optional(),
  engine: z.enum(['docker', 'podman']).optional(),
  phases: z.array(phase),
  /** The image from which builds start. */
  frozen: z.strictObject({ image: z.string(), imageId: z.string(), sha256 }).optional(),
  /** Phases whose state somebody had their hands in. Never taken back. */
  touched: z.array(z.strictObject({ phase: phaseName, at: z.string(), how: z.string() })),
  /** The run whose finished phases this one began with. */
  resumed: z.strictObject({ run: z.string(), from: z.enum(['prepare', 'build', 'compare']) }).optional(),
  end: z.strictObject({ at: z.string(), outcome: z.string() }).optional(),
});

export type KeptRun = z.infer<typeof keptRun>;
export type KeptPhase = KeptRun['phases'][number];

/** What a plan is made of again, to see whether it is still the same. */
export interface KeptPlan {
  readonly plan: Plan;
  readonly facts: readonly Fact[];
}

export async function writeKeptRun(directory: string, run: KeptRun): Promise<void> {
  await writeKept(directory, RUN_FILE, run);
}

/** Returns the digest of what was written. */
export async function writeKept(directory: string, name: string, value: unknown): Promise<string> {
  const text = JSON.stringify(value);
  await writeAside(path.join(directory, name), async (handle) => {
    await handle.writeFile(text);
  });
  return createHash('sha256').update(text).digest('hex');
}

/** @throws FailedHere `kept-run-damaged` */
export async function readKeptRun(directory: string): Promise<KeptRun> {
  const run = path.basename(directory);
  const text = await fs.readFile(path.join(directory, RUN_FILE), 'utf8').catch((cause: unknown) => {
    throw damaged(run, `its ${RUN_FILE} cannot be read`, cause);
  });
  const parsed = keptRun.safeParse(jsonOf(text, run, RUN_FILE));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw damaged(run, `${RUN_FILE}, /${issue?.path.map(String).join('/') ?? ''}: ${issue?.message ?? ''}`);
  }
  if (parsed.data.run !== run) throw damaged(run, `its ${RUN_FILE} is of the run ${parsed.data.run}`);
  return parsed.data;
}

/**
 * A file of the folder that `run.json` knows by digest.
 * @throws FailedHere `kept-run-damaged`
 */
export async function readKept(directory: string, name: string, digest: string): Promise<unknown> {
  const run = path.basename(directory);
  const text = await fs.readFile(path.join(directory, name), 'utf8').catch((cause: unknown) => {
    throw damaged(run, `its ${name} cannot be read`, cause);
  });
  const found = createHash('sha256').update(text).digest('hex');
  if (found !== digest) throw damaged(run, `its ${name} has SHA-256 ${found}, and ${digest} was written`);
  return jsonOf(text, run, name);
}

function jsonOf(text: string, run: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw damaged(run, `its ${name} is cut off or no JSON`, cause);
  }
}

export const damaged = (run: string, what: string, cause?: unknown): FailedHere =>
  new FailedHere('kept-run-damaged', `the folder of run ${run} is not as it was left: ${what}`, {
    cause,
    hint: `start anew with verify; \`verify runs --remove ${run}\` removes what is left of it`,
  });
