// SPDX-License-Identifier: Apache-2.0
/** Which machine is reached over SSH, as whom, and the key that it must show. */
import { UsageError } from '../../errors.js';

export interface SshHost {
  readonly user: string;
  readonly host: string;
  readonly port: number;
  /** Without one: the known_hosts of the user who runs this. */
  readonly key?: HostKey;
  /** A file with the private key; without it what ssh finds by itself. */
  readonly identity?: string;
}

export type HostKey =
  | { readonly kind: 'fingerprint'; readonly sha256: string }
  | { readonly kind: 'known-hosts'; readonly file: string };

/** Neither begins like an option, and both are one word to every shell. */
const USER = /^[A-Za-z_][A-Za-z0-9._-]{0,63}$/;
const HOST = /^(?:[A-Za-z0-9][A-Za-z0-9._-]{0,252}|\[[0-9A-Fa-f:.]{2,45}(?:%[A-Za-z0-9]+)?\])$/;
/** As `ssh-keygen -l` prints it: SHA-256 in base64 without padding. */
const FINGERPRINT = /^SHA256:([A-Za-z0-9+/]{43})=?$/;

/** @throws UsageError `bad-host`, `bad-host-key` */
export function parseSshHost(
  address: string,
  more: { readonly key?: string; readonly identity?: string } = {},
): SshHost {
  const [, user = '', host = '', portText = '22'] = /^([^@]*)@(.+?)(?::(\d{1,5}))?$/.exec(address) ?? [];
  const port = Number(portText);
  if (!USER.test(user) || !HOST.test(host) || port < 1 || port > 65_535)
    throw new UsageError('bad-host', `${JSON.stringify(address)} is no account on a machine`, {
      hint: 'write it as user@name, or user@name:port',
    });
  return {
    user,
    host: host.replace(/^\[|\]$/g, ''),
    port,
    ...(more.key === undefined ? {} : { key: hostKeyOf(more.key) }),
    ...(more.identity === undefined ? {} : { identity: more.identity }),
  };
}

function hostKeyOf(text: string): HostKey {
  const [, sha256] = FINGERPRINT.exec(text) ?? [];
  if (sha256 !== undefined) return { kind: 'fingerprint', sha256 };
  if (/^[A-Z0-9]+:/.test(text))
    throw new UsageError('bad-host-key', `${JSON.stringify(text)} is no fingerprint with SHA-256`, {
      hint: 'what `ssh-keygen -lf` prints of the machine’s public key: SHA256:…; or a file as known_hosts',
    });
  return { kind: 'known-hosts', file: text };
}
