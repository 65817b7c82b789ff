// SPDX-License-Identifier: Apache-2.0
/** Signs with JAR signing (APK v1) without any tool, the odd ones too: every text and every part of a block can be changed. */
import { createHash, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { deflateRaw } from 'pako';
import { buildZip, type ZipLayout, type ZipMember } from './build-zip.js';
import { der, nameOf } from './sign-apk.js';

export interface JarIdentity {
  readonly kind: 'rsa' | 'ec';
  readonly privateKey: KeyObject;
  readonly certificate: Buffer;
  readonly issuer: Buffer;
  readonly serial: Buffer;
}

const oid = (hex: string): Buffer => der(0x06, Buffer.from(hex, 'hex'));
const NULL = der(0x05);
const SHA256 = der(0x30, oid('608648016503040201'), NULL);
const RSA = der(0x30, oid('2a864886f70d010101'), NULL);
const EC = der(0x30, oid('2a8648ce3d0201'), NULL);
const ECDSA_SHA256 = der(0x30, oid('2a8648ce3d040302'));
const RSA_SHA256 = der(0x30, oid('2a864886f70d01010b'), NULL);
const DATA = oid('2a864886f70d010701');
const SIGNED_DATA = oid('2a864886f70d010702');

export interface CertificateOptions {
  /** Extensions, each a DER sequence. */
  readonly extensions?: readonly Buffer[];
  readonly issuer?: Buffer;
  /** Signed by this one instead of itself. */
  readonly signer?: JarIdentity;
  readonly serial?: Buffer;
}

export function jarIdentity(kind: JarIdentity['kind'] = 'ec', options: CertificateOptions = {}): JarIdentity {
  const pair =
    kind === 'ec'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : generateKeyPairSync('rsa', { modulusLength: 2048 });
  const algorithm = kind === 'ec' ? ECDSA_SHA256 : RSA_SHA256;
  const name = nameOf(der(0x0c, Buffer.from('jar test')));
  const issuer = options.issuer ?? name;
  const serial = options.serial ?? Buffer.from([7]);
  const time = der(0x17, Buffer.from('250101000000Z'));
  const extensions = options.extensions === undefined ? [] : [der(0xa3, der(0x30, ...options.extensions))];
  const body = der(
    0x30,
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, serial),
    algorithm,
    issuer,
    der(0x30, time, time),
    name,
    pair.publicKey.export({ type: 'spki', format: 'der' }),
    ...extensions,
  );
  const signature = sign('sha256', body, options.signer?.privateKey ?? pair.privateKey);
  const certificate = der(0x30, body, algorithm, der(0x03, Buffer.from([0]), signature));
  return { kind, privateKey: pair.privateKey, certificate, issuer, serial };
}

/** What of a signature block is other than apksigner writes it. */
export interface BlockOptions {
  readonly certificates?: readonly Buffer[];
  /** Beside content type and digest, which are then there too. */
  readonly signedAttributes?: readonly Buffer[];
  /** Instead of all of them. */
  readonly allAttributes?: readonly Buffer[];
  readonly unsignedAttributes?: Buffer;
  readonly crls?: Buffer;
  readonly content?: Buffer;
  readonly contentType?: Buffer;
  readonly version?: number;
  readonly signerVersion?: number;
  readonly digestAlgorithms?: readonly Buffer[];
  readonly digestAlgorithm?: Buffer;
  readonly signatureAlgorithm?: Buffer;
  readonly issuer?: Buffer;
  readonly serial?: Buffer;
  readonly signature?: (value: Buffer) => Buffer;
  /** More signers behind the first. */
  readonly signers?: readonly Buffer[];
}

export const attribute = (type: string, value: Buffer): Buffer => der(0x30, oid(type), der(0x31, value));
export const CONTENT_TYPE = '2a864886f70d010903';
export const MESSAGE_DIGEST = '2a864886f70d010904';
export const SIGNING_TIME = '2a864886f70d010905';

const sorted = (parts: readonly Buffer[]): Buffer[] => [...parts].sort((a, b) => Buffer.compare(a, b));

function signerInfo(file: Buffer, identity: JarIdentity, options: BlockOptions): Buffer {
  const digest = createHash('sha256').update(file).digest();
  const attributes =
    options.allAttributes ??
    (options.signedAttributes === undefined
      ? []
      : [
          attribute(CONTENT_TYPE, DATA),
          attribute(MESSAGE_DIGEST, der(0x04, digest)),
          ...options.signedAttributes,
        ]);
  const set = sorted(attributes);
  const signed = set.length > 0 ? der(0x31, ...set) : file;
  const value = sign('sha256', signed, identity.privateKey);
  return der(
    0x30,
    der(0x02, Buffer.from([options.signerVersion ?? 1])),
    der(0x30, options.issuer ?? identity.issuer, der(0x02, options.serial ?? identity.serial)),
    options.digestAlgorithm ?? SHA256,
    ...(set.length > 0 ? [der(0xa0, ...set)] : []),
    options.signatureAlgorithm ?? (identity.kind === 'ec' ? EC : RSA),
    der(0x04, options.signature?.(value) ?? value),
    ...(options.unsignedAttributes === undefined ? [] : [der(0xa1, options.unsignedAttributes)]),
  );
}

