// SPDX-License-Identifier: Apache-2.0
/**
 * What is known of the device that a set of splits was delivered to, and which splits such a device gets: as bundletool
 * and Android choose them.
 * https://github.com/google/bundletool/blob/master/src/main/proto/devices.proto (DeviceSpec, in its JSON form)
 * https://developer.android.com/tools/bundletool#generate_use_json
 */
import { UsageError } from '../errors.js';
import type { ApkTargeting } from '../formats/bundletool-toc.js';

export interface DeviceSpecification {
  /** In order of preference. */
  readonly abis: readonly string[];
  readonly languages: readonly string[];
  /** Dots per inch; 0 where it is not known. */
  readonly density: number;
  /** 0 where it is not known. */
  readonly sdk: number;
}

const MAX_ITEMS = 1000;

/** @throws UsageError `bad-device` */
export function readDeviceSpecification(text: string, name: string): DeviceSpecification {
  const bad = (what: string): never => {
    throw new UsageError('bad-device', `${name}: ${what}`, {
      hint: 'write it with: bundletool get-device-spec --output=device.json',
    });
  };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return bad('not JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return bad('no object');
  const fields = value as Readonly<Record<string, unknown>>;
  const texts = (key: string): string[] => {
    const list = fields[key];
    if (list === undefined) return [];
    if (!Array.isArray(list) || list.length > MAX_ITEMS) return bad(`${key} is no list`);
    return list.map((item: unknown) => (typeof item === 'string' ? item : bad(`${key} holds no texts`)));
  };
  const number = (key: string): number => {
    const found = fields[key] ?? 0;
    return typeof found === 'number' && Number.isInteger(found) && found >= 0 && found < 1e5
      ? found
      : bad(`${key} is no number`);
  };
  const device = {
    abis: texts('supportedAbis'),
    languages: [...new Set(texts('supportedLocales').map(languageOf))],
    density: number('screenDensity'),
    sdk: number('sdkVersion'),
  };
  if (device.abis.length === 0 && device.languages.length === 0 && device.density === 0 && device.sdk === 0)
    return bad('it names no supportedAbis, supportedLocales, screenDensity or sdkVersion');
  return device;
}

/** Codes that Java had before ISO changed them; Android's resources keep the old ones. */
const RENAMED: Readonly<Record<string, string>> = { iw: 'he', in: 'id', ji: 'yi' };

/** Of a locale as Android or BCP 47 writes it, in today's code. */
export function languageOf(locale: string): string {
  const [language = ''] = locale.toLowerCase().split(/[-_]/);
  return RENAMED[language] ?? language;
}

// ---------------------------------------------------------------- configurations

export const DENSITIES = {
  ldpi: 120,
  mdpi: 160,
  tvdpi: 213,
  hdpi: 240,
  xhdpi: 320,
  xxhdpi: 480,
  xxxhdpi: 640,
} as const satisfies Record<string, number>;

const ABIS = ['armeabi', 'armeabi-v7a', 'arm64-v8a', 'x86', 'x86_64', 'mips', 'mips64', 'riscv64'];

/** From the name of a configuration (`arm64_v8a`, `xxhdpi`, `de`), which bundletool writes into the split's own name. */
export function targetingOf(configuration: string): ApkTargeting {
  const none = { abis: [], densities: [], languages: [], minSdk: 1, otherDimensions: false };
  const abi = ABIS.find((name) => name.replaceAll('-', '_') === configuration);
  if (abi !== undefined) return { ...none, abis: [abi] };
  if (Object.hasOwn(DENSITIES, configuration))
    return { ...none, densities: [DENSITIES[configuration as keyof typeof DENSITIES]] };
  if (/^[a-z]{2,3}$/.test(configuration)) return { ...none, languages: [configuration] };
  return { ...none, otherDimensions: true };
}

/** The density that Android takes the resources of (ResTable_config::isBetterThan): scaling down beats scaling up. */
export function bestDensity(densities: readonly number[], wanted: number): number | undefined {
  return densities.reduce<number | undefined>((best, density) => {
    if (best === undefined) return density;
    const [low, high] = density < best ? [density, best] : [best, density];
    if (wanted >= high) return high;
    if (low >= wanted) return low;
    return (2 * low - wanted) * high > wanted * wanted ? low : high;
  }, undefined);
}

export type Selection =
  { readonly selected: true; readonly why: string } | { readonly selected: false; readonly why: NotSelected };
export type NotSelected = 'other-abi' | 'other-density' | 'other-language' | 'other-sdk';

/**
 * Whether a device gets a configuration split of a module, all of whose configurations are `siblings`. `delivered`: those
 * that it did get; without a specification they say what it is. In doubt it does: then the set is not complete.
 */
export function selects(
  device: DeviceSpecification | undefined,
  targeting: ApkTargeting,
  siblings: readonly ApkTargeting[],
  delivered: readonly ApkTargeting[],
): Selection {
  const { abis, densities, languages } = targeting;
  const all = <Key extends 'abis' | 'densities'>(of: readonly ApkTargeting[], key: Key) =>
    of.flatMap((one): readonly ApkTargeting[Key][number][] => one[key]);
  if (targeting.otherDimensions)
    return { selected: true, why: 'its configuration is of a kind that is not read' };
  if (device !== undefined && device.sdk > 0 && targeting.minSdk > device.sdk)
    return { selected: false, why: 'other-sdk' };
  if (abis.length > 0) {
    const known = device?.abis ?? [];
    const wanted = known.find((abi) => all(siblings, 'abis').includes(abi));
    const other = known.length === 0 ? all(delivered, 'abis').length > 0 : !abis.includes(wanted ?? '');
    if (other) return { selected: false, why: 'other-abi' };
  }
  if (densities.length > 0) {
    const known = device?.density ?? 0;
    const other =
      known === 0
        ? all(delivered, 'densities').length > 0
        : !densities.includes(bestDensity(all(siblings, 'densities'), known) ?? 0);
    if (other) return { selected: false, why: 'other-density' };
  }
  if (languages.length > 0) {
    const known = device?.languages ?? [];
    if (!languages.some((language) => known.includes(languageOf(language))))
      return { selected: false, why: 'other-language' };
  }
  return { selected: true, why: 'its configuration is that of the device' };
}
