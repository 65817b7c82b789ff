// SPDX-License-Identifier: Apache-2.0
/**
 * The permissions that an APK asks for, from its binary AndroidManifest.xml.
 * https://developer.android.com/guide/topics/manifest/uses-permission-element
 */
import type { ByteSource } from '../bytes.js';
import { FormatError } from '../errors.js';
import { AxmlReader, type AxmlAttribute } from './axml.js';

export interface AskedPermission {
  readonly name: string;
  readonly maxSdk?: number;
  readonly minSdk?: number;
}

export const PERMISSION = { name: 0x01010003, maxSdk: 0x01010271 } as const;
export const PERMISSION_ELEMENTS: ReadonlyMap<string, number> = new Map([
  ['uses-permission', 1],
  ['uses-permission-sdk-23', 23],
]);
/** More of them nobody asks for. */
export const MAX_PERMISSIONS = 10_000;

/** In the order of the manifest. @throws FormatError `axml/…` */
export function readPermissions(source: ByteSource): AskedPermission[] {
  const reader = new AxmlReader(source);
  const permissions: AskedPermission[] = [];
  for (const element of reader.elements()) {
    if (element.depth !== 1) continue;
    const minSdk = PERMISSION_ELEMENTS.get(reader.string(element.name, element.offset));
    if (minSdk === undefined) continue;
    if (permissions.length === MAX_PERMISSIONS)
      throw new FormatError(
        'axml',
        'too-many-permissions',
        element.offset,
        `more than ${MAX_PERMISSIONS} permissions`,
      );
    const attributes = element.attributes();
    const name = valueOf(reader, attributes, PERMISSION.name);
    // without a name it asks for nothing
    if (name?.kind !== 'string') continue;
    const maxSdk = valueOf(reader, attributes, PERMISSION.maxSdk);
    permissions.push({
      name: name.value,
      ...(maxSdk?.kind === 'integer' ? { maxSdk: maxSdk.value } : {}),
      ...(minSdk === 1 ? {} : { minSdk }),
    });
  }
  return permissions;
}

function valueOf(
  reader: AxmlReader,
  attributes: readonly AxmlAttribute[],
  id: number,
): ReturnType<AxmlReader['value']> | undefined {
  const attribute = attributes.find(({ resourceId }) => resourceId === id);
  return attribute === undefined ? undefined : reader.value(attribute);
}
