// SPDX-License-Identifier: Apache-2.0
/** The TypeScript files of `src/` with what they import, for tests of the rules between rooms. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { packageRoot } from '../../src/inputs/package-files.js';

export interface SourceFile {
  /** Below `src/`, e.g. `formats/zip.ts`. */
  readonly file: string;
  /** A folder of `src/`, or a file of its own there, e.g. `bytes`. */
  readonly room: string;
  readonly text: string;
  readonly imports: readonly Import[];
}

export interface Import {
  /** As written, e.g. `node:fs` or `../bytes.js`. */
  readonly from: string;
  /** Below `src/`; only of relative imports. */
  readonly file?: string;
  /** Gone after compilation. */
  readonly typeOnly: boolean;
}

const STATEMENT = /^(import|export)(\s+type)?\s(?:[^;'"]*?\sfrom\s)?\s*'([^']+)'/gm;
const DYNAMIC = /\bimport\(\s*(?:\/\*.*?\*\/\s*)?'([^']+)'/g;
/** Threads are named by URL. */
const BY_URL = /new URL\('(\.[^']+\.js)', import\.meta\.url\)/g;

export function importsOf(file: string, text: string): readonly Import[] {
  const target = (from: string, typeOnly: boolean): Import =>
    from.startsWith('.')
      ? {
          from,
          typeOnly,
          file: path.posix.join(path.posix.dirname(file), from).replace(/\.js$/, '.ts'),
        }
      : { from, typeOnly };
  return [
    ...[...text.matchAll(STATEMENT)].map(([, , type, from]) => target(from ?? '', type !== undefined)),
    ...[...text.matchAll(DYNAMIC)].map(([, from]) => target(from ?? '', false)),
    ...[...text.matchAll(BY_URL)].map(([, from]) => target(from ?? '', false)),
  ];
}

export function roomOf(file: string): string {
  return file.includes('/') ? (file.split('/')[0] ?? '') : file.replace(/\.ts$/, '');
}

export function sources(): readonly SourceFile[] {
  const root = path.join(packageRoot(), 'src');
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .sort()
    .map((file) => {
      const text = readFileSync(path.join(root, file), 'utf8');
      return { file, room: roomOf(file), text, imports: importsOf(file, text) };
    });
}
