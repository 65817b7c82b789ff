// SPDX-License-Identifier: Apache-2.0
/**
 * A place in an XML document, for readers that know what stands where: start tags without attributes, text with the
 * five entities and character references, comments, CDATA. https://www.w3.org/TR/xml/
 */
import { FormatError } from '../errors.js';

const ENTITIES: ReadonlyMap<string, string> = new Map([
  ['lt', '<'],
  ['gt', '>'],
  ['amp', '&'],
  ['quot', '"'],
  ['apos', "'"],
]);

export class XmlCursor {
  readonly #bytes: Buffer;
  readonly #format: string;
  readonly #onComment: (offset: number, length: number) => void;
  #at = 0;

  constructor(bytes: Buffer, format: string, onComment: (offset: number, length: number) => void) {
    this.#bytes = bytes;
    this.#format = format;
    this.#onComment = onComment;
    try {
      new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    } catch {
      this.fail('utf-8', 'not UTF-8', 0);
    }
    // XML 1.0, 2.2: of the control characters only these three
    const control = bytes.findIndex((byte) => byte < 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d);
    if (control !== -1) this.fail('character', `control character ${bytes[control]}`, control);
  }

  get offset(): number {
    return this.#at;
  }

  get atEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  fail(code: string, message: string, offset = this.#at): never {
    throw new FormatError(this.#format, code, offset, message);
  }

  skipByteOrderMark(): boolean {
    const found = this.#bytes.toString('latin1', 0, 3) === '\xef\xbb\xbf';
    if (found) this.#at = 3;
    return found;
  }

  /** Goes past `text` if that is what comes next. */
  takes(text: string): boolean {
    const end = this.#at + text.length;
    if (end > this.#bytes.length || this.#bytes.toString('latin1', this.#at, end) !== text) return false;
    this.#at = end;
    return true;
  }

  expect(text: string): void {
    if (!this.takes(text)) this.fail('syntax', `no ${text}`);
  }

  /** What is before `mark`; goes past both. */
  until(mark: string): string {
    const end = this.#bytes.indexOf(mark, this.#at, 'latin1');
    if (end === -1) this.fail('unfinished', `no ${mark}`);
    const text = this.#bytes.toString('utf8', this.#at, end);
    this.#at = end + mark.length;
    return text;
  }

  /** White space and comments. */
  skipSpace(): void {
    for (;;) {
      while (isSpace(this.#bytes[this.#at])) this.#at++;
      if (!this.#comment()) return;
    }
  }

  /** 2.5: no two hyphens inside, and none before the end. Readers disagreed about `<!-->` before. */
  #comment(): boolean {
    const start = this.#at;
    if (!this.takes('<!--')) return false;
    const hyphens = this.#bytes.indexOf('--', this.#at, 'latin1');
    if (hyphens === -1) this.fail('unfinished', 'a comment without an end', start);
    this.#at = hyphens + 2;
    if (!this.takes('>')) this.fail('syntax', 'two hyphens inside of a comment', hyphens);
    this.#onComment(start, this.#at - start);
    return true;
  }

  /** An element without attributes. */
  startTag(): { readonly name: string; readonly empty: boolean } {
    const start = this.#at;
    if (!this.takes('<'))
      this.fail(this.atEnd ? 'unfinished' : 'syntax', 'text where an element is expected');
    while (isLetter(this.#bytes[this.#at])) this.#at++;
    const name = this.#bytes.toString('latin1', start + 1, this.#at);
    while (isSpace(this.#bytes[this.#at])) this.#at++;
    if (this.takes('/>')) return { name, empty: true };
    if (this.takes('>')) return { name, empty: false };
    return this.fail(
      this.atEnd ? 'unfinished' : 'syntax',
      `<${name.slice(0, 40)} is not the start of an element without attributes`,
      start,
    );
  }

  /** The text of an element that holds nothing else; goes past its end tag. */
  textUntil(element: string): string {
    const parts: string[] = [];
    for (;;) {
      const next = this.#nextMark();
      parts.push(lines(this.#bytes.toString('utf8', this.#at, next)));
      this.#at = next;
      if (this.takes(`</${element}>`)) return parts.join('');
      if (this.takes('<![CDATA[')) parts.push(lines(this.until(']]>')));
      else if (this.#comment()) continue;
      else if (this.takes('&')) parts.push(this.#entity(next));
      else this.fail(this.atEnd ? 'unfinished' : 'syntax', `an element inside of ${element}`);
    }
  }

  #nextMark(): number {
    let at = this.#at;
    for (; at < this.#bytes.length; at++) if (this.#bytes[at] === 0x3c || this.#bytes[at] === 0x26) break;
    return at;
  }

  #entity(at: number): string {
    const end = this.#bytes.indexOf(0x3b, this.#at);
    if (end === -1 || end - this.#at > 10) this.fail('entity', 'an entity without an end', at);
    const name = this.#bytes.toString('latin1', this.#at, end);
    this.#at = end + 1;
    const known = ENTITIES.get(name);
    if (known !== undefined) return known;
    const digits = /^#(?:x([0-9A-Fa-f]{1,6})|([0-9]{1,7}))$/.exec(name);
    const point = Number.parseInt(digits?.[1] ?? digits?.[2] ?? '', digits?.[1] === undefined ? 10 : 16);
    if (!isCharacter(point)) this.fail('entity', `entity &${name};`, at);
    return String.fromCodePoint(point);
  }
}

/** 2.11: a carriage return is a line feed, alone or before one. */
function lines(text: string): string {
  return text.includes('\r') ? text.replaceAll(/\r\n?/g, '\n') : text;
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d;
}

function isLetter(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x61 && byte <= 0x7a;
}

/** XML 1.0, 2.2. */
function isCharacter(point: number): boolean {
  return (
    point === 0x09 ||
    point === 0x0a ||
    point === 0x0d ||
    (point >= 0x20 && point <= 0xd7ff) ||
    (point >= 0xe000 && point <= 0xfffd) ||
    (point >= 0x10000 && point <= 0x10ffff)
  );
}
