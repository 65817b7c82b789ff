// SPDX-License-Identifier: Apache-2.0
/**
 * The system's ssh, told to ask nobody, trust no key that was not named, and hand on nothing of ours. What the other
 * machine says is hostile: bounded, and shown only escaped and without the names of machine and account.
 */
import { promises as fs } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { FailedHere } from '../../errors.js';
import { printable } from '../../printable.js';
import { cleanEnvironment, filter, run, type RunResult } from '../../process.js';
import { remoteScript, type RemoteValues } from './remote-script.js';
import type { SshHost } from './ssh-host.js';

/** First come, first served: nothing of a user's ssh_config turns one of these around. */
const OPTIONS = [
  'BatchMode=yes',
  'StrictHostKeyChecking=yes',
  'UpdateHostKeys=no',
  'VerifyHostKeyDNS=no',
  'PasswordAuthentication=no',
  'KbdInteractiveAuthentication=no',
  'GSSAPIDelegateCredentials=no',
  'ForwardAgent=no',
  'ForwardX11=no',
  'ClearAllForwardings=yes',
  'PermitLocalCommand=no',
  'RemoteCommand=none',
  'RequestTTY=no',
  'ControlMaster=no',
  'ControlPath=none',
  'Tunnel=no',
  'LogLevel=ERROR',
  'ServerAliveInterval=15',
  'ServerAliveCountMax=4',
];

/** ssh's own exit code when the connection was not made or broke off. */
const BROKEN = 255;
const QUICK_MS = 10 * 60_000;
const TRIES = 6;

export interface SshAnswer {
  readonly code: number;
  readonly stdout: string;
}

interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number;
  readonly captureBytes?: number;
  /** How often a broken connection is made again. */
  readonly tries?: number;
}

export class SshClient {
  readonly #host: SshHost;
  readonly #run: string;
  readonly #arguments: readonly string[];
  readonly onBroken: (why: string) => void;

