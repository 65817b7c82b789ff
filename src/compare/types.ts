// SPDX-License-Identifier: Apache-2.0
/** What a comparison yields: plain data, the same bytes for the same two files and decoders. */
import type {
  AuthenticityReason,
  FileIdentity,
  PhaseName,
  Reason,
  RuleName,
  RuleClass,
  SignerNote,
  UnverifiableReason,
} from '../model.js';

import type { IdsigCheck } from '../formats/idsig.js';
import type { ZipCode } from '../formats/zip-code.js';
import type { FolderRecord } from './folders.js';

export { AMBIGUITIES, CONTESTED, REFUSALS } from '../formats/zip-code.js';
export type { ZipCode };

/** Best first. `different` and `missing` weigh the same. */
export const OWNERS = [
  'identical',
  'signature',
  'reencoded',
  'excluded',
  'encrypted',
  'unread',
  'missing',
  'different',
] as const;
export type Owner = (typeof OWNERS)[number];

export type Side = 'published' | 'rebuilt';

/** A maximal run of bytes of one owner, region and member. Offsets are relative to the node's own bytes. */
export interface Run {
  readonly offset: number;
  readonly length: number;
  readonly owner: Owner;
  /** What the bytes are, e.g. `zip/local-header`, `tar/mtime`, `data`. */
  readonly region: string;
  /** Index into the node's `members`. */
  readonly member?: number;
  readonly rule?: RuleName;
}

/** One side of a node: every byte has exactly one owner, so the sums add up to `size`. */
export interface SideLedger {
  readonly size: number;
  readonly sums: Readonly<Record<Owner, number>>;
  /** Every run that is not `identical`, in order of offset. */
  readonly runs: readonly Run[];
}

export interface MemberSide {
  /** Where its data lie in the node's bytes, as stored. */
  readonly offset: number;
  readonly storedSize: number;
  /** What the container states for the decoded size (ZIP), else `storedSize`. */
  readonly size: number;
  /** The stored bytes are an encoding of the content (deflate): one leaf here, and a node of their own when compared. */
  readonly encoded?: true;
}

/** What a member is, for grouping: executable code and manifest first, then data, then container. */
export type MemberKind = 'code' | 'manifest' | 'data' | 'container' | 'signature';

/** One member of a container, on either side or both, paired by raw name bytes and occurrence. */
export interface Member {
  /** Printable form: control, bidi and invalid bytes escaped as `\xNN` or `\u{…}`. */
  readonly name: string;
  /** Hex of the raw name where `name` is not its plain UTF-8. */
  readonly rawName?: string;
  /** 0 for the first of that name. */
  readonly occurrence: number;
  readonly kind: MemberKind;
  readonly type: string;
  readonly published?: MemberSide;
  readonly rebuilt?: MemberSide;
  /** Worst owner over both sides, container records and decoded content included. */
  readonly owner: Owner;
  /** Of its data alone, as the container holds them. */
  readonly data: Owner;
  /** Index into the comparison's `nodes` of the decoded content, when it was compared as a node of its own. */
  readonly node?: number;
}

/** The bytes of a file, or of one decoded region inside a parent, tiled on both sides by one alignment. */
export interface LedgerNode {
  /** Names from the root to here, printable. The root has `[]`. */
  readonly path: readonly string[];
  readonly format: string;
  /** Index of the node that holds the encoded bytes; none for the root. */
  readonly parent?: number;
  readonly published: SideLedger;
  readonly rebuilt: SideLedger;
  readonly members: readonly Member[];
}

/** The origin of a difference, when it is known. Never changes a verdict. */
export type CauseKind =
  | 'build-id'
  | 'built-from-other-commit'
  | 'compiler-version'
  | 'timestamp'
  | 'file-mode'
  | 'owner-id'
  | 'order'
  | 'toolchain-version'
  | 'store-protection'
  | 'derived-from-other-difference'
  | 'text-content'
  | 'unknown';

