// SPDX-License-Identifier: Apache-2.0
/** A small F-Droid repository (index version 2) in a directory: what can then be signed by somebody else, aged and tampered with. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { sha256 } from './debian-archive.js';
import { signJar, type JarIdentity, type JarOptions } from './sign-jar.js';

export interface FdroidApk {
  readonly versionName: string;
  readonly versionCode: number;
  readonly content: string | Buffer;
  readonly abis?: readonly string[];
  /** Default `/<package>_<code>.apk`. */
  readonly name?: string;
  readonly sha256?: string;
  readonly size?: number;
}

export interface FdroidOptions {
  readonly package?: string;
  readonly apks?: readonly FdroidApk[];
  readonly timestamp?: number;
  readonly maxAge?: number;
  /** Changes what was said of the index. */
  readonly entry?: (entry: Record<string, unknown>) => unknown;
  readonly index?: (index: Record<string, unknown>) => unknown;
  /** Instead of our own signing. */
  readonly sign?: (entry: Buffer, identity: JarIdentity) => Buffer;
  readonly jar?: JarOptions;
}

export const SIGNER = 'ab'.repeat(32);

/** Entries, index and files below `directory`. */
export function writeFdroid(directory: string, identity: JarIdentity, options: FdroidOptions = {}): void {
  const name = options.package ?? 'org.example.chat';
  const apks = options.apks ?? [{ versionName: '1.0', versionCode: 10, content: 'chat 1.0' }];
  const versions = apks.map((apk) => {
    const file = apk.name ?? `/${name}_${apk.versionCode}.apk`;
    const digest = apk.sha256 ?? sha256(apk.content);
    return [
      `${digest}${apk.versionCode}`,
      {
        added: 1,
        file: { name: file, sha256: digest, size: apk.size ?? apk.content.length },
        manifest: {
          versionName: apk.versionName,
          versionCode: apk.versionCode,
          usesSdk: { minSdkVersion: 23, targetSdkVersion: 35 },
          ...(apk.abis === undefined ? {} : { nativecode: apk.abis }),
          signer: { sha256: [SIGNER] },
        },
        whatsNew: { 'en-US': 'quotes " and \\ and }' },
      },
    ] as const;
  });
  const other = { metadata: { name: { en: 'other' } }, versions: {} };
  const index = {
    repo: { name: { en: 'Test' }, address: 'https://example.org/repo', timestamp: options.timestamp ?? 0 },
    packages: {
      'org.example.other': other,
      [name]: { metadata: {}, versions: Object.fromEntries(versions) },
    },
  };
  const indexBytes = Buffer.from(JSON.stringify(options.index?.(index) ?? index));
  const entry = {
    timestamp: options.timestamp ?? Date.now() - 1000,
    version: 20002,
    ...(options.maxAge === undefined ? {} : { maxAge: options.maxAge }),
    index: { name: '/index-v2.json', sha256: sha256(indexBytes), size: indexBytes.length, numPackages: 2 },
    diffs: {},
  };
  const entryBytes = Buffer.from(JSON.stringify(options.entry?.(entry) ?? entry));
  mkdirSync(directory, { recursive: true });
  writeFileSync(path.join(directory, 'index-v2.json'), indexBytes);
  const sign =
    options.sign ??
    ((bytes: Buffer) => signJar([{ name: 'entry.json', data: bytes }], identity, options.jar));
  writeFileSync(path.join(directory, 'entry.jar'), sign(entryBytes, identity));
  for (const { content, versionCode } of apks)
    writeFileSync(path.join(directory, `${name}_${versionCode}.apk`), content);
}
