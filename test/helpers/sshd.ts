// SPDX-License-Identifier: Apache-2.0
/** A real SSH server on this machine, as a process of the test: a port, a host key and a list of keys of its own. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, connect, type AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';
import type { SshHost } from '../../src/build/ssh/ssh-host.js';
import { temporaryDirectory } from './temp-directory.js';

export interface Sshd {
  readonly host: SshHost;
  readonly fingerprint: string;
  readonly directory: string;
  /** Kills every connection that is open now, as a network that goes away does. */
  readonly drop: () => void;
}

/** More lines of sshd_config, in which `{directory}` is a directory of the test. */
export async function startSshd(t: ExecutionContext, ...config: readonly string[]): Promise<Sshd> {
  const directory = temporaryDirectory(t);
  for (const name of ['host', 'user', 'stranger'])
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', '', '-f', path.join(directory, name)]);
  writeFileSync(path.join(directory, 'authorized'), readFileSync(path.join(directory, 'user.pub')), {
    mode: 0o600,
  });
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true });
  const port = await freePort();
  const file = path.join(directory, 'sshd_config');
  writeFileSync(
    file,
    [
      `Port ${port}`,
      'ListenAddress 127.0.0.1',
      `HostKey ${path.join(directory, 'host')}`,
      `AuthorizedKeysFile ${path.join(directory, 'authorized')}`,
      'PidFile none',
      'UsePAM no',
      'StrictModes no',
      'PasswordAuthentication no',
      'PermitRootLogin prohibit-password',
      'MaxStartups 100',
      ...config.map((line) => line.replaceAll('{directory}', directory)),
      '',
    ].join('\n'),
  );
  const server = spawn(programPath('sshd'), ['-D', '-e', '-f', file], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  t.teardown(() => void server.kill('SIGKILL'));
  await listening(server, port);
  const [, blob = ''] = readFileSync(path.join(directory, 'host.pub'), 'utf8').split(' ');
  const sha256 = createHash('sha256').update(Buffer.from(blob, 'base64')).digest('base64').replace(/=+$/, '');
  return {
    host: {
      user: os.userInfo().username,
      host: '127.0.0.1',
      port,
      key: { kind: 'fingerprint', sha256 },
      identity: path.join(directory, 'user'),
    },
    fingerprint: `SHA256:${sha256}`,
    directory,
    drop: () => {
      for (const pid of childrenOf(server.pid ?? -1)) process.kill(pid, 'SIGKILL');
    },
  };
}

/** A program for the server to find first; `SetEnv PATH={directory}/bin:…` in its configuration. */
export function serverProgram({ directory }: Pick<Sshd, 'directory'>, name: string, text: string): void {
  mkdirSync(path.join(directory, 'bin'), { recursive: true });
  writeFileSync(path.join(directory, 'bin', name), text);
  chmodSync(path.join(directory, 'bin', name), 0o755);
}

/** sshd asks to be started by its whole path. */
function programPath(name: string): string {
  const found = (process.env['PATH'] ?? '').split(':').map((place) => path.join(place, name));
  return found.find((file) => existsSync(file)) ?? name;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function listening(server: ChildProcess, port: number): Promise<void> {
  let said = '';
  server.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()));
  for (let tries = 0; tries < 200; tries++) {
    if (server.exitCode !== null) break;
    const up = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.destroy();
        resolve(true);
      });
      socket.on('error', () => resolve(false));
    });
    if (up) return;
    await sleep(50);
  }
  throw new Error(`sshd does not listen: ${said}`);
}

function childrenOf(parent: number): readonly number[] {
  return readdirSync('/proc').flatMap((pid) => {
    try {
      const stat = readFileSync(path.join('/proc', pid, 'stat'), 'utf8');
      return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === parent ? [Number(pid)] : [];
    } catch {
      return [];
    }
  });
}
