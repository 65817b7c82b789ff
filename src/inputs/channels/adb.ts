// SPDX-License-Identifier: Apache-2.0
/**
 * What a phone says over `adb`: text of a device that nobody vouches for, also with line ends of another system.
 * https://developer.android.com/tools/adb
 */
import { FailedHere, UsageError } from '../../errors.js';
import { run, type RunResult } from '../../process.js';

export interface AdbOptions {
  readonly signal?: AbortSignal | undefined;
}

export const BY_DIRECTORY = 'or hand the files over with --published DIR';
const ANSWER_MS = 60_000;
/** Of one file. */
const PULL_MS = 30 * 60_000;
const CAPTURE = 4 << 20;
/** It becomes an argument behind `-s`. */
const SERIAL = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,199}$/;
const MAX_SHOWN = 300;

export const linesOf = (output: Buffer): string[] => output.toString('utf8').split(/\r*\n|\r/);

async function adb(
  args: readonly string[],
  { signal }: AdbOptions,
  timeoutMs = ANSWER_MS,
): Promise<RunResult> {
  const result = await run('adb', args, {
    timeoutMs,
    captureBytes: CAPTURE,
    ...(signal === undefined ? {} : { signal }),
  });
  const { ended } = result;
  if (ended.kind === 'aborted') throw new FailedHere('interrupted', 'adb was interrupted');
  if (ended.kind === 'timed-out')
    throw new FailedHere('time-limit', `adb ${args.join(' ')} took longer than ${ended.afterMs} ms`);
  return result;
}

export const succeeded = ({ ended }: RunResult): boolean => ended.kind === 'exited' && ended.code === 0;

/** The end of what a program said. */
export function saidBy({ stdout, stderr }: RunResult): string {
  const said = linesOf(Buffer.concat([stdout, Buffer.from('\n'), stderr]))
    .map((line) => line.trim())
    .filter((line) => line !== '');
  return said.slice(-3).join(' | ').slice(0, MAX_SHOWN) || 'nothing';
}

interface Attached {
  readonly serial: string;
  readonly state: string;
}

/**
 * The serial of the one device that is meant.
 * @throws UsageError `several-devices`, `bad-serial`
 * @throws FailedHere `no-device`, `device-unauthorized`, `missing-tool`
 */
export async function chosenDevice(asked: string | undefined, options: AdbOptions): Promise<string> {
  if (asked !== undefined && !SERIAL.test(asked))
    throw new UsageError('bad-serial', `${JSON.stringify(asked)} is no serial number of a device`, {
      hint: 'take one that `adb devices` lists',
    });
  const result = await adb(['devices'], options);
  if (!succeeded(result))
    throw new FailedHere('no-device', `adb lists no devices: ${saidBy(result)}`, { hint: BY_DIRECTORY });
  const attached = attachedIn(result.stdout);
  const fitting = asked === undefined ? attached : attached.filter(({ serial }) => serial === asked);
  const [device, second] = fitting;
  if (device === undefined)
    throw new FailedHere(
      'no-device',
      asked === undefined
        ? 'no phone is connected'
        : `no phone ${asked} is connected: ${attached.map(({ serial }) => serial).join(', ') || 'none is'}`,
      { hint: `connect it by USB and switch on USB debugging in its developer options, ${BY_DIRECTORY}` },
    );
  if (second !== undefined)
    throw new UsageError('several-devices', `${fitting.length} devices are connected`, {
      hint: `say which: --serial or ANDROID_SERIAL, one of ${fitting.map(({ serial }) => serial).join(', ')}`,
    });
  if (device.state === 'unauthorized')
    throw new FailedHere(
      'device-unauthorized',
      `the phone ${device.serial} does not allow this computer yet`,
      {
        hint: 'unlock it and allow USB debugging in the dialogue that it shows, then run it again',
      },
    );
  if (device.state !== 'device')
    throw new FailedHere('no-device', `the phone ${device.serial} is ${device.state}`, {
      hint: `unplug and connect it again, ${BY_DIRECTORY}`,
    });
  return device.serial;
}

/** `SERIAL <tab> STATE`, behind lines about the daemon and a heading. */
function attachedIn(output: Buffer): Attached[] {
  return linesOf(output).flatMap((line) => {
    const match = /^(\S+)\t+([a-z][a-z ]*)/.exec(line);
    const [, serial = '', state = ''] = match ?? [];
    return SERIAL.test(serial) ? [{ serial, state: state.trim() }] : [];
  });
}

/** A command of the phone; `words` must hold nothing that its shell would understand otherwise. */
export async function shell(
  serial: string,
  words: readonly string[],
  options: AdbOptions,
): Promise<RunResult> {
  return await adb(['-s', serial, 'shell', ...words], options);
}

export async function pull(
  serial: string,
  remote: string,
  local: string,
  options: AdbOptions,
): Promise<RunResult> {
  return await adb(['-s', serial, 'pull', remote, local], options, PULL_MS);
}