export interface Cause {
  readonly kind: CauseKind;
  readonly evidence: string;
}

/** One typed finding. `path` names members from the root, as in `LedgerNode.path`; offsets are inside that node or leaf. */
export type Difference =
  | {
      readonly kind: 'only-published';
      readonly path: readonly string[];
      readonly size: number;
      readonly cause?: Cause;
    }
  | {
      readonly kind: 'only-rebuilt';
      readonly path: readonly string[];
      readonly size: number;
      readonly cause?: Cause;
    }
  | {
      readonly kind: 'field';
      readonly path: readonly string[];
      readonly field: string;
      readonly published: string;
      readonly rebuilt: string;
      readonly owner: Owner;
      readonly cause?: Cause;
    }
  | {
      readonly kind: 'bytes';
      readonly path: readonly string[];
      readonly publishedOffset: number;
      readonly publishedLength: number;
      readonly rebuiltOffset: number;
      readonly rebuiltLength: number;
      /** Up to 64 bytes of each side from the start of the difference, hex. */
      readonly publishedHex: string;
      readonly rebuiltHex: string;
      readonly cause?: Cause;
    }
  | {
      readonly kind: 'text';
      readonly path: readonly string[];
      readonly patch: string;
      readonly cutLines: number;
      readonly cause?: Cause;
    }
  | {
      readonly kind: 'section';
      readonly path: readonly string[];
      readonly section: string;
      readonly publishedSize?: number;
      readonly rebuiltSize?: number;
      readonly differentBytes: number;
      readonly cause?: Cause;
    }
  /** Bytes that no structure owns: gap, prefix, trailing bytes, slack, comments. */
  | {
      readonly kind: 'hidden';
      readonly path: readonly string[];
      readonly side: Side;
      readonly region: string;
      readonly offset: number;
      readonly length: number;
      readonly hex: string;
    }
  | {
      readonly kind: 'unread';
      readonly path: readonly string[];
      readonly code: string;
      readonly detail: string;
    }
  | {
      readonly kind: 'malformed';
      readonly path: readonly string[];
      readonly side: Side;
      readonly code: string;
      readonly offset: number;
      readonly detail: string;
    }
  | {
      readonly kind: 'order';
      readonly path: readonly string[];
      readonly moved: number;
      readonly detail: string;
    };
export type DifferenceKind = Difference['kind'];

/** One place of an ambiguity; the offset is inside of the archive. */
export interface Sighting {
  readonly offset: number;
  readonly member?: string;
  /** Numbers, no sentence. */
  readonly detail?: string;
}

/** The first few of all. */
export interface Sightings {
  readonly count: number;
  readonly first: readonly Sighting[];
}

/**
 * Something that two readers of a file can take differently. It owns no byte: bytes that are equal on both sides stay
 * `identical`, and what differs between the sides stands in the ledgers.
 */
export interface Observation {
  readonly code: ZipCode;
  /** Of the archive, as in `LedgerNode.path`. */
  readonly path: readonly string[];
  readonly published?: Sightings;
  readonly rebuilt?: Sightings;
}

/** Where a fact about the publisher's environment comes from; the order of the report. */
export const EVIDENCE_KINDS = [
  'buildinfo',
  'version-control-info',
  'gradle-metadata',
  'kotlin-tooling',
  'compile-sdk',
  'r8-marker',
  'android-ndk',
  'elf-comment',
  'elf-note',
  'go-version',
  'go-build-id',
  'depends',
  'built-using',
] as const;
export type EvidenceKind = (typeof EVIDENCE_KINDS)[number];

/** What is known of the environment in which the published file was made, and from where. */
export interface EnvironmentEvidence {
  readonly file: string;
  readonly from: EvidenceKind;
  readonly fact: string;
}

/** A rule that covered bytes (or was asked for and was not needed). */
export interface AppliedRule {
  readonly rule: RuleName;
  readonly class: RuleClass;
  readonly title: string;
  readonly reason: string;
  readonly reference: string;
  readonly publishedBytes: number;
  readonly rebuiltBytes: number;
  readonly needed: boolean;
}

