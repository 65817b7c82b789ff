// SPDX-License-Identifier: Apache-2.0
/** The text inside of a packed run: what each file is, in words for somebody who has never seen this tool. */
import { printable } from '../printable.js';
import type { Packed } from './pack-files.js';

export function packReadme({ title, files, missing }: Packed): string {
  const width = Math.max(...files.map(({ name }) => name.length), 0);
  return [
    printable(title),
    '',
    'This archive was made with `verify pack` of samesource. It holds what is known of one run: somebody built an app',
    'from its published source and compared the result with the file that users get. It is meant for those who',
    'published that file, so that they can see for themselves.',
    '',
    'The published file is not in here, and nothing of it beyond what the report shows: short pieces around each',
    'difference. You have that file; its SHA-256 stands in the report.',
    '',
    'Files',
    '',
    ...files.map(({ name, what }) => `  ${name.padEnd(width)}  ${printable(what)}`),
    `  ${'SHA256SUMS'.padEnd(width)}  the SHA-256 of every other file: sha256sum -c SHA256SUMS`,
    '',
    ...(missing.length === 0 ? [] : ['Not inside', '', ...missing.map((one) => `  - ${printable(one)}`), '']),
    'Logs are what the programs of the build printed. Names of the machine and its user were taken out of them.',
    'The same run gives the same archive, byte for byte.',
    '',
  ].join('\n');
}
