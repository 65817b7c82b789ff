// SPDX-License-Identifier: Apache-2.0
/**
 * What a batch has done so far, so that the next one goes on where a killed one stopped: one JSON file, written whole and
 * synced at each step. The reports are the truth; what stands here can be lost, and only costs time then.
 */
import { promises as fs } from 'node:fs';
import { z } from 'zod';
import { VERDICTS } from '../../report/expected-verdict.js';
import { removePartsOf, storageFailure, writeAside } from '../../inputs/atomic-file.js';
import type { KnownVerdict } from './job.js';
import { RETRY_BUDGETS, type JobFailureClass } from './retry-budgets.js';

const MAX_JOURNAL = 64 << 20;
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const verdict = z.enum(VERDICTS);
const failureClass = z.enum(Object.keys(RETRY_BUDGETS) as [JobFailureClass, ...JobFailureClass[]]);
const hint = z.string().exactOptional();

const outcomeSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('verdict'),
    verdict,
    title: z.string(),
    statementSha256: sha256,
    place: z.string(),
    fresh: z.boolean(),
  }),
  z.strictObject({ kind: z.literal('failed'), failure: failureClass, message: z.string(), hint }),
  z.strictObject({ kind: z.literal('refused'), code: z.string(), message: z.string(), hint }),
]);

const knownSchema = z.strictObject({
  version: z.string(),
  verdict,
  statementSha256: sha256,
  place: z.string(),
});

const taskSchema = z.strictObject({
  /** Before this batch began. */
  before: knownSchema.exactOptional(),
  /** How often it failed here, by class. */
  failures: z.partialRecord(failureClass, z.number().int().min(1)),
  seconds: z.number(),
  /** Once it is done. */
  outcome: outcomeSchema.exactOptional(),
});

const journalSchema = z.strictObject({
  schemaVersion: z.literal(1),
  started: z.iso.datetime(),
  /** Absent while it goes on, or when it was killed. */
  finished: z.iso.datetime().exactOptional(),
  tasks: z.record(z.string(), taskSchema),
  /** By entry of the list, the newest version that was checked. */
  newest: z.record(z.string(), z.string()),
  /** Of the last batch that came to its end and of those before it. */
  verdicts: z.record(z.string(), knownSchema),
});

export type TaskRecord = z.output<typeof taskSchema>;
type Contents = z.output<typeof journalSchema>;

const EMPTY = { newest: {}, verdicts: {} };

export interface OpenedJournal {
  readonly journal: Journal;
  /** A batch that did not come to its end goes on. */
  readonly resumed: boolean;
  /** Where a file that was none lies now. */
  readonly damaged?: string;
}

export class Journal {
  readonly #file: string;
  readonly #contents: Contents;
  #writing: Promise<void> = Promise.resolve();

  private constructor(file: string, contents: Contents) {
    this.#file = file;
    this.#contents = contents;
  }

  /** The caller holds its lock. @throws FailedHere `disk-full`, `unreadable-input` */
  static async open(file: string, now: Date): Promise<OpenedJournal> {
    await removePartsOf(file);
    const found = await read(file);
    const begin = ({ newest, verdicts }: Pick<Contents, 'newest' | 'verdicts'>): Contents => ({
      schemaVersion: 1,
      started: now.toISOString(),
      tasks: {},
      newest,
      verdicts,
    });
    if (found === 'damaged') {
      const damaged = `${file}.damaged-${now.getTime()}`;
      await fs.rename(file, damaged);
      return { journal: new Journal(file, begin(EMPTY)), resumed: false, damaged };
    }
    if (found === undefined || found.finished !== undefined)
      return { journal: new Journal(file, begin(found ?? EMPTY)), resumed: false };
    return { journal: new Journal(file, found), resumed: true };
  }

  task(key: string): TaskRecord | undefined {
    return this.#contents.tasks[key];
  }

  newest(entry: string): string | undefined {
    return this.#contents.newest[entry];
  }

  /** Of the last batch. */
  verdict(key: string): KnownVerdict | undefined {
    return this.#contents.verdicts[key];
  }

  async noteVerdict(key: string, known: KnownVerdict): Promise<void> {
    this.#contents.verdicts[key] = known;
    await this.#write();
  }

  async note(key: string, task: TaskRecord): Promise<void> {
    this.#contents.tasks[key] = task;
    await this.#write();
  }

  async noteNewest(entry: string, version: string): Promise<void> {
    this.#contents.newest[entry] = version;
    await this.#write();
  }

  async finish(now: Date): Promise<void> {
    this.#contents.finished = now.toISOString();
    await this.#write();
  }

  /** One after the other: the last one written is the last state. */
  async #write(): Promise<void> {
    const write = async (): Promise<void> => {
      try {
        await writeAside(this.#file, (handle) =>
          handle.writeFile(`${JSON.stringify(this.#contents, undefined, 1)}\n`),
        );
      } catch (error) {
        throw storageFailure(error, 'the journal of the batch', this.#file);
      }
    };
    const written = this.#writing.then(write);
    this.#writing = written.catch(() => undefined);
    await written;
  }
}

async function read(file: string): Promise<Contents | 'damaged' | undefined> {
  let text: string;
  try {
    const { size } = await fs.stat(file);
    if (size > MAX_JOURNAL) return 'damaged';
    text = await fs.readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw storageFailure(error, 'the journal of the batch', file);
  }
  try {
    const parsed = journalSchema.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : 'damaged';
  } catch {
    return 'damaged';
  }
}
