// SPDX-License-Identifier: Apache-2.0
/** Which signature each version of Android looks at; against a model that asks each version by itself. */
import test from 'ava';
import fc from 'fast-check';
import { APK_ISSUES, type ApkIssueCode, type SignatureIssue } from '../../src/formats/apk-signature-issue.js';
import type { ApkSignatureCheck, ApkSigner } from '../../src/formats/apk-signature.js';
import { PAIR_ID } from '../../src/formats/apk-signing-block.js';
import { LAST_SDK } from '../../src/formats/sdk-range.js';
import {
  SDK_ISSUES,
  sdkVerdicts,
  type AppVersions,
  type FileSignatures,
  type SdkVerdict,
} from '../../src/formats/sdk-verdicts.js';

const IDS = { v2: PAIR_ID.v2, v3: PAIR_ID.v3, 'v3.1': PAIR_ID.v31 } as const;
type Scheme = keyof typeof IDS;

const signer = (
  scheme: Scheme,
  certificateSha256: string,
  minSdk?: number,
  maxSdk?: number,
  development = false,
): ApkSigner => ({
  scheme,
  certificateSha256,
  subject: '',
  keyType: 'ec',
  keyBits: 256,
  ...(minSdk === undefined ? {} : { minSdk }),
  ...(maxSdk === undefined ? {} : { maxSdk }),
  ...(development ? { development } : {}),
});

function apk(signers: readonly ApkSigner[], issues: readonly SignatureIssue[] = []): ApkSignatureCheck {
  const schemes = [...new Set(signers.map(({ scheme }) => scheme))];
  const pairs = schemes.map((scheme) => ({ id: IDS[scheme], offset: 0, size: 0 }));
  return {
    block: pairs.length === 0 ? undefined : { offset: 0, size: 0, pairs },
    signers,
    opaque: [],
    stamps: [],
    status: pairs.length === 0 ? 'unsigned' : 'verified',
    issues,
  };
}

const JAR: NonNullable<FileSignatures['jar']> = {
  signers: [{ scheme: 'v1', certificateSha256: 'jar', subject: '', keyType: 'rsa', keyBits: 2048 }],
  issues: [],
};

const issue = (code: ApkIssueCode, more: Partial<SignatureIssue> = {}): SignatureIssue => ({
  code,
  message: '',
  offset: 0,
  ...more,
});

const brief = (verdicts: readonly SdkVerdict[]): string[] =>
  verdicts.map(
    ({ sdk, scheme, status, signers, codes }) =>
      `${sdk.from}-${sdk.to === LAST_SDK ? '' : sdk.to} ${[scheme, status, ...signers, ...codes].join(' ')}`,
  );

const CASES: readonly (readonly [string, FileSignatures, AppVersions, readonly string[]])[] = [
  ['v2', { apk: apk([signer('v2', 'a')]) }, { minSdk: 24 }, ['24- v2 verified a']],
  [
    'v2 for versions that do not know it',
    { apk: apk([signer('v2', 'a')]) },
    { minSdk: 21 },
    ['21-23 none unsupported no-scheme', '24- v2 verified a'],
  ],
  [
    'all of them',
    {
      apk: apk([signer('v2', 'a'), signer('v3', 'a', 24, 32), signer('v3.1', 'b', 33, LAST_SDK)]),
      jar: JAR,
    },
    { minSdk: 21, targetSdk: 34 },
    ['21-23 v1 verified jar', '24-27 v2 verified a', '28-32 v3 verified a', '33- v3.1 verified b'],
  ],
  [
    'a key for the release after 34',
    { apk: apk([signer('v3', 'a', 28, 34), signer('v3.1', 'b', 34, LAST_SDK, true)]) },
    { minSdk: 28 },
    ['28-34 v3 verified a', '35- v3.1 verified b'],
  ],
  [
    'v3 for some versions only',
    { apk: apk([signer('v3', 'a', 28, 30)]) },
    { minSdk: 28 },
    ['28-30 v3 verified a', '31- v3 unsupported no-signer-for-sdk'],
  ],
  [
    'v1 alone, for Android 10',
    { apk: apk([]), jar: JAR },
    { minSdk: 21, targetSdk: 29 },
    ['21- v1 verified jar'],
  ],
  [
    'v1 alone, for Android 11',
    { apk: apk([]), jar: JAR },
    { minSdk: 21, targetSdk: 30 },
    ['21-29 v1 verified jar', '30- v1 unsupported jar v1-refused-for-target'],
  ],
  [
    'what is wrong with v3 is nothing to those that look at v2',
    {
      apk: apk(
        [signer('v2', 'a'), signer('v3', 'a', 28, LAST_SDK)],
        [issue('signature', { scheme: 'v3', sdk: { from: 28, to: LAST_SDK } })],
      ),
    },
    { minSdk: 24 },
    ['24-27 v2 verified a', '28- v3 invalid a signature'],
  ],
  [
    'what is wrong with the block is so for all that look at it',
    { apk: apk([signer('v2', 'a')], [issue('unknown-pair')]), jar: JAR },
    { minSdk: 23 },
    ['23-23 v1 verified jar', '24- v2 unchecked a unknown-pair'],
  ],
  [
    'a block that cannot be taken apart',
    { apk: { ...apk([], [issue('malformed-block')]), status: 'invalid' }, jar: JAR },
    { minSdk: 23 },
    ['23-23 v1 verified jar', '24- v1 invalid jar malformed-block'],
  ],
  [
    'a block that is also an entry',
    { apk: { ...apk([], [issue('block-overlaps-entry')]), status: 'unchecked' } },
    { minSdk: 24 },
    ['24- none unchecked block-overlaps-entry no-scheme'],
  ],
  [
    'algorithms that only later versions know',
    {
      apk: apk([signer('v2', 'a')], [issue('algorithm-since', { scheme: 'v2', sdk: { from: 24, to: 27 } })]),
    },
    { minSdk: 24 },
    ['24-27 v2 unsupported a algorithm-since', '28- v2 verified a'],
  ],
  ['nothing', { apk: apk([]) }, {}, ['1- none unsupported no-scheme']],
  [
    'a lowest version beyond all',
    { apk: apk([signer('v2', 'a')]) },
    { minSdk: LAST_SDK },
    [`${LAST_SDK}- v2 verified a`],
  ],
];

