// SPDX-License-Identifier: Apache-2.0
/** Of how much of a bundle, and of which devices, a comparison of splits speaks. */
import type { DeliveryRecord, SetComparison } from '../compare/types.js';
import { count } from './say.js';

export interface SplitScope {
  /** Rebuilt splits with a published twin. */
  readonly compared: number;
  /** Splits of the rebuilt bundle, of all its variants. */
  readonly all: number;
  /** `3 of 41 splits of this bundle, those for arm64-v8a, xxhdpi, SDK 34`. */
  readonly text: string;
}

const DENSITIES: Readonly<Record<number, string>> = {
  120: 'ldpi',
  160: 'mdpi',
  213: 'tvdpi',
  240: 'hdpi',
  320: 'xhdpi',
  480: 'xxhdpi',
  640: 'xxxhdpi',
};

export function scopeOf({ pairs, splits }: SetComparison): SplitScope | undefined {
  if (splits === undefined) return undefined;
  const delivered = new Set(splits.deliveries.flatMap(({ files }) => files));
  const twins = new Set(
    pairs.filter(({ published }) => delivered.has(published.name)).map(({ rebuilt }) => rebuilt.name),
  );
  const absent = new Set([...splits.notDelivered, ...splits.missing].map(({ name }) => name));
  const compared = twins.size;
  const all = new Set([...twins, ...absent]).size;
  const devices = [...new Set(splits.deliveries.map(deviceText))].join('; ');
  const text =
    compared === all
      ? `${all === 1 ? 'the one APK' : `all ${count(all, 'split')}`} of this bundle`
      : `${compared} of ${count(all, 'split')} of this bundle, those for ${devices}`;
  return { compared, all, text };
}

export function deviceText({ device, variant }: DeliveryRecord): string {
  const sdk =
    device.sdk > 0
      ? `SDK ${device.sdk}`
      : variant === undefined
        ? 'an unknown SDK'
        : `SDK ${variant.minSdk} and later`;
  return [
    ...device.abis,
    ...device.densities.map((dpi) => DENSITIES[dpi] ?? `${dpi} dpi`),
    ...device.languages,
    sdk,
  ].join(', ');
}
