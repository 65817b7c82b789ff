// SPDX-License-Identifier: Apache-2.0
/** The checks of a file that nobody can build again. None of them throws for what the file holds. */
import { ARCHIVE_NAME } from '../compare/archive-kind.js';
import type { IdentityReading } from '../compare/identity.js';
import { inspectPublished, inspectSplits } from '../compare/inspect-published.js';
import type { SignatureRecord } from '../compare/types.js';
import type { PublishedFile } from '../inputs/published.js';
import { inRange, parseRange } from '../recipe/version.js';
import type { AuthenticityReason, CheckOutcome, CheckPlan, PlannedCheck, Reason, Sha256 } from '../model.js';

/** What an earlier report says of the file that it is about. */
export interface EarlierFile {
  readonly version: string;
  readonly statementSha256: Sha256;
  readonly files: readonly Sha256[];
  readonly certificates: readonly Sha256[];
}

export interface CheckInputs {
  readonly files: readonly PublishedFile[];
  /** Of the same app and channel. */
  readonly earlier: readonly EarlierFile[];
  /** Whether the file is in the log that the plan names. */
  readonly transparencyLog: (file: PublishedFile, reading: IdentityReading) => Promise<LogAnswer>;
}

export interface LogAnswer {
  readonly outcome: CheckOutcome['outcome'];
  readonly detail: string;
}

export interface ChecksDone {
  readonly outcomes: readonly CheckOutcome[];
  readonly certificates: readonly Sha256[];
  readonly notAuthentic: readonly Reason<AuthenticityReason>[];
  /** What the files say that they are of. */
  readonly versionName?: string;
}

interface Looked {
  readonly file: PublishedFile;
  readonly name: string;
  /** A configuration split has no name of a version. */
  readonly split: boolean;
  readonly signature: SignatureRecord;
  readonly reading: IdentityReading;
  readonly notAuthentic: readonly Reason<AuthenticityReason>[];
}

export async function runChecks(plan: CheckPlan, inputs: CheckInputs): Promise<ChecksDone> {
  const looked: Looked[] = [];
  for (const file of inputs.files) looked.push(...(await look(plan, file)));
  const certificates = [
    ...new Set(
      looked.flatMap(({ signature }) => signature.signers.map(({ certificateSha256 }) => certificateSha256)),
    ),
  ].toSorted();
  const outcomes: CheckOutcome[] = [];
  for (const planned of plan.checks) outcomes.push(await outcomeOf(planned, plan, looked, inputs));
  const named = looked.find(({ split, reading }) => !split && reading.identity.versionName !== undefined);
  const versionName = named?.reading.identity.versionName;
  return {
    outcomes,
    certificates,
    notAuthentic: looked.flatMap(({ name, notAuthentic }) =>
      notAuthentic.map(({ code, detail }) => ({ code, detail: `${name}: ${detail}` })),
    ),
    ...(versionName === undefined ? {} : { versionName }),
  };
}

async function look({ compare }: CheckPlan, file: PublishedFile): Promise<readonly Looked[]> {
  const { packageId } = compare;
  // a store's own encryption leaves no signature of the publisher to look at
  const signers = compare.encryption === undefined ? compare.signers : [];
  const options = { signers, ...(packageId === undefined ? {} : { packageId }) };
  const splits = ARCHIVE_NAME.test(file.name) ? await inspectSplits(file, options) : undefined;
  if (splits !== undefined) return splits.map((split) => ({ file, ...split }));
  return [{ file, name: file.name, split: false, ...(await inspectPublished(file.path, options)) }];
}

async function outcomeOf(
  planned: PlannedCheck,
  plan: CheckPlan,
  looked: readonly Looked[],
  inputs: CheckInputs,
): Promise<CheckOutcome> {
  const { check, impossible } = planned;
  const said = (outcome: CheckOutcome['outcome'], detail: string): CheckOutcome => ({
    check,
    outcome,
    detail,
  });
  if (impossible !== undefined) return said('not-run', impossible);
  if (looked.length === 0) return said('not-run', 'there is no published file');
  switch (check) {
    case 'package':
      return identityOutcome(said, looked, 'package', (found) => found === plan.compare.packageId);
    case 'version':
      return identityOutcome(
        said,
        looked.filter(({ split }) => !split),
        'versionName',
        (found) => found === plan.compare.versionName || isAskedFor(found, plan.target.version),
      );
    case 'signer':
      return signerOutcome(said, looked);
    case 'continuity':
      return continuityOutcome(said, looked, inputs.earlier);
    case 'transparency-log':
      return logOutcome(said, looked, inputs);
  }
}

