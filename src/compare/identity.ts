// SPDX-License-Identifier: Apache-2.0
/** Who a published file says it is: package and version, from the one place where its platform reads them. */
import { BufferSource, type ByteSource } from '../bytes.js';
import { FormatError } from '../errors.js';
import { readAndroidManifest, type AndroidManifest } from '../formats/android-manifest.js';
import type { AxmlValue } from '../formats/axml.js';
import { readBundleManifest } from '../formats/bundle-manifest.js';
import { readBundleInfo } from '../formats/bundle-info.js';
import { readZip, type ZipStructure } from '../formats/zip.js';
import { printable } from '../printable.js';
import { kindOfArchive } from './archive-kind.js';
import { appFormat } from './ipa/is-app.js';
import { isDeb, readControl } from './deb.js';
import { entryContent, heldContent, oneFileWalk } from './one-file.js';
import { zipContainer } from './zip/zip-container.js';
import type { Walk } from './walk.js';

export interface IdentityIssue {
  readonly code: string;
  readonly message: string;
  readonly offset: number;
  /** What it keeps from being known; absent: all of it. */
  readonly field?: IdentityField;
}

export type IdentityField =
  'package' | 'versionCode' | 'versionName' | 'minSdk' | 'targetSdk' | 'version' | 'architecture' | 'source';

export interface IdentityReading {
  readonly format: 'apk' | 'deb' | 'ipa' | 'mac-app' | 'other';
  /** Printable: hostile characters escaped, so that equal texts and only those are equal. */
  readonly identity: Readonly<Partial<Record<IdentityField, string>>>;
  readonly issues: readonly IdentityIssue[];
}

const MANIFEST = 'AndroidManifest.xml';
/** Of an app bundle: that of the module which every device gets. */
const BASE_MANIFEST = `base/manifest/${MANIFEST}`;
const MAX_MANIFEST = 8 << 20;
const MAX_VALUE = 1000;

/** Never throws for what the file holds. `known`: what a comparison under way has already. */
export async function identityOf(
  source: ByteSource,
  known: { readonly walk?: Walk; readonly zip?: ZipStructure } = {},
): Promise<IdentityReading> {
  const walk = known.walk ?? oneFileWalk();
  let format: IdentityReading['format'] = 'other';
  try {
    if (isDeb(source)) {
      format = 'deb';
      return await identityOfDeb(walk, source);
    }
    if (!zipContainer.recognizes(source))
      return { format, identity: {}, issues: [issue('no-identity', 'neither an app nor a Debian package')] };
    format = 'apk';
    const zip = known.zip ?? readZip(source);
    const app = appFormat(zip);
    if (app !== undefined) {
      format = app;
      return await identityOfApp(walk, source, zip, app);
    }
    return await identityOfApk(walk, source, zip);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return { format, identity: {}, issues: [issue(error.code, error.message, error.offset)] };
  } finally {
    if (known.walk === undefined) await walk.close();
  }
}

function issue(code: string, message: string, offset = 0, field?: IdentityField): IdentityIssue {
  return { code, message, offset, ...(field === undefined ? {} : { field }) };
}

// ---------------------------------------------------------------- APK

async function identityOfApk(walk: Walk, source: ByteSource, zip: ZipStructure): Promise<IdentityReading> {
  const none = (code: string, message: string, offset = 0): IdentityReading => ({
    format: 'apk',
    identity: {},
    issues: [issue(code, message, offset)],
  });
  const isBundle = kindOfArchive(zip) === 'aab';
  const name = isBundle ? BASE_MANIFEST : MANIFEST;
  const [first, second] = zip.entries.filter(({ rawName }) => rawName.toString('latin1') === name);
  if (first === undefined) return none('no-manifest', `no ${name}`);
  if (second !== undefined) return none('second-manifest', `a second ${name}`, second.cdOffset);
  const bytes = await heldContent(entryContent(walk, source, first, MAX_MANIFEST));
  if (typeof bytes === 'string')
    return none('manifest-unread', `${name} does not decode: ${bytes}`, first.localOffset);
  const manifest = isBundle
    ? readBundleManifest(bytes).manifest
    : readAndroidManifest(new BufferSource(bytes));
  return { format: 'apk', ...manifestIdentity(manifest) };
}

