// SPDX-License-Identifier: Apache-2.0
/** Everything that can be found wrong with a JAR signature (APK v1), each with what it means. */
import type { LooseCode } from './cms.js';
import { EVERY_SDK, type SdkRange } from './sdk-range.js';

/**
 * `invalid`: Android refuses the file by it. `unsupported`: those versions of Android cannot use it, which makes nobody
 * else the signer. `open`: not understood, or bytes that nothing verifies. `loose`: verified, but written as no known tool
 * writes it, so that the signer may have said something by it. `free`: a bounded value that the signer chose, a time say.
 * `note`: nothing is wrong.
 */
export type JarEffect = 'invalid' | 'unsupported' | 'open' | 'loose' | 'free' | 'note';

export type JarIssueCode =
  | LooseCode
  | 'cms-malformed'
  | 'cms-not-canonical'
  | 'cms-no-signer'
  | 'cms-unknown-algorithm'
  | 'cms-algorithm-mismatch'
  | 'cms-unsupported-algorithm'
  | 'cms-key-type'
  | 'cms-no-certificate'
  | 'cms-extra-certificate'
  | 'cms-issuer-encoding'
  | 'cms-certificate-usage'
  | 'cms-certificate-extension'
  | 'cms-signature'
  | 'cms-no-content-type'
  | 'cms-content-type'
  | 'cms-no-message-digest'
  | 'cms-message-digest'
  | 'cms-repeated-attribute'
  | 'cms-signed-attributes'
  | 'cms-protected-algorithms'
  | 'cms-several-signers'
  | 'v1-no-manifest'
  | 'v1-manifest-malformed'
  | 'v1-ambiguous-lines'
  | 'v1-duplicate-section'
  | 'v1-missing-entry'
  | 'v1-no-signer'
  | 'v1-too-many-signers'
  | 'v1-block-without-file'
  | 'v1-file-without-block'
  | 'v1-several-blocks'
  | 'v1-file-ignored'
  | 'v1-file-unread'
  | 'v1-file-place'
  | 'v1-scheme-stripped'
  | 'v1-unknown-scheme'
  | 'v1-no-stripping-protection'
  | 'v1-manifest-digest'
  | 'v1-main-attributes-digest'
  | 'v1-section-digest'
  | 'v1-unused-section-digest'
  | 'v1-no-section-digest'
  | 'v1-unsupported-digest'
  | 'v1-digest-encoding'
  | 'v1-duplicate-entry'
  | 'v1-entry-name'
  | 'v1-name-control-character'
  | 'v1-entry-not-listed'
  | 'v1-entry-not-signed'
  | 'v1-entry-signers-differ'
  | 'v1-no-entry-digest'
  | 'v1-entry-digest'
  | 'v1-entry-unread'
  | 'v1-no-signed-entry'
  | 'v1-meta-inf-digest'
  | 'v1-unprotected-entry'
  | 'v1-starts-with-dex'
  | 'v1-several-signers'
  | 'v1-lines'
  | 'v1-attribute'
  | 'v1-attribute-order'
  | 'v1-section-order'
  | 'v1-section-set'
  | 'v1-digest-algorithms'
  | 'v1-signer-name'
  | 'v1-signer-again'
  | 'v1-content-type'
  | 'v1-entry-header'
  | 'v1-entry-time'
  | 'v1-entry-place'
  | 'v1-entry-packing';

export interface JarIssueMeaning {
  readonly effect: JarEffect;
  readonly text: string;
}

const meaning = (effect: JarEffect, text: string): JarIssueMeaning => ({ effect, text });

