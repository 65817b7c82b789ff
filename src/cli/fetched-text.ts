// SPDX-License-Identifier: Apache-2.0
/** What `fetch` got, for people: a few lines a file. */
import { printable, type FetchedFile, type FetchResult } from '../index.js';

export function fetchedText(result: FetchResult): string {
  const lines = result.notes.map((note) => `note       ${note}`);
  switch (result.outcome) {
    case 'fetched':
      lines.push(...result.files.flatMap(fileLines));
      if (result.missing.length > 0) lines.push(`not there  ${result.missing.join(', ')}`);
      break;
    case 'no-published-artifact':
      lines.push(`no published file [${result.code}] ${result.detail}`, `  ${result.hint}`);
      break;
    case 'not-authentic':
      lines.push(
        'not the publisher’s file; it was not put anywhere',
        ...result.reasons.map(({ file, code, detail }) => `  ${file} [${code}] ${detail}`),
        ...result.files.flatMap(fileLines),
      );
      break;
  }
  return lines.map((line) => printable(line)).join('\n');
}

function fileLines(file: FetchedFile): string[] {
  const { name, path, size, sha256, from, fetched, digestFrom, digestExpected, signatures } = file;
  const digest =
    digestFrom === undefined
      ? digestExpected
        ? 'as the signed index of the archive says'
        : 'nobody had stated it beforehand'
      : `as ${digestFrom} says`;
  return [
    `file       ${path ?? name} (${size.toLocaleString('en-US')} bytes)`,
    `sha256     ${sha256}, ${digest}`,
    `from       ${fetched === undefined ? from : fetched.url}`,
    ...(fetched?.hops ?? []).map(({ to, status }) => `redirect   ${to} (${status})`),
    ...signatures.flatMap((one) => {
      const line = signatureLine(one, signatures.length > 1);
      return line === undefined ? [] : [line];
    }),
  ];
}

/** As `inspect` tells it, in one line. */
function signatureLine(
  { file, status, signers, identity }: FetchedFile['signatures'][number],
  named: boolean,
): string | undefined {
  if (status === 'not-applicable' && identity['package'] === undefined) return undefined;
  const { package: id = 'no package', versionName, versionCode, version } = identity;
  const told = version ?? versionName ?? 'no version';
  const code = versionCode === undefined ? '' : ` (code ${versionCode})`;
  const by = signers.length === 0 ? '' : ` by ${signers.join(', ')}`;
  const signature = status === 'not-applicable' ? '' : `, signature ${status}${by}`;
  return `package    ${named ? `${file}: ` : ''}${id} ${told}${code}${signature}`;
}
