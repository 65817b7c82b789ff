// SPDX-License-Identifier: Apache-2.0
/**
 * What a phone says of itself, in the form of bundletool's device.json, and of an app that it has. Claims of the phone:
 * they choose which splits it should have, and decide nothing about a file.
 * https://developer.android.com/tools/bundletool#generate_use_json
 */
import type { PhoneRecord } from '../../model.js';
import { linesOf, shell, succeeded, type AdbOptions } from './adb.js';

const MAX_ITEMS = 100;

/** Text of a device.json; nothing where the phone says nothing that could be read. */
export async function deviceJson(serial: string, options: AdbOptions): Promise<string | undefined> {
  const ask = async (...words: readonly string[]): Promise<readonly string[]> => {
    const result = await shell(serial, words, options);
    return succeeded(result) ? linesOf(result.stdout).map((line) => line.trim()) : [];
  };
  const property = async (name: string): Promise<string> => (await ask('getprop', name))[0] ?? '';
  const list = (text: string, item: RegExp): string[] =>
    text
      .split(',')
      .map((part) => part.trim())
      .filter((part) => item.test(part))
      .slice(0, MAX_ITEMS);
  const sdk = /^\d{1,3}$/.exec(await property('ro.build.version.sdk'))?.[0];
  const abis = list(
    (await property('ro.product.cpu.abilist')) || (await property('ro.product.cpu.abi')),
    /^[a-z0-9_-]{1,20}$/,
  );
  // as bundletool reads it: what a user enlarged does not change which resources a store delivers
  const density = (await ask('wm', 'density')).flatMap(
    (line) => /^Physical density: (\d{2,4})$/.exec(line)?.[1] ?? [],
  )[0];
  const LOCALE = /^[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})*$/;
  const named = [
    (await ask('settings', 'get', 'system', 'system_locales'))[0] ?? '',
    await property('persist.sys.locale'),
    await property('ro.product.locale'),
  ];
  const locales = named
    .map((text) => list(text, LOCALE).filter((one) => one !== 'null'))
    .find((one) => one.length > 0);
  const device = {
    ...(abis.length === 0 ? {} : { supportedAbis: abis }),
    ...(locales === undefined ? {} : { supportedLocales: locales }),
    ...(density === undefined ? {} : { screenDensity: Number(density) }),
    ...(sdk === undefined ? {} : { sdkVersion: Number(sdk) }),
  };
  return Object.keys(device).length === 0 ? undefined : `${JSON.stringify(device, undefined, 2)}\n`;
}

/** What its package manager noted of an installed app. */
export async function packageRecord(
  serial: string,
  packageId: string,
  options: AdbOptions,
): Promise<PhoneRecord> {
  const { stdout } = await shell(serial, ['dumpsys', 'package', packageId], options);
  const lines = linesOf(stdout);
  // the installed one stands before the one of the system that it took the place of
  const first = (pattern: RegExp): string | undefined => {
    for (const line of lines) {
      const found = pattern.exec(line)?.[1];
      if (found !== undefined) return found;
    }
    return undefined;
  };
  const versionCode = first(/^\s+versionCode=(\d{1,15})\b/);
  const versionName = first(/^\s+versionName=(\S{1,100})\s*$/);
  const installer = first(/^\s+installerPackageName=([A-Za-z0-9._]{1,200})\s*$/);
  return {
    package: packageId,
    ...(versionName === undefined ? {} : { versionName }),
    ...(versionCode === undefined ? {} : { versionCode: Number(versionCode) }),
    ...(installer === undefined || installer === 'null' ? {} : { installer }),
  };
}
