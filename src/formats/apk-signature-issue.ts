// SPDX-License-Identifier: Apache-2.0
/** Everything that can be found in a signing block, each with what it means. */
import type { FormatError } from '../errors.js';
import type { SignatureScheme } from './apk-signer-block.js';
import { EVERY_SDK, type SdkRange } from './sdk-range.js';
import type { LineageIssue } from './signing-lineage.js';
import type { StampIssue } from './source-stamp.js';

/**
 * `invalid`: Android refuses the file by it, or the platform's rules do. `unsupported`: those versions of Android cannot use
 * the signature, which makes nobody else the signer. `open`: not understood, not checked, or bytes that no reader looks
 * at, so that more than a signature may lie there.
 */
export type ApkIssueEffect = 'invalid' | 'unsupported' | 'open';

export type ApkIssueCode =
  | LineageIssue
  | StampIssue
  | 'malformed-block'
  | 'malformed-signer'
  | 'malformed-certificate'
  | 'certificate-not-der'
  | 'malformed-pairs'
  | 'duplicate-pair'
  | 'unknown-pair'
  | 'unchecked-pair'
  | 'pair-too-large'
  | 'unowned-bytes'
  | 'no-known-scheme'
  | 'padding-not-zero'
  | 'padding-size'
  | 'sdk-range'
  | 'sdk-ranges'
  | 'sdk-range-differs'
  | 'signers-differ'
  | 'several-v3-signers'
  | 'signer-again'
  | 'scheme-stripped'
  | 'unknown-scheme'
  | 'rotation-min-sdk'
  | 'rotation-unprotected'
  | 'unchecked-attribute'
  | 'lineage-certificate'
  | 'no-certificate'
  | 'certificate-chain'
  | 'certificates-too-large'
  | 'public-key-mismatch'
  | 'no-signature'
  | 'duplicate-algorithm'
  | 'algorithms-differ'
  | 'unknown-algorithm'
  | 'algorithm-since'
  | 'key-type'
  | 'signature'
  | 'unsigned-bytes'
  | 'verity-unaligned'
  | 'content-digest'
  | 'block-overlaps-entry';

export interface ApkIssueMeaning {
  readonly effect: ApkIssueEffect;
  readonly text: string;
}

const invalid = (text: string): ApkIssueMeaning => ({ effect: 'invalid', text });
const unsupported = (text: string): ApkIssueMeaning => ({ effect: 'unsupported', text });
const open = (text: string): ApkIssueMeaning => ({ effect: 'open', text });

export const APK_ISSUES = {
  'malformed-block': invalid('a signing block that no reader could take apart'),
  'malformed-signer': invalid('a signature that no reader could take apart'),
  'malformed-certificate': invalid('a certificate or key that cannot be read'),
  'certificate-not-der': open('a certificate that could have been written otherwise'),
  'malformed-pairs': open('the end of a signing block cannot be told apart into pairs'),
  'duplicate-pair': open('a pair occurs twice: readers take the first or the last'),
  'unknown-pair': open('a pair that nobody is known to write'),
  'unchecked-pair': open('a known pair that is not checked here'),
  'pair-too-large': open('a pair that only its writer can read, larger than it has any reason to be'),
  'unowned-bytes': open('bytes behind a structure, which no reader looks at'),
  'no-known-scheme': open('a signing block without v2, v3 or v3.1 signature'),
  'padding-not-zero': open('padding holds something'),
  'padding-size': open('padding of another length than a signer writes'),
  'sdk-range': invalid('a signer for no version of Android'),
  'sdk-ranges': open('signers for versions of Android that overlap, leave out some, or begin and end oddly'),
  'sdk-range-differs': invalid('the signed versions of Android are others than those stated beside'),
  'signers-differ': open('schemes by signers that no lineage joins'),
  'several-v3-signers': invalid('several signers for one version of Android, which v3 does not have'),
  'signer-again': open('one certificate signs more than once by one scheme, which says nothing more'),
  'scheme-stripped': invalid('the file was signed with another scheme as well, and that signature is gone'),
  'unknown-scheme': open('the file says that it was signed with a scheme that is not known'),
  'rotation-min-sdk': invalid('v3 says that the key changes at another version of Android than v3.1 does'),
  'rotation-unprotected': open(
    'v3 does not say that there is a v3.1 signature, so that it could be stripped',
  ),
  'unchecked-attribute': open('an attribute of a signer that is not known, misplaced, or of another length'),
  'lineage-signature': invalid('a certificate of the lineage is not signed for by the one before it'),
  'lineage-algorithm': invalid('a certificate of the lineage is signed with another algorithm than it says'),
  'lineage-repeated': invalid('a certificate occurs twice in a lineage'),
  'lineage-free-bytes': open('bytes of a lineage that nothing determines'),
  'lineage-certificate': invalid("the last certificate of the lineage is not the signer's"),
  'no-certificate': invalid('a signer without certificate'),
  'certificate-chain': open("certificates beside the signer's, which nothing verifies"),
  'certificates-too-large': open('certificates that are larger together than those of signers are'),
  'public-key-mismatch': invalid("the public key is not the certificate's"),
  'no-signature': invalid('a signer without signature'),
  'duplicate-algorithm': open('an algorithm occurs twice'),
  'algorithms-differ': invalid('digests for other algorithms than signatures'),
  'unknown-algorithm': open('a signature algorithm that is not known'),
  'algorithm-since': unsupported('these versions of Android know none of the algorithms of a signer'),
  'key-type': invalid('an algorithm for another type of key'),
  signature: invalid('a signature does not hold'),
  'unsigned-bytes': open('bytes of the file that no signature covers'),
  'verity-unaligned': invalid('an fs-verity digest of a file whose signing block does not begin on a page'),
  'content-digest': invalid('the content is another one than was signed'),
  'block-overlaps-entry': open('the signing block reaches into the last entry'),
  'stamp-malformed': open('a source stamp that no reader could take apart'),
  'stamp-unowned-bytes': open('bytes of a source stamp that no reader looks at'),
  'stamp-entry': open("the entry that names the stamp's certificate is missing, or names another one"),
  'stamp-no-signature': open('a source stamp that signs nothing'),
  'stamp-algorithm': open('an algorithm of a source stamp is not known, or occurs twice'),
  'stamp-signature': open('a signature of the source stamp does not hold'),
  'stamp-scheme': open('a source stamp is for other schemes than the file has'),
  'stamp-attribute': open('an attribute of a source stamp is not known, misplaced, or of another length'),
  'stamp-time': open('the time of a source stamp is none'),
  'stamp-lineage': open('the lineage of a source stamp does not lead to its certificate'),
} as const satisfies Record<ApkIssueCode, ApkIssueMeaning>;

