// SPDX-License-Identifier: Apache-2.0
/** A kept build as its run had it, each byte of it checked: into a directory of the caller, where nobody else removes it. */
import { createHash } from 'node:crypto';
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { digestOf } from '../../canonical-json.js';
import { VerifyError } from '../../errors.js';
import type {
  BuildResult,
  BuiltFile,
  InputInventory,
  KeptBuild,
  KeptLog,
  KeptObject,
  LogRecord,
  PreparedFacts,
} from '../../model.js';
import { copyOut, sha256OfFile } from '../cache.js';
import { BUILD_FILE, directoryOf, OBJECTS, type BuildPlace } from './build-directory.js';
import { PlaceFile } from './place-file.js';

export interface LoadedBuild {
  readonly prepared: PreparedFacts;
  readonly result: Exclude<BuildResult, { kind: 'environment-gone' }>;
}

/** Not what was stored: a build to be removed, and never one to be judged by. */
export class DamagedBuild extends VerifyError<'build-damaged'> {
  constructor(message: string) {
    super('build-damaged', message);
  }
}

/**
 * What a build says of itself. Nothing where there is none (any more).
 * @throws DamagedBuild
 */
export async function readBuild(cache: string, place: BuildPlace): Promise<KeptBuild | undefined> {
  const file = path.join(directoryOf(cache, place), BUILD_FILE);
  let text: string;
  try {
    text = await fs.readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    const there = await fs.stat(path.dirname(file)).catch(() => undefined);
    if (there === undefined) return undefined;
    throw new DamagedBuild(`${BUILD_FILE} is not there`);
  }
  const found = createHash('sha256').update(text).digest('hex');
  if (found !== place.id) throw new DamagedBuild(`${BUILD_FILE} has SHA-256 ${found}, not ${place.id}`);
  const build = JSON.parse(text) as KeptBuild;
  if (build.key.buildDigest !== place.digest || digestOf(build.plan) !== place.digest)
    throw new DamagedBuild(`it is of another plan than ${place.digest}`);
  return build;
}

/** `into` is made. @throws DamagedBuild; what the file system says otherwise */
export async function loadBuild(
  cache: string,
  place: BuildPlace,
  { prepared, result }: KeptBuild,
  into: string,
): Promise<LoadedBuild> {
  const reader = new ObjectReader(path.join(directoryOf(cache, place), OBJECTS), into);
  await fs.mkdir(into, { recursive: true });
  const { inventory, logs, ...rest } = prepared;
  const [facts, bySha256, byAllocatedSections] = [
    await reader.bytes(inventory.facts),
    await reader.bytes(inventory.bySha256),
    await reader.bytes(inventory.byAllocatedSections),
  ];
  const { linkableInto, ...more } = JSON.parse(facts.toString('utf8')) as Omit<
    InputInventory,
    'bySha256' | 'byAllocatedSections' | 'linkableInto'
  > & { readonly linkableInto: readonly (readonly [string, readonly string[]])[] };
  return {
    prepared: {
      ...rest,
      inventory: {
        ...more,
        linkableInto: new Map(linkableInto),
        bySha256: new PlaceFile(bySha256),
        byAllocatedSections: new PlaceFile(byAllocatedSections),
      },
      logs: await reader.logs(logs),
    },
    result:
      result.kind === 'failed'
        ? { ...result, logs: await reader.logs(result.logs) }
        : {
            ...result,
            outputs: await reader.files(result.outputs),
            extra: await reader.files(result.extra),
            logs: await reader.logs(result.logs),
          },
  };
}

class ObjectReader {
  readonly #objects: string;
  readonly #into: string;
  #count = 0;

  constructor(objects: string, into: string) {
    this.#objects = objects;
    this.#into = into;
  }

  async bytes(object: KeptObject): Promise<Buffer> {
    const bytes = await fs.readFile(path.join(this.#objects, object.sha256)).catch(damagedIfGone(object));
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    assertSame(object, { sha256, size: bytes.length });
    return bytes;
  }

  async files(files: readonly Omit<BuiltFile, 'path'>[]): Promise<readonly BuiltFile[]> {
    const taken: BuiltFile[] = [];
    for (const file of files) taken.push({ ...file, path: await this.#take(file, file.name) });
    return taken;
  }

  async logs(logs: readonly KeptLog[]): Promise<readonly LogRecord[]> {
    const taken: LogRecord[] = [];
    for (const { name, kept, ...log } of logs) taken.push({ ...log, path: await this.#take(kept, name) });
    return taken;
  }

  /** A second name of the same file, which stays when the first one goes; checked under that name. */
  async #take(object: KeptObject, name: string): Promise<string> {
    // the name is what somebody else's build called it
    const base = path.posix.basename(name).replace(/[^A-Za-z0-9._+~-]/g, '_');
    const directory = path.join(this.#into, String(this.#count++));
    await fs.mkdir(directory);
    const target = path.join(directory, /^\.*$/.test(base) ? 'file' : base);
    const from = path.join(this.#objects, object.sha256);
    await fs.link(from, target).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') damagedIfGone(object)(error);
      await copyOut(from, target);
    });
    assertSame(object, await sha256OfFile(target));
    return target;
  }
}

function assertSame({ sha256, size }: KeptObject, found: KeptObject): void {
  if (found.sha256 === sha256 && found.size === size) return;
  throw new DamagedBuild(
    `an object of ${size} bytes with SHA-256 ${sha256} has ${found.size} bytes and SHA-256 ${found.sha256}`,
  );
}

const damagedIfGone =
  ({ sha256 }: KeptObject) =>
  (error: NodeJS.ErrnoException): never => {
    if (error.code !== 'ENOENT') throw error;
    throw new DamagedBuild(`the object with SHA-256 ${sha256} is not there`);
  };
