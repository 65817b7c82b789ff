// SPDX-License-Identifier: Apache-2.0
/** The only place that starts processes: no shell, a clean environment, a process group that dies as one, bounded output. */
import { createHash } from 'node:crypto';
import { createWriteStream, type WriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import type { Readable, Writable } from 'node:stream';
import { FailedHere } from './errors.js';
import { knownTool } from './known-tools.js';

export interface RunOptions {
  readonly cwd?: string;
  /** All that the child sees; default: PATH, HOME, LANG=C.UTF-8, TZ=UTC and proxy settings of this process. */
  readonly env?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** Between the request to end and the end by force; default 3 s. */
  readonly graceMs?: number;
  readonly input?: string | Uint8Array | AsyncIterable<Uint8Array>;
  /** Kept in memory of each stream; more is dropped and `truncated` says so. Default 1 MiB. */
  readonly captureBytes?: number;
  /** Both streams as they come, up to `logBytes`; the rest is counted. */
  readonly logFile?: string;
  readonly logBytes?: number;
  /** Each line of both streams, cut to 4,096 characters. */
  readonly onLine?: (line: string) => void;
  /** Standard output as it comes. */
  readonly onStdout?: (chunk: Buffer) => void;
  /** What the program leaves running in its group ends with it, also when it ends by itself. */
  readonly wholeGroup?: boolean;
}

export type HowEnded =
  | { readonly kind: 'exited'; readonly code: number }
  | { readonly kind: 'signalled'; readonly signal: string }
  | { readonly kind: 'timed-out'; readonly afterMs: number }
  | { readonly kind: 'aborted' };

export interface RunResult {
  readonly ended: HowEnded;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  /** Bytes that were not kept of either stream. */
  readonly truncated: number;
  readonly log?: { readonly sha256: string; readonly truncatedBytes: number };
  readonly seconds: number;
}

const CAPTURE = 1 << 20;
const LOG = 16 << 20;
const MAX_LINE = 4096;
const GRACE_MS = 3000;
/** A keeper's patience with programs that must not be ended halfway, e.g. an engine that makes an image. */
const WAIT_SECONDS = 1800;

/** What a child needs of this process, and nothing that names its user's settings. */
export function cleanEnvironment(extra: Readonly<Record<string, string>> = {}): Record<string, string> {
  const kept = [
    'PATH',
    'HOME',
    'TMPDIR',
    'http_proxy',
    'https_proxy',
    'no_proxy',
    'HTTP_PROXY',
    'HTTPS_PROXY',
    'NO_PROXY',
  ];
  const own = kept.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return { ...Object.fromEntries(own), LANG: 'C.UTF-8', LC_ALL: 'C.UTF-8', TZ: 'UTC', ...extra };
}

/**
 * Runs a program to its end.
 * @throws FailedHere `missing-tool` when the program is not there
 */
export async function run(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  const started = performance.now();
  const { input, ...rest } = options;
  const streamed = input !== undefined && typeof input !== 'string' && !(input instanceof Uint8Array);
  const child = await (streamed
    ? start(command, args, rest, true)
    : start(command, args, input === undefined ? rest : { ...rest, input }));
  const stop = new Stopper(child, options);
  // a source that fails must not look like the end of the input to the program
  const fed = streamed
    ? feed(child, input).catch((error: unknown) => {
        killGroup(child, 'SIGKILL');
        return error instanceof Error ? error : new Error(String(error));
      })
    : undefined;
  const stdout = new Capture(options.captureBytes ?? CAPTURE);
  const stderr = new Capture(options.captureBytes ?? CAPTURE);
  const log =
    options.logFile === undefined ? undefined : new CappedLog(options.logFile, options.logBytes ?? LOG);
  const lines =
    options.onLine === undefined ? undefined : [new Lines(options.onLine), new Lines(options.onLine)];
  for (const [index, stream] of [child.stdout, child.stderr].entries()) {
    stream.on('data', (chunk: Buffer) => {
      (index === 0 ? stdout : stderr).push(chunk);
      log?.push(chunk);
      lines?.[index]?.push(chunk);
      if (index === 0) options.onStdout?.(chunk);
    });
  }
  const result = await child.end;
  stop.done();
  if (options.wholeGroup === true) killGroup(child, 'SIGKILL');
  for (const reader of lines ?? []) reader.end();
  const logged = await log?.close();
  const unfed = await fed;
  if (unfed !== undefined) throw unfed;
  if (result.code === 'ENOENT') throw missingTool(command, options.cwd);
  return {
    ended: stop.why ?? ended(result),
    stdout: stdout.bytes(),
    stderr: stderr.bytes(),
    truncated: stdout.dropped + stderr.dropped,
    ...(logged === undefined ? {} : { log: logged }),
    seconds: (performance.now() - started) / 1000,
  };
}

/**
 * A program that reads from, and writes to, what this process does: what its user types is for the program, Ctrl-C on a
 * terminal too. It stays in our process group, without which a terminal would stop it.
 */
export async function runAttached(
  command: string,
  args: readonly string[],
  { env, signal }: Pick<RunOptions, 'env' | 'signal'> = {},
): Promise<HowEnded> {
  const { execa } = await import('execa');
  const child = execa(command, [...args], {
    stdio: 'inherit',
    env: { ...(env ?? cleanEnvironment()) },
    extendEnv: false,
    reject: false,
    ...(signal === undefined ? {} : { cancelSignal: signal }),
  });
  const { exitCode, signal: by, code } = await child;
  if (code === 'ENOENT') throw missingTool(command, undefined);
  if (signal?.aborted === true) return { kind: 'aborted' };
  return ended({ exitCode, signal: by, code });
}

/** As `run`; anything but exit code 0 is an error with the end of what the program said. */
export async function runChecked(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Buffer> {
  const { ended: how, stdout, stderr } = await run(command, args, options);
  if (how.kind === 'exited' && how.code === 0) return stdout;
  if (how.kind === 'aborted') throw new FailedHere('interrupted', `${command} was interrupted`);
  if (how.kind === 'timed-out')
    throw new FailedHere('time-limit', `${command} took longer than ${how.afterMs} ms`);
  const said = stderr.toString().trim().split('\n').slice(-5).join(' | ');
  throw new CommandFailed(command, how, said);
}

/** A program that ended badly; whoever called it knows what that means. */
export class CommandFailed extends Error {
  readonly how: HowEnded;
  readonly said: string;
  constructor(command: string, how: HowEnded, said: string) {
    const ending =
      how.kind === 'exited' ? `exit code ${how.code}` : how.kind === 'signalled' ? how.signal : how.kind;
    super(`${command} ended with ${ending}: ${said}`);
    this.how = how;
    this.said = said;
  }
  static {
    this.prototype.name = 'CommandFailed';
  }
}

export interface FilterOptions {
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
  /** As in `RunOptions`. */
  readonly env?: Readonly<Record<string, string>>;
  /** More than this is an error of kind `too-much`. */
  readonly maxBytes: number;
}

export type FilterEnd =
  | { readonly kind: 'done' }
  | { readonly kind: 'failed'; readonly detail: string }
  | { readonly kind: 'too-much' };

/** Streams `input` through a program, e.g. a decoder, handing its output to `onChunk`; never holds more than a chunk. */
export async function filter(
  command: string,
  args: readonly string[],
  input: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  onChunk: (chunk: Buffer) => void | Promise<void>,
  options: FilterOptions,
): Promise<FilterEnd> {
  const child = await start(
    command,
    args,
    {
      ...(options.env === undefined ? {} : { env: options.env }),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    },
    true,
  );
  const stop = new Stopper(child, options);
  const stderr = new Capture(4096);
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
  const fed = feed(child, input);
  // a source that fails must not leave the program waiting for more
  fed.catch(() => killGroup(child, 'SIGKILL'));
  let total = 0;
  let tooMuch = false;
  let complete = false;
  try {
    for await (const piece of child.stdout) {
      const chunk = piece as Buffer;
      total += chunk.length;
      if (total > options.maxBytes) {
        tooMuch = true;
        break;
      }
      await onChunk(chunk);
    }
    if (!tooMuch) await fed;
    complete = !tooMuch;
  } finally {
    // also when onChunk or the input threw: nobody reads on
    if (!complete) killGroup(child, 'SIGKILL');
    await child.end;
    stop.done();
  }
  const result = await child.end;
  if (result.code === 'ENOENT') throw missingTool(command, undefined);
  options.signal?.throwIfAborted();
  if (tooMuch) return { kind: 'too-much' };
  const how = ended(result);
  if (how.kind === 'exited' && how.code === 0) return { kind: 'done' };
  return { kind: 'failed', detail: stderr.bytes().toString().trim().split('\n').at(-1) ?? '' };
}

async function feed(
  child: Child,
  input: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<undefined> {
  const { stdin } = child;
  if (stdin === null) return;
  stdin.on('error', () => undefined); // the program may stop reading early; its exit code says why
  for await (const chunk of input) {
    if (stdin.destroyed || !stdin.writable) return;
    if (!stdin.write(chunk)) await firstOf(stdin, 'drain', 'close');
  }
  stdin.end();
}

interface Emitter {
  on(event: string, listener: () => void): unknown;
  off(event: string, listener: () => void): unknown;
}

/** At the first of these events; leaves no listener behind, as `once` in a race would. */
export async function firstOf(emitter: Emitter, ...events: readonly string[]): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = (): void => {
      for (const event of events) emitter.off(event, done);
      resolve();
    };
    for (const event of events) emitter.on(event, done);
  });
}

