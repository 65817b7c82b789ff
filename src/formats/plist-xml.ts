// SPDX-License-Identifier: Apache-2.0
/**
 * XML property lists, strictly: no entities but the five of XML, no document type of one's own, nothing that is fetched,
 * no attribute but the version. Where readers of Apple's systems disagreed about malformed comments, this one refuses.
 * https://www.apple.com/DTDs/PropertyList-1.0.dtd · https://www.w3.org/TR/xml/
 * https://github.com/apple-oss-distributions/CF/blob/main/CFPropertyList.c
 */
import {
  MAX_PLIST_DEPTH,
  MAX_PLIST_VALUES,
  PlistFindings,
  type PlistDocument,
  type PlistEntry,
  type PlistValue,
} from './plist-value.js';
import { XmlCursor } from './xml-cursor.js';

const DOCTYPE =
  /^plist PUBLIC "-\/\/Apple(?: Computer)?\/\/DTD PLIST 1\.0\/\/EN" "https?:\/\/www\.apple\.com\/DTDs\/PropertyList-1\.0\.dtd"$/;
/** XML 1.0, 2.8: version, then the encoding; one that is not UTF-8 is not read. */
const DECLARATION =
  /^xml version=(["'])1\.0\1(?: encoding=(["'])[Uu][Tt][Ff]-8\2)?(?: standalone=(["'])(?:yes|no)\3)? ?$/;
/** From 1970 to 2001. */
const EPOCH = 978_307_200;

/** @throws FormatError `plist/…` */
export function readXmlPlist(bytes: Buffer): PlistDocument {
  const findings = new PlistFindings();
  const cursor = new XmlCursor(bytes, 'plist', (at, length) =>
    findings.add('comment', at, length, 'a comment'),
  );
  if (cursor.skipByteOrderMark()) findings.add('byte-order-mark', 0, 3, 'a byte order mark');
  if (cursor.takes('<?')) {
    const text = cursor.until('?>');
    if (!DECLARATION.test(text)) cursor.fail('declaration', `<?${text.slice(0, 80)}?>`);
  }
  cursor.skipSpace();
  if (cursor.takes('<!DOCTYPE ')) {
    const at = cursor.offset;
    const text = cursor.until('>');
    if (text.includes('[')) cursor.fail('doctype', 'a document type with declarations of its own', at);
    if (!DOCTYPE.test(text.replaceAll(/\s+/g, ' ').trim()))
      findings.add('doctype', at, cursor.offset - at, `document type ${text.slice(0, 200)}`);
  }
  cursor.skipSpace();
  const root = new XmlReader(cursor, findings).document();
  return { form: 'xml', root, findings: findings.kept, findingsCut: findings.cut };
}

class XmlReader {
  readonly #cursor: XmlCursor;
  readonly #findings: PlistFindings;
  #values = 0;

  constructor(cursor: XmlCursor, findings: PlistFindings) {
    this.#cursor = cursor;
    this.#findings = findings;
  }

  document(): PlistValue {
    const cursor = this.#cursor;
    const at = cursor.offset;
    if (
      !cursor.takes('<plist version="1.0">') &&
      !cursor.takes("<plist version='1.0'>") &&
      !cursor.takes('<plist>')
    )
      cursor.fail('root', `no plist element of version 1.0 at ${at}`);
    const root = this.#value(0);
    cursor.skipSpace();
    cursor.expect('</plist>');
    cursor.skipSpace();
    if (!cursor.atEnd) cursor.fail('trailing-text', 'text behind the plist element');
    return root;
  }

