// SPDX-License-Identifier: Apache-2.0
/**
 * classes.dex, version 035: the few instructions that this app needs.
 * https://source.android.com/docs/core/runtime/dex-format
 */
import { createHash } from 'node:crypto';
import { encodeInstructions, outgoing } from './dalvik.mjs';

const HEADER = 0x70;
const NONE = 0xffffffff;
const ACCESS = { public: 0x1, static: 0x8, constructor: 0x10000 };

/** @param classes superclasses before their subclasses */
export function writeDex(classes) {
  const ids = collect(classes);
  const sections = [
    { type: 0x0001, item: 4, count: ids.strings.length },
    { type: 0x0002, item: 4, count: ids.types.length },
    { type: 0x0003, item: 12, count: ids.protos.length },
    { type: 0x0005, item: 8, count: ids.methods.length },
    { type: 0x0006, item: 32, count: classes.length },
  ];
  let at = HEADER;
  for (const section of sections) {
    section.offset = at;
    at += section.item * section.count;
  }
  const [strings, types, protos, methods, definitions] = sections;
  const data = new Data(at);

  const codes = classes.map((item) => item.methods.map((entry) => data.add(0x2001, 4, codeItem(entry, ids))));
  const lists = new Map();
  for (const { parameters } of ids.protos)
    if (parameters.length > 0 && !lists.has(parameters.join('')))
      lists.set(parameters.join(''), data.add(0x1001, 4, typeList(parameters, ids)));
  const texts = ids.strings.map((text) => data.add(0x2002, 1, stringData(text)));
  const bodies = classes.map((item, index) => data.add(0x2000, 1, classData(item, codes[index], ids)));
  const map = data.addMap([{ type: 0x0000, count: 1, offset: 0 }, ...sections]);

  const table = Buffer.concat([
    words(...texts),
    words(...ids.types.map((type) => ids.string(type))),
    ...ids.protos.map((proto) =>
      words(ids.string(shorty(proto)), ids.type(proto.returns), lists.get(proto.parameters.join('')) ?? 0),
    ),
    ...ids.methods.map((method) =>
      Buffer.concat([halves(ids.type(method.owner), ids.proto(method)), words(ids.string(method.name))]),
    ),
    ...classes.map((item, index) =>
      words(ids.type(item.type), ACCESS.public, ids.type(item.superType), 0, NONE, 0, bodies[index], 0),
    ),
  ]);

  const size = data.end;
  const header = Buffer.alloc(HEADER);
  header.write('dex\n035\0', 'latin1');
  const rest = words(
    size,
    HEADER,
    0x12345678,
    0, // no links
    0,
    map,
    strings.count,
    strings.offset,
    types.count,
    types.offset,
    protos.count,
    protos.offset,
    0, // no fields
    0,
    methods.count,
    methods.offset,
    definitions.count,
    definitions.offset,
    size - data.start,
    data.start,
  );
  rest.copy(header, 32);
  const dex = Buffer.concat([header, table, ...data.parts]);
  createHash('sha1').update(dex.subarray(32)).digest().copy(dex, 12);
  dex.writeUInt32LE(adler32(dex.subarray(12)), 8);
  return dex;
}

/** Every table sorted as the format demands; strings by UTF-16 code units, which is how JavaScript compares. */
function collect(classes) {
  const methods = new Map();
  const loose = { strings: new Set(), types: new Set() };
  const addMethod = (method) => methods.set(methodKey(method), method);
  for (const item of classes) {
    loose.types.add(item.type).add(item.superType);
    for (const { method, code } of item.methods) {
      addMethod(method);
      for (const step of code) {
        if (step.method !== undefined) addMethod(step.method);
        if (step.string !== undefined) loose.strings.add(step.string);
        if (step.type !== undefined) loose.types.add(step.type);
      }
    }
  }
  const protos = new Map([...methods.values()].map((method) => [protoKey(method), method]));
  for (const { owner, returns, parameters } of methods.values())
    for (const type of [owner, returns, ...parameters]) loose.types.add(type);
  for (const type of loose.types) loose.strings.add(type);
  for (const method of methods.values()) loose.strings.add(method.name).add(shorty(method));

  const strings = [...loose.strings].sort((a, b) => (a < b ? -1 : 1));
  const string = indexIn(strings);
  const types = [...loose.types].sort((a, b) => string(a) - string(b));
  const type = indexIn(types);
  const order = (numbers) => (a, b) => {
    const [x, y] = [numbers(a), numbers(b)];
    const at = [...x.keys()].find((index) => x[index] !== y[index]);
    return at === undefined ? 0 : x[at] - (y[at] ?? -1);
  };
  const protoList = [...protos.values()].sort(
    order(({ returns, parameters }) => [type(returns), ...parameters.map(type), -1]),
  );
  const protoAt = indexIn(protoList.map(protoKey));
  const proto = (method) => protoAt(protoKey(method));
  const methodList = [...methods.values()].sort(
    order((method) => [type(method.owner), string(method.name), proto(method)]),
  );
  const methodAt = indexIn(methodList.map(methodKey));
  const method = (wanted) => methodAt(methodKey(wanted));
  return { strings, types, protos: protoList, methods: methodList, string, type, proto, method };
}