  /** `name`: of the run. `pinned`: options that say which key the machine must show. */
  constructor(
    host: SshHost,
    name: string,
    pinned: readonly string[],
    options: { readonly connectSeconds?: number; readonly onBroken?: (why: string) => void } = {},
  ) {
    this.#host = host;
    this.#run = name;
    this.onBroken = options.onBroken ?? (() => undefined);
    this.#arguments = [
      ...pinned,
      ...[...OPTIONS, `ConnectTimeout=${options.connectSeconds ?? 20}`].flatMap((option) => ['-o', option]),
      ...(host.identity === undefined ? [] : ['-o', 'IdentitiesOnly=yes', '-i', host.identity]),
      '-T',
      '-p',
      String(host.port),
      '-l',
      host.user,
      '--',
      host.host,
    ];
  }

  /** The words of an ssh call that runs `command`, which is made of words that every login shell takes as they are. */
  command(...command: readonly string[]): readonly string[] {
    return [...this.#arguments, ...command];
  }

  environment(): Record<string, string> {
    const agent = process.env['SSH_AUTH_SOCK'];
    return cleanEnvironment(agent === undefined ? {} : { SSH_AUTH_SOCK: agent });
  }

  /** What `/bin/sh` reads. */
  script(values: RemoteValues, body: string): string {
    return remoteScript(this.#run, values, body);
  }

  /**
   * Runs a script to its end. Every script may run twice: a connection that breaks is made again.
   * @throws FailedHere `network`, `host-key`, `login-refused`, `interrupted`, `time-limit`
   */
  async call(values: RemoteValues, body: string, options: CallOptions = {}): Promise<SshAnswer> {
    return await this.again(options, async () => {
      const result = await run('ssh', this.command('/bin/sh'), {
        env: this.environment(),
        input: this.script(values, body),
        timeoutMs: options.timeoutMs ?? QUICK_MS,
        captureBytes: options.captureBytes ?? 1 << 16,
        ...(options.signal === undefined ? {} : { signal: options.signal }),
      });
      const code = this.codeOf(result);
      if (result.truncated > 0)
        throw new FailedHere('transfer-damaged', 'the machine says more than it was asked');
      return { code, stdout: result.stdout.toString('utf8') };
    });
  }

  /** As `call`; anything but exit code 0 is the machine's failure, with what it said. */
  async checked(
    what: string,
    values: RemoteValues,
    body: string,
    options: CallOptions = {},
  ): Promise<string> {
    const { code, stdout } = await this.call(values, `{\n${body}\n} 2>&1`, options);
    if (code === 0) return stdout;
    const said = this.shown(stdout.trim().split('\n').at(-1) ?? '');
    if (/no space left on device|disk quota exceeded/i.test(stdout))
      throw new FailedHere('disk-full', `the disk of the remote machine is full (${what}): ${said}`);
    throw new FailedHere('engine-died', `the remote machine could not ${what} (exit code ${code}): ${said}`);
  }

  /** Standard output of a script into a file, no more than `maxBytes` of it. Its size and digest are for the caller to check. */
  async download(
    values: RemoteValues,
    body: string,
    file: string,
    maxBytes: number,
    signal?: AbortSignal,
  ): Promise<void> {
    await this.again({ signal }, async () => {
      const handle = await fs.open(file, 'w', 0o600);
      try {
        const end = await filter(
          'ssh',
          this.command('/bin/sh'),
          [Buffer.from(this.script(values, body))],
          async (chunk) => void (await handle.write(chunk)),
          { env: this.environment(), maxBytes, ...(signal === undefined ? {} : { signal }) },
        );
        if (end.kind === 'too-much')
          throw new FailedHere('transfer-damaged', `the remote machine sends more than ${maxBytes} bytes`);
        // a script that ends badly and a connection that breaks look alike here; both are tried again
        if (end.kind === 'failed') throw new Broken(this.shown(end.detail));
      } catch (error) {
        if (signal?.aborted === true)
          throw new FailedHere('interrupted', 'interrupted while a file came back', { cause: error });
        throw error;
      } finally {
        await handle.close();
      }
    });
  }

  /** Runs it until the connection holds to the end. */
  async again<T>(
    { tries = TRIES, signal }: Pick<CallOptions, 'tries' | 'signal'>,
    work: () => Promise<T>,
  ): Promise<T> {
    for (let attempt = 1; ; attempt++)
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof Broken)) throw error;
        if (attempt >= tries)
          throw new FailedHere('network', `the remote machine cannot be reached: ${error.message}`, {
            cause: error,
            hint: 'check the address, and that its SSH server runs',
          });
        this.onBroken(error.message);
        await pause(Math.min(30_000, 500 * 2 ** attempt), signal);
      }
  }

  /** The exit code of the script. @throws Broken, FailedHere */
  codeOf({ ended, stderr }: RunResult): number {
    if (ended.kind === 'aborted')
      throw new FailedHere('interrupted', 'interrupted while the remote machine was asked');
    if (ended.kind === 'timed-out')
      throw new FailedHere('time-limit', `the remote machine did not answer within ${ended.afterMs} ms`);
    if (ended.kind === 'exited' && ended.code !== BROKEN) return ended.code;
    const text = stderr.toString('utf8');
    const said = this.shown(text.trim().split('\n').at(-1) ?? '');
    if (/host key verification failed|host identification has changed|no .*host key is known/i.test(text))
      throw new FailedHere(
        'host-key',
        `the key of the remote machine is not the one that it must show: ${said}`,
        {
          hint: 'name its key: --host-key SHA256:… or a known_hosts file; no key is trusted because it was seen first',
        },
      );
    if (/permission denied|too many authentication failures/i.test(text))
      throw new FailedHere('login-refused', `the remote machine lets nobody in: ${said}`, {
        hint: 'a key without passphrase (--identity FILE) or an agent; passwords are not asked for',
      });
    throw new Broken(said === '' ? 'the connection broke off' : said);
  }

  /** Without the names of machine and account, which enter no record. */
  shown(text: string): string {
    const { host, user } = this.#host;
    const plain = text.replaceAll(host, '<host>').replaceAll(`${user}@`, '<user>@');
    return printable(plain).slice(0, 500);
  }
}

/** The connection was not made or broke off; what runs on the other machine goes on. */
export class Broken extends Error {
  static {
    this.prototype.name = 'Broken';
  }
}

export async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  await sleep(ms, undefined, signal === undefined ? {} : { signal }).catch(() => {
    throw new FailedHere('interrupted', 'interrupted while waiting for the remote machine');
  });
}
