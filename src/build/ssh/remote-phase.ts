// SPDX-License-Identifier: Apache-2.0
/**
 * One phase on the other machine. It runs in a session of its own, with its state in a directory there, whatever happens
 * to the connection; this side follows the log from where it was, and asks for the end. A connection that breaks is no
 * failed build.
 */
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { FailedHere } from '../../errors.js';
import type { LogRecord, OnProgress, PhasePlan } from '../../model.js';
import { CappedLog, Lines, run, type HowEnded } from '../../process.js';
import { shellQuote } from '../shell-quote.js';
import { Broken, pause, type SshClient } from './ssh-client.js';

export interface RemotePhase {
  /** Of its directory there: `prepare`, `build-1`. */
  readonly name: string;
  readonly phase: PhasePlan;
  /** Where it runs. */
  readonly tree: string;
  readonly variables: readonly (readonly [string, string])[];
  readonly minutes: number;
  readonly logFile: string;
  readonly onLine: (line: string) => void;
  /** Takes out of a line what names the machine. */
  readonly hide: (line: string) => string;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnProgress | undefined;
}

export interface RemoteEnd {
  readonly client: HowEnded;
  readonly log: LogRecord;
}

const LOG_BYTES = 64 << 20;
/** A machine that is away for so long is not waited for. */
const AWAY_MS = 15 * 60_000;
/** The machine ends a phase at its time limit itself; one that does not is not believed for longer than this. */
const LATE_MS = 60_000;

/**
 * The supervisor: starts the script in a process group of its own, ends the group at the time limit, and says how the
 * script ended. It is the leader of a session, which no connection takes along.
 */
const SUPERVISOR = String.raw`state=$1 seconds=$2 tree=$3
shift 3
echo $$ > "$state/supervisor"
detach() {
  if command -v setsid > /dev/null 2>&1; then exec setsid "$@"; fi
  exec perl -e 'use POSIX; POSIX::setsid(); exec { $ARGV[0] } @ARGV or exit 127' "$@"
}
script=$(cat "$state/script")
(cd "$tree" && detach env -i "$@" /bin/sh -eu -c "$script") < /dev/null > "$state/log" 2>&1 &
child=$!
echo "$child" > "$state/group.new"
mv "$state/group.new" "$state/group"
(detach /bin/sh -c 'sleep "$1"; : > "$2/timed-out"; kill -s TERM -- "-$3"; sleep 3; kill -s KILL -- "-$3"' sh "$seconds" "$state" "$child") < /dev/null > /dev/null 2>&1 &
dog=$!
echo "$dog" > "$state/dog"
code=0
wait "$child" || code=$?
kill -s KILL -- "-$dog" 2> /dev/null
# what the script left running goes with it
kill -s KILL -- "-$child" 2> /dev/null
echo "$code" > "$state/code.new"
mv "$state/code.new" "$state/code"
`;

/** `mkdir` is what a script that runs twice finds done. */
const START = String.raw`
state=$root/$name
DEVELOPER_DIR=$(printenv DEVELOPER_DIR || :)
mkdir -p "$state"
if ! mkdir "$state/started" 2> /dev/null; then exit 0; fi
printf '%s' "$script" > "$state/script"
printf '%s' "$supervisor" > "$state/supervise"
: > "$state/log"
start() {
  set -- "PATH=$PATH" "$@"
  # which Xcode the account has chosen
  if [ -n "$DEVELOPER_DIR" ]; then set -- "DEVELOPER_DIR=$DEVELOPER_DIR" "$@"; fi
  if command -v setsid > /dev/null 2>&1; then setsid /bin/sh "$state/supervise" "$state" "$seconds" "$tree" "$@"
  else perl -e 'use POSIX; fork and exit; POSIX::setsid(); exec { $ARGV[0] } @ARGV or exit 127' /bin/sh "$state/supervise" "$state" "$seconds" "$tree" "$@"; fi
}
`;

/** Ends with 0 when the phase has ended and all of its log was sent, with 43 when nobody runs it any more. */
const FOLLOW = String.raw`
state=$root/$name
waited=0
while :; do
  [ -d "$state" ] || exit 44
  ended=
  if [ -e "$state/code" ]; then ended=yes; fi
  size=$(bytes "$state/log")
  if [ "$size" -gt "$offset" ]; then
    tail -c "+$((offset + 1))" "$state/log" | head -c "$((size - offset))"
    offset=$size
  fi
  if [ -n "$ended" ]; then exit 0; fi
  if [ -s "$state/supervisor" ] && ! kill -s 0 "$(cat "$state/supervisor")" 2> /dev/null; then
    [ -e "$state/code" ] || exit 43
  elif ! [ -s "$state/supervisor" ]; then
    waited=$((waited + 1))
    [ "$waited" -lt 30 ] || exit 43
  fi
  sleep 1
done
`;

const END = String.raw`
state=$root/$name
echo "code $(cat "$state/code")"
if [ -e "$state/timed-out" ]; then echo 'timed-out yes'; fi
`;

