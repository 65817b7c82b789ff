// SPDX-License-Identifier: Apache-2.0
/**
 * How the signers of one file go together: versions of Android without gap, schemes that announce each other, and one
 * signer for all, or a lineage that joins them.
 * https://source.android.com/docs/security/features/apksigning/v3#verification
 * https://android.googlesource.com/platform/frameworks/base/+/refs/heads/main/core/java/android/util/apk/ApkSignatureSchemeV3Verifier.java
 */
import type { ApkFindings } from './apk-signature-issue.js';
import type { SignatureScheme } from './apk-signer-block.js';
import { announcesV3, type CheckedSigner } from './apk-signer-check.js';
import { FIRST_V3, FIRST_V31, LAST_SDK } from './sdk-range.js';

/** No app asks for a later version of Android than this; a first signer for later ones would be a number of free choice. */
const HIGHEST_MIN_SDK = 99;

/** `offset`: of the signing block. */
export function checkAgreement(
  signers: readonly CheckedSigner[],
  offset: number,
  findings: ApkFindings,
): void {
  const of = (scheme: SignatureScheme): CheckedSigner[] =>
    signers
      .filter((signer) => signer.scheme === scheme)
      .sort((a, b) => (a.signer.sdkRange?.min ?? 0) - (b.signer.sdkRange?.min ?? 0));
  const [v2, v3, v31] = [of('v2'), of('v3'), of('v3.1')];
  for (const { signer } of v2)
    if (announcesV3(signer) && v3.length === 0)
      findings
        .about({ scheme: 'v2', sdk: { from: FIRST_V3, to: LAST_SDK } })
        .add('scheme-stripped', signer.offset, 'signed with v3 as well, but there is no v3 signature');
  for (const list of [v2, v3, v31]) checkOnce(list, findings);
  checkRotation(v3, v31, findings);
  checkRanges(v3, v31, offset, findings.about({ sdk: { from: FIRST_V3, to: LAST_SDK } }));
  checkSameSigner(v2, v3, v31, offset, findings);
}

/** Android and apksig take it: each signature more is bytes of its signer's choice. */
function checkOnce(signers: readonly CheckedSigner[], findings: ApkFindings): void {
  const seen = new Set<string>();
  for (const { scheme, signer, certificate } of signers) {
    if (seen.has(certificate.sha256))
      findings
        .about({ scheme })
        .add('signer-again', signer.offset, `${certificate.sha256} signs by ${scheme} once more`);
    seen.add(certificate.sha256);
  }
}

function checkRotation(
  v3: readonly CheckedSigner[],
  v31: readonly CheckedSigner[],
  findings: ApkFindings,
): void {
  const starts = v31[0]?.signer.sdkRange?.min;
  // only versions that know v3.1 miss it
  const own = findings.about({ scheme: 'v3', sdk: { from: FIRST_V31, to: LAST_SDK } });
  for (const { signer, rotationMinSdk } of v3) {
    const at = signer.offset;
    if (rotationMinSdk !== undefined && starts === undefined)
      own.add(
        'scheme-stripped',
        at,
        `signed with v3.1 as well from SDK ${rotationMinSdk} on, but there is no v3.1 signature`,
      );
    else if (rotationMinSdk === undefined && starts !== undefined)
      own.add('rotation-unprotected', at, `nothing says that there is a v3.1 signature`);
    else if (rotationMinSdk !== starts)
      own.add(
        'rotation-min-sdk',
        at,
        `the key changes with SDK ${rotationMinSdk ?? 'none'}, v3.1 begins with ${starts ?? 'none'}`,
      );
  }
}

/** v3 signers take turns: each Android version has one of them, and no other is looked at. */
function checkRanges(
  v3: readonly CheckedSigner[],
  v31: readonly CheckedSigner[],
  offset: number,
  findings: ApkFindings,
): void {
  const signers = [...v3, ...v31];
  const ranges = signers.flatMap(({ signer, targetsDevelopment }) =>
    signer.sdkRange === undefined ? [] : [{ ...signer.sdkRange, targetsDevelopment }],
  );
  for (const [index, { min, targetsDevelopment }] of ranges.entries()) {
    const before = ranges[index - 1];
    if (before === undefined) {
      if (v3.length === 0)
        findings.add('sdk-ranges', offset, `a v3.1 signer from SDK ${min} on without a v3 signer before`);
      else if (min > HIGHEST_MIN_SDK) findings.add('sdk-ranges', offset, `a v3 signer from SDK ${min} on`);
    } else if (min !== before.max + (targetsDevelopment ? 0 : 1))
      findings.add(
        min <= before.max && !targetsDevelopment ? 'several-v3-signers' : 'sdk-ranges',
        offset,
        `a signer from SDK ${min} on, the one before it is for SDK ${before.min}-${before.max}`,
      );
  }
  const last = ranges.at(-1);
  if (last !== undefined && last.max !== LAST_SDK)
    findings.add(
      'sdk-ranges',
      offset,
      `the last signer is for SDK ${last.min}-${last.max}, nobody signs for later`,
    );
}

/** Whoever an older Android sees must be the newest signer, or one that its lineage names. */
function checkSameSigner(
  v2: readonly CheckedSigner[],
  v3: readonly CheckedSigner[],
  v31: readonly CheckedSigner[],
  offset: number,
  findings: ApkFindings,
): void {
  const newest = [...v3, ...v31].at(-1);
  if (newest === undefined) return;
  const joined = new Set([
    newest.certificate.sha256,
    ...(newest.lineage?.nodes.map(({ certificate }) => certificate.sha256) ?? []),
  ]);
  for (const { scheme, certificate } of [...v2, ...v3, ...v31])
    if (!joined.has(certificate.sha256))
      findings.add(
        'signers-differ',
        offset,
        `${scheme} is by ${certificate.sha256}, ${newest.scheme} by ${newest.certificate.sha256} without a lineage from it`,
      );
  if (v2.length > 1)
    findings.add(
      'signers-differ',
      offset,
      `${v2.length} v2 signers beside v3, which has one for each version`,
    );
}
