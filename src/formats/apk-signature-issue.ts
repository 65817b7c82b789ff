// SPDX-License-Identifier: Apache-2.0
/** Everything that can be found in a signing block, each with what it means. */
import type { LineageIssue } from './signing-lineage.js';

/**
 * `invalid`: Android refuses the file by it, or the platform's rules do. `open`: not understood, not checked, or bytes that
 * no reader looks at, so that more than a signature may lie there.
 */
export type ApkIssueEffect = 'invalid' | 'open';

export type ApkIssueCode =
  | LineageIssue
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
  | 'scheme-stripped'
  | 'unknown-scheme'
  | 'rotation-min-sdk'
  | 'rotation-unprotected'
  | 'unchecked-attribute'
  | 'lineage-certificate'
  | 'no-certificate'
  | 'certificate-chain'
  | 'public-key-mismatch'
  | 'no-signature'
  | 'duplicate-algorithm'
  | 'algorithms-differ'
  | 'unknown-algorithm'
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
const open = (text: string): ApkIssueMeaning => ({ effect: 'open', text });

/** Besides these, a FormatError (`truncated`, `too-many-signers` …) makes a signature invalid: no reader could parse it. */
export const APK_ISSUES = {
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
  'public-key-mismatch': invalid("the public key is not the certificate's"),
  'no-signature': invalid('a signer without signature'),
  'duplicate-algorithm': open('an algorithm occurs twice'),
  'algorithms-differ': invalid('digests for other algorithms than signatures'),
  'unknown-algorithm': open('a signature algorithm that is not known'),
  'key-type': invalid('an algorithm for another type of key'),
  signature: invalid('a signature does not hold'),
  'unsigned-bytes': open('bytes of the file that no signature covers'),
  'verity-unaligned': invalid('an fs-verity digest of a file whose signing block does not begin on a page'),
  'content-digest': invalid('the content is another one than was signed'),
  'block-overlaps-entry': open('the signing block reaches into the last entry'),
} as const satisfies Record<ApkIssueCode, ApkIssueMeaning>;

/** `offset` in the file. */
export interface SignatureIssue {
  readonly code: string;
  readonly message: string;
  readonly offset: number;
}

export class ApkFindings {
  readonly #invalid: SignatureIssue[] = [];
  readonly #open: SignatureIssue[] = [];

  add(code: ApkIssueCode, offset: number, message: string): void {
    const list = APK_ISSUES[code].effect === 'invalid' ? this.#invalid : this.#open;
    list.push({ code, message, offset });
  }

  /** What stopped a parser. */
  unreadable(issue: SignatureIssue): void {
    this.#invalid.push(issue);
  }

  get worst(): ApkIssueEffect | undefined {
    return this.#invalid.length > 0 ? 'invalid' : this.#open.length > 0 ? 'open' : undefined;
  }

  /** Worst first. */
  list(): readonly SignatureIssue[] {
    return [...this.#invalid, ...this.#open];
  }
}