/**
 * Stays beside this process until told that it is not needed, and tidies up when this process dies without a word: a
 * signal that nobody can catch, a crash, an end in haste. It knows by the end of its input, which the kernel closes.
 */
export interface Keeper {
  /** This process ends in good order; there is nothing to tidy up. */
  done(): void;
}

const keepers = new Set<Writable>();

/** Lines: `kill PID`, `wait PID` (a group that began), `ended PID`, `done`. The arguments are what runs at the end. */
const KEEPER = `trap '' HUP INT TERM
groups=
while read -r word group; do
  case $word in
    done) exit 0 ;;
    ended)
      kept=
      for each in $groups; do test "\${each#*:}" = "$group" || kept="$kept $each"; done
      groups=$kept ;;
    *) groups="$groups $word:$group" ;;
  esac
done
for each in $groups; do
  case $each in kill:*) kill -s KILL -- "-\${each#*:}" ;; esac
done
seconds=0
for each in $groups; do
  while test "$seconds" -lt ${WAIT_SECONDS} && kill -0 "\${each#*:}"; do
    stat=
    read -r stat < "/proc/\${each#*:}/stat"
    case $stat in *') Z '*) break ;; esac
    sleep 1
    seconds=$((seconds + 1))
  done
done
exec "$@"
`;