/** What a manifest says, printable, and what of it is not known. */
export function manifestIdentity(manifest: AndroidManifest): Pick<IdentityReading, 'identity' | 'issues'> {
  const issues: IdentityIssue[] = [];
  const code = longVersionCode(manifest, issues);
  return {
    identity: present({
      package: shown('package', { kind: 'string', value: manifest.package }, issues),
      versionCode: code,
      versionName: shown('versionName', manifest.versionName, issues),
      minSdk: shown('minSdk', manifest.minSdk, issues),
      targetSdk: shown('targetSdk', manifest.targetSdk, issues),
    }),
    issues,
  };
}

/** PackageInfo.composeLongVersionCode: the major code above the unsigned 32 bits of the other. */
function longVersionCode(manifest: AndroidManifest, issues: IdentityIssue[]): string | undefined {
  const { versionCode, versionCodeMajor } = manifest;
  const odd = [versionCode, versionCodeMajor].find(
    (value) => value !== undefined && value.kind !== 'integer',
  );
  if (odd !== undefined) return shown('versionCode', odd, issues, 'integer');
  if (versionCode === undefined && versionCodeMajor === undefined) return undefined;
  return composeVersionCode(manifest);
}

/** 0 for what is no number. */
export function composeVersionCode({ versionCode, versionCodeMajor }: AndroidManifest): string {
  const number = (value: AxmlValue | undefined): bigint =>
    BigInt.asUintN(32, BigInt(value?.kind === 'integer' ? value.value : 0));
  return BigInt.asIntN(64, (number(versionCodeMajor) << 32n) | number(versionCode)).toString();
}

/** A reference is shown as such; what it resolves to is in another file, so the field is not known. */
function shown(
  field: IdentityField,
  value: AxmlValue | undefined,
  issues: IdentityIssue[],
  only?: 'integer',
): string | undefined {
  if (value === undefined) return undefined;
  switch (value.kind) {
    case 'string':
      if (only !== undefined) issues.push(issue('not-an-integer', `${field} is a text`, 0, field));
      if (value.value.length <= MAX_VALUE) return printable(value.value);
      issues.push(issue('too-long', `${field} of ${value.value.length} characters`, 0, field));
      return undefined;
    case 'integer':
      return String(value.value);
    case 'reference': {
      const text = `@0x${value.id.toString(16).padStart(8, '0')}`;
      issues.push(issue('reference', `${field} is the reference ${text}`, 0, field));
      return text;
    }
    case 'other':
      issues.push(issue('unknown-type', `${field} is a value of type ${value.type}`, 0, field));
      return undefined;
  }
}

