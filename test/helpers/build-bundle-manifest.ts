// SPDX-License-Identifier: Apache-2.0
/** The manifest of a bundle's module as aapt2 writes it in protocol buffers, and such as it does not. */
import { ATTRIBUTE } from './build-axml.js';
import { field } from './build-protobuf.js';

const message = (...fields: readonly Buffer[]): Buffer => Buffer.concat(fields);
const ANDROID = 'http://schemas.android.com/apk/res/android';

/** An item of `Resources.proto` by kind. */
export const item = {
  decimal: (value: number): Buffer => field(7, field(6, value)),
  hexadecimal: (value: number): Buffer => field(7, field(7, value)),
  boolean: (value: boolean): Buffer => field(7, field(8, value ? 1 : 0)),
  string: (value: string): Buffer => field(2, field(1, value)),
  reference: (id: number): Buffer => field(1, field(2, id)),
} as const;

export function protoAttribute(name: string, id: number, text: string, compiled?: Buffer): Buffer {
  return message(
    ...(id === 0 ? [] : [field(1, ANDROID)]),
    field(2, name),
    field(3, text),
    ...(id === 0 ? [] : [field(5, id)]),
    ...(compiled === undefined ? [] : [field(6, compiled)]),
  );
}

export function protoElement(
  name: string,
  attributes: readonly Buffer[],
  children: readonly Buffer[] = [],
): Buffer {
  return field(
    1,
    message(
      field(3, name),
      ...attributes.map((one) => field(4, one)),
      ...children.map((one) => field(5, one)),
    ),
  );
}

export const permission = (name: string, element = 'uses-permission', ...more: readonly Buffer[]): Buffer =>
  protoElement(element, [protoAttribute('name', 0x01010003, name), ...more]);

export interface BundleManifestSpec {
  readonly package?: Buffer;
  readonly attributes?: readonly Buffer[];
  readonly children?: readonly Buffer[];
}

export function buildBundleManifest(spec: BundleManifestSpec = {}): Buffer {
  return protoElement(
    'manifest',
    [
      spec.package ?? protoAttribute('package', 0, 'org.example.chat'),
      protoAttribute('versionCode', ATTRIBUTE.versionCode, '7', item.decimal(7)),
      protoAttribute('versionName', ATTRIBUTE.versionName, '1.7'),
      ...(spec.attributes ?? []),
    ],
    [
      field(2, '\n  '),
      protoElement('uses-sdk', [
        protoAttribute('minSdkVersion', ATTRIBUTE.minSdk, '21', item.decimal(21)),
        protoAttribute('targetSdkVersion', ATTRIBUTE.targetSdk, '34', item.decimal(34)),
      ]),
      ...(spec.children ?? []),
      protoElement('application', [], [protoElement('activity', [])]),
    ],
  );
}
