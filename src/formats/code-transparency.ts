// SPDX-License-Identifier: Apache-2.0
/**
 * App bundle code transparency: the developer signs the digests of DEX files and native libraries, apart from the key that
 * a store signs APKs with. A JWS (RFC 7515, compact) whose every byte is accounted for: header and payload are written
 * again from what was understood of them, as bundletool writes them, and must be the same.
 * https://developer.android.com/guide/app-bundle/code-transparency
 * https://github.com/google/bundletool/blob/master/src/main/proto/code_transparency.proto
 */
import { verify } from 'node:crypto';
import { FormatError } from '../errors.js';
import { readCertificate, type Certificate } from './x509.js';

export type TransparencyIssueCode =
  | 'transparency-malformed'
  | 'transparency-free-bytes'
  | 'transparency-algorithm'
  | 'transparency-chain'
  | 'transparency-signature'
  | 'transparency-version'
  | 'transparency-repeated'
  | 'transparency-copies-differ'
  | 'transparency-code-added'
  | 'transparency-code-changed'
  | 'transparency-code-missing'
  | 'transparency-unread';

export interface TransparencyIssueMeaning {
  readonly effect: 'invalid' | 'open';
  readonly text: string;
}

const invalid = (text: string): TransparencyIssueMeaning => ({ effect: 'invalid', text });
const open = (text: string): TransparencyIssueMeaning => ({ effect: 'open', text });

export const TRANSPARENCY_ISSUES = {
  'transparency-malformed': invalid('no transparency file that a reader could take apart'),
  'transparency-free-bytes': open('a transparency file that is written otherwise than bundletool does'),
  'transparency-algorithm': invalid('another algorithm or key than RSA with SHA-256'),
  'transparency-chain': open("certificates beside the signer's, which nothing verifies"),
  'transparency-signature': invalid('the signature of the transparency file does not hold'),
  'transparency-version': open('a transparency file of another version than 1'),
  'transparency-repeated': open('one file is named twice'),
  'transparency-copies-differ': invalid('files of one set have different transparency files'),
  'transparency-code-added': invalid('code that the developer did not sign'),
  'transparency-code-changed': invalid('code that is another one than the developer signed'),
  'transparency-code-missing': invalid('code that the developer signed is not in the bundle'),
  'transparency-unread': open('code that could not be read'),
} as const satisfies Record<TransparencyIssueCode, TransparencyIssueMeaning>;

export interface TransparencyIssue {
  readonly code: TransparencyIssueCode;
  readonly message: string;
}

/** One file that is signed; all texts are of the signer's choice. */
export interface SignedCode {
  /** In the bundle. */
  readonly path?: string;
  readonly type?: 'DEX' | 'NATIVE_LIBRARY';
  readonly apkPath?: string;
  readonly sha256: string;
  /** Code that bundletool adds to archived apps. */
  readonly bundletoolRepoPath?: string;
}

export interface CodeTransparency {
  /** Absent where the file could not be taken apart so far. */
  readonly certificate?: Certificate;
  readonly files: readonly SignedCode[];
  readonly issues: readonly TransparencyIssue[];
}

export const APK_TRANSPARENCY = 'META-INF/code_transparency_signed.jwt';
export const BUNDLE_TRANSPARENCY =
  'BUNDLE-METADATA/com.android.tools.build.bundletool/code_transparency_signed.jwt';

export const MAX_TRANSPARENCY = 16 << 20;
const VERSION = 1;
const MAX_FILES = 100_000;
const ALGORITHM = 'RS256';
/** In the order of the fields of the message, as its printer writes them. */
const FIELDS = ['path', 'type', 'apkPath', 'sha256', 'bundletoolRepoPath'] as const;

function fail(code: string, message: string): never {
  throw new FormatError('code-transparency', code, 0, message);
}