/** Starts it with a program to run at the end. Where there is no shell there is no keeper. */
export async function startKeeper(command: string, args: readonly string[]): Promise<Keeper> {
  const { execa } = await import('execa');
  const child = execa('sh', ['-c', KEEPER, 'sh', command, ...args], {
    // of no directory that is to be removed
    cwd: '/',
    stdio: ['pipe', 'ignore', 'ignore'],
    // signals to our group are not meant for it
    detached: true,
    cleanup: false,
    reject: false,
    buffer: false,
  });
  const { stdin } = child;
  stdin.on('error', () => undefined); // a keeper that was killed too is missed by nobody
  child.unref();
  if ('unref' in stdin && typeof stdin.unref === 'function') stdin.unref();
  keepers.add(stdin);
  return {
    done: () => {
      keepers.delete(stdin);
      stdin.end('done\n');
    },
  };
}

function tellKeepers(line: string): void {
  for (const stdin of keepers) if (stdin.writable) stdin.write(`${line}\n`);
}

const HAND_OVER_MS = 30_000;

/**
 * What a program of ours opens where only it can, e.g. in the network of a container, and hands over.
 * @throws FailedHere `missing-tool`; CommandFailed when it ends without
 */
export async function receiveHandle(command: string, args: readonly string[]): Promise<unknown> {
  const { spawn } = await import('node:child_process');
  const child = spawn(command, [...args], {
    cwd: '/',
    env: cleanEnvironment(),
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    timeout: HAND_OVER_MS,
  });
  const said = new Capture(4096);
  child.stderr?.on('data', (chunk: Buffer) => said.push(chunk));
  return await new Promise<unknown>((resolve, reject) => {
    child.once('error', (error: NodeJS.ErrnoException) =>
      reject(error.code === 'ENOENT' ? missingTool(command, undefined) : error),
    );
    child.once('message', (_, handle) => {
      resolve(handle);
      child.kill('SIGKILL');
    });
    child.once('close', (code, signal) =>
      reject(
        new CommandFailed(
          command,
          code === null ? { kind: 'signalled', signal: signal ?? 'unknown' } : { kind: 'exited', code },
          said
            .bytes()
            .toString()
            .trim()
            .split('\n')
            .find((line) => /error|cannot/i.test(line)) ?? '',
        ),
      ),
    );
  });
}

