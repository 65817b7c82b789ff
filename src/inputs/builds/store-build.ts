// SPDX-License-Identifier: Apache-2.0
/** Keeps the result of a build for later verdicts: whole or not at all, beside others that do the same. */
import { createHash } from 'node:crypto';
import { constants, promises as fs } from 'node:fs';
import path from 'node:path';
import { canonicalJson } from '../../canonical-json.js';
import type {
  BuildKey,
  BuildPlan,
  BuildResult,
  BuiltFile,
  InputInventory,
  KeptBuild,
  KeptInventory,
  KeptLog,
  KeptObject,
  KeptResult,
  LogRecord,
  PreparedFacts,
  Sha256,
  SourceRecord,
} from '../../model.js';
import { OWNER_FILE, removeOwned } from '../../owned-directory.js';
import { storageFailure } from '../atomic-file.js';
import { sha256OfFile } from '../cache.js';
import {
  BUILD_FILE,
  buildPlaces,
  buildsDirectory,
  directoryOf,
  OBJECTS,
  partialDirectory,
} from './build-directory.js';
import { placeLines } from './place-file.js';

export interface BuildToKeep {
  readonly key: BuildKey;
  readonly plan: BuildPlan;
  readonly run: string;
  readonly attempt: number;
  readonly source?: SourceRecord;
  readonly prepared: PreparedFacts;
  readonly result: Exclude<BuildResult, { kind: 'environment-gone' }>;
}

export interface Kept {
  readonly id: Sha256;
  readonly build: KeptBuild;
}

/**
 * `readLog`: what of a log may be kept.
 * @throws FailedHere `disk-full`, `unreadable-input`
 */
export async function storeBuild(
  cache: string,
  { prepared, result, ...about }: BuildToKeep,
  readLog: (file: string) => Promise<string>,
): Promise<Kept> {
  let directory: string | undefined;
  try {
    directory = await partialDirectory(cache);
    const writer = new ObjectWriter(cache, about.key.buildDigest, directory);
    await writer.begin();
    const keepLogs = (logs: readonly LogRecord[]): Promise<readonly KeptLog[]> =>
      inOrder(logs, async ({ path: file, ...log }) => ({
        ...log,
        name: path.basename(file),
        kept: await writer.text([await readLog(file)]),
      }));
    const keepFiles = (files: readonly BuiltFile[]): Promise<readonly Omit<BuiltFile, 'path'>[]> =>
      inOrder(files, async ({ path: file, ...rest }) => {
        await writer.file(file, rest);
        return rest;
      });
    const build: KeptBuild = {
      schemaVersion: 1,
      ...about,
      made: new Date().toISOString(),
      prepared: {
        environment: prepared.environment,
        deviations: prepared.deviations,
        seconds: prepared.seconds,
        ...(prepared.fetched === undefined ? {} : { fetched: prepared.fetched }),
        inventory: await keptInventory(prepared.inventory, writer),
        logs: await keepLogs(prepared.logs),
      },
      result: await keptResult(result, keepFiles, keepLogs),
    };
    const text = canonicalJson(build);
    const id = createHash('sha256').update(text).digest('hex');
    await fs.writeFile(path.join(directory, BUILD_FILE), text, { flag: 'wx' });
    const target = directoryOf(cache, { digest: about.key.buildDigest, id });
    await giveName(directory, target);
    directory = undefined;
    // not before: what nobody owns and is not empty would lie there for ever after a kill
    await fs.rm(path.join(target, OWNER_FILE), { force: true });
    return { id, build };
  } catch (error) {
    throw storageFailure(error, 'a build', path.join(buildsDirectory(cache), BUILD_FILE));
  } finally {
    if (directory !== undefined) await removeOwned(directory).catch(() => undefined);
  }
}

/** Who removes the last other build of the plan removes the directory that is to hold this one. */
async function giveName(directory: string, target: string): Promise<void> {
  for (let tries = 1; ; tries++) {
    await fs.mkdir(path.dirname(target), { recursive: true });
    try {
      await fs.rename(directory, target);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || tries === 10) throw error;
    }
  }
}

