// SPDX-License-Identifier: Apache-2.0
/**
 * Who an APK says it is: the root of its binary AndroidManifest.xml and `uses-sdk`, nothing else of it.
 * https://developer.android.com/guide/topics/manifest/manifest-element
 * Attributes by resource id, as ParsingPackageUtils reads them through TypedArray; `package`, `split` and
 * `configForSplit`, which have none, by name without namespace (ApkLiteParseUtils.parsePackageSplitNames).
 */
import type { ByteSource } from '../bytes.js';
import { FormatError } from '../errors.js';
import { AxmlReader, NO_STRING, type AxmlAttribute, type AxmlValue } from './axml.js';

export interface AndroidManifest {
  readonly package: string;
  readonly versionCode?: AxmlValue;
  /** The upper 32 bits of the long version code. */
  readonly versionCodeMajor?: AxmlValue;
  readonly versionName?: AxmlValue;
  readonly minSdk?: AxmlValue;
  readonly targetSdk?: AxmlValue;
  readonly compileSdk?: AxmlValue;
  /** Name of the split; none: the base APK, or a whole one. */
  readonly split?: string;
  /** The feature that this configuration split belongs to; none or empty: the base. */
  readonly configForSplit?: string;
  readonly isFeatureSplit?: AxmlValue;
  readonly isSplitRequired?: AxmlValue;
  /** Comma-separated kinds of splits, one of each of which must be installed beside this APK. */
  readonly requiredSplitTypes?: AxmlValue;
  readonly splitTypes?: AxmlValue;
}

/** android.R.attr of the public API: these numbers never change. */
export const MANIFEST_ROOT = {
  versionCode: 0x0101021b,
  versionCodeMajor: 0x01010576,
  versionName: 0x0101021c,
  compileSdk: 0x01010572,
  isFeatureSplit: 0x0101055b,
  isSplitRequired: 0x01010591,
  requiredSplitTypes: 0x0101064e,
  splitTypes: 0x0101064f,
} as const;
export const USES_SDK = { minSdk: 0x0101020c, targetSdk: 0x01010270 } as const;

function fail(code: string, offset: number, message: string): never {
  throw new FormatError('axml', code, offset, message);
}

/** @throws FormatError `axml/…` */
export function readAndroidManifest(source: ByteSource): AndroidManifest {
  const reader = new AxmlReader(source);
  let root: (Pick<AndroidManifest, Named> & Values<typeof MANIFEST_ROOT>) | undefined;
  let sdk: Values<typeof USES_SDK> | undefined;
  for (const element of reader.elements()) {
    if (element.depth > 1) continue;
    const name = reader.string(element.name, element.offset);
    if (element.depth === 0) {
      if (root !== undefined) fail('second-root', element.offset, 'a second root element');
      if (name !== 'manifest') fail('no-manifest', element.offset, 'the root element is not a manifest');
      const attributes = element.attributes();
      const packageName = textOf(reader, attributes, 'package');
      if (packageName === undefined) fail('no-package', element.offset, 'the manifest names no package');
      const split = textOf(reader, attributes, 'split');
      const configForSplit = textOf(reader, attributes, 'configForSplit');
      root = {
        package: packageName,
        ...(split === undefined ? {} : { split }),
        ...(configForSplit === undefined ? {} : { configForSplit }),
        ...pick(reader, attributes, MANIFEST_ROOT),
      };
    } else if (name === 'uses-sdk') {
      if (sdk !== undefined) fail('second-uses-sdk', element.offset, 'a second uses-sdk element');
      sdk = pick(reader, element.attributes(), USES_SDK);
    }
  }
  if (root === undefined) fail('no-manifest', 0, 'no element at all');
  return { ...root, ...sdk };
}

type Values<Ids> = { readonly [Name in keyof Ids]?: AxmlValue };

function pick<Ids extends Readonly<Record<string, number>>>(
  reader: AxmlReader,
  attributes: readonly AxmlAttribute[],
  ids: Ids,
): Values<Ids> {
  const found = Object.entries(ids).flatMap(([name, id]) => {
    const attribute = attributes.find(({ resourceId }) => resourceId === id);
    return attribute === undefined ? [] : [[name, reader.value(attribute)] as const];
  });
  return Object.fromEntries(found) as Values<Ids>;
}

type Named = 'package' | 'split' | 'configForSplit';

function textOf(reader: AxmlReader, attributes: readonly AxmlAttribute[], wanted: Named): string | undefined {
  const [first, second] = attributes.filter(
    ({ namespace, name, offset }) => namespace === NO_STRING && reader.string(name, offset + 4) === wanted,
  );
  if (first === undefined) return undefined;
  if (second !== undefined) fail('duplicate-attribute', second.offset, `attribute ${wanted} occurs twice`);
  const value = reader.value(first);
  if (value.kind !== 'string')
    fail(
      `${wanted === 'package' ? 'package' : 'split'}-type`,
      first.offset,
      `the ${wanted} is no string but a ${value.kind}`,
    );
  return value.value;
}