const versions = new Map<string, Promise<string | undefined>>();

/** First line that `tool --version` prints; `undefined` when the tool is not there. Asked once. */
export function toolVersion(
  tool: string,
  args: readonly string[] = ['--version'],
): Promise<string | undefined> {
  const known = versions.get(tool);
  if (known !== undefined) return known;
  const asked = run(tool, args, { timeoutMs: 10_000 }).then(
    ({ stdout, stderr }) => (stdout.length > 0 ? stdout : stderr).toString().split('\n')[0]?.trim(),
    (error: unknown) => {
      if (error instanceof FailedHere && error.code === 'missing-tool') return undefined;
      throw error;
    },
  );
  versions.set(tool, asked);
  return asked;
}

interface Child {
  readonly pid: number | undefined;
  readonly stdin: Writable | null;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Settles when the program has ended and both streams have; never rejects. */
  readonly end: Promise<ChildEnd>;
}

interface ChildEnd {
  readonly exitCode: number | undefined;
  readonly signal: string | undefined;
  /** Of a program that did not start. */
  readonly code: string | undefined;
}

interface StartOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string | Uint8Array;
  readonly signal?: AbortSignal;
}

async function start(
  command: string,
  args: readonly string[],
  options: StartOptions,
  pipeIn = false,
): Promise<Child> {
  // most comparisons start no process: only those that do wait for it to load
  const { execa } = await import('execa');
  const child = execa(command, [...args], {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.input === undefined ? { stdin: pipeIn ? 'pipe' : 'ignore' } : { input: options.input }),
    env: { ...(options.env ?? cleanEnvironment()) },
    extendEnv: false,
    // a group of its own: a time limit must reach grandchildren too
    detached: true,
    cleanup: false,
    reject: false,
    // an error message of execa would hold all of the output
    buffer: false,
    encoding: 'buffer',
    windowsHide: true,
  });
  const { pid } = child;
  // what nobody could interrupt while we lived is not ended halfway when we are killed
  if (pid !== undefined) tellKeepers(`${options.signal === undefined ? 'wait' : 'kill'} ${pid}`);
  const end = child.then(({ exitCode, signal, code }) => {
    if (pid !== undefined) tellKeepers(`ended ${pid}`);
    return { exitCode, signal, code };
  });
  return { pid, stdin: child.stdin ?? null, stdout: child.stdout, stderr: child.stderr, end };
}

function ended(result: ChildEnd): HowEnded {
  if (result.exitCode !== undefined) return { kind: 'exited', code: result.exitCode };
  return { kind: 'signalled', signal: result.signal ?? 'unknown' };
}

