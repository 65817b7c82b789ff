// SPDX-License-Identifier: Apache-2.0
/** What a container's files say about it, read without running anything in it. */
import type { EnvironmentRecord } from '../model.js';
import type { Engine } from './engine.js';
import type { TarOwner } from './tar-write.js';

const MAX_PASSWD = 1 << 20;
const MAX_STATUS = 64 << 20;

export interface Account extends TarOwner {
  readonly home: string;
}

/** First ids that `useradd` gives: those of an account which the prepare phase will make. */
const FIRST_ACCOUNT = { uid: 1000, gid: 1000 };

/** passwd(5): name:password:uid:gid:comment:home:shell */
export function accountIn(passwd: string, user: string): Account {
  const [name = '', group] = user.split(':');
  const fields = passwd
    .split('\n')
    .map((line) => line.split(':'))
    .find((line) => line[0] === name || line[2] === name);
  const number = /^\d+$/.test(name) ? { uid: Number(name), gid: 0 } : FIRST_ACCOUNT;
  const own =
    name === 'root' && fields === undefined
      ? { uid: 0, gid: 0 }
      : fields === undefined
        ? number
        : { uid: Number(fields[2]), gid: Number(fields[3]) };
  return {
    uid: own.uid,
    gid: group !== undefined && /^\d+$/.test(group) ? Number(group) : own.gid,
    home: fields?.[5] ?? (own.uid === 0 ? '/root' : '/'),
  };
}

async function textOf(engine: Engine, name: string, path: string, maxBytes: number): Promise<string> {
  const taken = await engine.copyOut(name, path, { maxBytes });
  return taken === undefined || 'refused' in taken ? '' : taken.text;
}

/** The text of passwd(5), for `accountIn`; empty when there is none. */
export const passwdOf = (engine: Engine, container: string): Promise<string> =>
  textOf(engine, container, '/etc/passwd', MAX_PASSWD);

export async function packagesOf(engine: Engine, container: string): Promise<EnvironmentRecord['packages']> {
  return installedPackages(await textOf(engine, container, '/var/lib/dpkg/status', MAX_STATUS));
}

/** dpkg's own list (what `dpkg-query -W` prints), sorted by name and architecture. */
export function installedPackages(status: string): EnvironmentRecord['packages'] {
  const field = (stanza: string, name: string): string =>
    new RegExp(`^${name}: (.*)$`, 'm').exec(stanza)?.[1]?.trim() ?? '';
  return status
    .split(/\n\n+/)
    .filter((stanza) => /^Status: \S+ \S+ installed$/m.test(stanza))
    .map((stanza) => ({
      name: field(stanza, 'Package'),
      version: field(stanza, 'Version'),
      architecture: field(stanza, 'Architecture'),
    }))
    .sort((one, other) =>
      one.name === other.name
        ? one.architecture < other.architecture
          ? -1
          : 1
        : one.name < other.name
          ? -1
          : 1,
    );
}
