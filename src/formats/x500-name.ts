// SPDX-License-Identifier: Apache-2.0
/** Names of certificates: when two encodings are one name, and how Java encodes a name anew. X.501, section 9; RFC 5280, 7.1. */
import { DER, expectTag, readChildren, readDer, readOid, type DerValue } from './der.js';

const UTF8_STRING = 0x0c;
const PRINTABLE_STRING = 0x13;
const IA5_STRING = 0x16;
/** emailAddress and domainComponent. */
const IA5_ATTRIBUTES: ReadonlySet<string> = new Set(['1.2.840.113549.1.9.1', '0.9.2342.19200300.100.1.25']);
const PRINTABLE = /^[0-9A-Za-z '()+,\-./:=?]*$/;

interface Attribute {
  readonly type: DerValue;
  readonly value: DerValue;
}

/** @throws FormatError `der/…` */
function readSets(name: Buffer): Attribute[][] {
  return readChildren(readDer(name, DER.sequence)).map((set) =>
    readChildren(expectTag(set, DER.set)).map((attribute) => {
      const [type, value] = readChildren(expectTag(attribute, DER.sequence));
      return { type: expectTag(type, DER.oid), value: value ?? expectTag(value, UTF8_STRING) };
    }),
  );
}

function isText({ tag }: DerValue): boolean {
  return tag === UTF8_STRING || tag === PRINTABLE_STRING || tag === IA5_STRING;
}

/** Without regard to the kind of string, to case and to white space. @throws FormatError `der/…` */
export function isSameName(a: Buffer, b: Buffer): boolean {
  return a.equals(b) || canonical(a) === canonical(b);
}

function canonical(name: Buffer): string {
  const sets = readSets(name).map((set) =>
    set.map(({ type, value }) => [
      readOid(type),
      isText(value)
        ? value.content.toString('utf8').trim().replace(/\s+/g, ' ').toLowerCase()
        : value.encoded.toString('hex'),
    ]),
  );
  return JSON.stringify(sets);
}

/** As old versions of apksigner do: each text in the plainest kind of string that holds it. @throws FormatError `der/…` */
export function encodedByJava(name: Buffer): Buffer {
  return der(
    DER.sequence,
    readSets(name).map((set) =>
      der(
        DER.set,
        set.map(({ type, value }) => der(DER.sequence, [type.encoded, plainest(type, value)])),
      ),
    ),
  );
}

function plainest(type: DerValue, value: DerValue): Buffer {
  if (!isText(value)) return value.encoded;
  const text = value.content.toString('utf8');
  if (IA5_ATTRIBUTES.has(readOid(type))) return der(IA5_STRING, [value.content]);
  return der(PRINTABLE.test(text) ? PRINTABLE_STRING : UTF8_STRING, [value.content]);
}

function der(tag: number, parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) size.unshift(rest % 256);
  const head = length < 0x80 ? [tag, length] : [tag, 0x80 + size.length, ...size];
  return Buffer.concat([Buffer.from(head), content]);
}
