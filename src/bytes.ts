// SPDX-License-Identifier: Apache-2.0
/** Random access to the bytes of an artifact; the only code that reads one. */
import { createHash } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { FailedHere, FormatError } from './errors.js';

/** Immutable bytes with random access. Reads are synchronous, bounded and exact. */
export interface ByteSource {
  /** in bytes */
  readonly size: number;
  /**
   * Exactly `length` bytes from `offset`. The view may be shared: never write to it, and copy what must outlive the
   * next call of `read` on a file.
   * @throws FormatError `source/past-end` when the range is not inside the source
   */
  read(offset: number, length: number): Buffer;
}

function checkRange(size: number, offset: number, length: number): void {
  if (
    !Number.isSafeInteger(offset) ||
    !Number.isSafeInteger(length) ||
    offset < 0 ||
    length < 0 ||
    offset + length > size
  )
    throw new FormatError('source', 'past-end', offset, `wanted ${length} bytes at ${offset} of ${size}`);
}

export class BufferSource implements ByteSource {
  readonly size: number;
  readonly #bytes: Buffer;
  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.size = bytes.byteLength;
  }
  read(offset: number, length: number): Buffer {
    checkRange(this.size, offset, length);
    return this.#bytes.subarray(offset, offset + length);
  }
}

/** Bytes `[start, start + size)` of another source, with offsets of its own. */
export class SliceSource implements ByteSource {
  readonly size: number;
  readonly parent: ByteSource;
  readonly start: number;
  constructor(parent: ByteSource, start: number, size: number) {
    checkRange(parent.size, start, size);
    this.parent = parent;
    this.start = start;
    this.size = size;
  }
  read(offset: number, length: number): Buffer {
    checkRange(this.size, offset, length);
    return this.parent.read(this.start + offset, length);
  }
}

const WINDOW = 1 << 20;
const READ_AHEAD_MIN = 4096;
const WINDOWS = 4;

interface Window {
  readonly start: number;
  readonly bytes: Buffer;
  /** How much the next read ahead takes. */
  readonly ahead: number;
}

/** An open file of this process. */
export interface OpenFile {
  readonly path: string;
  readonly fd: number;
  readonly size: number;
}

/**
 * A regular file, opened once; `close` it. A few read-ahead windows serve small reads that go forward in several places
 * (the entries of an archive and its directory).
 */
export class FileSource implements ByteSource {
  readonly path: string;
  readonly size: number;
  #fd: number | undefined;
  readonly #borrowed: boolean;
  /** Least recently used first. */
  #windows: Window[] = [];

  private constructor({ path, fd, size }: OpenFile, borrowed: boolean) {
    this.path = path;
    this.#fd = fd;
    this.size = size;
    this.#borrowed = borrowed;
  }

  /** @throws FailedHere `unreadable-input` when the path is missing, unreadable or not a regular file */
  static open(file: string | Buffer): FileSource {
    const path = file.toString();
    let fd: number;
    try {
      // non-blocking: opening a FIFO must not wait for a writer before it is refused
      fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    } catch (cause) {
      throw new FailedHere('unreadable-input', `cannot open ${path}: ${(cause as Error).message}`, {
        cause,
        hint: 'check the path and its permissions',
      });
    }
    const stat = fstatSync(fd);
    if (!stat.isFile()) {
      closeSync(fd);
      throw new FailedHere('unreadable-input', `${path} is not a regular file`, {
        hint: 'name a file, or copy what you want to compare into one',
      });
    }
    return new FileSource({ path, fd, size: stat.size }, false);
  }

  /** The same open file on another thread, whatever its path has come to mean. The owner must outlive it. */
  static borrow(file: OpenFile): FileSource {
    return new FileSource(file, true);
  }