export interface SignerRecord {
  readonly scheme: string;
  readonly certificateSha256: string;
  readonly subject: string;
  readonly keyType: string;
  readonly keyBits: number;
  readonly minSdk?: number;
  readonly maxSdk?: number;
  /** v3.1: for the release under development after `minSdk`, and not for `minSdk` itself. */
  readonly development?: boolean;
  /** Verified, oldest first, the signer last. */
  readonly lineage?: readonly {
    readonly certificateSha256: string;
    readonly subject: string;
    readonly capabilities: readonly string[];
  }[];
}

/** What these versions of Android make of the file's signatures; the last range has no `maxSdk`. */
export interface SdkSignature {
  readonly minSdk: number;
  readonly maxSdk?: number;
  readonly scheme: 'v1' | 'v2' | 'v3' | 'v3.1' | 'none';
  /** `unsupported`: they refuse the file, which says nothing against its signer. */
  readonly status: 'verified' | 'invalid' | 'unsupported' | 'unchecked';
  /** SHA-256 of certificates. */
  readonly signers: readonly string[];
  readonly codes: readonly string[];
}

/** What is known about the published file's own signature. `not-applicable`: the format carries none (.deb). */
export interface SignatureRecord {
  readonly status: 'verified' | 'invalid' | 'unchecked' | 'unsigned' | 'not-applicable';
  readonly signers: readonly SignerRecord[];
  readonly issues: readonly { readonly code: string; readonly message: string; readonly offset: number }[];
  /** Of an APK, from its lowest version of Android on, without gap. */
  readonly bySdk?: readonly SdkSignature[];
}

/** How equality was proven beyond the ledgers. */
export type Proof =
  | { readonly kind: 'equal-bytes' }
  /** The published file was rebuilt from the rebuilt one plus the published signature. */
  | {
      readonly kind: 'transplant';
      readonly profile: string;
      readonly sha256: string;
      readonly equal: boolean;
      /** Of the signature: its entries with their records, and the signing block. */
      readonly takenBytes: number;
      /** First offset where the file that was made is another one. */
      readonly departsAt?: number;
    }
  | { readonly kind: 'none'; readonly why: string };

/** In content bytes; `ratio` is rounded down to four decimals and 1 only where design section 3 allows it. */
export interface Coverage {
  readonly matched: number;
  readonly total: number;
  readonly ratio: number;
  /** File bytes of the root on the published side. */
  readonly rootMatched: number;
  readonly rootTotal: number;
}

/** Of the published members that are packed differently: which encoder gives the same bytes again from their content. */
export interface EncoderFindings {
  readonly named: readonly { readonly encoder: string; readonly members: number }[];
  /** None that was tried. */
  readonly unnamed: number;
  /** Too large, inside of an archive, or no deflate. */
  readonly untried: number;
}

/** Published against rebuilt: one pair of files. */
export interface PairComparison {
  readonly published: FileIdentity;
  readonly rebuilt: FileIdentity;
  /** `nodes[0]` is the root. */
  readonly nodes: readonly LedgerNode[];
  readonly worst: Owner;
  readonly proof: Proof;
  readonly signature: SignatureRecord;
  /** Told of its signers beside the verdict. */
  readonly signerNotes?: readonly Reason<SignerNote>[];
  /** From the published file itself: package id, versionCode, versionName (APK), or package and version (.deb). */
  readonly identity: Readonly<Record<string, string>>;
  readonly coverage: Coverage;
  readonly differences: readonly Difference[];
  /** Findings beyond the 20,000 kept; the ledgers list every run all the same. */
  readonly differencesCut: number;
  /** When two readers can take something differently. */
  readonly observations?: readonly Observation[];
  readonly rules: readonly AppliedRule[];
  /** When something is packed differently. */
  readonly encoders?: EncoderFindings;
  readonly unverifiable: readonly Reason<UnverifiableReason>[];
  readonly notAuthentic: readonly Reason<AuthenticityReason>[];
  /** Decoders and tools that took part, with versions. */
  readonly decoders: readonly { readonly name: string; readonly version: string }[];
}