  #value(depth: number): PlistValue {
    const cursor = this.#cursor;
    cursor.skipSpace();
    const at = cursor.offset;
    if (++this.#values > MAX_PLIST_VALUES)
      cursor.fail('too-many-values', `more than ${MAX_PLIST_VALUES} values`);
    if (depth > MAX_PLIST_DEPTH)
      cursor.fail('too-deep', `more than ${MAX_PLIST_DEPTH} collections inside of one another`);
    const { name, empty } = cursor.startTag();
    switch (name) {
      case 'true':
      case 'false':
        if (!empty) cursor.expect(`</${name}>`);
        return { kind: 'boolean', value: name === 'true' };
      case 'dict':
        return { kind: 'dict', entries: empty ? [] : this.#entries(depth) };
      case 'array': {
        const items: PlistValue[] = [];
        if (!empty) while (!this.#ends('array')) items.push(this.#value(depth + 1));
        return { kind: 'array', items };
      }
      case 'string':
        return { kind: 'string', value: empty ? '' : cursor.textUntil('string') };
      case 'integer':
        return integer(cursor, at, empty ? '' : cursor.textUntil('integer'));
      case 'real':
        return real(cursor, at, empty ? '' : cursor.textUntil('real'));
      case 'date':
        return date(cursor, at, empty ? '' : cursor.textUntil('date'));
      case 'data':
        return this.#data(at, empty ? '' : cursor.textUntil('data'));
      default:
        return cursor.fail('element', `element ${name.slice(0, 40)}`, at);
    }
  }

  #ends(name: string): boolean {
    this.#cursor.skipSpace();
    return this.#cursor.takes(`</${name}>`);
  }

  #entries(depth: number): PlistEntry[] {
    const cursor = this.#cursor;
    const entries: PlistEntry[] = [];
    const seen = new Set<string>();
    while (!this.#ends('dict')) {
      const at = cursor.offset;
      const { name, empty } = cursor.startTag();
      if (name !== 'key') cursor.fail('key', `element ${name.slice(0, 40)} where a key is expected`, at);
      const key = empty ? '' : cursor.textUntil('key');
      if (seen.has(key))
        this.#findings.add('duplicate-key', at, cursor.offset - at, `key "${key.slice(0, 100)}" again`);
      seen.add(key);
      entries.push({ key, value: this.#value(depth + 1) });
    }
    return entries;
  }

  #data(at: number, text: string): PlistValue {
    const packed = text.replaceAll(/[ \t\r\n]+/g, '');
    if (!/^[A-Za-z0-9+/]*={0,2}$/.test(packed) || packed.length % 4 !== 0)
      this.#cursor.fail('base64', 'data that are not base64', at);
    const value = Buffer.from(packed, 'base64');
    if (value.toString('base64') !== packed)
      this.#findings.add('base64-slack', at, this.#cursor.offset - at, 'base64 with bits of no byte');
    return { kind: 'data', value };
  }
}

function integer(cursor: XmlCursor, at: number, text: string): PlistValue {
  const match = /^[ \t\r\n]*([+-]?)(0[xX][0-9A-Fa-f]{1,16}|[0-9]{1,20})[ \t\r\n]*$/.exec(text);
  if (match === null) cursor.fail('integer', `"${text.slice(0, 40)}", expected an integer`, at);
  const digits = BigInt(match[2] ?? 0);
  const value = match[1] === '-' ? -digits : digits;
  if (value < -(1n << 63n) || value >= 1n << 64n)
    cursor.fail('integer', `${value}, integers have 64 bits`, at);
  return { kind: 'integer', value };
}

const REAL = /^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?$/;

function real(cursor: XmlCursor, at: number, text: string): PlistValue {
  const trimmed = text.trim();
  const special = /^([+-]?)(nan|inf(?:inity)?)$/i.exec(trimmed);
  if (special === null && (!REAL.test(trimmed) || trimmed.length > 400))
    cursor.fail('real', `"${text.slice(0, 40)}", expected a real`, at);
  const named = special?.[2]?.toLowerCase().startsWith('nan') === true ? Number.NaN : Infinity;
  const value = special === null ? Number(trimmed) : special[1] === '-' ? -named : named;
  return { kind: 'real', value, bits: 64 };
}

function date(cursor: XmlCursor, at: number, text: string): PlistValue {
  const match = /^[ \t\r\n]*([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})Z[ \t\r\n]*$/.exec(text);
  const stamp = `${match?.[1] ?? ''}.000Z`;
  const time = Date.parse(stamp);
  // a day that the month does not have would become one of the next
  if (Number.isNaN(time) || new Date(time).toISOString() !== stamp)
    cursor.fail('date', `"${text.slice(0, 40)}", expected a date`, at);
  return { kind: 'date', seconds: time / 1000 - EPOCH };
}
