// SPDX-License-Identifier: Apache-2.0
/** The image that a plan names, in an engine: pulled by digest, imported from a lock's root file system, or built on top. */
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { FailedHere } from '../errors.js';
import type { Deviation, EnvironmentRecord, ImagePlan, LogRecord, OnProgress } from '../model.js';
import { withLock } from '../owned-lock.js';
import { buildImage, DOCKERFILE } from './build-image.js';
import { pinDockerfile } from './dockerfile.js';
import { AddressFallbacks, imageDeviation, imageFallbacks } from './fallback.js';
import type { Engine } from './engine.js';
import { engineFailure } from './engine-failure.js';
import type { PrepareRequest, RootFileSystem } from './executor.js';
import { pinnedReference } from './registry-reference.js';
import { imageOfRun } from './run-names.js';
import { treeItems } from './source-tar.js';
import { tarStream, type TarItem } from './tar-write.js';

export type MakeRootFileSystem = (
  name: string,
  options: {
    readonly cache: string;
    readonly packageRoot: string;
    readonly debianMirror?: string;
    readonly signal?: AbortSignal;
    readonly onProgress?: OnProgress;
  },
) => Promise<RootFileSystem>;

export type ImageOutcome =
  | {
      readonly kind: 'ready';
      /** What the engine knows it by. */
      readonly reference: string;
      readonly record: NonNullable<EnvironmentRecord['image']>;
      readonly deviations: readonly Deviation[];
      /** To be removed at the end of the run. */
      readonly own: readonly string[];
      readonly logs: readonly LogRecord[];
    }
  | { readonly kind: 'environment-gone'; readonly url: string; readonly status: 404 | 410 };

const PULL_MS = 60 * 60_000;

/** @throws FailedHere `plan-unresolved`, `network`, `rate-limited`, `disk-full`, `engine-died`, `interrupted` … */
export async function provideImage(
  engine: Engine,
  request: PrepareRequest,
  rootFileSystem: MakeRootFileSystem,
): Promise<ImageOutcome> {
  const base = await baseOrFallback(engine, request, rootFileSystem);
  if (base.kind !== 'ready' || request.plan.environment.dockerfile === undefined) return base;
  return await buildOnTop(engine, base, request);
}

/** The first gone one is what is told where all of them are. */
async function baseOrFallback(
  engine: Engine,
  request: PrepareRequest,
  rootFileSystem: MakeRootFileSystem,
): Promise<ImageOutcome> {
  const { environment, fallbacks } = request.plan;
  const base = await provideBase(engine, environment.image, request, rootFileSystem);
  if (base.kind === 'ready') return base;
  for (const fallback of imageFallbacks(fallbacks)) {
    const other = await provideBase(engine, fallback.image, request, rootFileSystem);
    if (other.kind === 'ready')
      return { ...other, deviations: [imageDeviation(fallback, base), ...other.deviations] };
  }
  return base;
}

async function provideBase(
  engine: Engine,
  image: ImagePlan,
  request: PrepareRequest,
  rootFileSystem: MakeRootFileSystem,
): Promise<ImageOutcome> {
  switch (image.kind) {
    case 'registry':
      return await pull(engine, image.reference, image.digest, request.signal);
    case 'lock':
      return await importLock(engine, image, await rootFileSystem(image.name, request), request);
    case 'unresolved':
      throw new FailedHere('plan-unresolved', `the image of the plan is not known: ${image.reference}`);
    case 'none':
    case 'host':
      throw new FailedHere('plan-unresolved', 'the plan names no image to run in a container');
  }
}

async function pull(
  engine: Engine,
  name: string,
  digest: string,
  signal: AbortSignal | undefined,
): Promise<ImageOutcome> {
  const { reference, url } = pinnedReference(name, digest);
  if (!(await engine.hasImage(reference))) {
    const result = await engine.run(['pull', '--quiet', reference], {
      timeoutMs: PULL_MS,
      ...(signal === undefined ? {} : { signal }),
    });
    if (result.ended.kind !== 'exited' || result.ended.code !== 0) {
      const said = result.stderr.toString();
      if (/manifest unknown|manifest for \S+ not found|\b404\b/i.test(said))
        return { kind: 'environment-gone', url, status: 404 };
      if (/\b410\b/.test(said)) return { kind: 'environment-gone', url, status: 410 };
      const failure = engineFailure(engine.kind, 'pull', result);
      throw failure.code === 'engine-died'
        ? new FailedHere('network', `${name} could not be pulled: ${failure.message}`)
        : failure;
    }
  }
  return { kind: 'ready', reference, record: { name, digest }, deviations: [], own: [], logs: [] };
}

