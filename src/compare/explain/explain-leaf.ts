// SPDX-License-Identifier: Apache-2.0
/** Says why the bytes of a leaf differ. Explains only: what is said here never changes an owner or a verdict. */
import type { ByteSource } from '../../bytes.js';
import type { LeafDifference } from '../leaf.js';
import type { Difference } from '../types.js';
import type { Walk } from '../walk.js';

/** Up to 64 bytes of each side from the first that differs, hex. */
export interface BytesSample {
  readonly publishedHex: string;
  readonly rebuiltHex: string;
}

export interface Leaf {
  readonly path: readonly string[];
  readonly published: ByteSource;
  readonly rebuilt: ByteSource;
  readonly found: readonly LeafDifference[];
}

/** Tells more than bytes do, or `undefined` when both sides are not of its format. */
export type Explainer = (leaf: Leaf) => Promise<readonly Difference[] | undefined>;

/** Most specific first; the bytes themselves come last and always. Loaded when something differs. */
async function explainers(): Promise<readonly Explainer[]> {
  const { explainElf } = await import('./elf.js');
  const { explainCommit } = await import('./commit.js');
  const { explainProtection } = await import('./store-protection.js');
  const { explainPlist } = await import('./plist.js');
  const { explainAssetCatalog } = await import('./asset-catalog.js');
  const { explainNib } = await import('./nib.js');
  const { explainStrings } = await import('./strings.js');
  const { explainText } = await import('./text.js');
  return [
    explainElf,
    explainCommit,
    explainProtection,
    explainPlist,
    explainAssetCatalog,
    explainNib,
    explainStrings,
    explainText,
  ];
}

const SAMPLE = 64;
/** Hunks of one leaf that are listed; the ledger lists every run. */
const HUNKS = 16;

/** Of two chunks in lockstep; `undefined` when they are equal. */
export function sampleDifference(published: Buffer, rebuilt: Buffer): BytesSample | undefined {
  if (published.equals(rebuilt)) return undefined;
  let at = 0;
  while (published[at] === rebuilt[at]) at++;
  return {
    publishedHex: published.subarray(at, at + SAMPLE).toString('hex'),
    rebuiltHex: rebuilt.subarray(at, at + SAMPLE).toString('hex'),
  };
}

/** Records the first hunk with its sample and the others by offset. */
export function reportBytes(
  walk: Walk,
  path: readonly string[],
  found: readonly LeafDifference[],
  sample: BytesSample,
): void {
  for (const [index, hunk] of found.slice(0, HUNKS).entries())
    walk.report({
      kind: 'bytes',
      path,
      ...hunk,
      publishedHex: index === 0 ? sample.publishedHex : '',
      rebuiltHex: index === 0 ? sample.rebuiltHex : '',
    });
}

export async function explainLeaf(walk: Walk, leaf: Leaf): Promise<void> {
  for (const explainer of await explainers()) {
    const findings = await explainer(leaf);
    if (findings === undefined) continue;
    for (const finding of findings) walk.report(finding);
    return;
  }
  explainBytes(walk, leaf);
}

function explainBytes(walk: Walk, { path, published, rebuilt, found }: Leaf): void {
  for (const hunk of found.slice(0, HUNKS))
    walk.report({
      kind: 'bytes',
      path,
      ...hunk,
      publishedHex: published
        .read(hunk.publishedOffset, Math.min(SAMPLE, hunk.publishedLength))
        .toString('hex'),
      rebuiltHex: rebuilt.read(hunk.rebuiltOffset, Math.min(SAMPLE, hunk.rebuiltLength)).toString('hex'),
    });
}
