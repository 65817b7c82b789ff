// SPDX-License-Identifier: Apache-2.0
/**
 * A signed note: a text and, below it, signatures by named keys. The text says nothing until a key that was known
 * before has signed it. https://c2sp.org/signed-note
 */
import { createHash, createPublicKey, verify, type KeyObject } from 'node:crypto';
import { FormatError } from '../errors.js';

export interface NoteKey {
  readonly name: string;
  /** Eight hex digits: which key, not proof of it. */
  readonly id: string;
  readonly algorithm: 'ed25519' | 'ecdsa-sha256';
  readonly publicKey: KeyObject;
}

export interface NoteSignature {
  readonly name: string;
  readonly keyId: string;
  readonly signature: Buffer;
}

export interface SignedNote {
  /** With its last newline: the bytes that are signed. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

const FORMAT = 'signed-note';
/** Sixteen post-quantum signatures are 80 kB. */
export const MAX_NOTE = 1 << 20;
const MAX_SIGNATURES = 100;
/** Signature types of the specification. */
const ED25519 = 1;
const ECDSA = 2;
const NAME = /^[^\s+]+$/u;
/** All but newline below U+0020. */
// oxlint-disable-next-line no-control-regex
const CONTROL = /[\0-\x09\x0b-\x1f]/;

function fail(code: string, offset: number, message: string): never {
  throw new FormatError(FORMAT, code, offset, message);
}

/** The one way in which standard base64 writes these bytes; nothing otherwise. */
export function strictBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}

const idOf = (...parts: readonly (string | Buffer)[]): string => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex').slice(0, 8);
};

/**
 * `<name>+<id>+<base64 of type and key>`, as operators of logs publish it. For ECDSA the key is an SPKI.
 * @throws FormatError `signed-note/key-…`
 */
export function readNoteKey(text: string): NoteKey {
  const [name = '', id = '', encoded = '', ...rest] = text.split('+');
  // base64 has the plus sign as well
  const key = strictBase64([encoded, ...rest].join('+'));
  if (!NAME.test(name) || !/^[0-9a-f]{8}$/.test(id) || key === undefined || key.length < 2)
    fail('key-form', 0, 'expected <name>+<8 hex digits>+<base64>');
  const [type] = key;
  const material = key.subarray(1);
  const expected = type === ECDSA ? idOf(material) : idOf(name, '\n', key);
  if (id !== expected) fail('key-id', 0, `the key says that its id is ${id}, by its bytes it is ${expected}`);
  return { name, id, ...publicKeyOf(type, material) };
}

function publicKeyOf(type: number | undefined, material: Buffer): Pick<NoteKey, 'algorithm' | 'publicKey'> {
  try {
    if (type === ED25519 && material.length === 32) {
      const jwk = { kty: 'OKP', crv: 'Ed25519', x: material.toString('base64url') };
      return { algorithm: 'ed25519', publicKey: createPublicKey({ key: jwk, format: 'jwk' }) };
    }
    if (type === ECDSA) {
      const publicKey = createPublicKey({ key: material, format: 'der', type: 'spki' });
      if (publicKey.asymmetricKeyType === 'ec') return { algorithm: 'ecdsa-sha256', publicKey };
    }
  } catch (cause) {
    throw new FormatError(FORMAT, 'key-bytes', 0, 'no public key of its type', { cause });
  }
  return fail('key-type', 0, `expected an Ed25519 key (1) or an ECDSA key (2), got type ${type ?? 'none'}`);
}

/** @throws FormatError `signed-note/…` */
export function readSignedNote(bytes: Buffer): SignedNote {
  if (bytes.length > MAX_NOTE) fail('too-large', 0, `${bytes.length} bytes, at most ${MAX_NOTE}`);
  let note: string;
  try {
    note = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new FormatError(FORMAT, 'utf-8', 0, 'no valid UTF-8', { cause });
  }
  const control = note.search(CONTROL);
  if (control >= 0) fail('control-character', control, 'a control character other than newline');
  const split = note.lastIndexOf('\n\n');
  if (split < 0) fail('no-signatures', 0, 'no blank line between text and signatures');
  if (!note.endsWith('\n')) fail('end', note.length, 'the last line does not end');
  const lines = note.slice(split + 2, -1).split('\n');
  if (lines.length > MAX_SIGNATURES)
    fail('too-many-signatures', split, `${lines.length} signatures, at most ${MAX_SIGNATURES}`);
  let offset = split + 2;
  const signatures = lines.map((line) => {
    const signature = readSignature(line, offset);
    offset += line.length + 1;
    return signature;
  });
  return { text: note.slice(0, split + 1), signatures };
}

function readSignature(line: string, offset: number): NoteSignature {
  const [dash, name = '', encoded = '', ...rest] = line.split(' ');
  const bytes = strictBase64(encoded);
  if (dash !== '\u2014' || !NAME.test(name) || rest.length > 0 || bytes === undefined || bytes.length < 5)
    fail('signature-line', offset, 'expected a dash, a key name and a signature in base64');
  return { name, keyId: bytes.toString('hex', 0, 4), signature: bytes.subarray(4) };
}

/**
 * Signatures by other keys say nothing, as the specification demands; one that claims this key must hold.
 * @throws FormatError `signed-note/not-signed-by-key`, `signed-note/bad-signature`
 */
export function assertSignedBy(note: SignedNote, key: NoteKey): void {
  const claimed = note.signatures.filter(({ name, keyId }) => name === key.name && keyId === key.id);
  if (claimed.length === 0)
    fail(
      'not-signed-by-key',
      0,
      `expected a signature by ${key.name}+${key.id}, got ${note.signatures
        .slice(0, 5)
        .map(({ name, keyId }) => `${name}+${keyId}`)
        .join(', ')}`,
    );
  const text = Buffer.from(note.text, 'utf8');
  const digest = key.algorithm === 'ed25519' ? null : 'sha256';
  for (const { signature } of claimed)
    if (!verify(digest, text, key.publicKey, signature))
      fail('bad-signature', 0, `the signature by ${key.name}+${key.id} does not hold`);
}
