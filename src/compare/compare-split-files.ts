// SPDX-License-Identifier: Apache-2.0
/** Files that may be sets of splits: opened, compared if they are, closed again. */
import { compareSplits, isSplitSet, type SplitDelivery } from './compare-splits.js';
import type { SetOptions } from './compare.js';
import type { DeviceSpecification } from './device-specification.js';
import { oneFileWalk } from './one-file.js';
import { SetOpener, type SetFile } from './set-members.js';
import type { SetComparison } from './types.js';

export interface DeliveredFiles {
  readonly name: string;
  readonly files: readonly SetFile[];
  /** In place of a device.json among the files. */
  readonly device?: DeviceSpecification;
}

export interface SplitFiles {
  readonly deliveries: readonly DeliveredFiles[];
  readonly rebuilt: readonly SetFile[];
  readonly notPublished?: readonly { readonly pattern: string; readonly reason: string }[];
  readonly versionCodes?: readonly number[];
  /** A set whatever is in the files. */
  readonly asked: boolean;
}

/** `undefined` where they are no set of splits. Throws what `SetOpener` and `compareSplits` throw. */
export async function compareSplitFiles(
  { deliveries, rebuilt, asked, ...more }: SplitFiles,
  options: SetOptions,
): Promise<SetComparison | undefined> {
  const walk = oneFileWalk(options);
  const opener = new SetOpener(walk);
  try {
    const twin = await opener.open('rebuilt', rebuilt);
    const opened: SplitDelivery[] = [];
    for (const { name, files, device: given } of deliveries) {
      const set = await opener.open('published', files);
      const device = given ?? set.device;
      opened.push({ name, set, ...(device === undefined ? {} : { device }) });
    }
    if (!asked && !isSplitSet([...opened.map(({ set }) => set), twin])) return undefined;
    return await compareSplits({ deliveries: opened, rebuilt: twin, ...more }, options);
  } finally {
    opener.close();
    await walk.close();
  }
}
