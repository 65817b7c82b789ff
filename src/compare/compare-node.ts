// SPDX-License-Identifier: Apache-2.0
/** The walk: one node of both sides, by bytes first, by the records of a container next, else byte by byte. */
import { equalRange, type ByteSource } from '../bytes.js';
import { containerFor, formatOfOne } from './containers.js';
import { explainLeaf } from './explain/explain-leaf.js';
import { compareLeaf } from './leaf.js';
import { LedgerBuilder, worst, worstOf } from './ledger.js';
import type { LedgerNode, SideLedger } from './types.js';
import { node, type NodeResult, type Place, type Walk } from './walk.js';

/**
 * Compares two byte sequences as a node of their own. Bytes decide: equal ones are `identical` before anything is
 * parsed; a container that both sides understand is compared by its records, anything else byte by byte.
 */
export async function compareNode(
  walk: Walk,
  published: ByteSource,
  rebuilt: ByteSource,
  place: Place,
): Promise<NodeResult> {
  walk.checkAborted();
  const index = walk.reserve();
  if (published.size === rebuilt.size && equalRange(published, 0, rebuilt, 0, published.size)) {
    const side = new LedgerBuilder(published.size);
    side.add(0, published.size, 'identical', '');
    const ledger = side.finish();
    walk.set(index, node(place, 'equal', ledger, ledger, []));
    return { index, worst: 'identical' };
  }
  const opened = open(walk, published, rebuilt, place);
  if (opened === 'too-deep') {
    walk.cannotVerify(
      'limits',
      `${place.path.join(' > ')}: more than ${walk.options.limits.depth} containers deep`,
    );
    const result = node(place, 'unread', unread(published), unread(rebuilt), []);
    walk.set(index, result);
    return { index, worst: 'unread' };
  }
  if (opened !== undefined) {
    const result = await opened(index);
    walk.set(index, result);
    const found = worst(worstOf(result.published), worstOf(result.rebuilt));
    // the bytes were found unequal above: a bug of ours must never become "identical"
    if (found === 'identical')
      throw new Error(`${place.path.join(' > ')}: a ${result.format} ledger without the difference`);
    return { index, worst: found };
  }
  const sides = { published: new LedgerBuilder(published.size), rebuilt: new LedgerBuilder(rebuilt.size) };
  const found = compareLeaf(published, rebuilt, (side, offset, length, owner) =>
    sides[side].add(offset, length, owner, 'data'),
  );
  await explainLeaf(walk, { path: place.path, published, rebuilt, found });
  const result = node(place, 'data', sides.published.finish(), sides.rebuilt.finish(), []);
  walk.set(index, result);
  return { index, worst: worst(worstOf(result.published), worstOf(result.rebuilt)) };
}

function unread(source: ByteSource): SideLedger {
  const side = new LedgerBuilder(source.size);
  side.add(0, source.size, 'unread', 'limit');
  return side.finish();
}

/**
 * Parses both sides by the one container format that recognises them; the result compares them. A side that does not
 * parse is on record, and the bytes are then compared as they are: no parser leads to "equal".
 */
function open(
  walk: Walk,
  published: ByteSource,
  rebuilt: ByteSource,
  place: Place,
): ((index: number) => Promise<LedgerNode>) | 'too-deep' | undefined {
  const container = containerFor(published, rebuilt);
  if (container === undefined) {
    const one = formatOfOne(published, rebuilt);
    if (one !== undefined)
      walk.report({
        kind: 'malformed',
        path: place.path,
        side: one.lacking,
        code: `${one.format}/not-recognized`,
        offset: 0,
        detail: `no ${one.format} file; the other side is one`,
      });
    return undefined;
  }
  if (place.depth >= walk.options.limits.depth) return 'too-deep';
  return container(walk, published, rebuilt, place);
}