async function keptResult(
  result: BuildToKeep['result'],
  keepFiles: (files: readonly BuiltFile[]) => Promise<readonly Omit<BuiltFile, 'path'>[]>,
  keepLogs: (logs: readonly LogRecord[]) => Promise<readonly KeptLog[]>,
): Promise<KeptResult> {
  switch (result.kind) {
    case 'failed':
      return { ...result, logs: await keepLogs(result.logs) };
    case 'succeeded':
      return {
        ...result,
        outputs: await keepFiles(result.outputs),
        extra: await keepFiles(result.extra),
        logs: await keepLogs(result.logs),
      };
  }
}

async function keptInventory(
  { bySha256, byAllocatedSections, linkableInto, ...facts }: InputInventory,
  writer: ObjectWriter,
): Promise<KeptInventory> {
  return {
    facts: await writer.text([canonicalJson({ ...facts, linkableInto: [...linkableInto] })]),
    bySha256: await writer.text(placeLines(bySha256)),
    byAllocatedSections: await writer.text(placeLines(byAllocatedSections)),
  };
}

/**
 * Objects of a directory that is not finished. Nothing is synced: each is checked when it is read, and a build whose
 * objects a machine lost when it went down is built again.
 */
class ObjectWriter {
  readonly #cache: string;
  readonly #digest: Sha256;
  readonly #objects: string;

  constructor(cache: string, digest: Sha256, directory: string) {
    this.#cache = cache;
    this.#digest = digest;
    this.#objects = path.join(directory, OBJECTS);
  }

  async begin(): Promise<void> {
    await fs.mkdir(this.#objects);
  }

  async text(parts: Iterable<string>): Promise<KeptObject> {
    const part = path.join(this.#objects, 'part');
    const hash = createHash('sha256');
    let size = 0;
    const handle = await fs.open(part, 'wx', 0o444);
    try {
      for (const text of parts) {
        const bytes = Buffer.from(text);
        hash.update(bytes);
        size += bytes.length;
        await handle.writeFile(bytes);
      }
    } finally {
      await handle.close();
    }
    const object = { sha256: hash.digest('hex'), size };
    // what the builds of one plan share, an inventory above all, lies on the disk once
    if (await this.#linked(object)) await fs.rm(part);
    else await fs.rename(part, this.#place(object));
    return object;
  }

  async file(from: string, { sha256, size }: KeptObject): Promise<void> {
    const object = { sha256, size };
    if (await this.#linked(object)) return;
    const part = path.join(this.#objects, 'part');
    await fs.copyFile(from, part, constants.COPYFILE_FICLONE);
    await fs.chmod(part, 0o444);
    await fs.rename(part, this.#place(object));
  }

  #place({ sha256 }: KeptObject): string {
    return path.join(this.#objects, sha256);
  }

  /** True when it is there by now: of this build, or of another one of the same plan that is not damaged. */
  async #linked(object: KeptObject): Promise<boolean> {
    const target = this.#place(object);
    if (await isObject(target, object)) return true;
    for (const place of await buildPlaces(this.#cache, this.#digest)) {
      const other = path.join(directoryOf(this.#cache, place), OBJECTS, object.sha256);
      const linked = await fs.link(other, target).then(
        () => true,
        () => false,
      );
      if (!linked) continue;
      if (await isObject(target, object)) return true;
      await fs.rm(target);
    }
    return false;
  }
}

async function isObject(file: string, { sha256, size }: KeptObject): Promise<boolean> {
  const stat = await fs.stat(file).catch(() => undefined);
  return stat?.size === size && (await sha256OfFile(file)).sha256 === sha256;
}

async function inOrder<T, R>(list: readonly T[], work: (item: T) => Promise<R>): Promise<readonly R[]> {
  const results: R[] = [];
  for (const item of list) results.push(await work(item));
  return results;
}