for (const [what, signatures, app, expected] of CASES)
  test(`by version: ${what}`, (t) => {
    t.deepEqual(brief(sdkVerdicts(signatures, app)), expected);
  });

test('our own file is never verified: no key was used', (t) => {
  const parsed: ApkSignatureCheck = { ...apk([signer('v2', 'a')]), status: 'parsed' };
  t.deepEqual(brief(sdkVerdicts({ apk: parsed }, { minSdk: 24 })), ['24- v2 unchecked a']);
});

test('ranges are maximal, leave out no version, and each version has what it has by itself', (t) => {
  const sdk = fc.integer({ min: 1, max: 40 });
  const range = fc.tuple(sdk, sdk).map(([x, y]) => ({ from: Math.min(x, y), to: Math.max(x, y) }));
  const signers = fc.array(
    fc
      .tuple(fc.constantFrom<Scheme>('v2', 'v3', 'v3.1'), fc.constantFrom('a', 'b'), range, fc.boolean())
      .map(([scheme, who, { from, to }, development]) =>
        scheme === 'v2' ? signer('v2', who) : signer(scheme, who, from, to, scheme === 'v3.1' && development),
      ),
    { maxLength: 4 },
  );
  const issues = fc.array(
    fc
      .tuple(
        fc.constantFrom<ApkIssueCode>('signature', 'unknown-pair', 'algorithm-since'),
        fc.constantFrom<Scheme | undefined>('v2', 'v3', 'v3.1', undefined),
        fc.option(range, { nil: undefined }),
      )
      .map(([code, scheme, about]) =>
        issue(code, {
          ...(scheme === undefined ? {} : { scheme }),
          ...(about === undefined ? {} : { sdk: about }),
        }),
      ),
    { maxLength: 3 },
  );
  fc.assert(
    fc.property(signers, issues, fc.boolean(), sdk, sdk, (all, found, hasJar, minSdk, targetSdk) => {
      const signatures: FileSignatures = { apk: apk(all, found), ...(hasJar ? { jar: JAR } : {}) };
      const verdicts = sdkVerdicts(signatures, { minSdk, targetSdk });
      const said = ({ scheme, status, signers: seen, codes }: SdkVerdict): string =>
        JSON.stringify([scheme, status, seen, codes]);
      let next = minSdk;
      for (const [at, verdict] of verdicts.entries()) {
        const { from, to } = verdict.sdk;
        if (from !== next || to < from) return false;
        next = to + 1;
        const after = verdicts[at + 1];
        if (after !== undefined && said(after) === said(verdict)) return false;
        for (let one = from; one <= Math.min(to, 45); one++) {
          const [alone] = sdkVerdicts(signatures, { minSdk: one, targetSdk });
          if (alone === undefined || said(alone) !== said(verdict)) return false;
        }
      }
      return next === LAST_SDK + 1;
    }),
    { numRuns: 1000 },
  );
  t.pass();
});

test('every code has one line that says what it means', (t) => {
  const lines = [...Object.values(APK_ISSUES).map(({ text }) => text), ...Object.values(SDK_ISSUES)];
  t.is(new Set(lines).size, lines.length);
  for (const line of lines) t.regex(line, /^[^\n]{8,}[^.\s]$/);
});