/** A range that was asked for is taken as it is given; the scheme of an app without source is not known. */
export function isAskedFor(found: string, asked: string): boolean {
  const range = parseRange(asked);
  return range === undefined || inRange(found, range, 'dotted');
}

type Say = (outcome: CheckOutcome['outcome'], detail: string) => CheckOutcome;

function identityOutcome(
  said: Say,
  looked: readonly Looked[],
  field: 'package' | 'versionName',
  fits: (found: string) => boolean,
): CheckOutcome {
  const read = looked.map(({ name, reading }) => ({ name, value: reading.identity[field] }));
  const unread = read.filter(({ value }) => value === undefined);
  if (unread.length > 0 || read.length === 0)
    return said(
      'not-run',
      `${unread.map(({ name }) => name).join(', ')} does not say it in a form that was read`,
    );
  const other = read.find(({ value }) => value !== undefined && !fits(value));
  return other === undefined
    ? said('passed', [...new Set(read.map(({ value }) => value))].join(', '))
    : said('failed', `${other.name} says ${other.value}`);
}

function signerOutcome(said: Say, looked: readonly Looked[]): CheckOutcome {
  const unchecked = looked.find(({ signature }) => signature.status === 'unchecked');
  if (unchecked !== undefined)
    return said(
      'not-run',
      `${unchecked.name}: ${unchecked.signature.issues.map(({ code }) => code).join(', ')}`,
    );
  const bad = looked.flatMap(({ name, notAuthentic }) =>
    notAuthentic
      .filter(({ code }) => code !== 'other-package')
      .map(({ code, detail }) => `${name}: ${code}: ${detail}`),
  );
  if (bad.length > 0) return said('failed', bad.join('; '));
  return said('passed', `signed by ${certificatesOf(looked).join(', ')}`);
}

/** An earlier certificate is the same one, or one that hands over to it in a lineage that was verified. */
function continuityOutcome(
  said: Say,
  looked: readonly Looked[],
  earlier: readonly EarlierFile[],
): CheckOutcome {
  // a report about the same file is no second witness
  const signed = earlier.filter(
    ({ certificates, files }) =>
      certificates.length > 0 && !looked.some(({ file }) => files.includes(file.sha256)),
  );
  if (signed.length === 0) return said('not-run', 'no report about another file names a certificate');
  const unverified = looked.find(({ signature }) => signature.status !== 'verified');
  if (unverified !== undefined)
    return said('not-run', `the signature of ${unverified.name} is ${unverified.signature.status}`);
  const reached = new Set(
    looked.flatMap(({ signature }) =>
      signature.signers.flatMap(({ certificateSha256, lineage = [] }) => [
        certificateSha256,
        ...lineage.map((step) => step.certificateSha256),
      ]),
    ),
  );
  const other = signed.find(({ certificates }) => !certificates.some((one) => reached.has(one)));
  if (other !== undefined)
    return said(
      'failed',
      `${other.version} was signed by ${other.certificates.join(', ')} (report ${other.statementSha256.slice(0, 12)}), this file by ${certificatesOf(looked).join(', ')}`,
    );
  const reports = signed
    .map(({ version, statementSha256 }) => `${version} (report ${statementSha256.slice(0, 12)})`)
    .join(', ');
  return said('passed', `the same signer, or one that it handed over to, as of ${reports}`);
}

async function logOutcome(
  said: Say,
  looked: readonly Looked[],
  { transparencyLog }: CheckInputs,
): Promise<CheckOutcome> {
  const answers: { readonly name: string; readonly answer: LogAnswer }[] = [];
  for (const { file, name, reading } of looked)
    answers.push({ name, answer: await transparencyLog(file, reading) });
  const worst = (['failed', 'not-run', 'passed'] as const).find((outcome) =>
    answers.some(({ answer }) => answer.outcome === outcome),
  );
  return said(worst ?? 'not-run', answers.map(({ name, answer }) => `${name}: ${answer.detail}`).join('; '));
}

const certificatesOf = (looked: readonly Looked[]): readonly Sha256[] =>
  [
    ...new Set(
      looked.flatMap(({ signature }) => signature.signers.map(({ certificateSha256 }) => certificateSha256)),
    ),
  ].toSorted();