  /** What `borrow` takes; plain data. */
  lend(): OpenFile {
    if (this.#fd === undefined) throw new Error(`${this.path} is closed`);
    return { path: this.path, fd: this.#fd, size: this.size };
  }

  read(offset: number, length: number): Buffer {
    checkRange(this.size, offset, length);
    let near = -1;
    for (let at = this.#windows.length - 1; at >= 0; at--) {
      const { start, bytes } = this.#windows[at] as Window;
      if (offset < start) continue;
      if (offset + length <= start + bytes.length) {
        if (at !== this.#windows.length - 1) this.#windows.push(...this.#windows.splice(at, 1));
        return bytes.subarray(offset - start, offset - start + length);
      }
      if (offset <= start + bytes.length + READ_AHEAD_MIN && near === -1) near = at;
    }
    if (length >= WINDOW) return this.#fill(Buffer.allocUnsafe(length), offset);
    // read ahead only while reads go forward: an archive whose directory jumps about must not cost 1 MiB an entry
    const [before] = near === -1 ? [] : this.#windows.splice(near, 1);
    const ahead = before === undefined ? READ_AHEAD_MIN : Math.min(WINDOW, before.ahead * 4);
    const size = Math.min(Math.max(ahead, length), this.size - offset);
    // a fresh buffer each time: views handed out before stay valid
    const bytes = this.#fill(Buffer.allocUnsafeSlow(size), offset);
    if (this.#windows.length === WINDOWS) this.#windows.shift();
    this.#windows.push({ start: offset, bytes, ahead });
    return bytes.subarray(0, length);
  }

  /** Fills `target` from `offset` without touching the window: for streaming with a buffer of one's own. */
  readInto(target: Buffer, offset: number): Buffer {
    checkRange(this.size, offset, target.length);
    return this.#fill(target, offset);
  }

  #fill(target: Buffer, offset: number): Buffer {
    if (this.#fd === undefined) throw new Error(`read of closed file ${this.path}`);
    let done = 0;
    while (done < target.length) {
      const n = readSync(this.#fd, target, done, target.length - done, offset + done);
      if (n === 0)
        throw new FailedHere(
          'unreadable-input',
          `${this.path} shrank while it was read: ${offset + done} of ${this.size} bytes`,
        );
      done += n;
    }
    return target;
  }

  close(): void {
    if (this.#fd !== undefined && !this.#borrowed) closeSync(this.#fd);
    this.#fd = undefined;
    this.#windows = [];
  }
}

/** Where the bytes of a file lie that a source shows, through however many slices. */
function inFile(
  source: ByteSource,
  offset: number,
): { readonly file: FileSource; readonly offset: number } | undefined {
  let at = offset;
  let behind = source;
  for (; behind instanceof SliceSource; behind = behind.parent) at += behind.start;
  return behind instanceof FileSource ? { file: behind, offset: at } : undefined;
}

/**
 * Reads that mostly go forward, into one buffer of its own: fresh memory for every megabyte of a large file would cost
 * more than the reading. A view is valid until the next read.
 */
export class ForwardReader {
  readonly #source: ByteSource;
  readonly #isFile: boolean;
  #buffer: Buffer = EMPTY;
  #start = 0;
  #end = 0;
  #ahead = 0;

  constructor(source: ByteSource) {
    this.#source = source;
    this.#isFile = inFile(source, 0) !== undefined;
  }

  /** @throws FormatError `source/past-end` */
  read(offset: number, length: number): Buffer {
    if (!this.#isFile || length > LARGEST_FORWARD) return this.#source.read(offset, length);
    checkRange(this.#source.size, offset, length);
    if (offset < this.#start || offset + length > this.#end) this.#fill(offset, length);
    return this.#buffer.subarray(offset - this.#start, offset - this.#start + length);
  }

  /** Reads ahead only while reads go forward, as `FileSource` does. */
  #fill(offset: number, length: number): void {
    const forward = offset >= this.#start && offset <= this.#end + READ_AHEAD_MIN;
    this.#ahead = forward ? Math.min(WINDOW, Math.max(READ_AHEAD_MIN, this.#ahead * 4)) : READ_AHEAD_MIN;
    const size = Math.min(Math.max(this.#ahead, length), this.#source.size - offset);
    if (this.#buffer.length < size) this.#buffer = Buffer.allocUnsafeSlow(size);
    const place = inFile(this.#source, offset);
    place?.file.readInto(this.#buffer.subarray(0, size), place.offset);
    this.#start = offset;
    this.#end = offset + size;
  }
}

const EMPTY = Buffer.alloc(0);
/** Beyond this a reader does not keep its buffer. */
const LARGEST_FORWARD = 16 << 20;

/** Calls `visit` with consecutive chunks of `[offset, offset + length)`; chunks are only valid during the call. */
export function eachChunk(
  source: ByteSource,
  offset: number,
  length: number,
  visit: (chunk: Buffer, offset: number) => void,
  chunkSize = WINDOW,
): void {
  const reader = new ForwardReader(source);
  for (let at = offset; at < offset + length; at += chunkSize) {
    const n = Math.min(chunkSize, offset + length - at);
    visit(reader.read(at, n), at);
  }
}

/** Lower-case hex SHA-256 of `[offset, offset + length)`, default the whole source. */
export function sha256(source: ByteSource, offset = 0, length = source.size - offset): string {
  const hash = createHash('sha256');
  eachChunk(source, offset, length, (chunk) => hash.update(chunk));
  return hash.digest('hex');
}

/** Length of the common prefix of two ranges of equal or different length. */
export function commonPrefix(a: ByteSource, b: ByteSource): number {
  const [left, right] = [new ForwardReader(a), new ForwardReader(b)];
  const end = Math.min(a.size, b.size);
  for (let at = 0; at < end; at += WINDOW) {
    const n = Math.min(WINDOW, end - at);
    const x = left.read(at, n);
    const y = right.read(at, n);
    if (x.equals(y)) continue;
    for (let i = 0; i < n; i++) if (x[i] !== y[i]) return at + i;
  }
  return end;
}

/** Length of the common suffix, not reaching into the first `floor` bytes of either. */
export function commonSuffix(a: ByteSource, b: ByteSource, floor = 0): number {
  const limit = Math.min(a.size, b.size) - floor;
  for (let done = 0; done < limit;) {
    const n = Math.min(WINDOW, limit - done);
    const x = a.read(a.size - done - n, n);
    const y = b.read(b.size - done - n, n);
    if (!x.equals(y)) for (let i = n - 1; i >= 0; i--) if (x[i] !== y[i]) return done + (n - 1 - i);
    done += n;
  }
  return Math.max(0, limit);
}

export function equalRange(
  a: ByteSource,
  aOffset: number,
  b: ByteSource,
  bOffset: number,
  length: number,
): boolean {
  // short ranges are found in what the sources have read ahead
  if (length <= READ_AHEAD_MIN) return a.read(aOffset, length).equals(b.read(bOffset, length));
  return equalForward(new ForwardReader(a), aOffset, new ForwardReader(b), bOffset, length);
}

/** As `equalRange`, for many ranges one after the other. */
export function equalForward(
  a: ForwardReader,
  aOffset: number,
  b: ForwardReader,
  bOffset: number,
  length: number,
): boolean {
  for (let done = 0; done < length; done += WINDOW) {
    const n = Math.min(WINDOW, length - done);
    if (!a.read(aOffset + done, n).equals(b.read(bOffset + done, n))) return false;
  }
  return true;
}

/**
 * The text of a file that the user named: a regular one, of at most `limit` bytes.
 * @throws FailedHere `unreadable-input`
 */
export function readText(path: string, limit: number): string {
  const source = FileSource.open(path);
  try {
    if (source.size > limit)
      throw new FailedHere(
        'unreadable-input',
        `${path} has ${source.size} bytes, at most ${limit} are read`,
        {
          hint: 'check that it is the file you meant',
        },
      );
    return source.read(0, source.size).toString('utf8');
  } finally {
    source.close();
  }
}
