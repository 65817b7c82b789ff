// SPDX-License-Identifier: Apache-2.0
/**
 * The manifest of a module of an app bundle: aapt2's XmlNode in protocol buffers. Only the root and its children are read.
 * https://android.googlesource.com/platform/frameworks/base/+/refs/heads/main/tools/aapt2/Resources.proto
 * (XmlNode, XmlElement, XmlAttribute, Item, Primitive)
 *
 *   XmlNode: 1 element, 2 text · XmlElement: 2 namespace, 3 name, 4 attributes, 5 children ·
 *   XmlAttribute: 1 namespace, 2 name, 3 value, 5 resource id, 6 compiled item
 */
import { FormatError } from '../errors.js';
import { MANIFEST_ROOT, USES_SDK, type AndroidManifest } from './android-manifest.js';
import {
  MAX_PERMISSIONS,
  PERMISSION,
  PERMISSION_ELEMENTS,
  type AskedPermission,
} from './android-permissions.js';
import type { AxmlValue } from './axml.js';
import { protobufFields, type ProtobufField, type ProtobufMessage } from './protobuf.js';

export interface BundleManifest {
  readonly manifest: AndroidManifest;
  /** In the order of the manifest. */
  readonly permissions: readonly AskedPermission[];
}

const NODE = { element: 1 } as const;
const ELEMENT = { namespace: 2, name: 3, attribute: 4, child: 5 } as const;
const ATTRIBUTE = { namespace: 1, name: 2, value: 3, resourceId: 5, item: 6 } as const;
const ITEM = { reference: 1, string: 2, rawString: 3, primitive: 7 } as const;
const REFERENCE_ID = 2;
const STRING_VALUE = 1;
/** Of a primitive: int32, then words as they are. */
const PRIMITIVE = { decimal: 6, hexadecimal: 7, boolean: 8 } as const;
const MAX_FIELDS = 100_000;
const MAX_SIZE = 8 << 20;

function fail(code: string, offset: number, message: string): never {
  throw new FormatError('bundle-manifest', code, offset, message);
}

interface Attribute {
  readonly namespace: string;
  readonly name: string;
  readonly resourceId: number;
  readonly value: AxmlValue;
  readonly offset: number;
}

interface Element {
  readonly name: string;
  readonly namespace: string;
  readonly attributes: readonly Attribute[];
  readonly children: readonly ProtobufMessage[];
  readonly offset: number;
}

/** @throws FormatError `bundle-manifest/…`, `protobuf/…` */
export function readBundleManifest(bytes: Buffer): BundleManifest {
  if (bytes.length > MAX_SIZE) fail('too-large', 0, `${bytes.length} bytes, at most ${MAX_SIZE} are read`);
  const root = elementOf({ bytes, offset: 0 });
  if (root?.name !== 'manifest' || root.namespace !== '')
    fail('no-manifest', 0, 'the root element is not a manifest');
  const packageName = textOf(root, 'package');
  if (packageName === undefined) fail('no-package', root.offset, 'the manifest names no package');
  const split = textOf(root, 'split');
  let sdk: Pick<AndroidManifest, 'minSdk' | 'targetSdk'> | undefined;
  const permissions: AskedPermission[] = [];
  for (const child of root.children) {
    const element = elementOf(child);
    if (element === undefined || element.namespace !== '') continue;
    if (element.name === 'uses-sdk') {
      if (sdk !== undefined) fail('second-uses-sdk', element.offset, 'a second uses-sdk element');
      sdk = pick(element, USES_SDK);
    }
    const asked = permissionOf(element);
    if (asked === undefined) continue;
    if (permissions.length === MAX_PERMISSIONS)
      fail('too-many-permissions', element.offset, `more than ${MAX_PERMISSIONS} permissions`);
    permissions.push(asked);
  }
  return {
    manifest: {
      package: packageName,
      ...(split === undefined ? {} : { split }),
      ...pick(root, MANIFEST_ROOT),
      ...sdk,
    },
    permissions,
  };
}

function permissionOf(element: Element): AskedPermission | undefined {
  const minSdk = PERMISSION_ELEMENTS.get(element.name);
  if (minSdk === undefined) return undefined;
  const { name, maxSdk } = pick(element, PERMISSION);
  // without a name it asks for nothing
  if (name?.kind !== 'string') return undefined;
  return {
    name: name.value,
    ...(maxSdk?.kind === 'integer' ? { maxSdk: maxSdk.value } : {}),
    ...(minSdk === 1 ? {} : { minSdk }),
  };
}

type Values<Ids> = { readonly [Name in keyof Ids]?: AxmlValue };

function pick<Ids extends Readonly<Record<string, number>>>({ attributes }: Element, ids: Ids): Values<Ids> {
  const found = Object.entries(ids).flatMap(([name, id]) => {
    const [first, second] = attributes.filter(({ resourceId }) => resourceId === id);
    if (second !== undefined) fail('duplicate-attribute', second.offset, `attribute ${name} occurs twice`);
    return first === undefined ? [] : [[name, first.value] as const];
  });
  return Object.fromEntries(found) as Values<Ids>;
}