/** Never throws for what the file holds. */
export function readCodeTransparency(jwt: Buffer): CodeTransparency {
  const issues: TransparencyIssue[] = [];
  const add = (code: TransparencyIssueCode, message: string): void => void issues.push({ code, message });
  let certificate: Certificate | undefined;
  let files: readonly SignedCode[] = [];
  try {
    if (jwt.length > MAX_TRANSPARENCY) fail('too-large', `${jwt.length} bytes, at most ${MAX_TRANSPARENCY}`);
    const parts = jwt.toString('latin1').split('.');
    const [header = '', payload = '', signature = ''] = parts;
    if (parts.length !== 3) fail('parts', `${parts.length} parts, expected 3`);
    certificate = readHeader(base64url(header), add);
    const text = base64url(payload);
    const key = certificate.publicKey;
    if (key.asymmetricKeyType !== 'rsa')
      add('transparency-algorithm', `a key of type ${certificate.keyType}`);
    else if (!verify('sha256', Buffer.from(`${header}.${payload}`, 'latin1'), key, base64url(signature)))
      add('transparency-signature', 'RSASSA-PKCS1-v1_5 with SHA-256 does not hold');
    files = readPayload(text, add);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    add('transparency-malformed', `${error.code}: ${error.message}`);
  }
  return { ...(certificate === undefined ? {} : { certificate }), files, issues };
}

type Add = (code: TransparencyIssueCode, message: string) => void;

/** Of the one alphabet, without padding and without a bit that says nothing. */
function base64url(text: string): Buffer {
  const bytes = Buffer.from(text, 'base64url');
  if (bytes.toString('base64url') !== text) fail('base64', 'not in the one form of base64url');
  return bytes;
}

function parsed(bytes: Buffer): ReadonlyMap<string, unknown> {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return new Map(Object.entries(value));
  } catch (cause) {
    throw new FormatError('code-transparency', 'json', 0, 'no JSON', { cause });
  }
  return fail('json', 'no JSON object');
}

function readHeader(bytes: Buffer, add: Add): Certificate {
  const header = parsed(bytes);
  const algorithm = header.get('alg');
  if (algorithm !== ALGORITHM)
    add('transparency-algorithm', `algorithm ${shown(algorithm)}, expected ${ALGORITHM}`);
  const chain: unknown = header.get('x5c');
  if (!Array.isArray(chain)) fail('x5c', 'no certificate');
  const [first, ...rest] = chain.map((one: unknown) =>
    typeof one === 'string' ? one : fail('x5c', 'a certificate that is no text'),
  );
  if (first === undefined) fail('x5c', 'no certificate');
  // nothing verifies the others, so that nobody reads them
  if (rest.length > 0) add('transparency-chain', `${rest.length} certificates beside the signer's`);
  const der = Buffer.from(first, 'base64');
  if (der.toString('base64') !== first) fail('x5c', 'a certificate that is not in the one form of base64');
  if (algorithm === ALGORITHM && JSON.stringify({ alg: algorithm, x5c: chain }) !== bytes.toString('utf8'))
    add('transparency-free-bytes', 'the header holds more than algorithm and certificates');
  return readCertificate(der);
}

/** A value of JSON: a list or an object of the signer's has no text that would be safe to ask for. */
function shown(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? `${value}` : `of type ${typeof value}`;
}

function readPayload(bytes: Buffer, add: Add): readonly SignedCode[] {
  const payload = parsed(bytes);
  const list: unknown = payload.get('codeRelatedFile') ?? [];
  if (!Array.isArray(list)) fail('payload', 'the files are no list');
  if (list.length > MAX_FILES) fail('payload', `${list.length} files, at most ${MAX_FILES}`);
  const files = list.map((one: unknown) => readCode(one));
  const version = payload.get('version');
  if (version !== VERSION) add('transparency-version', `version ${shown(version)}, expected ${VERSION}`);
  if (typeof version === 'number' && written(files, version) !== bytes.toString('utf8'))
    add(
      'transparency-free-bytes',
      'the payload is written otherwise, or holds more than files and a version',
    );
  return files;
}

