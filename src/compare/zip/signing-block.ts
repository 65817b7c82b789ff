// SPDX-License-Identifier: Apache-2.0
/**
 * Who owns the bytes of signing blocks. A block that was verified to its last byte is `signature`, but for pairs that only
 * their writer can read: those are left out by a rule of their own, each with its bytes, or they are unread.
 */
import { equalRange } from '../../bytes.js';
import type { OpaquePair } from '../../formats/apk-signature.js';
import type { RuleName } from '../../model.js';
import type { LedgerBuilder } from '../ledger.js';
import { rules } from '../rules/index.js';
import type { Owner, Side } from '../types.js';
import type { Place, Walk } from '../walk.js';
import type { ZipSide } from './zip-side.js';

const RULES = {
  'dependency-info': 'apk-dependency-info',
  'play-frosting': 'play-frosting',
} as const satisfies Record<OpaquePair['kind'], RuleName>;

/** Length and id in front of a value: bytes of the pair like any other. */
const PAIR_HEADER = 12;

export function compareBlocks(
  walk: Walk,
  sides: Readonly<Record<Side, LedgerBuilder>>,
  p: ZipSide,
  r: ZipSide,
  place: Place,
): void {
  const equal =
    p.block !== undefined &&
    r.block?.size === p.block.size &&
    equalRange(p.source, p.block.offset, r.source, r.block.offset, p.block.size);
  // a verified signature is called one also where the rebuilt file has the same; anything else that is equal is identical
  const same = equal && !(p.block?.trusted && r.block.trusted);
  const sameFill = same && p.block?.fill === r.block?.fill;
  if (place.depth > 0 && !equal && (p.block ?? r.block) !== undefined)
    walk.cannotVerify(
      'signature-unchecked',
      `${place.path.join(' > ')}: the signature of an archive inside is not checked`,
    );
  for (const side of [p, r]) {
    const { block } = side;
    if (block === undefined) continue;
    const owner: Owner = block.trusted ? 'signature' : 'unread';
    const add = (offset: number, size: number, region: string, is: Owner, rule: RuleName | ''): void => {
      sides[side.side].add(offset, size, is, region, -1, rule);
      if (rule !== '') walk.coverByRule(rule, side.side, size);
    };
    const sign = (offset: number, size: number, region: string, isSame: boolean): void => {
      if (isSame) add(offset, size, region, 'identical', '');
      else add(offset, size, region, owner, owner === 'signature' ? 'apk-signing-block' : '');
    };
    sign(block.offset - block.fill, block.fill, 'apk/page-fill', sameFill);
    let at = block.offset;
    for (const pair of block.trusted && !same ? side.signature.opaque : []) {
      const start = pair.offset - PAIR_HEADER;
      sign(at, start - at, 'apk/signing-block', same);
      at = pair.offset + pair.size;
      const is = equal ? 'identical' : opaqueOwner(walk, side, pair, place);
      add(start, at - start, `apk/${pair.kind}`, is, is === 'excluded' ? RULES[pair.kind] : '');
    }
    sign(at, block.offset + block.size - at, 'apk/signing-block', same);
    if (!same && !block.trusted) reportIssues(walk, side, place);
  }
}

/** Rules of signing always apply, those of a store where somebody asked for them. */
function opaqueOwner(
  walk: Walk,
  { side }: ZipSide,
  { kind, offset, size }: OpaquePair,
  { path }: Place,
): Owner {
  const rule = RULES[kind];
  if (rules[rule].class === 'signature' || walk.options.rules.has(rule)) return 'excluded';
  const detail = `${side} signing block: ${kind} of ${size} bytes, which only its writer can read (offset ${offset})`;
  walk.report({ kind: 'unread', path, code: kind, detail });
  walk.cannotVerify('unread', `${detail}; rule ${rule} leaves it out`);
  return 'unread';
}

function reportIssues(walk: Walk, { side, signature }: ZipSide, { path }: Place): void {
  for (const { code, message, offset } of signature.issues)
    walk.report({
      kind: 'unread',
      path,
      code,
      detail: `${side} signing block: ${message} (offset ${offset})`,
    });
}