/** What has no resource id is found by its name. */
function textOf({ attributes }: Element, wanted: 'package' | 'split'): string | undefined {
  const [first, second] = attributes.filter(({ namespace, name }) => namespace === '' && name === wanted);
  if (second !== undefined) fail('duplicate-attribute', second.offset, `attribute ${wanted} occurs twice`);
  if (first !== undefined && first.value.kind !== 'string')
    fail(`${wanted}-type`, first.offset, `the ${wanted} is no text but a ${first.value.kind}`);
  return first?.value.kind === 'string' ? first.value.value : undefined;
}

/** `undefined` for text between elements. */
function elementOf(node: ProtobufMessage): Element | undefined {
  const message = messageAt(protobufFields(node, MAX_FIELDS), NODE.element);
  if (message === undefined) return undefined;
  const fields = protobufFields(message, MAX_FIELDS);
  return {
    name: text(fields, ELEMENT.name),
    namespace: text(fields, ELEMENT.namespace),
    attributes: all(fields, ELEMENT.attribute).map(attributeOf),
    children: all(fields, ELEMENT.child),
    offset: message.offset,
  };
}

function attributeOf(message: ProtobufMessage): Attribute {
  const fields = protobufFields(message, MAX_FIELDS);
  const item = messageAt(fields, ATTRIBUTE.item);
  return {
    namespace: text(fields, ATTRIBUTE.namespace),
    name: text(fields, ATTRIBUTE.name),
    resourceId: Number(numberAt(fields, ATTRIBUTE.resourceId) ?? 0n),
    value: item === undefined ? { kind: 'string', value: text(fields, ATTRIBUTE.value) } : valueOf(item),
    offset: message.offset,
  };
}

/** What aapt2 made of the text. */
function valueOf(item: ProtobufMessage): AxmlValue {
  const fields = protobufFields(item, MAX_FIELDS);
  const given = Object.values(ITEM).filter((number) => fields.some((field) => field.number === number));
  if (given.length > 1) fail('several-values', item.offset, 'an attribute with values of several kinds');
  const reference = messageAt(fields, ITEM.reference);
  if (reference !== undefined) {
    const id = numberAt(protobufFields(reference, MAX_FIELDS), REFERENCE_ID) ?? 0n;
    return { kind: 'reference', id: Number(BigInt.asUintN(32, id)) };
  }
  for (const number of [ITEM.string, ITEM.rawString]) {
    const found = messageAt(fields, number);
    if (found !== undefined)
      return { kind: 'string', value: text(protobufFields(found, MAX_FIELDS), STRING_VALUE) };
  }
  const primitive = messageAt(fields, ITEM.primitive);
  if (primitive === undefined) return { kind: 'other', type: 0, data: 0 };
  const [one, second] = protobufFields(primitive, MAX_FIELDS);
  if (second !== undefined) fail('several-values', second.offset, 'a primitive with several values');
  if (one?.kind !== 'number') return { kind: 'other', type: one?.number ?? 0, data: 0 };
  if (one.number === PRIMITIVE.decimal || one.number === PRIMITIVE.hexadecimal)
    return { kind: 'integer', value: Number(BigInt.asIntN(32, one.value)) };
  if (one.number === PRIMITIVE.boolean) return { kind: 'integer', value: one.value === 0n ? 0 : 1 };
  return { kind: 'other', type: one.number, data: 0 };
}

// ---------------------------------------------------------------- fields

function only(fields: readonly ProtobufField[], number: number): ProtobufField | undefined {
  const [first, second] = fields.filter((field) => field.number === number);
  // readers take the last, or put both together
  if (second !== undefined) fail('field-twice', second.offset, `field ${number} occurs twice`);
  return first;
}

function messageAt(fields: readonly ProtobufField[], number: number): ProtobufMessage | undefined {
  const field = only(fields, number);
  if (field?.kind === 'number') fail('wire-type', field.offset, `field ${number} is a number`);
  return field?.value;
}

function numberAt(fields: readonly ProtobufField[], number: number): bigint | undefined {
  const field = only(fields, number);
  if (field?.kind === 'bytes') fail('wire-type', field.offset, `field ${number} is no number`);
  return field?.value;
}

function text(fields: readonly ProtobufField[], number: number): string {
  const message = messageAt(fields, number);
  if (message === undefined) return '';
  try {
    return UTF8.decode(message.bytes);
  } catch {
    return fail('text', message.offset, `field ${number} is no UTF-8`);
  }
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function all(fields: readonly ProtobufField[], number: number): ProtobufMessage[] {
  return fields
    .filter((field) => field.number === number)
    .map((field) =>
      field.kind === 'bytes' ? field.value : fail('wire-type', field.offset, `field ${number} is no message`),
    );
}
