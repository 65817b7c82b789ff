// SPDX-License-Identifier: Apache-2.0
/** Whether the published files are the publisher's, and of the version that was asked for: before anything is built. */
import { ARCHIVE_NAME } from '../compare/archive-kind.js';
import { checkIdentity, describeFinding, type ExpectedIdentity } from '../compare/identity.js';
import { inspectPublished, inspectSplits, type PublishedInspection } from '../compare/inspect-published.js';
import type { PairComparison, SetComparison, SignatureRecord } from '../compare/types.js';
import { UsageError } from '../errors.js';
import type { PublishedFile } from '../inputs/published.js';
import type {
  AuthenticityReason,
  DebianBinary,
  Plan,
  PublishedFrom,
  Reason,
  Sha256,
  UnverifiableReason,
} from '../model.js';

/** A reason and the published file that gives it. */
export interface FileReason<Code extends string> extends Reason<Code> {
  readonly file: string;
}

/** What a file's signatures are worth, before anybody asks whose they should be. */
export interface FileSignature {
  readonly published: string;
  /** The published file itself, or a member of the archive that it is. */
  readonly file: string;
  readonly status: SignatureRecord['status'];
  /** Certificates of the signers, by SHA-256. */
  readonly signers: readonly Sha256[];
  /** Package and version, as the file says them. */
  readonly identity: Readonly<Record<string, string>>;
}

export interface Judgement {
  readonly kind: 'judged';
  readonly signatures: readonly FileSignature[];
  readonly notAuthentic: readonly FileReason<AuthenticityReason>[];
  readonly unverifiable: readonly FileReason<UnverifiableReason>[];
}

const FETCHED: ReadonlySet<PublishedFrom> = new Set(['url', 'latest-json', 'github-release']);

/** What the channel gave is nothing that could be checked as this version. */
export interface NotTheVersion {
  readonly kind: 'not-the-version';
  readonly code: 'damaged-file' | 'other-version';
  readonly detail: string;
}

/** All of a plan that it needs. */
export type Judged = Pick<Plan, 'target' | 'compare'>;

