// SPDX-License-Identifier: Apache-2.0
/** `NIBArchive` files from objects; a number is a reference, everything else a value. */

export type NibPlain = string | boolean | { readonly object: number } | { readonly int: number } | null;

export interface NibSpec {
  readonly className: string;
  readonly values: readonly (readonly [key: string, value: NibPlain])[];
}

export const variable = (value: number): Buffer => {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    bytes.push(rest % 128);
    if (rest < 128) break;
  }
  bytes.push((bytes.pop() ?? 0) | 0x80);
  return Buffer.from(bytes);
};

const word = (value: number): Buffer => {
  const out = Buffer.alloc(4);
  out.writeUInt32LE(value);
  return out;
};

function valueBytes(value: NibPlain): Buffer {
  if (value === null) return Buffer.from([9]);
  if (typeof value === 'boolean') return Buffer.from([value ? 5 : 4]);
  if (typeof value === 'string')
    return Buffer.concat([Buffer.from([8]), variable(Buffer.byteLength(value)), Buffer.from(value)]);
  if ('object' in value) return Buffer.concat([Buffer.from([10]), word(value.object)]);
  return Buffer.concat([Buffer.from([2]), word(value.int)]);
}

export function buildNib(objects: readonly NibSpec[], trailing = Buffer.alloc(0)): Buffer {
  const classes = [...new Set(objects.map(({ className }) => className))];
  const keys = [...new Set(objects.flatMap(({ values }) => values.map(([key]) => key)))];
  let first = 0;
  const parts = [
    objects.map(({ className, values }) => {
      first += values.length;
      return Buffer.concat([
        variable(classes.indexOf(className)),
        variable(first - values.length),
        variable(values.length),
      ]);
    }),
    keys.map((key) => Buffer.concat([variable(Buffer.byteLength(key)), Buffer.from(key)])),
    objects.flatMap(({ values }) =>
      values.map(([key, value]) => Buffer.concat([variable(keys.indexOf(key)), valueBytes(value)])),
    ),
    classes.map((name) =>
      Buffer.concat([variable(Buffer.byteLength(name) + 1), variable(0), Buffer.from(`${name}\0`)]),
    ),
  ].map((elements) => ({ count: elements.length, bytes: Buffer.concat(elements) }));
  const header: Buffer[] = [word(1), word(9)];
  let at = 50;
  for (const { count, bytes } of parts) {
    header.push(word(count), word(at));
    at += bytes.length;
  }
  return Buffer.concat([Buffer.from('NIBArchive'), ...header, ...parts.map(({ bytes }) => bytes), trailing]);
}
