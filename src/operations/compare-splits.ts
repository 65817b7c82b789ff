// SPDX-License-Identifier: Apache-2.0
/** Sides of a comparison that may be sets of splits: pulls from devices, archives of splits, directories of a build. */
import { tmpdir } from 'node:os';
import path from 'node:path';
import { readText } from '../bytes.js';
import { compareSplitFiles, type DeliveredFiles } from '../compare/compare-split-files.js';
import type { SetOptions } from '../compare/compare.js';
import { readDeviceSpecification, type DeviceSpecification } from '../compare/device-specification.js';
import type { SetFile } from '../compare/set-members.js';
import type { SetComparison } from '../compare/types.js';
import { UsageError } from '../errors.js';
import { localFiles, localTree } from '../inputs/local-files.js';
import { makeOwnedDirectory, removeOwned } from '../owned-directory.js';

export interface SplitSides {
  /** One delivery each; a directory may hold several, each with a `device.json` of its own. */
  readonly published: readonly string[];
  readonly rebuilt: string;
  /** Of the only delivery. */
  readonly device?: string;
  readonly notPublished?: readonly { readonly pattern: string; readonly reason: string }[];
  readonly versionCode?: number;
}

const ARCHIVE = /\.(?:apks|xapk|apkm)$/i;
const PART = /\.(?:apks|xapk|apkm|apk)$/i;
const DEVICE = 'device.json';
const MAX_DEVICE = 1 << 20;

/** `undefined` where the files are no set of splits. */
export async function compareSplitSides(
  sides: SplitSides,
  options: SetOptions,
): Promise<SetComparison | undefined> {
  const places = [...sides.published, sides.rebuilt];
  const trees = await Promise.all(places.map(localTree));
  const asked = sides.device !== undefined || sides.published.length > 1;
  // splits come without links; those of a bundle are compared with it
  if (!asked && trees.some(({ links }) => links.length > 0)) return undefined;
  const lists = await Promise.all(places.map(localFiles));
  const plain = lists.every((files, at) => {
    const single = files.length === 1 && path.basename(places[at] ?? '') === files[0]?.name;
    return !files.some(({ name }) => (single ? ARCHIVE : PART).test(name));
  });
  if (plain && !asked) return undefined;
  const deliveries: DeliveredFiles[] = [];
  for (const [at, place] of sides.published.entries())
    for (const { name, files } of deliveriesOf(path.basename(path.resolve(place)), lists[at] ?? []))
      deliveries.push({
        name: unused(name, deliveries),
        files,
        ...(sides.device === undefined ? {} : { device: deviceFrom(sides.device) }),
      });
  if (sides.device !== undefined && deliveries.length > 1)
    throw new UsageError('one-device', `--device is of one delivery, these are ${deliveries.length}`, {
      hint: `put a ${DEVICE} beside the splits of each`,
    });
  const temporaryDirectory = await makeOwnedDirectory(options.temporaryDirectory ?? tmpdir(), 'samesource-');
  try {
    return await compareSplitFiles(
      {
        deliveries,
        rebuilt: lists.at(-1) ?? [],
        asked,
        ...(sides.notPublished === undefined ? {} : { notPublished: sides.notPublished }),
        ...(sides.versionCode === undefined ? {} : { versionCode: sides.versionCode }),
      },
      { ...options, temporaryDirectory },
    );
  } finally {
    await removeOwned(temporaryDirectory);
  }
}

/** @throws UsageError `bad-device` */
export function deviceFrom(file: string): DeviceSpecification {
  return readDeviceSpecification(readText(file, MAX_DEVICE), path.basename(file));
}

interface Delivery {
  readonly name: string;
  readonly files: readonly SetFile[];
}

/** Directories with a `device.json` of their own are pulls of their own. */
function deliveriesOf(name: string, files: readonly SetFile[]): Delivery[] {
  const parts = new Map<string, SetFile[]>();
  const rest: SetFile[] = [];
  for (const file of files) {
    const at = file.name.indexOf('/');
    const directory = file.name.slice(0, at);
    if (at === -1 || !files.some((other) => other.name === `${directory}/${DEVICE}`)) rest.push(file);
    else
      parts.set(directory, [
        ...(parts.get(directory) ?? []),
        { name: file.name.slice(at + 1), path: file.path },
      ]);
  }
  return [
    ...(rest.length === 0 ? [] : [{ name, files: rest }]),
    ...[...parts].map(([directory, own]) => ({ name: directory, files: own })),
  ];
}

function unused(name: string, taken: readonly { readonly name: string }[]): string {
  let candidate = name;
  for (let n = 2; taken.some((one) => one.name === candidate); n++) candidate = `${name}-${n}`;
  return candidate;
}
