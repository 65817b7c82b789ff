// SPDX-License-Identifier: Apache-2.0
/**
 * A plan out of a report, before it runs: whoever wrote the report wrote it. What reaches this machine has the form that
 * recipes are held to. What would run on it, or take files of it, must be what the recipe here gives.
 */
import { z } from 'zod';
import type { ExecutorKind } from '../build/executor.js';
import { UsageError, VerifyError } from '../errors.js';
import type { Plan } from '../model.js';
import {
  commit,
  hostName,
  identifier,
  imageDigest,
  outputPath,
  pathBelow,
  positive,
  sha256,
  text,
  variableName,
} from '../recipe/schema-parts.js';
import type { OperationOptions } from './options.js';
import { plan as planOf } from './plan.js';

/** No option of a program, whatever it is called. */
const reference = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._:/@-]*$/);
const image = z.union([
  z.object({ kind: z.literal('registry'), reference, digest: imageDigest }),
  z.object({ kind: z.literal('lock'), name: identifier, sha256 }),
  z.object({ kind: z.literal('none') }),
]);
/** One name, and no way to another place. */
const fileName = z.string().regex(/^(?!\.{1,2}$)[^/\\\0]+$/);

const buildPart = z.object({
  source: z.union([
    z.object({
      kind: z.literal('git'),
      repository: z.url({ protocol: /^(?:https|http|file)$/ }),
      commit,
      ref: z
        .string()
        .regex(/^[^-\0][^\0]*$/)
        .optional(),
    }),
    z.object({
      kind: z.literal('debian'),
      suite: identifier,
      component: identifier,
      package: identifier,
      version: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9.+~:-]*$/),
      directory: pathBelow,
      files: z.array(z.object({ name: fileName, sha256 })),
    }),
    z.object({ kind: z.literal('bundled'), directory: pathBelow }),
  ]),
  environment: z.object({
    image,
    dockerfile: z
      .object({
        from: z.enum(['source', 'override']),
        path: pathBelow,
        arguments: z.record(variableName, text).optional(),
        target: identifier.optional(),
      })
      .optional(),
    user: identifier,
    directory: z.string().regex(/^(?:\/(?!\.{1,2}(?:\/|$))[A-Za-z0-9._+~-]+)+$/),
    variables: z.record(variableName, z.string()),
    memoryMiB: positive,
    diskMiB: positive,
    minutes: positive,
    cpus: positive,
  }),
  phases: z.array(
    z.object({
      name: z.enum(['prepare', 'build']),
      user: identifier,
      network: z.boolean(),
      hosts: z.array(hostName).optional(),
      script: text,
    }),
  ),
  outputs: z.array(z.object({ id: identifier, path: outputPath })),
  fallbacks: z
    .array(z.union([z.object({ kind: z.literal('image'), image }), z.object({ kind: z.literal('address') })]))
    .optional(),
});

/** @throws UsageError `foreign-plan` */
export async function assertRunnable(
  plan: Plan,
  engine: ExecutorKind | undefined,
  options: OperationOptions,
): Promise<void> {
  const parsed = buildPart.safeParse(plan.build);
  const [issue] = parsed.error?.issues ?? [];
  if (issue !== undefined)
    throw foreign(`no recipe gives such a plan: build/${issue.path.map(String).join('/')}: ${issue.message}`);
  const away = awayIn(plan.compare.acquisition);
  if (away !== undefined) throw foreign(`it takes published files from ${JSON.stringify(away)}`);
  const reached = reachOf(plan, engine);
  if (reached === undefined) return;
  const { app, version, channel } = plan.target;
  const own = await planOf({ app, version, channel }, options).catch((error: unknown) => {
    if (!(error instanceof VerifyError)) throw error;
    throw foreign(`it ${reached}, and no recipe here gives it: ${error.message}`, error);
  });
  if (own.plan.buildDigest === undefined || own.plan.buildDigest !== plan.buildDigest)
    throw foreign(`it ${reached}, and the recipe of ${app} here gives another one`);
  if (own.plan.compareDigest !== plan.compareDigest)
    throw foreign(`it ${reached}, and the recipe of ${app} here compares otherwise`);
}

const foreign = (what: string, cause?: unknown): UsageError =>
  new UsageError('foreign-plan', `the plan of this report does not run here: ${what}`, {
    cause,
    hint: 'whoever wrote the report could have written anything; `verify APP VERSION` makes a plan of the recipe',
  });

/** What of this machine it would get, beyond a container of its own. */
function reachOf(
  { build: { environment, source }, compare }: Plan,
  engine: ExecutorKind | undefined,
): string | undefined {
  if (environment.image.kind === 'none' || engine === 'local') return 'runs without a container';
  if (source.kind === 'bundled' || compare.acquisition.kind === 'bundled')
    return 'takes files of this package';
  if (source.kind === 'git' && !source.repository.startsWith('https://'))
    return 'takes a repository of this machine or its network';
  const { dockerfile } = environment;
  if (dockerfile?.from === 'override' && !dockerfile.path.startsWith('docker/'))
    return 'takes files of this package';
  return undefined;
}

/** A name in it that leads to another place. */
function awayIn(value: unknown): string | undefined {
  if (typeof value === 'string')
    return /^[/\\-]|(?:^|[/\\])\.\.(?:[/\\]|$)|\0/.test(value) ? value : undefined;
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [key, item] of Object.entries(value)) {
    // words for people, and an address seen from a page
    if (key === 'how' || key === 'versionFile') continue;
    const found = awayIn(item);
    if (found !== undefined) return found;
  }
  return undefined;
}