/** Kept between runs: its tag says which root file system it is. */
async function importLock(
  engine: Engine,
  image: Extract<ImagePlan, { kind: 'lock' }>,
  root: RootFileSystem,
  { signal }: Pick<PrepareRequest, 'signal'>,
): Promise<ImageOutcome> {
  const reference = `localhost/samesource-base-${image.name}:${root.sha256}`;
  const signalled = signal === undefined ? {} : { signal };
  // imported twice at once, it would be there twice, and one of them without a name
  const lock = `${root.path}.${engine.kind}.lock`;
  if (!(await engine.hasImage(reference)))
    await withLock(
      lock,
      async () => {
        if (await engine.hasImage(reference)) return;
        await engine.checked(['import', root.path, reference], { timeoutMs: PULL_MS, ...signalled });
      },
      signalled,
    );
  return {
    kind: 'ready',
    reference,
    record: { name: image.name, rootfsSha256: root.sha256, lockSha256: root.lockSha256 },
    deviations: root.deviations,
    own: [],
    logs: [],
  };
}

/** The context is the Dockerfile's own directory: in the source tree, or in this package for one that overrides it. */
async function buildOnTop(
  engine: Engine,
  base: Extract<ImageOutcome, { kind: 'ready' }>,
  request: PrepareRequest,
): Promise<ImageOutcome> {
  const { dockerfile } = request.plan.environment;
  if (dockerfile === undefined) return base;
  const root = dockerfile.from === 'override' ? request.packageRoot : request.source?.directory;
  if (root === undefined)
    throw new FailedHere('plan-unresolved', `there is no source tree that could hold ${dockerfile.path}`);
  const file = await insideOf(root, dockerfile.path);
  const pinned = pinDockerfile(await fs.readFile(file, 'utf8'), base.reference);
  if (pinned === undefined)
    throw new FailedHere('plan-unresolved', `${dockerfile.path} has no FROM that could be pinned`);
  const tag = imageOfRun(request.run, 'image');
  const fallbacks = new AddressFallbacks(request.plan.fallbacks);
  let { text } = pinned;
  const build = async (): Promise<Awaited<ReturnType<typeof buildImage>>> =>
    await buildImage(engine, tag, tarStream(contextItems(path.dirname(file), text, request)), request);
  let built = await build();
  while (built.kind !== 'built') {
    const next = fallbacks.next(text, built);
    if (next === undefined) return built;
    text = next;
    built = await build();
  }
  return {
    ...base,
    reference: tag,
    own: [tag],
    logs: [built.log],
    deviations: [
      ...base.deviations,
      ...fallbacks.used,
      ...pinned.otherBases.map((other) => ({
        code: 'image-not-pinned',
        what: `${dockerfile.path} also builds on ${other}, by name only`,
        reason: 'the plan pins the digest of the first base',
        canChangeOutput: 'unknown' as const,
      })),
    ],
  };
}

async function* contextItems(
  directory: string,
  text: string,
  request: PrepareRequest,
): AsyncGenerator<TarItem> {
  const mtime = request.source?.commitTime ?? 0;
  const root = { uid: 0, gid: 0, mtime };
  yield { ...root, kind: 'text', path: DOCKERFILE, mode: 0o644, text };
  yield* treeItems(directory, {
    ...root,
    prefix: '',
    ...(request.signal === undefined ? {} : { signal: request.signal }),
  });
}

/** A path of the plan, which no link leads out of its tree. */
async function insideOf(root: string, relative: string): Promise<string> {
  try {
    const [real, file] = [await fs.realpath(root), await fs.realpath(path.join(root, relative))];
    if (file.startsWith(real + path.sep)) return file;
  } catch (cause) {
    throw new FailedHere('plan-unresolved', `${relative} is not in the source tree`, { cause });
  }
  throw new FailedHere('plan-unresolved', `${relative} leads out of its tree`);
}