const STOP = 'end_phase "$root/$name"';

/** @throws FailedHere `interrupted`, `network`, `engine-died` and what the client throws */
export async function runRemotely(client: SshClient, request: RemotePhase): Promise<RemoteEnd> {
  const { name, phase, minutes } = request;
  await fs.mkdir(path.dirname(request.logFile), { recursive: true });
  try {
    await startPhase(client, request);
  } catch (error) {
    // it may have begun although nobody heard of it
    await stopRemotely(client, name);
    throw error;
  }
  const log = new CappedLog(request.logFile, LOG_BYTES);
  const lines = new Lines((line) => {
    const shown = request.hide(line);
    log.push(Buffer.from(`${shown}\n`));
    request.onLine(shown);
  });
  let how: Followed;
  try {
    how = await follow(client, request, lines);
  } finally {
    lines.end();
  }
  const written = { phase: phase.name, path: request.logFile, ...(await log.close()) };
  switch (how) {
    case 'aborted':
      await stopRemotely(client, name);
      return { client: { kind: 'aborted' }, log: written };
    case 'late':
      await stopRemotely(client, name);
      return { client: { kind: 'timed-out', afterMs: minutes * 60_000 }, log: written };
    case 'gone':
      throw new FailedHere(
        'engine-died',
        `the ${phase.name} phase was ended from outside on the remote machine`,
        {
          hint: 'did it restart, or did somebody end its processes?',
        },
      );
    case 'ended':
      return { client: await endOf(client, request), log: written };
  }
}

async function startPhase(client: SshClient, request: RemotePhase): Promise<void> {
  const { name, phase, tree, variables, minutes, signal } = request;
  const words = variables.map(([key, value]) => shellQuote(`${key}=${value}`)).join(' ');
  await client.checked(
    `start the ${phase.name} phase`,
    {
      name,
      tree,
      script: phase.script,
      supervisor: SUPERVISOR,
      seconds: String(Math.max(1, Math.ceil(minutes * 60))),
    },
    `${START}start ${words} < /dev/null > /dev/null 2>&1 &\n`,
    { signal },
  );
}

type Followed = 'ended' | 'gone' | 'aborted' | 'late';

/** The log from where it was, over as many connections as it takes. */
async function follow(
  client: SshClient,
  { name, minutes, signal, onProgress }: RemotePhase,
  lines: Lines,
): Promise<Followed> {
  let offset = 0;
  let seen = performance.now();
  const until = seen + minutes * 60_000 + LATE_MS;
  for (let attempt = 1; ; attempt++) {
    if (signal?.aborted === true) return 'aborted';
    const before = offset;
    const result = await run('ssh', client.command('/bin/sh'), {
      env: client.environment(),
      input: client.script({ name, offset: String(offset) }, FOLLOW),
      timeoutMs: Math.max(1000, until - performance.now()),
      captureBytes: 4096,
      onStdout: (chunk) => {
        offset += chunk.length;
        lines.push(chunk);
      },
      ...(signal === undefined ? {} : { signal }),
    });
    if (result.ended.kind === 'aborted') return 'aborted';
    if (result.ended.kind === 'timed-out') return 'late';
    try {
      const code = client.codeOf(result);
      if (code === 0) return 'ended';
      if (code === 43 || code === 44) return 'gone';
      throw new Broken(`the machine could not send the log (exit code ${code})`);
    } catch (error) {
      if (!(error instanceof Broken)) throw error;
      // a connection that held for a while, or brought something, was one
      if (offset > before || result.seconds > 60) [seen, attempt] = [performance.now(), 1];
      if (performance.now() - seen > AWAY_MS)
        throw new FailedHere(
          'network',
          `the remote machine has not answered for ${AWAY_MS / 60_000} minutes: ${error.message}`,
          {
            cause: error,
            hint: 'the build may still run there; what is left of it goes with the next run that reaches the machine',
          },
        );
      onProgress?.({
        kind: 'note',
        text: `the connection broke off (${error.message}); the build goes on there, connecting again`,
      });
      await pause(Math.min(30_000, 250 * 2 ** attempt), signal).catch(() => undefined);
    }
  }
}

async function endOf(client: SshClient, { name, minutes, signal, phase }: RemotePhase): Promise<HowEnded> {
  const text = await client.checked(`say how the ${phase.name} phase ended`, { name }, END, { signal });
  const [, code] = /^code (\d{1,3})$/m.exec(text) ?? [];
  if (code === undefined)
    throw new FailedHere('engine-died', `the remote machine does not say how the ${phase.name} phase ended`);
  return /^timed-out yes$/m.test(text)
    ? { kind: 'timed-out', afterMs: minutes * 60_000 }
    : { kind: 'exited', code: Number(code) };
}

/** Also when nobody waits for it any more: no signal ends this. */
async function stopRemotely(client: SshClient, name: string): Promise<void> {
  await client.call({ name }, STOP, { tries: 3, timeoutMs: 60_000 }).catch(() => undefined);
}