/** A v4 signature beside a published APK. */
export interface IdsigRecord extends FileIdentity {
  /** Name of that APK. */
  readonly apk: string;
  /** `verified`: part of the signature of the APK, which needs no twin. Any other is a published file like all. */
  readonly status: IdsigCheck['status'];
  readonly signers: readonly {
    readonly scheme: IdsigCheck['signers'][number]['scheme'];
    readonly certificateSha256: string;
  }[];
  readonly tree: boolean;
  readonly issues: readonly { readonly code: string; readonly message: string; readonly offset: number }[];
}

/** The whole set of a target: what the verdict and the report are made from. */
export interface SetComparison {
  readonly pairs: readonly PairComparison[];
  /** Published files without a rebuilt twin. */
  readonly unpairedPublished: readonly FileIdentity[];
  /** Names the recipe lists as published but that were not among the published files. */
  readonly notObtained: readonly string[];
  /** Rebuilt files without a published twin that nobody declared unpublished: a finding. */
  readonly unpairedRebuilt: readonly FileIdentity[];
  /** Those that are declared; by name alone, since a record of a build is another one each time. */
  readonly notPublished: readonly { readonly name: string; readonly reason: string }[];
  /** When the files are splits of an app. */
  readonly splits?: SplitSetRecord;
  /** When v4 signatures lie beside published APKs. */
  readonly idsigs?: readonly IdsigRecord[];
  /** When published files are named by their folder. */
  readonly folders?: FolderRecord;
}

/** Splits that one device got. */
export interface DeliveryRecord {
  readonly name: string;
  /** Names of published files. */
  readonly files: readonly string[];
  /** Of the rebuilt bundle: which of its variants these are. */
  readonly variant?: { readonly minSdk: number; readonly number?: number };
  /** `derived`: nobody said what device it was, the splits themselves do. `sdk` 0: not known. */
  readonly device: {
    readonly derived: boolean;
    readonly sdk: number;
    readonly abis: readonly string[];
    readonly densities: readonly number[];
    readonly languages: readonly string[];
  };
}

/** Why a rebuilt split is for no device that was looked at. */
export const NOT_DELIVERED_REASONS = [
  'on-demand',
  'other-abi',
  'other-density',
  'other-language',
  'other-sdk',
  'other-variant',
] as const;
export type NotDeliveredReason = (typeof NOT_DELIVERED_REASONS)[number];

/** What makes files a set of splits. */
export interface SplitSetRecord {
  readonly deliveries: readonly DeliveryRecord[];
  /** Rebuilt splits that none of these devices gets. */
  readonly notDelivered: readonly { readonly name: string; readonly reason: NotDeliveredReason }[];
  /** Rebuilt splits that a device gets, and that are not there. */
  readonly missing: readonly { readonly name: string; readonly delivery: string; readonly why: string }[];
  /** Wrapper files of archives, which are no part of the app. */
  readonly metadata: readonly { readonly side: Side; readonly name: string }[];
  readonly issues: readonly { readonly code: string; readonly detail: string }[];
  /** Splits of two apps or of two signers. */
  readonly notAuthentic: readonly Reason<AuthenticityReason>[];
}

/** All that the verdict is a function of; nothing else may move it. */
export interface VerdictInput {
  /** Absent when nothing was compared. */
  readonly comparison?: SetComparison;
  /** The build phase failed in the planned environment. */
  readonly buildFailure?: { readonly phase: PhaseName; readonly exitCode: number };
  /** Of the target as a whole: `no-source`, `source-untrusted`, `environment-gone`, `artifact-in-inputs` … */
  readonly unverifiable: readonly Reason<UnverifiableReason>[];
  readonly notAuthentic: readonly Reason<AuthenticityReason>[];
}