export const JAR_ISSUES = {
  'cms-malformed': meaning('invalid', 'a signature block is no signed data'),
  'cms-not-canonical': meaning(
    'open',
    'a signature block is not DER, so that it could have been written otherwise',
  ),
  'cms-no-signer': meaning('invalid', 'a signature block has no signer'),
  'cms-version': meaning('open', 'signed data of another version than 1'),
  'cms-content': meaning('open', 'a signature block holds content that no reader looks at'),
  'cms-crls': meaning('open', 'a signature block holds revocation lists that no reader looks at'),
  'cms-unknown-certificate': meaning(
    'open',
    'a signature block holds a certificate of another kind than X.509',
  ),
  'cms-unsigned-attributes': meaning('open', 'attributes of a signer that nothing signs'),
  'cms-unknown-attribute': meaning('open', 'a signed attribute that no reader looks at'),
  'cms-signing-time': meaning('free', 'the time of signing is what the signer says it is'),
  'cms-parameters': meaning('open', 'parameters of an algorithm that has none'),
  'cms-unused-digest': meaning('open', 'a digest algorithm that no signer uses'),
  'cms-set-order': meaning('open', 'parts of a set are not in their one order'),
  'cms-unknown-algorithm': meaning('invalid', 'an algorithm that no version of Android knows for JARs'),
  'cms-algorithm-mismatch': meaning(
    'open',
    'the signature names another digest algorithm than the signer does',
  ),
  'cms-unsupported-algorithm': meaning('unsupported', 'these versions of Android do not take this algorithm'),
  'cms-key-type': meaning('invalid', 'the algorithm is for another kind of key than the certificate has'),
  'cms-no-certificate': meaning('invalid', "the signer's certificate is not in its block"),
  'cms-extra-certificate': meaning(
    'open',
    "a certificate that is not the signer's: some readers take the first one",
  ),
  'cms-issuer-encoding': meaning(
    'open',
    'the issuer that the signer names is encoded in another way than in the certificate',
  ),
  'cms-certificate-usage': meaning('invalid', 'the certificate is not for signatures'),
  'cms-certificate-extension': meaning(
    'invalid',
    'the certificate has a critical extension that Android does not know',
  ),
  'cms-signature': meaning('invalid', 'a signature does not hold'),
  'cms-no-content-type': meaning('invalid', 'signed attributes without content type'),
  'cms-content-type': meaning('invalid', 'the signed content type is another one'),
  'cms-no-message-digest': meaning('invalid', 'signed attributes without digest of the signature file'),
  'cms-message-digest': meaning('invalid', 'the signed digest is not that of the signature file'),
  'cms-repeated-attribute': meaning('invalid', 'a signed attribute occurs again or has several values'),
  'cms-signed-attributes': meaning(
    'unsupported',
    'Android before 4.4 verifies no file whose signer has signed attributes',
  ),
  'cms-protected-algorithms': meaning('open', 'the signed algorithms are not those of the signer'),
  'cms-several-signers': meaning(
    'open',
    'several signers in one block: which one counts depends on the version of Android',
  ),
  'v1-no-manifest': meaning('invalid', 'signature files without META-INF/MANIFEST.MF'),
  'v1-manifest-malformed': meaning('invalid', 'Android does not read this manifest'),
  'v1-ambiguous-lines': meaning('open', 'readers of manifests disagree about these lines'),
  'v1-duplicate-section': meaning('invalid', 'two sections about one entry'),
  'v1-missing-entry': meaning('invalid', 'the manifest lists an entry that is not there'),
  'v1-no-signer': meaning('invalid', 'no signature file is signed by a block'),
  'v1-too-many-signers': meaning('invalid', 'more than ten signers'),
  'v1-block-without-file': meaning('open', 'a signature block without its signature file'),
  'v1-file-without-block': meaning('open', 'a signature file that nobody signed'),
  'v1-several-blocks': meaning(
    'open',
    'several blocks for one signature file: which one counts depends on the reader',
  ),
  'v1-file-ignored': meaning('open', 'Android ignores this signature file'),
  'v1-file-unread': meaning('open', 'a signature file could not be read'),
  'v1-file-place': meaning('open', 'some versions of Android take this for a signature file, others do not'),
  'v1-scheme-stripped': meaning(
    'invalid',
    'signed with a newer scheme as well, whose signature is not there',
  ),
  'v1-unknown-scheme': meaning('open', 'signed with a scheme as well that is not known'),
  'v1-no-stripping-protection': meaning(
    'note',
    'the newer signatures could be taken away unnoticed by versions that know them',
  ),
  'v1-manifest-digest': meaning(
    'open',
    'the digest of the whole manifest does not hold, that of each section does',
  ),
  'v1-main-attributes-digest': meaning(
    'invalid',
    "the digest of the manifest's main attributes does not hold",
  ),
  'v1-section-digest': meaning('invalid', 'the digest of a section of the manifest does not hold'),
  'v1-unused-section-digest': meaning(
    'open',
    'the digest of a section does not hold, which nobody looks at since that of the whole manifest does',
  ),
  'v1-no-section-digest': meaning(
    'invalid',
    'a section of a signature file has no digest that any version of Android knows',
  ),
  'v1-unsupported-digest': meaning(
    'unsupported',
    'these versions of Android look at none of the digests that are there',
  ),
  'v1-digest-encoding': meaning('open', 'a digest is not encoded as base64 has it'),
  'v1-duplicate-entry': meaning('invalid', 'two entries of one name'),
  'v1-entry-name': meaning('open', 'the name of an entry is not UTF-8'),
  'v1-name-control-character': meaning(
    'invalid',
    'a name with NUL, carriage return or line feed, which no manifest can hold',
  ),
  'v1-entry-not-listed': meaning('invalid', 'the manifest does not list an entry'),
  'v1-entry-not-signed': meaning('invalid', 'no signature file lists an entry'),
  'v1-entry-signers-differ': meaning('invalid', 'entries are signed by different signers'),
  'v1-no-entry-digest': meaning(
    'invalid',
    'the manifest has no digest of an entry that any version of Android knows',
  ),
  'v1-entry-digest': meaning('invalid', 'the content of an entry has another digest than the manifest says'),
  'v1-entry-unread': meaning('open', 'the content of an entry could not be read'),
  'v1-no-signed-entry': meaning('invalid', 'nothing is signed'),
  'v1-meta-inf-digest': meaning(
    'open',
    'the digest of an entry in META-INF does not hold, which Android does not look at',
  ),
  'v1-unprotected-entry': meaning('note', 'JAR signatures do not protect what is in META-INF'),
  'v1-starts-with-dex': meaning(
    'invalid',
    'the file begins like an executable, so that it could be run as one',
  ),
  'v1-several-signers': meaning('note', 'more than one signer'),
  'v1-lines': meaning('loose', 'lines are not broken as any known tool does it'),
  'v1-attribute': meaning('loose', 'an attribute, or a value of one, that no known tool writes'),
  'v1-attribute-order': meaning('loose', 'attributes in an order that no known tool writes'),
  'v1-section-order': meaning('loose', 'sections in an order that no known tool writes'),
  'v1-section-set': meaning('loose', 'sections for other entries than a known tool lists'),
  'v1-digest-algorithms': meaning('loose', 'digests of several algorithms'),
  'v1-signer-name': meaning('loose', 'a name of a signature file that no known tool gives'),
  'v1-signer-again': meaning('loose', 'one certificate signs more than once'),
  'v1-content-type': meaning('loose', 'content of another type than data'),
  'v1-entry-header': meaning('loose', 'header fields of a signature file that no known tool writes'),
  'v1-entry-time': meaning('free', 'the time of a signature file is what the signer says it is'),
  'v1-entry-place': meaning('free', 'signature files lie where no known tool puts them'),
  'v1-entry-packing': meaning('loose', 'a signature file is packed as no known encoder does it'),
} as const satisfies Record<JarIssueCode, JarIssueMeaning>;

