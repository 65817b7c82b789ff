// SPDX-License-Identifier: Apache-2.0
/** An inspection for people. Texts of files come printable. */
import { appLines } from './app-text.js';
import type { ExtraSignature, FileInspection, Inspection, SignatureInspection } from '../index.js';

const SHOWN_LIBRARIES = 40;
const SHOWN_ISSUES = 20;
/** Of a signer without upper bound. */
const LAST_SDK = 0x7fffffff;
const count = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`;
const bytes = (n: number): string => `${n.toLocaleString('en-US')} bytes`;
const AMBIGUOUS_SHOWN = 20;
/** Label and value, in columns. */
const row = (label: string, value: string): string => `  ${label.padEnd(14)} ${value}`;

export function inspectionText({
  name,
  kind,
  files,
  others,
  ambiguous,
  app,
  set,
  disagreements,
  transparency,
}: Inspection): string {
  const lines = files.flatMap((file, index) => [...(index === 0 ? [] : ['']), ...fileLines(file)]);
  if (kind !== 'file')
    lines.unshift(
      `${name}: ${app === undefined ? count(files.length, 'file') : app.kind}`,
      ...(set === undefined ? [] : setLines(set)),
      '',
    );
  if (app !== undefined) lines.push(...appLines(app));
  if (transparency !== undefined) lines.push('', ...extraLines('transparency', transparency));
  if (disagreements.length > 0) lines.push('');
  for (const { code, message } of disagreements)
    lines.push(`these files do not go together [${code}] ${message}`);
  if (ambiguous.length > 0) lines.push('');
  for (const { name: what, codes } of ambiguous.slice(0, AMBIGUOUS_SHOWN))
    lines.push(`an installer may take something else [ambiguous-archive] ${what}: ${codes}`);
  if (ambiguous.length > AMBIGUOUS_SHOWN) lines.push(`… and ${ambiguous.length - AMBIGUOUS_SHOWN} more`);
  if (others.length > 0) lines.push('', `beside them: ${others.map(otherText).join(', ')}`);
  return lines.join('\n');
}

/** What is not said of a set is told below: its files do not agree. */
function setLines(set: NonNullable<Inspection['set']>): string[] {
  const { signers } = set;
  const list = (names: readonly string[]): string => (names.length === 0 ? 'none' : names.join(', '));
  return [
    row('package', set.package ?? 'not one and the same'),
    row('version code', set.versionCode ?? 'not one and the same'),
    row(
      'signer',
      signers === undefined ? 'not one and the same' : signers.length === 0 ? 'unsigned' : signers.join(', '),
    ),
    row('splits', String(set.splits)),
    row('ABIs', list(set.abis)),
    row('densities', list(set.densities)),
    row('languages', list(set.languages)),
  ];
}

function splitText({ name, module, configuration }: NonNullable<FileInspection['split']>): string {
  const of = module === '' ? 'the base' : `module ${module}`;
  return `${name} (${configuration === undefined ? of : `${configuration}, of ${of}`})`;
}

function otherText({ name, size, unread }: Inspection['others'][number]): string {
  return `${name} (${bytes(size)}${unread === undefined ? '' : `, not read: ${unread}`})`;
}

function fileLines(file: FileInspection): string[] {
  const { identity, damage, signature } = file;
  const lines = [`${file.name}: ${file.format}, ${bytes(file.size)}`, row('SHA-256', file.sha256)];
  if (damage !== undefined) lines.push(row('damaged', `[${damage.code}] ${damage.message}`));
  for (const [label, value] of [
    ['package', identity.package],
    ['version', versionText(identity)],
    ['Android', sdkText(identity)],
    ['architecture', identity.architecture],
    ['split', file.split && splitText(file.split)],
  ] as const)
    if (value !== undefined) lines.push(row(label, value));
  // damage says why nothing else is known
  for (const { code, message } of damage === undefined ? file.identityIssues : [])
    lines.push(row('not read', `[${code}] ${message}`));
  if (signature !== undefined) lines.push(...signatureLines(signature));
  if (file.app !== undefined) lines.push(...appLines(file.app));
  if (file.entries === 0) return lines;
  const dex =
    file.format === 'ipa' || file.format === 'mac-app'
      ? ''
      : `, DEX ${file.dex.count} (${bytes(file.dex.bytes)})`;
  lines.push(row('entries', `${file.entries}${dex}`));
  lines.push(...libraryLines(file));
  for (const module of file.modules ?? []) lines.push(...moduleLines(module));
  if (file.permissions.length > 0) lines.push(row('permissions', String(file.permissions.length)));
  for (const { name, maxSdk, minSdk } of file.permissions) {
    const range = [
      ...(minSdk === undefined ? [] : [`from SDK ${minSdk}`]),
      ...(maxSdk === undefined ? [] : [`up to SDK ${maxSdk}`]),
    ];
    lines.push(row('', `${name}${range.length === 0 ? '' : ` (${range.join(', ')})`}`));
  }
  lines.push(row('bytes', 'count, bytes'));
  for (const { kind, count: times, bytes: sum } of file.bytes)
    lines.push(
      row('', `${kind.padEnd(20)} ${String(times).padStart(8)} ${sum.toLocaleString('en-US').padStart(16)}`),
    );
  return lines;
}

function versionText({ versionName, versionCode, version }: FileInspection['identity']): string | undefined {
  if (version !== undefined) return version;
  if (versionName === undefined && versionCode === undefined) return undefined;
  return `${versionName ?? 'no name'}${versionCode === undefined ? '' : ` (code ${versionCode})`}`;
}

function sdkText({ minSdk, targetSdk }: FileInspection['identity']): string | undefined {
  if (minSdk === undefined && targetSdk === undefined) return undefined;
  // a split leaves that to its base
  return `from SDK ${minSdk ?? '1'}${targetSdk === undefined ? '' : `, made for SDK ${targetSdk}`}`;
}

function moduleLines({
  name,
  identity,
  identityIssues,
  permissions,
}: NonNullable<FileInspection['modules']>[number]): string[] {
  const known = [identity.package, versionText(identity), sdkText(identity)].filter(
    (text) => text !== undefined,
  );
  return [
    row('module', `${name}: ${[...known, count(permissions.length, 'permission')].join(', ')}`),
    ...identityIssues.map(({ code, message }) => row('not read', `[${code}] ${message}`)),
  ];
}

function rangeText(minSdk: number, maxSdk: number | undefined): string {
  if (maxSdk === undefined || maxSdk === LAST_SDK) return `${minSdk} on`;
  return minSdk === maxSdk ? `${minSdk}` : `${minSdk}-${maxSdk}`;
}

function signatureLines(signature: SignatureInspection): string[] {
  const { status, schemes, bySdk, signers, issues, notes, block, stamps, idsig } = signature;
  const lines = [row('signature', `${status}${schemes.length === 0 ? '' : ` (${schemes.join(', ')})`}`)];
  if (status !== 'unsigned')
    for (const { minSdk, maxSdk, scheme, status: state, codes } of bySdk)
      lines.push(
        row(
          '',
          `SDK ${rangeText(minSdk, maxSdk)}: ${scheme} ${state}${codes.length === 0 ? '' : ` [${codes.join(', ')}]`}`,
        ),
      );
  const seen = new Map<string, string[]>();
  for (const { scheme, certificateSha256, minSdk, maxSdk } of signers) {
    const range = minSdk === undefined ? '' : ` (SDK ${rangeText(minSdk, maxSdk)})`;
    seen.set(certificateSha256, [...(seen.get(certificateSha256) ?? []), `${scheme}${range}`]);
  }
  for (const [sha256, by] of seen) {
    const signer = signers.find((one) => one.certificateSha256 === sha256);
    lines.push(row('signer', sha256));
    lines.push(row('', `${signer?.subject ?? ''}, ${signer?.keyType ?? ''} ${signer?.keyBits ?? ''}`));
    lines.push(row('', `in ${by.join(', ')}`));
    for (const step of signer?.lineage ?? []) lines.push(row('', `lineage ${step.certificateSha256}`));
  }
  for (const { code, message } of issues.slice(0, SHOWN_ISSUES))
    lines.push(row('issue', `[${code}] ${message}`));
  if (issues.length > SHOWN_ISSUES) lines.push(row('', `and ${issues.length - SHOWN_ISSUES} more (--json)`));
  for (const { code, message } of notes) lines.push(row('note', `[${code}] ${message}`));
  for (const { id, name, size } of block?.pairs ?? [])
    lines.push(row('block pair', `${id} ${name}, ${bytes(size)}`));
  for (const stamp of stamps) lines.push(...extraLines('stamp', stamp));
  if (idsig !== undefined) lines.push(...extraLines('v4 (.idsig)', idsig));
  return lines;
}

function extraLines(label: string, extra: ExtraSignature): string[] {
  const { status, certificateSha256, subject, keyType, keyBits, facts, issues } = extra;
  return [
    row(label, `${status}${certificateSha256 === undefined ? '' : ` by ${certificateSha256}`}`),
    ...(subject === undefined ? [] : [row('', `${subject}, ${keyType ?? ''} ${keyBits ?? ''}`)]),
    ...Object.entries(facts).flatMap(([name, value]) =>
      value === '' ? [] : [row('', `${words(name)}: ${value}`)],
    ),
    ...issues.slice(0, SHOWN_ISSUES).map(({ code, message }) => row('issue', `[${code}] ${message}`)),
  ];
}

/** `rootHash` as a label: root hash. */
function words(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

function libraryLines({ libraries }: FileInspection): string[] {
  if (libraries.length === 0) return [];
  const lines = [row('native', count(libraries.length, 'library').replace('librarys', 'libraries'))];
  for (const { name, machine, buildId, tools, unread } of libraries.slice(0, SHOWN_LIBRARIES)) {
    lines.push(
      row(
        '',
        `${name} ${unread === undefined ? `${machine ?? ''} build-id ${buildId ?? 'none'}` : `not read: ${unread}`}`,
      ),
    );
    for (const { from, value } of tools) lines.push(row('', `  ${from}: ${value}`));
  }
  if (libraries.length > SHOWN_LIBRARIES)
    lines.push(row('', `and ${libraries.length - SHOWN_LIBRARIES} more (--json)`));
  return lines;
}
