// SPDX-License-Identifier: Apache-2.0
/**
 * AndroidManifest.xml in the binary form that Android reads.
 * https://android.googlesource.com/platform/frameworks/base/+/refs/heads/main/libs/androidfw/include/androidfw/ResourceTypes.h
 */
const ANDROID = 'http://schemas.android.com/apk/res/android';
const NONE = 0xffffffff;

// attribute ids of the platform: frameworks/base/core/res/res/values/public-final.xml
const ATTRIBUTE_IDS = {
  label: 0x01010001,
  name: 0x01010003,
  exported: 0x01010010,
  minSdkVersion: 0x0101020c,
  versionCode: 0x0101021b,
  versionName: 0x0101021c,
  targetSdkVersion: 0x01010270,
  extractNativeLibs: 0x010104ea,
};

export function writeManifest(app, version) {
  return writeDocument({
    tag: 'manifest',
    android: { versionCode: Number(version.versionCode), versionName: version.versionName },
    plain: { package: app.package },
    children: [
      {
        tag: 'uses-sdk',
        android: { minSdkVersion: app.minSdkVersion, targetSdkVersion: app.targetSdkVersion },
      },
      {
        tag: 'application',
        android: { label: app.label, extractNativeLibs: false },
        children: [
          {
            tag: 'activity',
            android: { name: app.activity, exported: true },
            children: [
              {
                tag: 'intent-filter',
                children: [
                  { tag: 'action', android: { name: 'android.intent.action.MAIN' } },
                  { tag: 'category', android: { name: 'android.intent.category.LAUNCHER' } },
                ],
              },
            ],
          },
        ],
      },
    ],
  });
}

function writeDocument(root) {
  // the resource map names the first strings of the pool, in its order
  const attributes = Object.keys(ATTRIBUTE_IDS);
  const pool = new Map(attributes.map((name, index) => [name, index]));
  const index = (string) => {
    if (!pool.has(string)) pool.set(string, pool.size);
    return pool.get(string);
  };
  const namespace = words(index('android'), index(ANDROID));
  const body = Buffer.concat([node(0x0100, namespace), element(root, index), node(0x0101, namespace)]);
  const strings = stringPool([...pool.keys()]);
  const map = chunk(0x0180, Buffer.alloc(0), words(...Object.values(ATTRIBUTE_IDS)));
  return chunk(0x0003, Buffer.alloc(0), Buffer.concat([strings, map, body]));
}

function element({ tag, android = {}, plain = {}, children = [] }, index) {
  const attributes = [
    // looked up by binary search: by id, and those without one last
    ...Object.entries(android)
      .sort(([a], [b]) => ATTRIBUTE_IDS[a] - ATTRIBUTE_IDS[b])
      .map(([name, value]) => attribute(index(ANDROID), index(name), value, index)),
    ...Object.entries(plain).map(([name, value]) => attribute(NONE, index(name), value, index)),
  ];
  const layout = Buffer.alloc(12);
  layout.writeUInt16LE(20, 0); // where the attributes start
  layout.writeUInt16LE(20, 2); // size of each
  layout.writeUInt16LE(attributes.length, 4);
  const name = words(NONE, index(tag));
  return Buffer.concat([
    node(0x0102, Buffer.concat([name, layout, ...attributes])),
    ...children.map((child) => element(child, index)),
    node(0x0103, name),
  ]);
}

function attribute(namespace, name, value, index) {
  const [type, data] = typed(value, index);
  const kind = Buffer.from([8, 0, 0, type]);
  const raw = typeof value === 'string' ? data : NONE;
  return Buffer.concat([words(namespace, name, raw), kind, words(data)]);
}

function typed(value, index) {
  if (typeof value === 'string') return [0x03, index(value)];
  if (typeof value === 'boolean') return [0x12, value ? NONE : 0];
  return [0x10, value];
}

function stringPool(strings) {
  const encoded = strings.map((string) => {
    const units = Buffer.from(string, 'utf16le');
    const length = Buffer.alloc(2);
    length.writeUInt16LE(string.length);
    return Buffer.concat([length, units, Buffer.alloc(2)]);
  });
  let offset = 0;
  const offsets = encoded.map((bytes) => (offset += bytes.length) - bytes.length);
  const padding = Buffer.alloc((4 - (offset % 4)) % 4);
  const header = words(strings.length, 0, 0, 28 + 4 * strings.length, 0);
  return chunk(0x0001, header, Buffer.concat([words(...offsets), ...encoded, padding]));
}

/** A node has its line, here always 1, and a comment, here none. */
function node(type, body) {
  return chunk(type, words(1, NONE), body);
}

function chunk(type, header, body) {
  const start = Buffer.alloc(8);
  start.writeUInt16LE(type, 0);
  start.writeUInt16LE(8 + header.length, 2);
  start.writeUInt32LE(8 + header.length + body.length, 4);
  return Buffer.concat([start, header, body]);
}

function words(...values) {
  const bytes = Buffer.alloc(4 * values.length);
  values.forEach((value, index) => bytes.writeUInt32LE(value, 4 * index));
  return bytes;
}