/** @throws UsageError `other-version`, `damaged-file`, `mixed-versions` for a handed-over file of another version, or of half a one */
export async function judgePublished(
  plan: Judged,
  files: readonly PublishedFile[],
  unfit: readonly string[] = [],
): Promise<Judgement | NotTheVersion> {
  const { signers, packageId } = plan.compare;
  const notAuthentic: FileReason<AuthenticityReason>[] = [];
  const unverifiable: FileReason<UnverifiableReason>[] = [];
  const signatures: FileSignature[] = [];
  const signed = (published: string, file: string, { signature, identity }: PublishedInspection): void => {
    const certificates = new Set(signature.signers.map((signer) => signer.certificateSha256));
    signatures.push({
      published,
      file,
      status: signature.status,
      signers: [...certificates].sort(),
      identity,
    });
  };
  const others: string[] = [...unfit];
  const damaged: string[] = [];
  const options = { signers, ...(packageId === undefined ? {} : { packageId }) };
  for (const file of files) {
    const splits = ARCHIVE_NAME.test(file.name) ? await inspectSplits(file, options) : undefined;
    for (const split of splits ?? []) {
      const of = <Code extends string>({ code, detail }: Reason<Code>): FileReason<Code> => ({
        file: split.name,
        code,
        detail,
      });
      signed(file.name, split.name, split);
      notAuthentic.push(...split.notAuthentic.map(of));
      unverifiable.push(...split.unverifiable.map(of));
      const { versionName, ...everywhere } = identityExpected(plan, undefined);
      const expected = split.split || versionName === undefined ? everywhere : { ...everywhere, versionName };
      for (const finding of checkIdentity(split.reading, expected))
        if (finding.kind === 'other-version') others.push(`${split.name} has ${describeFinding(finding)}`);
    }
    if (splits !== undefined) continue;
    const found = await inspectPublished(file.path, options);
    const of = <Code extends string>({ code, detail }: Reason<Code>): FileReason<Code> => ({
      file: file.name,
      code,
      detail,
    });
    signed(file.name, file.name, found);
    notAuthentic.push(...found.notAuthentic.map(of));
    unverifiable.push(...found.unverifiable.map(of));
    // no Android installs it, so that nobody published it like this: a download that was cut off
    if (signers.length > 0 && found.issues.some(({ code }) => code === 'zip/no-end-record'))
      damaged.push(`${file.name} has ${file.size} bytes and no end of an APK`);
    // a page in its place, say: a server may answer with anything, what a user hands over is meant
    else if (signers.length > 0 && FETCHED.has(file.from) && found.reading.format === 'other')
      damaged.push(`${file.name} has ${file.size} bytes and is no APK`);
    const listed = listedOf(plan, file);
    let otherVersion = false;
    for (const finding of checkIdentity(found.reading, identityExpected(plan, listed))) {
      if (finding.kind === 'unread') continue;
      const detail = `${finding.field} ${finding.found}, expected ${finding.expected}`;
      if (finding.kind === 'other-package')
        notAuthentic.push({ file: file.name, code: 'other-package', detail });
      else {
        otherVersion = true;
        others.push(`${file.name} has ${detail}`);
      }
    }
    // the archive signs its index, and the index names the file by its digest
    if (listed !== undefined && listed.sha256 !== file.sha256 && !otherVersion)
      notAuthentic.push({
        file: file.name,
        code: 'not-in-index',
        detail: `${file.size} bytes with SHA-256 ${file.sha256}, the index lists ${listed.size} with ${listed.sha256}`,
      });
  }
  // whoever has the file can name its version
  const handedOver = files.some(({ from }) => from === 'handed-over' || from === 'phone');
  if (damaged.length > 0 && handedOver)
    throw new UsageError('damaged-file', damaged.join('; '), {
      hint: 'get the file again, and compare its size and SHA-256 with those of its source',
    });
  if (damaged.length > 0)
    return { kind: 'not-the-version', code: 'damaged-file', detail: damaged.join('; ') };
  if (notAuthentic.length > 0 || others.length === 0)
    return { kind: 'judged', signatures, notAuthentic, unverifiable };
  const detail = others.join('; ');
  if (handedOver)
    throw new UsageError('other-version', `${detail}: not the version ${plan.target.version}`, {
      hint: 'name the version of the file, or hand over the file of this version',
    });
  return { kind: 'not-the-version', code: 'other-version', detail };
}

function listedOf({ compare: { acquisition } }: Judged, file: PublishedFile): DebianBinary | undefined {
  return acquisition.kind === 'debian-archive'
    ? acquisition.files.find((one) => one.path.endsWith(`/${file.name}`))
    : undefined;
}

function identityExpected({ target, compare }: Judged, listed: DebianBinary | undefined): ExpectedIdentity {
  if (listed !== undefined) return { debPackage: listed.package, debVersion: listed.version };
  const { packageId, versionName = target.version, versionCodes, acquisition } = compare;
  if (acquisition.kind === 'debian-repository')
    return { debPackage: acquisition.package, debVersion: acquisition.version };
  if (packageId === undefined) return {};
  // the code is what the platform orders by; a name may be written in more ways than one
  return versionCodes === undefined ? { versionName } : { versionCodes };
}

/** What was found before the build, but for what the pairs say by themselves. */
export function reasonsBeside(
  { notAuthentic, unverifiable }: Judgement,
  comparison?: SetComparison,
): {
  readonly notAuthentic: readonly Reason<AuthenticityReason>[];
  readonly unverifiable: readonly Reason<UnverifiableReason>[];
} {
  const pairOf = (file: string): PairComparison | undefined =>
    comparison?.pairs.find(({ published }) => published.name === file);
  const named = <Code extends string>({ file, code, detail }: FileReason<Code>): Reason<Code> => ({
    code,
    detail: `${file}: ${detail}`,
  });
  return {
    notAuthentic: notAuthentic
      .filter(({ file, code }) => pairOf(file)?.notAuthentic.some((said) => said.code === code) !== true)
      .map(named),
    // a comparison knows more: equal files need no signature that was checked
    unverifiable: unverifiable.filter(({ file }) => pairOf(file) === undefined).map(named),
  };
}