function missingTool(command: string, cwd: string | undefined): FailedHere {
  const tool = knownTool(command);
  const needed = tool === undefined ? '' : `; it is needed for ${tool.enables}`;
  const gone = cwd === undefined ? '' : ' (or the directory to run it in is gone)';
  return new FailedHere('missing-tool', `${command} is not installed${gone}${needed}`, {
    hint: tool === undefined ? 'run `verify doctor` to see what is missing' : `install it: ${tool.install}`,
  });
}

function killGroup(child: Child, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // already gone
  }
}

/** Ends the process group at a time limit or an abort, first gently. */
class Stopper {
  why: HowEnded | undefined;
  readonly #child: Child;
  readonly #signal: AbortSignal | undefined;
  readonly #graceMs: number;
  readonly #timer: NodeJS.Timeout | undefined;
  #grace: NodeJS.Timeout | undefined;
  readonly #onAbort = (): void => this.#stop({ kind: 'aborted' });

  constructor(child: Child, options: Pick<RunOptions, 'timeoutMs' | 'signal' | 'graceMs'>) {
    this.#child = child;
    this.#graceMs = options.graceMs ?? GRACE_MS;
    this.#signal = options.signal;
    const afterMs = options.timeoutMs;
    if (afterMs !== undefined)
      this.#timer = setTimeout(() => this.#stop({ kind: 'timed-out', afterMs }), afterMs);
    if (options.signal?.aborted === true) this.#onAbort();
    else options.signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  done(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#grace);
    this.#signal?.removeEventListener('abort', this.#onAbort);
    // what the program left running in its group goes too
    if (this.why !== undefined) killGroup(this.#child, 'SIGKILL');
  }

  #stop(why: HowEnded): void {
    this.why ??= why;
    killGroup(this.#child, 'SIGTERM');
    this.#grace = setTimeout(() => killGroup(this.#child, 'SIGKILL'), this.#graceMs);
  }
}

/** The first bytes of a stream. */
class Capture {
  readonly #limit: number;
  readonly #chunks: Buffer[] = [];
  #size = 0;
  dropped = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  push(chunk: Buffer): void {
    const room = Math.max(0, this.#limit - this.#size);
    if (room > 0) this.#chunks.push(Buffer.from(chunk.subarray(0, room)));
    this.#size += Math.min(room, chunk.length);
    this.dropped += Math.max(0, chunk.length - room);
  }

  bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }
}

/** A log file that stops growing at its limit and says how much it left out. */
export class CappedLog {
  readonly #file: WriteStream;
  readonly #hash = createHash('sha256');
  readonly #limit: number;
  #size = 0;
  #dropped = 0;

  constructor(path: string, limit: number) {
    this.#file = createWriteStream(path, { flags: 'a' });
    this.#file.on('error', () => undefined); // told by `close`
    this.#limit = limit;
  }

  push(chunk: Buffer): void {
    const kept = chunk.subarray(0, Math.max(0, this.#limit - this.#size));
    this.#dropped += chunk.length - kept.length;
    this.#write(kept);
  }

  async close(): Promise<{ sha256: string; truncatedBytes: number }> {
    if (this.#dropped > 0) this.#write(Buffer.from(`\n[log cut here: ${this.#dropped} bytes more]\n`));
    this.#file.end();
    try {
      await finished(this.#file);
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOSPC')
        throw new FailedHere('disk-full', 'the disk is full where the log is written', { cause });
      throw cause;
    }
    return { sha256: this.#hash.digest('hex'), truncatedBytes: this.#dropped };
  }

  #write(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#size += bytes.length;
    this.#hash.update(bytes);
    this.#file.write(Buffer.from(bytes));
  }
}

/** Text in chunks, line by line. */
export class Lines {
  readonly #onLine: (line: string) => void;
  #rest = '';

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  push(chunk: Buffer): void {
    const parts = (this.#rest + chunk.toString('utf8')).split(/\r?\n|\r/);
    this.#rest = (parts.pop() ?? '').slice(0, MAX_LINE);
    for (const line of parts) this.#onLine(line.slice(0, MAX_LINE));
  }

  end(): void {
    if (this.#rest !== '') this.#onLine(this.#rest);
    this.#rest = '';
  }
}