function present(values: Readonly<Record<string, string | undefined>>): IdentityReading['identity'] {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

// ---------------------------------------------------------------- Apple's platforms

const APP_INFO = {
  ipa: /^Payload\/[^/]+\.app\/Info\.plist$/,
  'mac-app': /^[^/]+\.app\/Contents\/Info\.plist$/,
} as const;

/** Of the one app in it. */
async function identityOfApp(
  walk: Walk,
  source: ByteSource,
  zip: ZipStructure,
  format: keyof typeof APP_INFO,
): Promise<IdentityReading> {
  const none = (code: string, message: string, offset = 0): IdentityReading => ({
    format,
    identity: {},
    issues: [issue(code, message, offset)],
  });
  const [first, second] = zip.entries.filter(({ rawName }) =>
    APP_INFO[format].test(rawName.toString('latin1')),
  );
  if (first === undefined) return none('no-manifest', 'no Info.plist of an app');
  if (second !== undefined) return none('second-manifest', 'a second app', second.cdOffset);
  const bytes = await heldContent(entryContent(walk, source, first, MAX_MANIFEST));
  if (typeof bytes === 'string')
    return none('manifest-unread', `Info.plist does not decode: ${bytes}`, first.localOffset);
  const { info, plist } = readBundleInfo(new BufferSource(bytes));
  const twice = plist.findings.find(({ code }) => code === 'duplicate-key');
  // which of two values an installer takes is not known
  if (twice !== undefined) return none('duplicate-key', twice.detail, twice.offset);
  const issues: IdentityIssue[] = [];
  const value = (field: IdentityField, text: string | undefined): string | undefined =>
    text === undefined ? undefined : shown(field, { kind: 'string', value: text }, issues);
  const identity = present({
    package: value('package', info.identifier),
    versionName: value('versionName', info.shortVersion),
    versionCode: value('versionCode', info.version),
  });
  return { format, identity, issues };
}

// ---------------------------------------------------------------- Debian

async function identityOfDeb(walk: Walk, source: ByteSource): Promise<IdentityReading> {
  const control = await readControl(walk, source);
  const issues: IdentityIssue[] = [];
  const value = (field: IdentityField): string | undefined => {
    const text = control.get(field);
    return text === undefined ? undefined : shown(field, { kind: 'string', value: text }, issues);
  };
  const identity = present({
    package: value('package'),
    version: value('version'),
    architecture: value('architecture'),
    // policy 5.6.1: absent where it is the package itself
    source: value('source') ?? value('package'),
  });
  for (const field of ['package', 'version', 'architecture'] as const)
    if (!control.has(field))
      issues.push(issue('no-field', `the control file has no field ${field}`, 0, field));
  return { format: 'deb', identity, issues };
}

// ---------------------------------------------------------------- expectations

export interface ExpectedIdentity {
  /** Of an APK. */
  readonly packageId?: string;
  readonly versionName?: string;
  /** One of them. */
  readonly versionCodes?: readonly number[];
  /** Of a Debian package. */
  readonly debPackage?: string;
  readonly debVersion?: string;
  readonly debArchitecture?: string;
}

/** `unread`: nobody knows; it is never taken for another one. */
export type IdentityFinding =
  | {
      readonly kind: 'other-package';
      readonly field: IdentityField;
      readonly found: string;
      readonly expected: string;
    }
  | {
      readonly kind: 'other-version';
      readonly field: IdentityField;
      readonly found: string;
      readonly expected: string;
    }
  | {
      readonly kind: 'unread';
      readonly field: IdentityField;
      readonly expected: string;
      readonly detail: string;
    };

const FIELDS = {
  packageId: ['package', 'other-package', 'app'],
  versionName: ['versionName', 'other-version', 'app'],
  versionCodes: ['versionCode', 'other-version', 'app'],
  debPackage: ['package', 'other-package', 'deb'],
  debVersion: ['version', 'other-version', 'deb'],
  debArchitecture: ['architecture', 'other-package', 'deb'],
} as const satisfies Record<
  keyof ExpectedIdentity,
  readonly [IdentityField, 'other-package' | 'other-version', 'app' | 'deb']
>;

/** Where the file is read and is not what was expected, or where it could not be read. */
export function checkIdentity(reading: IdentityReading, expected: ExpectedIdentity): IdentityFinding[] {
  return (Object.keys(FIELDS) as (keyof ExpectedIdentity)[]).flatMap((key): IdentityFinding[] => {
    const wanted = expected[key];
    if (wanted === undefined) return [];
    const [field, kind, format] = FIELDS[key];
    const accepted = [wanted].flat().map((one) => printable(String(one)));
    const text = accepted.join(' or ');
    const issues = reading.issues.filter((found) => found.field === undefined || found.field === field);
    const isOf =
      format === 'deb' ? reading.format === 'deb' : ['apk', 'ipa', 'mac-app'].includes(reading.format);
    if (!isOf)
      return [
        {
          kind: 'unread',
          field,
          expected: text,
          detail: `not a file of format ${format === 'deb' ? 'deb' : 'apk, ipa or mac-app'}`,
        },
      ];
    if (issues.length > 0)
      return [{ kind: 'unread', field, expected: text, detail: issues.map(({ code }) => code).join(', ') }];
    const found = reading.identity[field] ?? 'none';
    return accepted.includes(found) ? [] : [{ kind, field, found, expected: text }];
  });
}

/** One line for a message: both values, or why there is only one. */
export function describeFinding(finding: IdentityFinding): string {
  switch (finding.kind) {
    case 'other-package':
    case 'other-version':
      return `${finding.field} ${finding.found}, expected ${finding.expected}`;
    case 'unread':
      return `${finding.field} was not read (${finding.detail}), expected ${finding.expected}`;
  }
}