function readCode(value: unknown): SignedCode {
  if (typeof value !== 'object' || value === null) fail('payload', 'a file that is no object');
  const fields = new Map<string, unknown>(Object.entries(value));
  const text = (name: (typeof FIELDS)[number]): string | undefined => {
    const field = fields.get(name);
    if (field !== undefined && typeof field !== 'string') fail('payload', `${name} is no text`);
    return field;
  };
  const [path, apkPath, bundletoolRepoPath] = [text('path'), text('apkPath'), text('bundletoolRepoPath')];
  const [type, sha256] = [text('type'), text('sha256')];
  if (type !== undefined && type !== 'DEX' && type !== 'NATIVE_LIBRARY')
    fail('payload', 'an unknown type of code');
  if (sha256 === undefined || !/^[0-9a-f]{64}$/.test(sha256)) fail('payload', 'a file without SHA-256');
  return {
    ...(path === undefined ? {} : { path }),
    ...(type === undefined ? {} : { type }),
    ...(apkPath === undefined ? {} : { apkPath }),
    sha256,
    ...(bundletoolRepoPath === undefined ? {} : { bundletoolRepoPath }),
  };
}

/** As protobuf's JsonFormat prints it. */
function written(files: readonly SignedCode[], version: number): string {
  const blocks = files.map((file) => {
    const lines = FIELDS.flatMap((name) => {
      const value = file[name];
      return value === undefined ? [] : [`    "${name}": ${JSON.stringify(value)}`];
    });
    return `{\n${lines.join(',\n')}\n  }`;
  });
  const list = blocks.length === 0 ? '' : `  "codeRelatedFile": [${blocks.join(', ')}],\n`;
  return `{\n${list}  "version": ${version}\n}`;
}

/** One DEX file or native library as it lies in an APK or a bundle; without `sha256` it could not be read. */
export interface FoundCode {
  readonly name: string;
  readonly sha256?: string;
}

const isDex = (name: string): boolean => name.endsWith('.dex');
/** bundletool before 1.8.1 gave no type to DEX files. */
const isSignedDex = ({ type, path = '' }: SignedCode): boolean =>
  type === 'DEX' || (type === undefined && isDex(path));

/** APKs of a set hold a part of the bundle: what they have must be signed, DEX files under whatever name. */
export function checkApkCode({ files }: CodeTransparency, found: readonly FoundCode[]): TransparencyIssue[] {
  const dex = new Set(files.filter(isSignedDex).map(({ sha256 }) => sha256));
  const native = new Map<string, string>();
  const issues: TransparencyIssue[] = [];
  for (const { type, apkPath, sha256 } of files) {
    if (type !== 'NATIVE_LIBRARY' || apkPath === undefined) continue;
    if (native.has(apkPath)) issues.push({ code: 'transparency-repeated', message: apkPath });
    native.set(apkPath, sha256);
  }
  for (const { name, sha256 } of found) {
    const expected = isDex(name)
      ? sha256 !== undefined && dex.has(sha256)
        ? sha256
        : undefined
      : native.get(name);
    if (sha256 === undefined) issues.push({ code: 'transparency-unread', message: name });
    else if (expected === undefined) issues.push({ code: 'transparency-code-added', message: name });
    else if (expected !== sha256)
      issues.push({ code: 'transparency-code-changed', message: `${name}: ${sha256}, signed ${expected}` });
  }
  return issues;
}

/** A bundle holds exactly what is signed, by path. */
export function checkBundleCode(
  { files }: CodeTransparency,
  found: readonly FoundCode[],
): TransparencyIssue[] {
  const issues: TransparencyIssue[] = [];
  const signed = new Map<string, string>();
  for (const { path, sha256 } of files) {
    if (path === undefined) continue;
    if (signed.has(path)) issues.push({ code: 'transparency-repeated', message: path });
    signed.set(path, sha256);
  }
  for (const { name, sha256 } of found) {
    const expected = signed.get(name);
    signed.delete(name);
    if (sha256 === undefined) issues.push({ code: 'transparency-unread', message: name });
    else if (expected === undefined) issues.push({ code: 'transparency-code-added', message: name });
    else if (expected !== sha256)
      issues.push({ code: 'transparency-code-changed', message: `${name}: ${sha256}, signed ${expected}` });
  }
  for (const name of signed.keys()) issues.push({ code: 'transparency-code-missing', message: name });
  return issues;
}
