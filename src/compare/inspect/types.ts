// SPDX-License-Identifier: Apache-2.0
/** What is told about files by themselves: plain data, every text from a file printable. */
import type { BundleKind, BundleTreeKind } from '../../formats/apple-bundle.js';
import type { IdentityIssue, IdentityReading } from '../identity.js';
import type { SdkSignature, SignatureRecord, SignerRecord } from '../types.js';

/** Bytes of one kind, wherever in the file they are. */
export interface ByteRegion {
  readonly kind: RegionKind;
  readonly count: number;
  readonly bytes: number;
}

/** Every byte of a ZIP archive is of one of these. */
export const REGION_KINDS = {
  'local-header': 'local headers, without names and extra fields',
  'local-name': 'names in local headers',
  'local-extra': 'extra fields of local headers',
  padding: 'extra fields of local headers that only align what follows',
  data: 'contents of entries, as stored',
  descriptor: 'data descriptors behind contents',
  gap: 'bytes that no record owns',
  'page-fill': 'zeros before the signing block',
  'signing-block': 'sizes and magic of the signing block',
  'signing-block-pair': 'pairs of the signing block',
  'directory-header': 'directory records, without names, extra fields and comments',
  'directory-name': 'names in the directory',
  'directory-extra': 'extra fields of the directory',
  'directory-comment': 'comments of entries',
  'zip64-end': 'ZIP64 end records',
  end: 'end record',
  comment: 'comment of the archive',
} as const;
export type RegionKind = keyof typeof REGION_KINDS;

export interface NativeLibrary {
  readonly name: string;
  readonly size: number;
  readonly machine?: string;
  readonly buildId?: string;
  /** What compilers and linkers left about themselves. */
  readonly tools: readonly { readonly from: string; readonly value: string }[];
  /** Why it was not read. */
  readonly unread?: string;
}

export interface Permission {
  readonly name: string;
  /** Not asked for by later versions of Android. */
  readonly maxSdk?: number;
  /** First version of Android that asks for it. */
  readonly minSdk?: number;
}

export interface SigningBlockPairRecord {
  /** As `0x7109871a`. */
  readonly id: string;
  readonly name: string;
  readonly offset: number;
  readonly size: number;
}

/** A signature beside those that Android asks for. */
export interface ExtraSignature {
  readonly status: 'verified' | 'invalid' | 'unchecked';
  readonly certificateSha256?: string;
  readonly subject?: string;
  readonly keyType?: string;
  readonly keyBits?: number;
  /** What it says of itself: a time, say. */
  readonly facts: Readonly<Record<string, string>>;
  readonly issues: readonly { readonly code: string; readonly message: string }[];
}

export interface SignatureInspection {
  readonly status: SignatureRecord['status'];
  /** `v1`, `v2` … as they occur in the file. */
  readonly schemes: readonly string[];
  readonly bySdk: readonly SdkSignature[];
  readonly signers: readonly SignerRecord[];
  readonly issues: readonly { readonly code: string; readonly message: string; readonly offset: number }[];
  /** What does not make it fail: a key that everybody has. */
  readonly notes: readonly { readonly code: 'debug-key'; readonly message: string }[];
  readonly block?: {
    readonly offset: number;
    readonly size: number;
    readonly pairs: readonly SigningBlockPairRecord[];
  };
  readonly stamps: readonly (ExtraSignature & { readonly version: 1 | 2 })[];
  /** v4: a file beside this one. */
  readonly idsig?: ExtraSignature;
}

/** Of an app bundle: what becomes splits of its own. */
export interface ModuleInspection {
  readonly name: string;
  readonly identity: IdentityReading['identity'];
  readonly identityIssues: readonly IdentityIssue[];
  readonly permissions: readonly Permission[];
}

/** What an APK of a set is for, by the name that its manifest gives the split. */
export interface SplitInspection {
  readonly name: string;
  /** Empty: the base. */
  readonly module: string;
  /** `arm64_v8a`, `xxhdpi`, `de`; absent for a whole module. */
  readonly configuration?: string;
}

/** What all files that are installed together have in common; absent where they do not agree. */
export interface SetSummary {
  readonly package?: string;
  readonly versionCode?: string;
  /** SHA-256 of the certificates of each file; empty: none is signed. */
  readonly signers?: readonly string[];
  readonly splits: number;
  /** Of configuration splits, and of native libraries. */
  readonly abis: readonly string[];
  readonly densities: readonly string[];
  readonly languages: readonly string[];
}

/** What a program's signature says, and whether the program is what it says. */
export interface ProgramSignature {
  /** `verified`: to a root that Apple publishes; `unrooted`: by somebody; `ad-hoc`: by nobody. */
  readonly status: 'unsigned' | 'ad-hoc' | 'verified' | 'unrooted' | 'invalid' | 'unread';
  readonly identifier?: string;
  readonly team?: string;
  readonly flags?: string;
  readonly hashes?: readonly string[];
  /** Pages whose hash before encryption is there too. */
  readonly preEncryptionHashes?: number;
  readonly signer?: string;
  readonly certificateSha256?: string;
  readonly root?: string;
  readonly pages?: { readonly checked: number; readonly failed: number; readonly ciphertext: number };
  /** Their names. */
  readonly entitlements?: readonly string[];
  readonly issues: readonly { readonly code: string; readonly message: string }[];
}

