// SPDX-License-Identifier: Apache-2.0
/**
 * `embedded.mobileprovision`: a property list that says who may run an app and on which devices, signed with CMS.
 * https://developer.apple.com/documentation/technotes/tn3125-inside-code-signing-provisioning-profiles
 */
import { createHash, verify } from 'node:crypto';
import { BufferSource, type ByteSource } from '../bytes.js';
import { FormatError } from '../errors.js';
import { chainOf, isOf, type AppleChain } from './apple-chain.js';
import { derFromBer } from './ber.js';
import { DATA_OID, readSignedData, type LooseBytes, type SignedData } from './cms.js';
import {
  plistAt,
  plistString,
  plistStrings,
  readPlist,
  type PlistDocument,
  type PlistValue,
} from './plist.js';
import { readCertificate, type Certificate } from './x509.js';

export const MAX_PROFILE = 1 << 20;
const MAX_DEVELOPERS = 200;

export interface ProvisioningProfile {
  readonly plist: PlistDocument;
  readonly kind: 'development' | 'ad-hoc' | 'enterprise' | 'app-store';
  readonly name?: string;
  readonly uuid?: string;
  readonly appId?: string;
  readonly teamName?: string;
  readonly teams: readonly string[];
  readonly platforms: readonly string[];
  /** Seconds from the beginning of 2001, UTC. */
  readonly created?: number;
  readonly expires?: number;
  /** Devices that are listed; absent where there is no list. */
  readonly devices?: number;
  readonly entitlements?: PlistValue;
  /** Whose programs it lets run. */
  readonly developers: readonly { readonly sha256: string; readonly subject: string }[];
  readonly signature: ProfileSignature;
}

export interface ProfileSignature extends AppleChain {
  readonly issue?: 'signer-count' | 'signer-unknown' | 'algorithm' | 'attributes' | 'digest' | 'signature';
  /** What the signer could have written otherwise. */
  readonly loose: readonly LooseBytes[];
}

function fail(code: string, offset: number, message: string): never {
  throw new FormatError('mobileprovision', code, offset, message);
}

/** @throws FormatError `mobileprovision/…`, `ber/…`, `cms/…`, `der/…`, `plist/…` or `x509/…` */
export function readProvisioningProfile(source: ByteSource): ProvisioningProfile {
  if (source.size > MAX_PROFILE)
    fail('too-large', 0, `${source.size} bytes, at most ${MAX_PROFILE} are read`);
  const bytes = Buffer.from(source.read(0, source.size));
  const { der, consumed } = derFromBer(bytes);
  if (consumed !== bytes.length)
    fail('trailing-bytes', consumed, `${bytes.length - consumed} bytes behind the signed data`);
  const data = readSignedData(der);
  const { content } = data;
  if (content === undefined || data.contentType !== DATA_OID)
    fail('no-content', 0, `signed data of ${data.contentType} without content`);
  const plist = readPlist(new BufferSource(content));
  if (plist.root.kind !== 'dict') fail('content', 0, `a ${plist.root.kind} where a dictionary is expected`);
  return { ...facts(plist), signature: checkSignature(data, content) };
}

function facts(plist: PlistDocument): Omit<ProvisioningProfile, 'signature'> {
  const { root } = plist;
  const texts = {
    name: plistString(root, 'Name'),
    uuid: plistString(root, 'UUID'),
    appId: plistString(root, 'Entitlements', 'application-identifier'),
    teamName: plistString(root, 'TeamName'),
  };
  const known = Object.fromEntries(Object.entries(texts).filter(([, value]) => value !== undefined));
  const [created, expires] = [date(root, 'CreationDate'), date(root, 'ExpirationDate')];
  const devices = plistAt(root, 'ProvisionedDevices');
  const entitlements = plistAt(root, 'Entitlements');
  return {
    plist,
    kind: kindOf(root),
    ...known,
    teams: plistStrings(root, 'TeamIdentifier') ?? [],
    platforms: plistStrings(root, 'Platform') ?? [],
    ...(created === undefined ? {} : { created }),
    ...(expires === undefined ? {} : { expires }),
    ...(devices?.kind === 'array' ? { devices: devices.items.length } : {}),
    ...(entitlements === undefined ? {} : { entitlements }),
    developers: developersOf(root),
  };
}

function kindOf(root: PlistValue): ProvisioningProfile['kind'] {
  const isTrue = (...keys: readonly string[]): boolean => {
    const value = plistAt(root, ...keys);
    return value?.kind === 'boolean' && value.value;
  };
  if (isTrue('ProvisionsAllDevices')) return 'enterprise';
  if (plistAt(root, 'ProvisionedDevices') === undefined) return 'app-store';
  return isTrue('Entitlements', 'get-task-allow') ? 'development' : 'ad-hoc';
}

function date(root: PlistValue, key: string): number | undefined {
  const value = plistAt(root, key);
  return value?.kind === 'date' ? value.seconds : undefined;
}

function developersOf(root: PlistValue): ProvisioningProfile['developers'] {
  const list = plistAt(root, 'DeveloperCertificates');
  if (list?.kind !== 'array') return [];
  if (list.items.length > MAX_DEVELOPERS)
    fail('too-many-certificates', 0, `${list.items.length} certificates`);
  return list.items.flatMap((item) => {
    if (item.kind !== 'data') return [];
    const { sha256, subject } = readCertificate(item.value);
    return [{ sha256, subject }];
  });
}

function checkSignature(data: SignedData, content: Buffer): ProfileSignature {
  const { loose } = data;
  const without = (
    status: ProfileSignature['status'],
    issue: ProfileSignature['issue'],
    chain: readonly Certificate[] = [],
  ): ProfileSignature => ({ status, chain, loose, ...(issue === undefined ? {} : { issue }) });
  const [signer, ...others] = data.signers;
  if (signer === undefined || others.length > 0) return without('unread', 'signer-count');
  const certificates = data.certificates.map(readCertificate);
  const own = certificates.find((certificate) => isOf(signer, certificate));
  if (own === undefined) return without('unread', 'signer-unknown');
  const { signedAttributes: attributes, digest, algorithm } = signer;
  if (digest === undefined || algorithm === undefined || algorithm.key === 'dsa')
    return without('unread', 'algorithm', [own]);
  if (attributes === undefined || attributes.repeated || attributes.contentType !== DATA_OID)
    return without('invalid', 'attributes', [own]);
  if (attributes.messageDigest?.equals(createHash(digest).update(content).digest()) !== true)
    return without('invalid', 'digest', [own]);
  if (
    own.keyType !== algorithm.key ||
    !verify(algorithm.digest ?? digest, attributes.encoded, own.publicKey, signer.signature)
  )
    return without('invalid', 'signature', [own]);
  return { ...chainOf(own, certificates), loose };
}
