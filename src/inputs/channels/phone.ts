// SPDX-License-Identifier: Apache-2.0
/** An installed app taken off a phone as it lies there: all its splits, and the device.json that says which it should have. */
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { FailedHere, UsageError } from '../../errors.js';
import type { PhoneAcquisition, PhoneRecord } from '../../model.js';
import {
  BY_DIRECTORY,
  chosenDevice,
  linesOf,
  pull,
  saidBy,
  shell,
  succeeded,
  type AdbOptions,
} from './adb.js';
import { sha256OfFile } from '../cache.js';
import { isPlainPath } from '../debian/debian-release.js';
import type { NotThere } from './located.js';
import { deviceJson, packageRecord } from './phone-facts.js';

export interface PhoneOptions extends AdbOptions {
  /** Where the files are put; made here. */
  readonly directory: string;
  /** Of the phone; default `ANDROID_SERIAL`, else the only one there is. */
  readonly serial?: string | undefined;
}

export type PhoneOutcome =
  | {
      readonly kind: 'pulled';
      /** Base names of the APKs in the directory. */
      readonly files: readonly string[];
      readonly phone: PhoneRecord;
      readonly notes: readonly string[];
    }
  | NotThere;

// both stand in a command line of the phone's shell
const PACKAGE = /^[A-Za-z][A-Za-z0-9_]*(?:\.[A-Za-z][A-Za-z0-9_]*)+$/;
const APK = /^(?:\/[A-Za-z0-9._~=+-]+)+\.apk$/;
const MAX_FILES = 500;

/**
 * @throws UsageError `several-devices`, `bad-serial`, `bad-plan`
 * @throws FailedHere `no-device`, `device-unauthorized`, `pull-failed`, `missing-tool`, `interrupted`, `time-limit`
 */
export async function pullFromPhone(
  { package: packageId, how }: PhoneAcquisition,
  options: PhoneOptions,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<PhoneOutcome> {
  if (!PACKAGE.test(packageId))
    throw new UsageError('bad-plan', `${JSON.stringify(packageId)} is no package of Android`);
  const asked = options.serial ?? environment['ANDROID_SERIAL'];
  const serial = await chosenDevice(asked === '' ? undefined : asked, options);
  const remotes = await pathsOf(serial, packageId, options);
  if (remotes.length === 0)
    return {
      kind: 'not-there',
      code: 'not-installed',
      detail: `the phone has no ${packageId}`,
      hint: how ?? `install it on the phone, ${BY_DIRECTORY}`,
    };
  await fs.mkdir(options.directory, { recursive: true });
  const notes: string[] = [];
  for (const remote of remotes) notes.push(...(await pulled(serial, remote, options)));
  const device = await deviceJson(serial, options);
  if (device === undefined) notes.push('the phone did not say what device it is');
  else await fs.writeFile(path.join(options.directory, 'device.json'), device);
  return {
    kind: 'pulled',
    files: remotes.map((remote) => path.posix.basename(remote)),
    phone: await packageRecord(serial, packageId, options),
    notes,
  };
}

async function pathsOf(serial: string, packageId: string, options: AdbOptions): Promise<readonly string[]> {
  const result = await shell(serial, ['pm', 'path', packageId], options);
  const paths = linesOf(result.stdout)
    .filter((line) => line.startsWith('package:'))
    .map((line) => line.slice('package:'.length).trim());
  // of a package that is not installed it says nothing; old phones tell no exit code
  if (paths.length === 0 && saidBy(result) !== 'nothing')
    throw failed(`the phone does not say where ${packageId} lies: ${saidBy(result)}`);
  if (paths.length > MAX_FILES || result.truncated > 0)
    throw failed(
      `the phone names ${paths.length} files of ${packageId} or more, at most ${MAX_FILES} are taken`,
    );
  const names = new Set<string>();
  for (const one of paths) {
    const name = path.posix.basename(one);
    if (!APK.test(one) || one.split('/').includes('..') || one.split('/').includes('.') || !isPlainPath(name))
      throw failed(`the phone names ${JSON.stringify(one.slice(0, 200))}, which is no path of an APK`);
    if (names.has(name)) throw failed(`the phone names two files ${name} of ${packageId}`);
    names.add(name);
  }
  return paths;
}

/** A pull that stopped halfway must not look like an app with other bytes. */
async function pulled(serial: string, remote: string, options: PhoneOptions): Promise<readonly string[]> {
  const name = path.posix.basename(remote);
  const local = path.join(options.directory, name);
  const result = await pull(serial, remote, local, options);
  if (!succeeded(result)) throw failed(`${name} could not be pulled: ${saidBy(result)}`);
  const stat = await fs.lstat(local).catch(() => undefined);
  if (stat?.isFile() !== true) throw failed(`adb says that it pulled ${name}, and there is no such file`);
  const summed = await shell(serial, ['sha256sum', remote], options);
  const there = /^([0-9a-f]{64})\s/.exec(summed.stdout.toString('latin1'))?.[1];
  if (there === undefined) return [`the phone did not say which SHA-256 ${name} has there`];
  const { sha256, size } = await sha256OfFile(local);
  if (there !== sha256)
    throw failed(`${name} arrived with ${size} bytes and SHA-256 ${sha256}, on the phone it has ${there}`);
  return [];
}

const failed = (message: string): FailedHere =>
  new FailedHere('pull-failed', message, { hint: `connect the phone again and repeat it, ${BY_DIRECTORY}` });
