// SPDX-License-Identifier: Apache-2.0
/** Android binary XML, also such as no tool writes. */

export type AxmlValueSpec =
  string | number | { readonly reference: number } | { readonly type: number; readonly data: number };

export interface AxmlAttributeSpec {
  readonly name: string;
  /** Gives the name a place in the resource map. */
  readonly id?: number;
  readonly namespace?: string;
  readonly value: AxmlValueSpec;
  /** Instead of the text of a string value. */
  readonly raw?: string;
}

export interface AxmlElementSpec {
  readonly name: string;
  readonly attributes?: readonly AxmlAttributeSpec[];
  readonly children?: readonly AxmlElementSpec[];
  readonly open?: true;
}

export interface AxmlSpec {
  readonly roots: readonly AxmlElementSpec[];
  readonly utf8?: boolean;
  /** Chunks put in front of the nodes, or behind them. */
  readonly before?: readonly Buffer[];
  readonly after?: readonly Buffer[];
  readonly withoutPool?: true;
}

export const ATTRIBUTE = {
  versionCode: 0x0101021b,
  versionName: 0x0101021c,
  versionCodeMajor: 0x01010576,
  minSdk: 0x0101020c,
  targetSdk: 0x01010270,
} as const;

const NONE = 0xffffffff;

function u16(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 2);
  values.forEach((value, at) => bytes.writeUInt16LE(value, at * 2));
  return bytes;
}

function u32(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, at) => bytes.writeUInt32LE(value >>> 0, at * 4));
  return bytes;
}

export function axmlChunk(type: number, header: Buffer, body: Buffer = Buffer.alloc(0)): Buffer {
  const padding = Buffer.alloc(-(header.length + body.length) & 3);
  const size = 8 + header.length + body.length + padding.length;
  return Buffer.concat([u16(type, 8 + header.length), u32(size), header, body, padding]);
}

export function axmlPool(strings: readonly string[], utf8 = false): Buffer {
  const encoded = strings.map((text) => {
    if (!utf8) return Buffer.concat([u16(text.length), Buffer.from(text, 'utf16le'), u16(0)]);
    const bytes = Buffer.from(text);
    const length = (value: number): number[] =>
      value < 0x80 ? [value] : [0x80 | (value >> 8), value & 0xff];
    return Buffer.concat([
      Buffer.from([...length(text.length), ...length(bytes.length)]),
      bytes,
      Buffer.from([0]),
    ]);
  });
  let at = 0;
  const offsets = encoded.map((bytes) => (at += bytes.length) - bytes.length);
  const header = u32(strings.length, 0, utf8 ? 256 : 0, 28 + 4 * strings.length, 0);
  return axmlChunk(1, header, Buffer.concat([u32(...offsets), ...encoded]));
}

export function buildAxml(spec: AxmlSpec): Buffer {
  const strings: string[] = [];
  const ids: number[] = [];
  const named = new Map<string, number>();
  // names with a resource id come first: the map is as long as they are many
  const visit = (element: AxmlElementSpec): void => {
    for (const { name, id } of element.attributes ?? [])
      if (id !== undefined && !named.has(`${id}`)) {
        named.set(`${id}`, strings.length);
        strings.push(name);
        ids.push(id);
      }
    element.children?.forEach(visit);
  };
  spec.roots.forEach(visit);
  const plain = new Map<string, number>();
  const index = (text: string): number => {
    const known = plain.get(text) ?? strings.push(text) - 1;
    plain.set(text, known);
    return known;
  };
  const attribute = ({ name, id, namespace, value, raw }: AxmlAttributeSpec): Buffer => {
    const [type, data] =
      typeof value === 'string'
        ? [3, index(value)]
        : typeof value === 'number'
          ? [0x10, value]
          : 'reference' in value
            ? [1, value.reference]
            : [value.type, value.data];
    const text = raw === undefined ? (type === 3 ? data : NONE) : index(raw);
    return Buffer.concat([
      u32(
        namespace === undefined ? NONE : index(namespace),
        id === undefined ? index(name) : (named.get(`${id}`) ?? 0),
        text,
      ),
      u16(8),
      Buffer.from([0, type]),
      u32(data),
    ]);
  };
  const element = ({ name, attributes = [], children = [], open }: AxmlElementSpec): Buffer => {
    const node = u32(1, NONE);
    const start = axmlChunk(
      0x102,
      node,
      Buffer.concat([
        u32(NONE, index(name)),
        u16(20, 20, attributes.length, 0, 0, 0),
        ...attributes.map(attribute),
      ]),
    );
    const end = open === true ? [] : [axmlChunk(0x103, node, u32(NONE, index(name)))];
    return Buffer.concat([start, ...children.map(element), ...end]);
  };
  const nodes = Buffer.concat(spec.roots.map(element));
  const pool = spec.withoutPool === true ? [] : [axmlPool(strings, spec.utf8)];
  const map = axmlChunk(0x180, Buffer.alloc(0), u32(...ids));
  return axmlChunk(
    3,
    Buffer.alloc(0),
    Buffer.concat([...pool, map, ...(spec.before ?? []), nodes, ...(spec.after ?? [])]),
  );
}

export interface ManifestSpec extends Omit<AxmlSpec, 'roots'> {
  readonly package?: string;
  readonly versionCode?: AxmlValueSpec;
  readonly versionName?: AxmlValueSpec;
  readonly minSdk?: AxmlValueSpec;
  readonly targetSdk?: AxmlValueSpec;
}

/** A manifest as a tool writes it. */
export function buildManifest(spec: ManifestSpec = {}): Buffer {
  const { package: id, versionCode = 7, versionName = '1.2', minSdk = 24, targetSdk, ...rest } = spec;
  return buildAxml({
    ...rest,
    roots: [
      {
        name: 'manifest',
        attributes: [
          { name: 'versionCode', id: ATTRIBUTE.versionCode, value: versionCode },
          { name: 'versionName', id: ATTRIBUTE.versionName, value: versionName },
          { name: 'package', value: id ?? 'org.example.chat' },
        ],
        children: [
          {
            name: 'uses-sdk',
            attributes: [
              { name: 'minSdkVersion', id: ATTRIBUTE.minSdk, value: minSdk },
              ...(targetSdk === undefined
                ? []
                : [{ name: 'targetSdkVersion', id: ATTRIBUTE.targetSdk, value: targetSdk }]),
            ],
          },
          { name: 'application', children: [{ name: 'activity' }] },
        ],
      },
    ],
  });
}
