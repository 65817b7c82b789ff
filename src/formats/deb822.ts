// SPDX-License-Identifier: Apache-2.0
/**
 * Paragraphs of `Field: value` lines: Debian's Release, Sources, Packages, `.dsc` and `.buildinfo` files.
 * Debian Policy, chapter 5.1 (https://www.debian.org/doc/debian-policy/ch-controlfields.html), deb822(5).
 */
import { FormatError } from '../errors.js';

/** Field names in lower case (they are case-insensitive); continuation lines joined by `\n`, without their first blank. */
export type Paragraph = ReadonlyMap<string, string>;

// policy 5.1: US-ASCII except control characters, space and colon; not beginning with # or -
const FIELD = /^([!"$-,.-9;-~][!-9;-~]*):(.*)$/;
const LONGEST = 64 * 2 ** 20;

function fail(code: string, line: number, message: string): never {
  throw new FormatError('deb822', code, line, message);
}

/** One paragraph. Offsets of errors are line numbers from 0. */
export function parseParagraph(text: string): Paragraph {
  const fields = new Map<string, string>();
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  let current: string | undefined;
  let parts: string[] = [];
  const finish = (): void => {
    if (current !== undefined) fields.set(current, parts.join('\n').trim());
  };
  lines.forEach((line, number) => {
    if (line.startsWith(' ') || line.startsWith('\t')) {
      if (current === undefined)
        fail('continuation-without-field', number, 'a continuation line before any field');
      parts.push(line.slice(1).trimEnd());
      return;
    }
    if (line.startsWith('#')) return;
    const match = FIELD.exec(line);
    if (match === null)
      fail('bad-line', number, `expected "Field: value", found ${JSON.stringify(line.slice(0, 60))}`);
    finish();
    current = (match[1] ?? '').toLowerCase();
    if (fields.has(current)) fail('duplicate-field', number, `field ${current} stands twice`);
    parts = [(match[2] ?? '').trim()];
  });
  finish();
  return fields;
}

/** Lines of a list field (`Checksums-Sha256`, `SHA256`), each split at blanks; empty lines left out. */
export function listLines(value: string): readonly (readonly string[])[] {
  return value
    .split('\n')
    .map((line) => line.split(/[ \t]+/).filter((word) => word !== ''))
    .filter((words) => words.length > 0);
}

/**
 * Cuts a stream of bytes into paragraphs without decoding them: an index of 50 MB is filtered by its raw bytes first.
 * Feed it chunks, then call `end`.
 */
export class ParagraphStream {
  readonly #visit: (paragraph: Buffer) => void;
  #rest: Buffer = Buffer.alloc(0);
  constructor(visit: (paragraph: Buffer) => void) {
    this.#visit = visit;
  }

  write(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let start = 0;
    for (;;) {
      const end = bytes.indexOf('\n\n', start, 'latin1');
      if (end < 0) break;
      if (end + 1 > start) this.#emit(bytes.subarray(start, end + 1));
      start = end + 2;
    }
    // a copy: the caller may use its buffer again
    this.#rest = Buffer.from(bytes.subarray(start));
    if (this.#rest.length > LONGEST)
      fail('paragraph-too-long', 0, `a paragraph of more than ${LONGEST} bytes: ${this.#rest.length}`);
  }

  end(): void {
    if (this.#rest.length > 0) this.#emit(this.#rest);
    this.#rest = Buffer.alloc(0);
  }

  #emit(paragraph: Buffer): void {
    let at = 0;
    while (paragraph[at] === 0x0a) at++;
    if (at < paragraph.length) this.#visit(paragraph.subarray(at));
  }
}
