// SPDX-License-Identifier: Apache-2.0
/** A throw-away OpenPGP key in a home of its own; its agent ends with the test. */
import { execFileSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { ExecutionContext } from 'ava';
import { temporaryDirectory } from './temp-directory.js';

export interface TestKey {
  readonly fingerprint: string;
  /** Binary public keyring file, as `gpgv` reads it. */
  readonly keyring: string;
  /** Armoured public key. */
  readonly armoured: string;
  clearSign(text: string): string;
  detached(data: Buffer | string): Buffer;
  /** Environment for other programs that sign with this key. */
  readonly env: Readonly<Record<string, string>>;
}

export function testKey(t: ExecutionContext, options: { readonly expire?: string } = {}): TestKey {
  const home = temporaryDirectory(t);
  chmodSync(home, 0o700);
  const env = { PATH: process.env['PATH'] ?? '', GNUPGHOME: home, LC_ALL: 'C' };
  const gpg = (args: readonly string[], input?: string | Buffer): Buffer =>
    execFileSync(
      'gpg',
      ['--batch', '--quiet', '--no-tty', '--passphrase', '', '--pinentry-mode', 'loopback', ...args],
      {
        env,
        stdio: ['pipe', 'pipe', 'ignore'],
        ...(input === undefined ? {} : { input }),
      },
    );
  t.teardown(() => execFileSync('gpgconf', ['--homedir', home, '--kill', 'all'], { env }));
  // a key that has expired by now: made, used on the next day, and expired in the past
  const at = (day: number): readonly string[] =>
    options.expire === undefined ? [] : ['--faked-system-time', `2020010${day}T000000`];
  gpg([...at(1), '--quick-gen-key', 'Test <test@example.invalid>', 'ed25519', 'sign', options.expire ?? '0']);
  const keyring = path.join(home, 'public.gpg');
  writeFileSync(keyring, gpg(['--export']));
  const listing = gpg(['--list-keys', '--with-colons']).toString();
  const fingerprint = /^fpr:+([0-9A-F]{40}):/m.exec(listing)?.[1] ?? '';
  return {
    fingerprint,
    keyring,
    armoured: gpg(['--armor', '--export']).toString(),
    clearSign: (text) => gpg([...at(2), '--clearsign', '--digest-algo', 'SHA256'], text).toString(),
    detached: (data) => gpg([...at(2), '--detach-sign'], data),
    env,
  };
}
