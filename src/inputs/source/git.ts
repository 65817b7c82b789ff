// SPDX-License-Identifier: Apache-2.0
/**
 * git through its command line, as over hostile repositories: no system or user configuration, no hooks, no prompts, no
 * transport that runs commands, no argument that can be taken for an option (git(1), "Security").
 */
import { FailedHere } from '../../errors.js';
import { cleanEnvironment, run, type RunResult } from '../../process.js';

export interface GitOptions {
  readonly cwd?: string;
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number;
  /** Fixed author and date, for commits of our own. */
  readonly env?: Readonly<Record<string, string>>;
  readonly captureBytes?: number;
}

const SAFE: readonly string[] = [
  'core.hooksPath=/dev/null',
  'core.fsmonitor=false',
  'core.askPass=',
  'credential.helper=',
  'protocol.allow=never',
  'protocol.https.allow=always',
  'protocol.http.allow=always',
  'protocol.file.allow=always',
  'protocol.ext.allow=never',
  'transfer.fsckObjects=true',
  'submodule.recurse=false',
  'gc.auto=0',
  'advice.detachedHead=false',
  'init.defaultBranch=main',
  'filter.lfs.smudge=cat',
  'filter.lfs.process=',
  'filter.lfs.required=false',
].flatMap((setting) => ['-c', setting]);

const HOUR = 3_600_000;

export async function git(args: readonly string[], options: GitOptions = {}): Promise<RunResult> {
  return await run('git', [...SAFE, ...args], {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    timeoutMs: options.timeoutMs ?? HOUR,
    captureBytes: options.captureBytes ?? 64 << 20,
    env: cleanEnvironment({
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_CONFIG_SYSTEM: '/dev/null',
      GIT_TERMINAL_PROMPT: '0',
      GIT_ASKPASS: '/bin/false',
      SSH_ASKPASS: '/bin/false',
      GIT_NO_REPLACE_OBJECTS: '1',
      GIT_ATTR_NOSYSTEM: '1',
      ...options.env,
    }),
  });
}

/** Why git failed, as far as it decides whose fault it was. */
export type GitFailure =
  | { readonly kind: 'not-found'; readonly said: string }
  | { readonly kind: 'network'; readonly said: string }
  | { readonly kind: 'other'; readonly said: string };

const NETWORK =
  /could not resolve host|couldn't connect|connection (refused|reset|timed out)|failed to connect|network is unreachable|operation timed out|early eof|the remote end hung up|ssl|tls|gnutls|http2? (?:stream|error)|returned error: (?:429|5\d\d)/i;
/** A hosting service asks for a name where there is no public repository. */
const NOT_FOUND =
  /repository (?:'[^']*' )?(?:not found|does not exist)|does not appear to be a git repository|returned error: (?:404|410)|remote branch .* not found|couldn't find remote ref|not our ref|could not read username/i;

export function gitFailure(result: RunResult): GitFailure {
  const lines = result.stderr.toString('utf8').trim().split('\n');
  // after its reason git may give advice, which takes the last lines
  const reasons = lines.filter((line) => /^(?:fatal|error):/.test(line));
  const said = (reasons.length > 0 ? reasons : lines).slice(-3).join(' | ').slice(0, 500);
  if (NOT_FOUND.test(said)) return { kind: 'not-found', said };
  if (NETWORK.test(said)) return { kind: 'network', said };
  return { kind: 'other', said };
}

export function succeeded({ ended }: RunResult): boolean {
  return ended.kind === 'exited' && ended.code === 0;
}

/**
 * As `git`; the standard output of a success.
 * @throws FailedHere `network`, `interrupted`, `time-limit`, `unreadable-input`
 */
export async function gitChecked(args: readonly string[], options: GitOptions = {}): Promise<string> {
  const result = await git(args, options);
  if (succeeded(result)) return result.stdout.toString('utf8');
  throw gitError(args, result);
}

export function gitError(args: readonly string[], result: RunResult): FailedHere {
  if (result.ended.kind === 'aborted') return new FailedHere('interrupted', `git ${args[0]} was interrupted`);
  if (result.ended.kind === 'timed-out')
    return new FailedHere('time-limit', `git ${args[0]} took longer than ${result.ended.afterMs} ms`);
  const { kind, said } = gitFailure(result);
  if (kind === 'network')
    return new FailedHere('network', `the repository could not be reached: ${said}`, {
      hint: 'check the network, or hand the source over with --source DIR',
    });
  if (/no space left/i.test(said))
    return new FailedHere('disk-full', `git ${args[0]}: ${said}`, { hint: 'free some space' });
  return new FailedHere('unreadable-input', `git ${args[0]} failed: ${said || 'without a word'}`);
}

const COMMIT = /^[0-9a-f]{40}(?:[0-9a-f]{24})?$/;

export function isCommitId(text: string): boolean {
  return COMMIT.test(text);
}

/** A name that git-check-ref-format(1) allows and that cannot be an option or a range. */
export function isPlainRef(name: string): boolean {
  return /^[A-Za-z0-9_][A-Za-z0-9._+@/-]*$/.test(name) && !/\.\.|@\{|\/\/|\.lock$|\/$/.test(name);
}

/** An address or path that cannot be an option, a command or a scp-like form. */
export function isRepositoryAddress(address: string): boolean {
  return /^(https?|file):\/\/[^\s]+$/.test(address) || /^\/[^\0]*$/.test(address);
}
