// SPDX-License-Identifier: Apache-2.0
/** A small signed Debian archive in a directory: what `apt` accepts (a test asks it) and what can then be tampered with. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import type { TestKey } from './gpg.js';

export const sha256 = (bytes: string | Buffer): string => createHash('sha256').update(bytes).digest('hex');

export interface ArchiveOptions {
  readonly suite?: string;
  readonly codename?: string;
  readonly date?: string;
  readonly validUntil?: string;
  /** Text of the indexes; default one source `chat` with two binaries beside another package. */
  readonly sources?: string;
  readonly packages?: string;
  readonly packagesAll?: string;
  readonly allWithEach?: boolean;
  /** How indexes are packed; default xz, and listed as they are unpacked as well. */
  readonly packing?: 'xz' | 'gz' | 'none';
  /** `Release` and `Release.gpg` instead of `InRelease`. */
  readonly detached?: boolean;
  /** Lists no unpacked index. */
  readonly packedOnly?: boolean;
}

export const DSC = 'Format: 3.0 (native)\n';

export function binaryEntry(
  name: string,
  version: string,
  architecture: string,
  source?: string,
  content = name,
): string {
  return [
    `Package: ${name}`,
    ...(source === undefined ? [] : [`Source: ${source}`]),
    `Version: ${version}`,
    'Maintainer: Test <test@example.invalid>',
    `Architecture: ${architecture}`,
    `Filename: pool/main/c/chat/${name}_${version}_${architecture}.deb`,
    `Size: ${content.length}`,
    `SHA256: ${sha256(content)}`,
    'Description: a chat program',
    '',
  ].join('\n');
}

export function sourceEntry(name: string, version: string, more: readonly string[] = []): string {
  return [
    `Package: ${name}`,
    `Binary: ${name}, ${name}-doc`,
    `Version: ${version}`,
    'Maintainer: Test <test@example.invalid>',
    'Architecture: any all',
    'Format: 3.0 (native)',
    'Checksums-Sha256:',
    ` ${sha256(DSC)} ${DSC.length} ${name}_${version}.dsc`,
    ` ${sha256('tar')} 3 ${name}_${version}.tar.xz`,
    `Directory: pool/main/c/${name}`,
    ...more,
    '',
  ].join('\n');
}

const SOURCES = `${sourceEntry('chat', '1.0')}\n${sourceEntry('chatter', '2.0')}`;
const PACKAGES = [
  binaryEntry('chat', '1.0', 'amd64'),
  binaryEntry('chat-doc', '1.0+b1', 'all', 'chat (1.0)'),
  binaryEntry('chatter', '2.0', 'amd64'),
  binaryEntry('other', '3', 'amd64', 'chatter'),
].join('\n');

/** Writes `dists/<codename>` and the pool below `directory`, signed by `key`. */
export function writeArchive(directory: string, key: TestKey, options: ArchiveOptions = {}): void {
  const {
    suite = 'stable',
    codename = 'test',
    date = new Date().toUTCString().replace('GMT', 'UTC'),
  } = options;
  const dists = path.join(directory, 'dists', codename);
  const indexes: Record<string, string> = {
    'main/source/Sources': options.sources ?? SOURCES,
    'main/binary-amd64/Packages': options.packages ?? PACKAGES,
    ...(options.packagesAll === undefined ? {} : { 'main/binary-all/Packages': options.packagesAll }),
  };
  const lines: string[] = [];
  for (const [name, text] of Object.entries(indexes)) {
    const file = path.join(dists, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
    if (options.packedOnly !== true) lines.push(` ${sha256(text)} ${Buffer.byteLength(text)} ${name}`);
    if (options.packing === 'none') continue;
    const extension = options.packing ?? 'xz';
    const packed = extension === 'gz' ? gzipSync(text) : execFileSync('xz', ['--stdout', '--', file]);
    writeFileSync(`${file}.${extension}`, packed);
    lines.push(` ${sha256(packed)} ${packed.length} ${name}.${extension}`);
  }
  const release = [
    'Origin: Test',
    `Suite: ${suite}`,
    `Codename: ${codename}`,
    `Date: ${date}`,
    ...(options.validUntil === undefined ? [] : [`Valid-Until: ${options.validUntil}`]),
    ...(options.allWithEach === false ? [] : ['No-Support-for-Architecture-all: Packages']),
    'Architectures: all amd64',
    'Components: main',
    'SHA256:',
    ...lines,
    '',
  ].join('\n');
  if (options.detached === true) {
    writeFileSync(path.join(dists, 'Release'), release);
    writeFileSync(path.join(dists, 'Release.gpg'), key.detached(release));
  } else writeFileSync(path.join(dists, 'InRelease'), key.clearSign(release));
  const pool = path.join(directory, 'pool/main/c/chat');
  mkdirSync(pool, { recursive: true });
  for (const [name, content] of Object.entries({
    'chat_1.0.dsc': DSC,
    'chat_1.0.tar.xz': 'tar',
    'chat_1.0_amd64.deb': 'chat',
  }))
    writeFileSync(path.join(pool, name), content);
}

/** Answers with the files below `directory`, 404 for others. */
export function serveDirectory(
  directory: string,
): (request: IncomingMessage, response: ServerResponse) => void {
  return (request, response) => {
    const file = path.join(directory, decodeURIComponent(request.url ?? '/'));
    if (
      !file.startsWith(directory + path.sep) ||
      statSync(file, { throwIfNoEntry: false })?.isFile() !== true
    )
      response.writeHead(404).end();
    else response.end(readFileSync(file));
  };
}
