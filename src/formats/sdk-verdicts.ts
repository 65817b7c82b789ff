// SPDX-License-Identifier: Apache-2.0
/**
 * Which signature each version of Android looks at, and what comes of it. A version takes the newest scheme that it knows
 * and the file has; what is wrong with another scheme means nothing to it.
 * https://source.android.com/docs/security/features/apksigning#v31
 * https://android.googlesource.com/platform/frameworks/base/+/refs/heads/main/core/java/android/util/apk/ApkSignatureVerifier.java
 */
import { APK_ISSUES, isAbout, type ApkIssueCode, type ApkIssueEffect } from './apk-signature-issue.js';
import type { ApkSignatureCheck, ApkSigner } from './apk-signature.js';
import type { SignatureScheme } from './apk-signer-block.js';
import { PAIR_ID } from './apk-signing-block.js';
import { JAR_ISSUES, jarStatusAt, type JarIssueCode } from './jar-issue.js';
import type { JarSignatureCheck } from './jar-signature.js';
import { FIRST_SDK, FIRST_V2, FIRST_V3, FIRST_V31, LAST_SDK, type SdkRange } from './sdk-range.js';

/** Found for some versions only, whatever the signature itself is like. */
export type SdkIssueCode = 'no-scheme' | 'no-signer-for-sdk' | 'v1-refused-for-target';

export const SDK_ISSUES = {
  'no-scheme': 'the file has no signature that these versions of Android know',
  'no-signer-for-sdk': 'none of the signers is for these versions of Android',
  'v1-refused-for-target':
    'an app for Android 11 or later needs v2 or newer there, and has a JAR signature only',
} as const satisfies Record<SdkIssueCode, string>;

export type SdkStatus = 'verified' | 'invalid' | 'unsupported' | 'unchecked';

/** `unsupported`: these versions refuse the file, which says nothing against its signer. */
export interface SdkVerdict {
  readonly sdk: SdkRange;
  readonly scheme: 'v1' | SignatureScheme | 'none';
  readonly status: SdkStatus;
  /** SHA-256 of the certificates that these versions see. */
  readonly signers: readonly string[];
  /** Sorted. */
  readonly codes: readonly (ApkIssueCode | JarIssueCode | SdkIssueCode)[];
}

export interface AppVersions {
  /** 1 where it is not known. */
  readonly minSdk?: number;
  /** That of `minSdk` where it is not known, as Android has it. */
  readonly targetSdk?: number;
}

export interface FileSignatures {
  readonly apk: ApkSignatureCheck;
  /** Absent for a file without JAR signature. */
  readonly jar?: Pick<JarSignatureCheck, 'signers' | 'issues'>;
}

/** Apps for this version or later must have v2 or newer on it and later ones. */
const TARGET_NEEDS_V2 = 30;

/** Maximal ranges, without gap from the lowest version that the app supports to the last. */
export function sdkVerdicts(signatures: FileSignatures, app: AppVersions = {}): SdkVerdict[] {
  const lowest = Math.min(Math.max(FIRST_SDK, app.minSdk ?? FIRST_SDK), LAST_SDK);
  const targetSdk = app.targetSdk ?? lowest;
  const froms = [...startsOf(signatures)].filter((sdk) => sdk > lowest && sdk <= LAST_SDK);
  const verdicts: SdkVerdict[] = [];
  for (const [index, from] of [lowest, ...froms.sort((a, b) => a - b)].entries()) {
    const to = (froms[index] ?? LAST_SDK + 1) - 1;
    const next = { sdk: { from, to }, ...verdictAt(signatures, targetSdk, from) };
    const before = verdicts.at(-1);
    if (before !== undefined && isSame(before, next))
      verdicts[verdicts.length - 1] = { ...before, sdk: { from: before.sdk.from, to } };
    else verdicts.push(next);
  }
  return verdicts;
}

/** Versions on which anything can begin to be otherwise. */
function startsOf({ apk, jar }: FileSignatures): Set<number> {
  const starts = new Set<number>([FIRST_V2, FIRST_V3, FIRST_V31, TARGET_NEEDS_V2]);
  const add = ({ from, to }: SdkRange): void => void starts.add(from).add(to + 1);
  for (const { minSdk: from = FIRST_SDK, maxSdk: to = LAST_SDK } of apk.signers) {
    add({ from, to });
    // a signer for the development release begins one later on the released version
    add({ from: from + 1, to });
  }
  for (const { minSdk: from = FIRST_SDK, maxSdk: to = LAST_SDK } of jar?.signers ?? []) add({ from, to });
  for (const { sdk } of [...apk.issues, ...(jar?.issues ?? [])]) if (sdk !== undefined) add(sdk);
  return starts;
}

type Verdict = Omit<SdkVerdict, 'sdk'>;

