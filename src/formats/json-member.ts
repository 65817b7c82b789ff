// SPDX-License-Identifier: Apache-2.0
/**
 * The text of one member of a large JSON text, found without building anything of the rest. What is passed over is not
 * checked any further than its strings and brackets need; what is found is for `JSON.parse`.
 * RFC 8259.
 */
import { FormatError } from '../errors.js';

const [QUOTE, COLON, COMMA, BACKSLASH] = [0x22, 0x3a, 0x2c, 0x5c];
const [OPEN_OBJECT, CLOSE_OBJECT, OPEN_LIST, CLOSE_LIST] = [0x7b, 0x7d, 0x5b, 0x5d];
const MAX_DEPTH = 100;
/** Of a name that is looked at; longer ones are no name that anybody asks for. */
const MAX_NAME = 4096;

/**
 * The value at these names, each of an object in the last one; `undefined` where there is none.
 * @throws FormatError `json/…`
 */
export function jsonMember(text: Buffer, names: readonly string[]): Buffer | undefined {
  let value: Buffer | undefined = text;
  for (const name of names) {
    value = memberOf(value, name);
    if (value === undefined) return undefined;
  }
  return value;
}

function memberOf(text: Buffer, wanted: string): Buffer | undefined {
  const scan = new Scanner(text);
  scan.expect(OPEN_OBJECT, 'an object');
  let found: Buffer | undefined;
  if (scan.peek() !== CLOSE_OBJECT)
    for (;;) {
      const name = scan.name();
      scan.expect(COLON, 'a colon');
      const value = scan.value();
      if (name === wanted) {
        if (found !== undefined) scan.fail('duplicate-name', `${JSON.stringify(wanted)} stands there twice`);
        found = value;
      }
      if (scan.peek() !== COMMA) break;
      scan.at++;
    }
  scan.expect(CLOSE_OBJECT, 'a comma or the end of an object');
  if (scan.peek() !== undefined) scan.fail('trailing-text', 'text behind the value');
  return found;
}

class Scanner {
  at = 0;
  readonly #text: Buffer;

  constructor(text: Buffer) {
    this.#text = text;
  }

  fail(code: string, message: string): never {
    throw new FormatError('json', code, this.at, message);
  }

  /** Behind white space. */
  peek(): number | undefined {
    for (;;) {
      const byte = this.#text[this.at];
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return byte;
      this.at++;
    }
  }

  expect(byte: number, what: string): void {
    if (this.peek() !== byte) this.fail('syntax', `expected ${what}`);
    this.at++;
  }

  name(): string {
    if (this.peek() !== QUOTE) this.fail('syntax', 'expected a name');
    const start = this.at;
    this.#string();
    const length = this.at - start;
    if (length > MAX_NAME) return '';
    try {
      return JSON.parse(this.#text.toString('utf8', start, this.at)) as string;
    } catch {
      this.at = start;
      return this.fail('syntax', 'expected a name');
    }
  }

  value(): Buffer {
    const first = this.peek();
    const start = this.at;
    if (first === QUOTE) this.#string();
    else if (first === OPEN_OBJECT || first === OPEN_LIST) this.#brackets();
    else this.#word();
    return this.#text.subarray(start, this.at);
  }

  #string(): void {
    const start = this.at;
    for (let end = this.at; ;) {
      end = this.#text.indexOf(QUOTE, end + 1);
      if (end === -1) this.fail('unfinished', 'a string without end');
      let slashes = 0;
      while (end - 1 - slashes > start && this.#text[end - 1 - slashes] === BACKSLASH) slashes++;
      if (slashes % 2 === 0) {
        this.at = end + 1;
        return;
      }
    }
  }

  #brackets(): void {
    const open: number[] = [];
    for (;;) {
      const byte = this.#text[this.at];
      if (byte === undefined) this.fail('unfinished', `${open.length} brackets are open at the end`);
      if (byte === QUOTE) {
        this.#string();
        continue;
      }
      if (byte === OPEN_OBJECT || byte === OPEN_LIST) {
        open.push(byte);
        if (open.length > MAX_DEPTH) this.fail('too-deep', `more than ${MAX_DEPTH} levels`);
      } else if (byte === CLOSE_OBJECT || byte === CLOSE_LIST) {
        // { and }, [ and ] are two apart
        if (open.pop() !== byte - 2) this.fail('syntax', 'a bracket closes another kind');
        if (open.length === 0) {
          this.at++;
          return;
        }
      }
      this.at++;
    }
  }

  #word(): void {
    const start = this.at;
    while (isOfWord(this.#text[this.at])) this.at++;
    if (this.at === start) this.fail('syntax', 'expected a value');
  }
}

/** Of a number, `true`, `false` or `null`. */
function isOfWord(byte: number | undefined): boolean {
  if (byte === undefined) return false;
  return (
    (byte >= 0x30 && byte <= 0x39) ||
    (byte >= 0x61 && byte <= 0x7a) ||
    [0x2b, 0x2d, 0x2e, 0x45].includes(byte)
  );
}
