// SPDX-License-Identifier: Apache-2.0
/** Which files beside a program its signature has hashes of, by the layout of the bundle around it. */
import { BufferSource } from '../../bytes.js';
import { FormatError } from '../../errors.js';
import type { SlotContent } from '../../formats/code-signature-check.js';
import { plistString, readPlist } from '../../formats/plist.js';

const MAX_FILE = 32 << 20;
const MAX_INFO = 4 << 20;
const INFO = 1;
const RESOURCES = 3;

interface Layout {
  readonly info: string;
  readonly resources: string;
}

/** Flat as on iOS; of macOS, an app or a version of a framework. */
function layoutsOf(directory: string): readonly Layout[] {
  const signature = '_CodeSignature/CodeResources';
  const flat = { info: `${directory}Info.plist`, resources: `${directory}${signature}` };
  const contents = /^(.*Contents\/)MacOS\/$/.exec(directory)?.[1];
  if (contents !== undefined)
    return [flat, { info: `${contents}Info.plist`, resources: `${contents}${signature}` }];
  return /(?:^|\/)Versions\/[^/]+\/$/.test(directory)
    ? [flat, { info: `${directory}Resources/Info.plist`, resources: `${directory}${signature}` }]
    : [flat];
}

/**
 * `path` of the program; `read` gives a file of the same side, and `undefined` for one that is there and cannot be had.
 * Nothing where no Info.plist says that this is the program of a bundle.
 */
export function slotContent(
  path: string,
  slot: number,
  read: (file: string, limit: number) => ReturnType<SlotContent>,
): ReturnType<SlotContent> {
  const at = path.lastIndexOf('/') + 1;
  for (const { info, resources } of layoutsOf(path.slice(0, at))) {
    const content = read(info, MAX_INFO);
    if (!(content instanceof Buffer) || executableOf(content) !== path.slice(at)) continue;
    if (slot === INFO) return content;
    return slot === RESOURCES ? read(resources, MAX_FILE) : undefined;
  }
  return undefined;
}

function executableOf(info: Buffer): string | undefined {
  try {
    return plistString(readPlist(new BufferSource(info)).root, 'CFBundleExecutable');
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
}
