// SPDX-License-Identifier: Apache-2.0
/**
 * OpenPGP signatures, checked by `gpgv` against given keys and nothing else (RFC 9580; gnupg's doc/DETAILS, "General status
 * codes"). Its status lines decide, not its exit code: an archive signs with several keys, of which a machine may lack one.
 */
import { promises as fs } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { FailedHere } from '../errors.js';
import { makeOwnedDirectory, removeOwned } from '../owned-directory.js';
import { cleanEnvironment, run } from '../process.js';

export type SignatureCheck =
  /** At least one good signature and no bad one; primary key fingerprints, sorted. */
  | { readonly kind: 'good'; readonly signedBy: readonly string[] }
  | { readonly kind: 'bad' | 'unknown-key' | 'expired' | 'unsigned'; readonly detail: string };

interface One {
  good: boolean;
  valid: string | undefined;
  trouble: string | undefined;
}

/** Reads `--status-fd` lines; each signature begins with NEWSIG. */
export function readStatus(text: string): SignatureCheck {
  const signatures: One[] = [];
  const bad: string[] = [];
  for (const line of text.split('\n')) {
    const [prefix, keyword = '', ...words] = line.trim().split(' ');
    if (prefix !== '[GNUPG:]') continue;
    if (keyword === 'NEWSIG') signatures.push({ good: false, valid: undefined, trouble: undefined });
    const current = signatures.at(-1);
    if (current === undefined) {
      if (keyword === 'BADSIG' || keyword === 'ERRSIG' || keyword === 'GOODSIG') bad.push(keyword);
      continue;
    }
    if (keyword === 'GOODSIG') current.good = true;
    // the last word is the fingerprint of the primary key, the first one that of the signing key
    if (keyword === 'VALIDSIG') current.valid = words.at(-1);
    if (keyword === 'BADSIG') bad.push(`BADSIG ${words[0] ?? ''}`);
    if (['EXPSIG', 'EXPKEYSIG', 'REVKEYSIG', 'ERRSIG', 'NO_PUBKEY'].includes(keyword))
      current.trouble ??= `${keyword} ${words[0] ?? ''}`;
  }
  if (bad.length > 0) return { kind: 'bad', detail: bad.join(', ') };
  // an expired or revoked key still gives VALIDSIG: only GOODSIG together with it counts
  const signedBy = signatures.flatMap(({ good, valid, trouble }) =>
    good && valid !== undefined && trouble === undefined ? [valid] : [],
  );
  if (signedBy.length > 0) return { kind: 'good', signedBy: [...new Set(signedBy)].toSorted() };
  const troubles = signatures.flatMap(({ trouble }) => (trouble === undefined ? [] : [trouble]));
  if (troubles.length === 0) return { kind: 'unsigned', detail: 'no signature' };
  const detail = troubles.join(', ');
  return {
    kind: troubles.every((one) => /^(ERRSIG|NO_PUBKEY)/.test(one)) ? 'unknown-key' : 'expired',
    detail,
  };
}

async function inTemporary<T>(use: (directory: string) => Promise<T>): Promise<T> {
  const directory = await makeOwnedDirectory(os.tmpdir(), 'samesource-pgp-');
  try {
    return await use(directory);
  } finally {
    await removeOwned(directory);
  }
}

async function gpgv(
  keyring: string,
  home: string,
  args: readonly string[],
  signal?: AbortSignal,
): Promise<SignatureCheck> {
  const { ended, stdout, stderr, truncated } = await run(
    'gpgv',
    ['--status-fd', '1', '--weak-digest', 'SHA1', '--keyring', keyring, ...args],
    {
      ...(signal === undefined ? {} : { signal }),
      env: cleanEnvironment({ GNUPGHOME: home, HOME: home }),
    },
  );
  // its last words could be the ones that say BADSIG
  if (ended.kind !== 'exited' || truncated > 0)
    throw ended.kind === 'aborted'
      ? new FailedHere('interrupted', 'gpgv was interrupted')
      : new FailedHere('unreadable-input', `gpgv did not end well (${ended.kind}, ${truncated} bytes cut)`);
  const check = readStatus(stdout.toString('latin1'));
  // a keyring that cannot be read gives no status line but an error
  if (check.kind === 'unsigned' && /keyring|keyblock resource/i.test(stderr.toString('utf8')))
    throw new FailedHere('missing-tool', `gpgv cannot read the keyring ${keyring}`);
  return check;
}

const FRAME = /^-----BEGIN PGP SIGNED MESSAGE-----$/gm;

/** The text that the signatures cover, as `gpgv` gives it out, never as we would cut it. */
export async function verifyClearSigned(
  file: string,
  keyring: string,
  signal?: AbortSignal,
): Promise<{ readonly check: SignatureCheck; readonly text: string }> {
  const whole = await fs.readFile(file, 'latin1');
  const frames = whole.match(FRAME)?.length ?? 0;
  if (
    frames !== 1 ||
    !whole.startsWith('-----BEGIN PGP SIGNED MESSAGE-----\n') ||
    !/\n-----END PGP SIGNATURE-----\n*$/.test(whole)
  )
    return {
      check: { kind: 'unsigned', detail: `${frames} clear-signed texts, or text around them` },
      text: '',
    };
  return inTemporary(async (directory) => {
    const output = path.join(directory, 'text');
    const check = await gpgv(
      path.resolve(keyring),
      directory,
      ['--output', output, '--', path.resolve(file)],
      signal,
    );
    if (check.kind !== 'good') return { check, text: '' };
    return { check, text: await fs.readFile(output, 'utf8') };
  });
}

/** A detached signature over `data`, by the given public key only. */
export async function verifyDetached(
  data: Buffer,
  signature: Buffer,
  armouredKey: string,
  signal?: AbortSignal,
): Promise<SignatureCheck> {
  return withKeyring(armouredKey, (keyring) =>
    inTemporary(async (directory) => {
      const files = { data: path.join(directory, 'data'), signature: path.join(directory, 'data.sig') };
      await fs.writeFile(files.data, data);
      await fs.writeFile(files.signature, signature);
      return verifyDetachedFile(files.data, files.signature, keyring, signal);
    }),
  );
}

/** A detached signature, armoured or not, over a file. */
export async function verifyDetachedFile(
  data: string,
  signature: string,
  keyring: string,
  signal?: AbortSignal,
): Promise<SignatureCheck> {
  return inTemporary((home) =>
    gpgv(path.resolve(keyring), home, ['--', path.resolve(signature), path.resolve(data)], signal),
  );
}

/** An armoured public key as a keyring file, while it is used. */
export async function withKeyring<T>(armoured: string, use: (keyring: string) => Promise<T>): Promise<T> {
  return inTemporary(async (directory) => {
    const keyring = path.join(directory, 'key.gpg');
    await fs.writeFile(keyring, dearmoured(armoured));
    return await use(keyring);
  });
}

/** RFC 9580, section 6.2: base64 between header lines and an optional checksum; `gpgv` reads keyrings only without armour. */
export function dearmoured(text: string): Buffer {
  const match =
    /-----BEGIN PGP PUBLIC KEY BLOCK-----\r?\n(?:[^\n]*: [^\n]*\n)*\r?\n([A-Za-z0-9+/=\s]+?)(?:\r?\n=[A-Za-z0-9+/]{4})?\s*\r?\n-----END PGP PUBLIC KEY BLOCK-----/.exec(
      text,
    );
  if (match === null)
    throw new FailedHere('unreadable-input', 'a key of the recipe is not an armoured OpenPGP public key');
  return Buffer.from(match[1] ?? '', 'base64');
}