const protoKey = ({ returns, parameters }) => `(${parameters.join('')})${returns}`;
const methodKey = (method) => `${method.owner}->${method.name}${protoKey(method)}`;
const shorty = ({ returns, parameters }) =>
  [returns, ...parameters].map((type) => (type.startsWith('[') ? 'L' : type[0])).join('');

function indexIn(list) {
  const indexes = new Map(list.map((value, index) => [value, index]));
  return (value) => {
    const index = indexes.get(value);
    if (index === undefined) throw new Error(`not collected: ${value}`);
    return index;
  };
}

/** The data section, and the map of what lies in it. */
class Data {
  constructor(start) {
    this.start = start;
    this.end = start;
    this.parts = [];
    this.found = new Map();
  }

  add(type, alignment, bytes) {
    this.#push(Buffer.alloc((alignment - (this.end % alignment)) % alignment));
    const offset = this.end;
    const known = this.found.get(type);
    if (known === undefined) this.found.set(type, { type, offset, count: 1 });
    else known.count += 1;
    this.#push(bytes);
    return offset;
  }

  addMap(sections) {
    this.#push(Buffer.alloc((4 - (this.end % 4)) % 4));
    const offset = this.end;
    const entries = [...sections, ...this.found.values(), { type: 0x1000, offset, count: 1 }]
      .filter(({ count }) => count > 0)
      .sort((a, b) => a.offset - b.offset);
    this.#push(
      Buffer.concat([
        words(entries.length),
        ...entries.map((entry) => Buffer.concat([halves(entry.type, 0), words(entry.count, entry.offset)])),
      ]),
    );
    return offset;
  }

  #push(bytes) {
    this.parts.push(bytes);
    this.end += bytes.length;
  }
}

function codeItem({ method, access, registers, code }, ids) {
  const incoming = method.parameters.length + (access.includes('static') ? 0 : 1);
  const instructions = encodeInstructions(code, ids);
  return Buffer.concat([
    halves(registers, incoming, outgoing(code), 0),
    words(0, instructions.length / 2),
    instructions,
  ]);
}

function typeList(types, ids) {
  return Buffer.concat([words(types.length), halves(...types.map(ids.type))]);
}

function stringData(text) {
  return Buffer.concat([uleb128(text.length), modifiedUtf8(text), Buffer.alloc(1)]);
}

/** Direct methods (static ones and constructors) before the others, each list by index, which is stored as a step. */
function classData({ methods }, codes, ids) {
  const placed = methods
    .map(({ method, access }, index) => ({ id: ids.method(method), access, code: codes[index] }))
    .sort((a, b) => a.id - b.id);
  const isDirect = ({ access }) => access.includes('static') || access.includes('constructor');
  const lists = [placed.filter(isDirect), placed.filter((entry) => !isDirect(entry))];
  return Buffer.concat([
    ...[0, 0, ...lists.map((list) => list.length)].map(uleb128),
    ...lists.flatMap((list) =>
      list.flatMap(({ id, access, code }, index) => [
        uleb128(id - (list[index - 1]?.id ?? 0)),
        uleb128(access.reduce((flags, flag) => flags | ACCESS[flag], 0)),
        uleb128(code),
      ]),
    ),
  ]);
}

function modifiedUtf8(text) {
  const bytes = [];
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit !== 0 && unit < 0x80) bytes.push(unit);
    else if (unit < 0x800) bytes.push(0xc0 | (unit >> 6), 0x80 | (unit & 0x3f));
    else bytes.push(0xe0 | (unit >> 12), 0x80 | ((unit >> 6) & 0x3f), 0x80 | (unit & 0x3f));
  }
  return Buffer.from(bytes);
}

function uleb128(value) {
  const bytes = [];
  do {
    bytes.push((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
    value >>>= 7;
  } while (value > 0);
  return Buffer.from(bytes);
}

function adler32(bytes) {
  let [a, b] = [1, 0];
  for (const byte of bytes) {
    a = (a + byte) % 65521;
    b = (b + a) % 65521;
  }
  return ((b << 16) | a) >>> 0;
}

function words(...values) {
  const bytes = Buffer.alloc(4 * values.length);
  values.forEach((value, index) => bytes.writeUInt32LE(value, 4 * index));
  return bytes;
}

function halves(...values) {
  const bytes = Buffer.alloc(2 * values.length);
  values.forEach((value, index) => bytes.writeUInt16LE(value, 2 * index));
  return bytes;
}
