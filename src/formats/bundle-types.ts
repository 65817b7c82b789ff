// SPDX-License-Identifier: Apache-2.0
/** The nouns of bundles: files with paths, what was found in them, what is odd. */
import type { BundleInfo } from './bundle-info.js';

/** One file; directories by themselves are left out. */
export interface BundleFile {
  /** With `/` between its parts and none in front. */
  readonly path: string;
  readonly size: number;
  /** What a symbolic link points to. */
  readonly link?: string;
}

export type BundleKind =
  | 'app'
  | 'watch-app'
  | 'watch-placeholder'
  | 'app-clip'
  | 'extension'
  | 'framework'
  | 'xpc-service'
  | 'resources';

export interface AppleBundle {
  /** `Payload/App.app/PlugIns/Share.appex`; `` for a bundle that is all there is. */
  readonly path: string;
  readonly kind: BundleKind;
  /** Path of the innermost bundle around it. */
  readonly parent?: string;
  readonly infoPath?: string;
  readonly info?: BundleInfo;
  /** The file that its Info.plist calls the executable, when it is there. */
  readonly executable?: string;
  /** `_CodeSignature/CodeResources`. */
  readonly codeResources?: string;
  /** `embedded.mobileprovision` directly inside. */
  readonly profile?: string;
}

export type BundleTreeKind = 'ipa' | 'xcarchive' | 'xcframework' | 'bundle' | 'none';

export interface BundleTree {
  readonly kind: BundleTreeKind;
  /** Sorted by path: parents before children. */
  readonly bundles: readonly AppleBundle[];
  /** Below `SwiftSupport/`, `Symbols/` and the like, by that directory. */
  readonly support: Readonly<Record<string, readonly string[]>>;
  /** `SC_Info/…` of any bundle. */
  readonly fairPlay: readonly string[];
  readonly issues: readonly BundleIssue[];
}

export type BundleIssueCode =
  | 'info-missing'
  | 'info-unread'
  /** Bytes of no value, or two ways to take an Info.plist. */
  | 'info-finding'
  | 'executable-missing'
  | 'executable-name'
  | 'no-app'
  | 'several-apps'
  /** A file of an IPA that is in no directory that IPAs have. */
  | 'outside-payload'
  /** A file in `Payload` that is in no app. */
  | 'outside-app'
  | 'identifier-twice'
  /** An extension, app clip or Watch app that is not named after its app. */
  | 'identifier-foreign'
  | 'symbolic-link'
  /** A symbolic link out of its bundle. */
  | 'link-outside'
  /** A name that a shell or a program would take for something else. */
  | 'name-shell'
  | 'name-case'
  /** Longer than a path can be on the system, or with more parts. */
  | 'name-length';

export interface BundleIssue {
  readonly code: BundleIssueCode;
  readonly path: string;
  readonly detail: string;
}

/** Directories of an IPA beside `Payload`. */
export const SUPPORT_DIRECTORIES = [
  'SwiftSupport',
  'Symbols',
  'WatchKitSupport',
  'WatchKitSupport2',
  'MessagesApplicationExtensionSupport',
  'MessagesApplicationSupport',
  'BCSymbolMaps',
] as const;

const MAX_PATH = 1024;
const MAX_PARTS = 64;

/** PATH_MAX of Darwin; only such paths are taken apart. */
export function isWalkable(path: string): boolean {
  return path.length <= MAX_PATH && path.split('/').length <= MAX_PARTS;
}
