// SPDX-License-Identifier: Apache-2.0
/** The machine that a build runs on when it is not this one. */
import type { ExecutorKind } from '../build/executor.js';
import { parseSshHost, type SshHost } from '../build/ssh/ssh-host.js';
import { UsageError } from '../errors.js';

export interface RemoteRequest {
  readonly engine?: ExecutorKind;
  /** `user@name` or `user@name:port`; asks for the engine `ssh`. */
  readonly host?: string;
  /** SHA256:… or a file as known_hosts; default: what the user's own ssh knows. */
  readonly hostKey?: string;
  /** A file with a private key. */
  readonly identity?: string;
}

/** Naming a machine asks for the engine that reaches it. */
export function engineOf({ engine, host }: RemoteRequest): { readonly engine?: ExecutorKind } {
  if (host !== undefined) return { engine: 'ssh' };
  return engine === undefined ? {} : { engine };
}

/** @throws UsageError `bad-host`, `bad-host-key`, `ssh-without-host`, `host-without-ssh` */
export function remoteOf({ engine, host, hostKey, identity }: RemoteRequest): SshHost | undefined {
  if (host === undefined) {
    if (engine === 'ssh' || hostKey !== undefined || identity !== undefined)
      throw new UsageError('ssh-without-host', 'no machine is named that SSH could reach', {
        hint: '--host user@name, and the key that it must show: --host-key SHA256:…',
      });
    return undefined;
  }
  if (engine !== undefined && engine !== 'ssh')
    throw new UsageError('host-without-ssh', `the engine ${engine} runs on this machine, not on ${host}`, {
      hint: 'leave --engine out, or name --engine ssh',
    });
  return parseSshHost(host, {
    ...(hostKey === undefined ? {} : { key: hostKey }),
    ...(identity === undefined ? {} : { identity }),
  });
}
