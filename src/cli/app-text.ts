// SPDX-License-Identifier: Apache-2.0
/** An app of Apple's platforms for people: bundles, programs, signatures, what nobody can read. */
import type { FileInspection } from '../index.js';

type App = NonNullable<FileInspection['app']>;
type Program = App['programs'][number];
type Slice = Program['slices'][number];

const SHOWN = 60;
const SHOWN_ISSUES = 10;
const SHOWN_ENTITLEMENTS = 30;
const row = (label: string, value: string): string => `  ${label.padEnd(14)} ${value}`;
const bytes = (n: number): string => `${n.toLocaleString('en-US')} bytes`;

export function appLines({ bundles, programs, unsigned, support, fairPlay, traces, issues }: App): string[] {
  const lines = bundles.map(({ path, kind, identifier, version, build, minimumOs, platforms }, at) =>
    row(
      at === 0 ? 'bundles' : '',
      [
        `${kind} ${path === '' ? '.' : path}`,
        identifier,
        version === undefined ? undefined : `${version}${build === undefined ? '' : ` (${build})`}`,
        minimumOs === undefined ? undefined : `from ${minimumOs}`,
        platforms.length === 0 ? undefined : platforms.join('/'),
      ]
        .filter((part) => part !== undefined)
        .join(', '),
    ),
  );
  const cut = lines.splice(SHOWN);
  if (cut.length > 0) lines.push(row('', `and ${cut.length} more (--json)`));
  const others = bundles.filter(
    ({ kind, identifier }) => kind === 'framework' && identifier?.startsWith('com.apple.') !== true,
  );
  if (others.length > 0)
    lines.push(
      row(
        'SDKs',
        others
          .slice(0, SHOWN)
          .map(({ path, version }) => `${nameOf(path)}${version === undefined ? '' : ` ${version}`}`)
          .join(', '),
      ),
    );
  for (const bundle of bundles.slice(0, SHOWN)) lines.push(...profileLines(bundle), ...sealLines(bundle));
  for (const program of programs.slice(0, SHOWN)) lines.push(...programLines(program));
  if (programs.length > SHOWN) lines.push(row('', `and ${programs.length - SHOWN} more programs (--json)`));
  const encrypted = programs
    .flatMap(({ slices }) => slices)
    .filter(({ encryption }) => (encryption?.id ?? 0) !== 0);
  if (encrypted.length > 0) {
    const size = encrypted.reduce((sum, { encryption }) => sum + (encryption?.size ?? 0), 0);
    const all = programs.reduce(
      (sum, { slices }) => sum + slices.reduce((own, slice) => own + slice.size, 0),
      0,
    );
    lines.push(
      row(
        'encrypted',
        `${bytes(size)} of ${bytes(all)} of code are encrypted by FairPlay: nobody can read them`,
      ),
    );
  }
  if (unsigned.length > 0) lines.push(row('unsigned', unsigned.slice(0, SHOWN).join(', ')));
  for (const [name, files] of Object.entries(support))
    lines.push(row('beside it', `${name}: ${files} files`));
  if (fairPlay.length > 0) lines.push(row('FairPlay', `${fairPlay.length} files in SC_Info`));
  for (const trace of traces) lines.push(row('decrypted', trace));
  for (const { code, message } of issues.slice(0, SHOWN_ISSUES))
    lines.push(row('issue', `[${code}] ${message}`));
  if (issues.length > SHOWN_ISSUES) lines.push(row('', `and ${issues.length - SHOWN_ISSUES} more (--json)`));
  return lines;
}

type Bundle = App['bundles'][number];

function profileLines({ path, profile }: Bundle): string[] {
  if (profile === undefined) return [];
  const { kind, name, teamName, teams = [], devices, expires, signature, issue, unread } = profile;
  if (unread !== undefined) return [row('profile', `${path}: not read: ${unread}`)];
  return [
    row(
      'profile',
      [
        `${path}: ${kind ?? ''}`,
        name,
        [teamName, ...teams].filter((part) => part !== undefined).join(' '),
        devices === undefined ? undefined : `${devices} devices`,
        expires === undefined ? undefined : `until ${expires.slice(0, 10)}`,
        `signature ${signature ?? ''}${issue === undefined ? '' : ` (${issue})`}`,
      ]
        .filter((part) => part !== undefined && part !== '')
        .join(', '),
    ),
  ];
}

/** What is as it was sealed needs one line for a bundle, and only where something is not. */
function sealLines({ path, seal }: Bundle): string[] {
  if (seal === undefined) return [];
  const { verified = 0, issues = [], unsealed = [], unread } = seal;
  const place = path === '' ? '.' : path;
  if (unread !== undefined) return [row('sealed', `${place}: CodeResources was not read: ${unread}`)];
  const lines = [row('sealed', `${place}: ${verified} files are as CodeResources says`)];
  for (const issue of issues.slice(0, SHOWN_ISSUES)) lines.push(row('', `  not as sealed: ${issue}`));
  for (const file of unsealed.slice(0, SHOWN_ISSUES)) lines.push(row('', `  not covered: ${file}`));
  const more =
    issues.length +
    unsealed.length +
    (seal.cut ?? 0) -
    Math.min(issues.length, SHOWN_ISSUES) -
    Math.min(unsealed.length, SHOWN_ISSUES);
  if (more > 0) lines.push(row('', `  and ${more} more (--json)`));
  return lines;
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1).replace(/\.framework$/, '');
}

function programLines({ path, size, slices, unread }: Program): string[] {
  const lines = [row('program', `${path === '' ? 'this file' : path}, ${bytes(size)}`)];
  if (unread !== undefined) lines.push(row('', `not read: ${unread}`));
  for (const slice of slices) lines.push(...sliceLines(slice));
  return lines;
}

function sliceLines(slice: Slice): string[] {
  const {
    architecture,
    type,
    platform,
    minimum,
    sdk,
    tools = [],
    uuid,
    encryption,
    signature,
    unread,
  } = slice;
  if (unread !== undefined) return [row('', `${architecture}: not read: ${unread}`)];
  const made = [
    platform === undefined ? undefined : `${platform} ${minimum ?? ''}, SDK ${sdk ?? ''}`,
    ...tools,
    uuid === undefined ? undefined : `UUID ${uuid}`,
  ].filter((part) => part !== undefined);
  const lines = [row('', `${architecture} ${type}: ${made.join(', ')}`)];
  if (encryption !== undefined)
    lines.push(
      row(
        '',
        encryption.id === 0
          ? '  not encrypted (cryptid 0)'
          : `  ENCRYPTED: ${bytes(encryption.size)} at ${encryption.offset} (cryptid ${encryption.id})`,
      ),
    );
  if (signature === undefined) return lines;
  const { status, identifier, team, signer, root, pages, entitlements = [], issues } = signature;
  lines.push(
    row(
      '',
      `  signature ${[status, identifier, team && `team ${team}`, signer && `by ${signer}`, root && `root ${root}`, pages && `${pages.checked - pages.failed - pages.ciphertext} of ${pages.checked} pages hold`].filter(Boolean).join(', ')}`,
    ),
  );
  if (entitlements.length > 0) {
    const more = entitlements.length - SHOWN_ENTITLEMENTS;
    const shown = entitlements.slice(0, SHOWN_ENTITLEMENTS).join(', ');
    lines.push(row('', `  entitlements ${shown}${more > 0 ? ` and ${more} more` : ''}`));
  }
  for (const { code, message } of [...(slice.issues ?? []), ...issues].slice(0, SHOWN_ISSUES))
    lines.push(row('', `  [${code}] ${message}`));
  return lines;
}
