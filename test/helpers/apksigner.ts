// SPDX-License-Identifier: Apache-2.0
/** Signs with the real apksigner, keys made by openssl. For tests that `need(t, 'apksigner', 'openssl')`. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

export type KeyKind = 'rsa2048' | 'rsa4096' | 'p256' | 'p384';

const NEW_KEY: Readonly<Record<KeyKind, readonly string[]>> = {
  rsa2048: ['-newkey', 'rsa:2048'],
  rsa4096: ['-newkey', 'rsa:4096'],
  p256: ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'],
  p384: ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-384'],
};

export interface SigningKey {
  /** PKCS #8, DER. */
  readonly key: string;
  readonly certificate: string;
}

export function makeKey(directory: string, name: string, kind: KeyKind = 'p256'): SigningKey {
  const pem = path.join(directory, `${name}.pem`);
  const key = path.join(directory, `${name}.pk8`);
  const certificate = path.join(directory, `${name}.x509.pem`);
  const request = [
    'req',
    '-x509',
    '-nodes',
    '-days',
    '9999',
    '-subj',
    `/CN=${name}/O=Test`,
    ...NEW_KEY[kind],
  ];
  execFileSync('openssl', [...request, '-keyout', pem, '-out', certificate], { stdio: 'pipe' });
  execFileSync('openssl', ['pkcs8', '-topk8', '-nocrypt', '-in', pem, '-outform', 'DER', '-out', key], {
    stdio: 'pipe',
  });
  return { key, certificate };
}

export interface SignOptions {
  readonly keys: readonly SigningKey[];
  readonly v1?: boolean;
  readonly v2?: boolean;
  readonly v3?: boolean;
  readonly minSdk?: number;
  readonly extra?: readonly string[];
}

/** The signed bytes. */
export function signWithApksigner(directory: string, unsigned: Buffer, options: SignOptions): Buffer {
  const input = path.join(directory, 'unsigned.apk');
  const output = path.join(directory, 'signed.apk');
  writeFileSync(input, unsigned);
  const signers = options.keys.flatMap(({ key, certificate }, index) => [
    ...(index === 0 ? [] : ['--next-signer']),
    '--key',
    key,
    '--cert',
    certificate,
  ]);
  const schemes = [
    `--v1-signing-enabled=${options.v1 ?? false}`,
    `--v2-signing-enabled=${options.v2 ?? true}`,
    `--v3-signing-enabled=${options.v3 ?? false}`,
    '--v4-signing-enabled=false',
  ];
  const sdk = ['--min-sdk-version', String(options.minSdk ?? 24)];
  execFileSync(
    'apksigner',
    ['sign', ...signers, ...schemes, ...sdk, ...(options.extra ?? []), '--out', output, input],
    { stdio: 'pipe' },
  );
  return readFileSync(output);
}

/** What apksigner says of the bytes. */
export function apksignerAccepts(directory: string, apk: Buffer, minSdk = 24): boolean {
  const file = path.join(directory, 'check.apk');
  writeFileSync(file, apk);
  try {
    execFileSync('apksigner', ['verify', '--min-sdk-version', String(minSdk), file], { stdio: 'pipe' });
    return true;
  } catch {
    return false;
  }
}
