// SPDX-License-Identifier: Apache-2.0
/**
 * What an Info.plist says of its bundle. All of it is the file's own word.
 * https://developer.apple.com/documentation/bundleresources/information-property-list
 */
import type { ByteSource } from '../bytes.js';
import { plistAt, plistString, plistStrings, readPlist, type PlistDocument } from './plist.js';

export interface BundleInfo {
  readonly identifier?: string;
  /** CFBundleVersion, the number of the build. */
  readonly version?: string;
  /** CFBundleShortVersionString, what users see. */
  readonly shortVersion?: string;
  readonly name?: string;
  readonly executable?: string;
  readonly packageType?: string;
  readonly platforms: readonly string[];
  readonly minimumOs?: string;
  /** What made it: `DTSDKName`, `DTXcode`, `DTXcodeBuild`, `BuildMachineOSBuild` … */
  readonly builtWith: Readonly<Record<string, string>>;
  /** Of an extension: what kind the system takes it for. */
  readonly extensionPoint?: string;
  /** Of a Watch app: the identifier of its companion. */
  readonly companion?: string;
}

const BUILT_WITH = [
  'BuildMachineOSBuild',
  'DTCompiler',
  'DTPlatformBuild',
  'DTPlatformName',
  'DTPlatformVersion',
  'DTSDKBuild',
  'DTSDKName',
  'DTXcode',
  'DTXcodeBuild',
] as const;

/** @throws FormatError `plist/…` */
export function readBundleInfo(source: ByteSource): {
  readonly info: BundleInfo;
  readonly plist: PlistDocument;
} {
  const plist = readPlist(source);
  const text = (...keys: readonly string[]): string | undefined => plistString(plist.root, ...keys);
  const fields = {
    identifier: text('CFBundleIdentifier'),
    version: text('CFBundleVersion'),
    shortVersion: text('CFBundleShortVersionString'),
    name: text('CFBundleDisplayName') ?? text('CFBundleName'),
    executable: text('CFBundleExecutable'),
    packageType: text('CFBundlePackageType'),
    minimumOs: text('MinimumOSVersion') ?? text('LSMinimumSystemVersion'),
    extensionPoint:
      text('NSExtension', 'NSExtensionPointIdentifier') ??
      text('EXAppExtensionAttributes', 'EXExtensionPointIdentifier'),
    companion: text('WKCompanionAppBundleIdentifier'),
  };
  const builtWith = Object.fromEntries(
    BUILT_WITH.flatMap((key) => {
      const value = plistAt(plist.root, key);
      return value?.kind === 'string' ? [[key, value.value]] : [];
    }),
  );
  const known = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
  const platforms = plistStrings(plist.root, 'CFBundleSupportedPlatforms') ?? [];
  return { info: { ...(known as Partial<BundleInfo>), platforms, builtWith }, plist };
}