/** Which signature an issue is about, and on which versions of Android; that of the whole block where it says nothing. */
export interface IssueSubject {
  readonly scheme?: SignatureScheme;
  readonly sdk?: SdkRange;
}

/** `offset` in the file. */
export interface SignatureIssue extends IssueSubject {
  readonly code: ApkIssueCode;
  readonly message: string;
  readonly offset: number;
}

/** What a lenient reader takes, and Android's may be one. */
const LENIENT: ReadonlySet<string> = new Set([
  'der/indefinite-length',
  'der/length-not-minimal',
  'der/integer-not-minimal',
  'der/oid',
]);

/** By the part of a format that could not be read. */
function codeOf({ format, code }: FormatError): ApkIssueCode {
  if (LENIENT.has(code)) return 'certificate-not-der';
  switch (format) {
    case 'apk-signing-block':
      return 'malformed-block';
    case 'apk-signature':
      return 'malformed-signer';
    default:
      return 'malformed-certificate';
  }
}

export class ApkFindings {
  readonly #issues: SignatureIssue[];
  readonly #subject: IssueSubject;

  constructor(issues: SignatureIssue[] = [], subject: IssueSubject = {}) {
    this.#issues = issues;
    this.#subject = subject;
  }

  /** The same list, for what is about one signature. */
  about(subject: IssueSubject): ApkFindings {
    return new ApkFindings(this.#issues, { ...this.#subject, ...subject });
  }

  add(code: ApkIssueCode, offset: number, message: string): void {
    this.#issues.push({ code, message, offset, ...this.#subject });
  }

  /** What stopped a parser. */
  unreadable(error: FormatError): void {
    this.add(codeOf(error), error.offset, `${error.code}: ${error.message}`);
  }

  has(effect: ApkIssueEffect): boolean {
    return this.#issues.some(({ code }) => APK_ISSUES[code].effect === effect);
  }

  /** Worst first, each in the order of its finding. */
  list(): readonly SignatureIssue[] {
    const rank: Readonly<Record<ApkIssueEffect, number>> = { invalid: 0, unsupported: 1, open: 2 };
    return [...this.#issues].sort(
      (a, b) => rank[APK_ISSUES[a.code].effect] - rank[APK_ISSUES[b.code].effect],
    );
  }
}

/** Whether the issue says something about this scheme on this version of Android. */
export function isAbout(
  { scheme, sdk = EVERY_SDK }: SignatureIssue,
  used: SignatureScheme,
  at: number,
): boolean {
  return (scheme === undefined || scheme === used) && sdk.from <= at && at <= sdk.to;
}