/** `offset` in the named file, or in the archive. `sdk`: the versions of Android that it is about. */
export interface JarIssue {
  readonly code: JarIssueCode;
  readonly message: string;
  readonly offset: number;
  readonly sdk: SdkRange;
}

/** Of one code there may be one an entry; the first are kept and the rest counted. */
const KEPT = 20;

export class JarFindings {
  readonly #issues: JarIssue[] = [];
  readonly #counts = new Map<JarIssueCode, number>();

  add(code: JarIssueCode, message: string, offset = 0, sdk: SdkRange = EVERY_SDK): void {
    // one thing about neighbouring ranges of versions is one issue
    const same = this.#issues.findIndex(
      (issue) =>
        issue.code === code &&
        issue.message === message &&
        issue.offset === offset &&
        issue.sdk.from <= sdk.to + 1 &&
        sdk.from <= issue.sdk.to + 1,
    );
    const before = this.#issues[same];
    if (before !== undefined) {
      const range = {
        from: Math.min(before.sdk.from, sdk.from),
        to: Math.max(before.sdk.to, sdk.to),
      };
      this.#issues[same] = { ...before, sdk: range };
      return;
    }
    const count = (this.#counts.get(code) ?? 0) + 1;
    this.#counts.set(code, count);
    if (count <= KEPT) this.#issues.push({ code, message, offset, sdk });
  }

  has(effect: JarEffect): boolean {
    return this.#issues.some(({ code }) => JAR_ISSUES[code].effect === effect);
  }

  /** Worst first, each code in the order of its finding. */
  list(): JarIssue[] {
    const rank: Readonly<Record<JarEffect, number>> = {
      invalid: 0,
      unsupported: 1,
      open: 2,
      loose: 3,
      free: 4,
      note: 5,
    };
    return this.#issues
      .map((issue) => {
        const more = (this.#counts.get(issue.code) ?? 0) - KEPT;
        return more > 0 && this.#isLastKept(issue)
          ? { ...issue, message: `${issue.message}; and ${more} more` }
          : issue;
      })
      .sort((a, b) => rank[JAR_ISSUES[a.code].effect] - rank[JAR_ISSUES[b.code].effect]);
  }

  #isLastKept(issue: JarIssue): boolean {
    return this.#issues.findLast(({ code }) => code === issue.code) === issue;
  }
}

/** What the issues mean for one version of Android. */
export type JarStatus = 'verified' | 'invalid' | 'unsupported' | 'unchecked';

export function jarStatusAt(issues: readonly JarIssue[], sdk: number): JarStatus {
  const effects = new Set(
    issues
      .filter((issue) => issue.sdk.from <= sdk && sdk <= issue.sdk.to)
      .map(({ code }) => JAR_ISSUES[code].effect),
  );
  if (effects.has('invalid')) return 'invalid';
  if (effects.has('unsupported')) return 'unsupported';
  return effects.has('open') ? 'unchecked' : 'verified';
}