function isSame(a: Verdict, b: Verdict): boolean {
  const key = ({ scheme, status, signers, codes }: Verdict): string =>
    JSON.stringify([scheme, status, signers, codes]);
  return key(a) === key(b);
}

function verdictAt(signatures: FileSignatures, targetSdk: number, sdk: number): Verdict {
  const { apk, jar } = signatures;
  const has = (id: number): boolean => apk.block?.pairs.some((pair) => pair.id === id) === true;
  const of = (scheme: SignatureScheme): ApkSigner[] =>
    apk.signers.filter((signer) => signer.scheme === scheme && isFor(signer, sdk));
  if (sdk >= FIRST_V31 && has(PAIR_ID.v31)) {
    const signers = of('v3.1');
    // of two, the one for the development release is meant for what follows it
    const [signer] = signers.length === 2 ? signers.filter(({ development }) => development) : signers;
    if (signer !== undefined) return apkVerdict(apk, 'v3.1', [signer], sdk);
  }
  if (sdk >= FIRST_V3 && has(PAIR_ID.v3)) return apkVerdict(apk, 'v3', of('v3'), sdk);
  if (sdk >= FIRST_V2 && has(PAIR_ID.v2)) return apkVerdict(apk, 'v2', of('v2'), sdk);
  const older = jar === undefined ? NOTHING : jarVerdict(jar, sdk, targetSdk);
  // a block that cannot be taken apart is none to Android; to us it is no file that a signing tool wrote
  return sdk >= FIRST_V2 && apk.block === undefined ? withIssues(older, apk) : older;
}

const NOTHING: Verdict = { scheme: 'none', status: 'unsupported', signers: [], codes: ['no-scheme'] };

function withIssues(verdict: Verdict, { issues }: ApkSignatureCheck): Verdict {
  if (issues.length === 0) return verdict;
  const invalid =
    verdict.status === 'invalid' || issues.some(({ code }) => APK_ISSUES[code].effect === 'invalid');
  return {
    ...verdict,
    status: invalid ? 'invalid' : 'unchecked',
    codes: [...new Set([...verdict.codes, ...issues.map(({ code }) => code)])].sort(),
  };
}

/** A released version does not take a signer for the release that was under development on it. */
function isFor(
  { minSdk = FIRST_SDK, maxSdk = LAST_SDK, development = false }: ApkSigner,
  sdk: number,
): boolean {
  return minSdk <= sdk && sdk <= maxSdk && !(development && sdk === minSdk);
}

function apkVerdict(
  apk: ApkSignatureCheck,
  scheme: SignatureScheme,
  signers: readonly ApkSigner[],
  sdk: number,
): Verdict {
  const codes = new Set<Verdict['codes'][number]>(
    apk.issues.filter((issue) => isAbout(issue, scheme, sdk)).map(({ code }) => code),
  );
  const effects = new Set<ApkIssueEffect>(
    apk.issues.filter((issue) => isAbout(issue, scheme, sdk)).map(({ code }) => APK_ISSUES[code].effect),
  );
  if (signers.length === 0 && effects.size === 0) {
    codes.add('no-signer-for-sdk');
    effects.add('unsupported');
  }
  const status: SdkStatus = effects.has('invalid')
    ? 'invalid'
    : effects.has('unsupported')
      ? 'unsupported'
      : effects.has('open') || apk.status === 'parsed'
        ? 'unchecked'
        : 'verified';
  return { scheme, status, signers: certificatesOf(signers), codes: [...codes].sort() };
}

function jarVerdict(
  { signers, issues }: NonNullable<FileSignatures['jar']>,
  sdk: number,
  targetSdk: number,
): Verdict {
  const codes = new Set<Verdict['codes'][number]>(
    issues
      .filter((issue) => issue.sdk.from <= sdk && sdk <= issue.sdk.to)
      .map(({ code }) => code)
      .filter((code) => !HARMLESS.has(JAR_ISSUES[code].effect)),
  );
  const seen = signers.filter(({ minSdk = FIRST_SDK, maxSdk = LAST_SDK }) => minSdk <= sdk && sdk <= maxSdk);
  let status: SdkStatus = jarStatusAt(issues, sdk);
  if (sdk >= TARGET_NEEDS_V2 && targetSdk >= TARGET_NEEDS_V2) {
    codes.add('v1-refused-for-target');
    if (status !== 'invalid') status = 'unsupported';
  }
  return { scheme: 'v1', status, signers: certificatesOf(seen), codes: [...codes].sort() };
}

const HARMLESS: ReadonlySet<string> = new Set(['loose', 'free', 'note']);

function certificatesOf(signers: readonly { readonly certificateSha256: string }[]): string[] {
  return [...new Set(signers.map(({ certificateSha256 }) => certificateSha256))].sort();
}