export function signatureBlock(file: Buffer, identity: JarIdentity, options: BlockOptions = {}): Buffer {
  const certificates = options.certificates ?? [identity.certificate];
  return der(
    0x30,
    SIGNED_DATA,
    der(
      0xa0,
      der(
        0x30,
        der(0x02, Buffer.from([options.version ?? 1])),
        der(0x31, ...(options.digestAlgorithms ?? [SHA256])),
        der(
          0x30,
          options.contentType ?? DATA,
          ...(options.content === undefined ? [] : [der(0xa0, der(0x04, options.content))]),
        ),
        ...(certificates.length === 0 ? [] : [der(0xa0, ...sorted(certificates))]),
        ...(options.crls === undefined ? [] : [der(0xa1, options.crls)]),
        der(0x31, ...sorted([signerInfo(file, identity, options), ...(options.signers ?? [])])),
      ),
    ),
  );
}

export interface JarOptions extends BlockOptions {
  readonly signerName?: string;
  /** Changes the text of MANIFEST.MF before anything is made of it. */
  readonly manifest?: (text: string) => string;
  /** Changes the text of the signature file before it is signed. */
  readonly file?: (text: string) => string;
  readonly createdBy?: string;
  /** `X-Android-APK-Signed`. */
  readonly schemes?: string;
  /** Of all three entries. */
  readonly header?: Partial<ZipMember>;
  readonly level?: 1 | 6 | 9;
  readonly pack?: (data: Buffer) => Buffer;
}

/** Lines of at most 70 bytes, as apksigner writes them. */
function line(name: string, value: string): string {
  const text = Buffer.from(`${name}: ${value}`);
  const parts = [text.subarray(0, 70)];
  for (let at = 70; at < text.length; at += 69) parts.push(text.subarray(at, at + 69));
  return parts.map((part) => part.toString('latin1')).join('\r\n ') + '\r\n';
}

const digestOf = (data: Buffer | string): string => createHash('sha256').update(data).digest('base64');
const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');

/** The three entries as apksigner makes them, in its order. */
export function jarEntries(
  members: readonly ZipMember[],
  identity: JarIdentity,
  options: JarOptions = {},
): ZipMember[] {
  const listed = members
    .map(({ name, data }) => ({ name: name.toString(), data: data ?? '' }))
    .filter(({ name }) => !name.endsWith('/'))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const sections = listed.map(
    ({ name, data }) => `${line('Name', name)}SHA-256-Digest: ${digestOf(data)}\r\n\r\n`,
  );
  const plain = `Manifest-Version: 1.0\r\n\r\n${sections.join('')}`;
  const manifest = latin1(options.manifest?.(plain) ?? plain);
  // sections as they have become
  const parts = manifest
    .toString('latin1')
    .split(/(?<=\r\n\r\n)/)
    .slice(1);
  const fileText = [
    'Signature-Version: 1.0\r\n',
    `Created-By: ${options.createdBy ?? '1.0 (Android)'}\r\n`,
    `SHA-256-Digest-Manifest: ${digestOf(manifest)}\r\n`,
    options.schemes === undefined ? '' : `X-Android-APK-Signed: ${options.schemes}\r\n`,
    '\r\n',
    ...parts.map((part) => {
      const name = /^Name: ((?:.|\r\n )*?)\r\n(?! )/.exec(part)?.[0] ?? 'Name: none\r\n';
      return `${name}SHA-256-Digest: ${digestOf(latin1(part))}\r\n\r\n`;
    }),
  ].join('');
  const file = latin1(options.file?.(fileText) ?? fileText);
  const block = signatureBlock(file, identity, options);
  const name = `META-INF/${options.signerName ?? 'CERT'}`;
  const entry = (entryName: string, data: Buffer): ZipMember => ({
    name: entryName,
    data,
    raw: options.pack?.(data) ?? Buffer.from(deflateRaw(data, { level: options.level ?? 9 })),
    flags: 0x0800,
    ...options.header,
  });
  return [
    entry(`${name}.SF`, file),
    entry(`${name}.${identity.kind.toUpperCase()}`, block),
    entry('META-INF/MANIFEST.MF', manifest),
  ];
}

export function signJar(
  members: readonly ZipMember[],
  identity: JarIdentity,
  options: JarOptions = {},
  layout: ZipLayout = {},
): Buffer {
  return buildZip([...members, ...jarEntries(members, identity, options)], layout);
}
