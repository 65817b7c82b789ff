// SPDX-License-Identifier: Apache-2.0
/** The file that says which key the machine must show (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT). Nothing is trusted on first use. */
import { createHash } from 'node:crypto';
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { FailedHere } from '../../errors.js';
import { run } from '../../process.js';
import type { SshHost } from './ssh-host.js';

/** Under this name the key of the machine stands in a file of ours. */
const ALIAS = 'samesource-host';

/**
 * Options of ssh that pin the key. A fingerprint names a key that ssh must be given whole: the machine is asked for its
 * keys, and only the one with that fingerprint is written down.
 * @throws FailedHere `host-key`, `network`, `unreadable-input`
 */
export async function pinnedKey(
  host: SshHost,
  directory: string,
  signal?: AbortSignal,
): Promise<readonly string[]> {
  if (host.key === undefined) return [];
  const own = ['-o', 'GlobalKnownHostsFile=/dev/null', '-o', 'KnownHostsCommand=none'];
  if (host.key.kind === 'known-hosts') {
    const file = path.resolve(host.key.file);
    await fs.access(file, fs.constants.R_OK).catch((cause: unknown) => {
      throw new FailedHere('unreadable-input', `the file with the machine’s key cannot be read: ${file}`, {
        cause,
      });
    });
    return [...own, '-o', `UserKnownHostsFile=${quotedPath(file)}`];
  }
  const file = path.join(directory, 'known_hosts');
  const key = await keyWith(host.key.sha256, host, signal);
  await fs.writeFile(file, `${ALIAS} ${key}\n`, { mode: 0o600 });
  return [...own, '-o', `HostKeyAlias=${ALIAS}`, '-o', `UserKnownHostsFile=${quotedPath(file)}`];
}

/** ssh takes several files there, with spaces between them, and knows a few percent tokens. */
const quotedPath = (file: string): string => `"${file.replaceAll('%', '%%')}"`;

async function keyWith(
  sha256: string,
  { host, port }: SshHost,
  signal: AbortSignal | undefined,
): Promise<string> {
  const { ended, stdout } = await run('ssh-keyscan', ['-T', '20', '-p', String(port), '--', host], {
    timeoutMs: 60_000,
    captureBytes: 1 << 16,
    ...(signal === undefined ? {} : { signal }),
  });
  if (ended.kind === 'aborted')
    throw new FailedHere('interrupted', 'interrupted while asking for the machine’s key');
  const keys = stdout
    .toString('latin1')
    .split('\n')
    .flatMap((line) => {
      const [, type, blob] = /^[^#\s]\S* ([a-z0-9@.-]+) ([A-Za-z0-9+/]+={0,2})$/.exec(line) ?? [];
      return type === undefined || blob === undefined ? [] : [{ type, blob }];
    });
  if (keys.length === 0)
    throw new FailedHere('network', 'the machine could not be asked for its key', {
      hint: 'check the address and the port; behind another machine, hand over its key as a known_hosts file',
    });
  const found = keys.find(({ blob }) => fingerprintOf(blob) === sha256);
  if (found === undefined)
    throw new FailedHere(
      'host-key',
      `the machine has no key with the fingerprint SHA256:${sha256}; it shows ${keys.map(({ type, blob }) => `${type} SHA256:${fingerprintOf(blob)}`).join(', ')}`,
      {
        hint: 'it is another machine, or somebody between; ask whoever runs it for the fingerprint of its key',
      },
    );
  return `${found.type} ${found.blob}`;
}

const fingerprintOf = (blob: string): string =>
  createHash('sha256').update(Buffer.from(blob, 'base64')).digest('base64').replace(/=+$/, '');
