// SPDX-License-Identifier: Apache-2.0
/** Text that differs, as a unified patch. */
import type { ByteSource } from '../../bytes.js';
import { printable } from '../../printable.js';
import type { Cause } from '../types.js';
import type { Explainer } from './explain-leaf.js';

const MAX_BYTES = 1 << 20;
/** Beyond this many edits the search is given up: never a time limit, which would make reports depend on the machine. */
const MAX_EDITS = 2000;
const MAX_LINES = 200;

export const explainText: Explainer = async ({ path, published, rebuilt }) => {
  const before = textOf(published);
  const after = textOf(rebuilt);
  if (before === undefined || after === undefined) return undefined;
  const { structuredPatch } = await import('diff');
  const patch = structuredPatch('published', 'rebuilt', before, after, undefined, undefined, {
    context: 3,
    maxEditLength: MAX_EDITS,
  });
  // `undefined` is "gave up", never "no difference": the bytes are shown instead
  if (patch === undefined) return undefined;
  const lines = patch.hunks.flatMap((hunk) => [
    `@@ -${hunk.oldStart},${hunk.oldLines} +${hunk.newStart},${hunk.newLines} @@`,
    ...hunk.lines.map((line) => printable(line.slice(0, 1000))),
  ]);
  if (lines.length === 0) return undefined;
  const text = lines.slice(0, MAX_LINES).join('\n');
  const cause = derivedOf(path);
  return [
    {
      kind: 'text',
      path,
      patch: text,
      cutLines: Math.max(0, lines.length - MAX_LINES),
      ...(cause === undefined ? {} : { cause }),
    },
  ];
};

/** deb(5): the digests of what data.tar holds, which says by itself what differs. */
function derivedOf(path: readonly string[]): Cause | undefined {
  if (path.at(-1) !== './md5sums' || path.at(-2) !== 'control.tar') return undefined;
  return { kind: 'derived-from-other-difference', evidence: 'it lists the MD5 of each file of data.tar' };
}

/** Valid UTF-8 without control characters other than white space. */
function textOf(source: ByteSource): string | undefined {
  if (source.size > MAX_BYTES) return undefined;
  const bytes = source.read(0, source.size);
  if (bytes.some((byte) => byte < 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d && byte !== 0x0c))
    return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