export interface SliceInspection {
  readonly architecture: string;
  readonly size: number;
  readonly type: string;
  readonly platform?: string;
  readonly minimum?: string;
  readonly sdk?: string;
  readonly tools?: readonly string[];
  readonly uuid?: string;
  /** `id` other than 0: encrypted by FairPlay, so that nobody can read it. */
  readonly encryption?: { readonly offset: number; readonly size: number; readonly id: number };
  readonly libraries?: readonly string[];
  readonly signature?: ProgramSignature;
  readonly issues?: readonly { readonly code: string; readonly message: string }[];
  readonly unread?: string;
}

export interface ProgramInspection {
  readonly path: string;
  readonly size: number;
  readonly slices: readonly SliceInspection[];
  readonly unread?: string;
}

export interface BundleInspection {
  readonly path: string;
  readonly kind: BundleKind;
  readonly identifier?: string;
  readonly version?: string;
  readonly build?: string;
  readonly minimumOs?: string;
  readonly executable?: string;
  readonly extensionPoint?: string;
  readonly platforms: readonly string[];
  readonly profile?: ProfileInspection;
  /** Its list of resources, where there is one. */
  readonly seal?: SealInspection;
}

/** A provisioning profile; `unread` and nothing else where it is none. */
export interface ProfileInspection {
  readonly kind?: 'development' | 'ad-hoc' | 'enterprise' | 'app-store';
  readonly name?: string;
  readonly uuid?: string;
  readonly appId?: string;
  readonly teamName?: string;
  readonly teams?: readonly string[];
  readonly created?: string;
  readonly expires?: string;
  /** That are listed; none are where any may run it, or none but by the store. */
  readonly devices?: number;
  /** Certificates whose programs it lets run. */
  readonly developers?: number;
  readonly entitlements?: readonly string[];
  readonly signature?: 'verified' | 'unrooted' | 'invalid' | 'unread';
  readonly issue?: string;
  readonly unread?: string;
}

/** `unread` and nothing else where the list is none. */
export interface SealInspection {
  /** Files whose digests are those of the list. */
  readonly verified?: number;
  readonly issues?: readonly string[];
  /** Files that no digest covers, and why not. */
  readonly unsealed?: readonly string[];
  /** Of both, not shown. */
  readonly cut?: number;
  readonly unread?: string;
}

/** An app of Apple's platforms, or what goes into one. */
export interface AppInspection {
  readonly kind: BundleTreeKind;
  readonly bundles: readonly BundleInspection[];
  readonly programs: readonly ProgramInspection[];
  readonly unsigned: readonly string[];
  /** Files in directories beside the app, by directory. */
  readonly support: Readonly<Record<string, number>>;
  readonly fairPlay: readonly string[];
  /** Of tools that decrypt apps. */
  readonly traces: readonly string[];
  readonly issues: readonly { readonly code: string; readonly message: string }[];
}

export interface FileInspection {
  readonly name: string;
  readonly size: number;
  readonly sha256: string;
  readonly format: 'apk' | 'aab' | 'zip' | 'deb' | 'ipa' | 'mac-app' | 'mach-o' | 'other';
  /** Why it could not be taken apart. */
  readonly damage?: { readonly code: string; readonly message: string; readonly offset: number };
  readonly identity: IdentityReading['identity'];
  readonly identityIssues: readonly IdentityIssue[];
  readonly signature?: SignatureInspection;
  readonly entries: number;
  /** They add up to `size`. */
  readonly bytes: readonly ByteRegion[];
  readonly dex: { readonly count: number; readonly bytes: number };
  readonly libraries: readonly NativeLibrary[];
  readonly permissions: readonly Permission[];
  readonly split?: SplitInspection;
  readonly modules?: readonly ModuleInspection[];
  readonly app?: AppInspection;
}

export interface Inspection {
  /** What was handed over. */
  readonly name: string;
  readonly kind: 'file' | 'directory' | 'archive';
  readonly files: readonly FileInspection[];
  /** What of a directory or an archive is no APK. */
  readonly others: readonly { readonly name: string; readonly size: number; readonly unread?: string }[];
  /** What of an archive of APKs an installer may take otherwise, and by which codes (`docs/zip.md`). */
  readonly ambiguous: readonly { readonly name: string; readonly codes: string }[];
  /** Of a directory that is an app, an archive of Xcode or an XCFramework. */
  readonly app?: AppInspection;
  /** Of a directory or an archive with APKs. */
  readonly set?: SetSummary;
  readonly transparency?: ExtraSignature;
  /** Where files that are installed together do not agree. */
  readonly disagreements: readonly { readonly code: string; readonly message: string }[];
}
