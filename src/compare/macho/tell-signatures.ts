// SPDX-License-Identifier: Apache-2.0
/** What is said of the signatures of a pair beside the owners of their bytes; a published one that does not hold is told first. */
import type { CodeSignatureCheck } from '../../formats/code-signature-check.js';
import { printable } from '../../printable.js';
import type { Place, Walk } from '../walk.js';
import type { ThinSide } from './thin-side.js';

const MAX_TEXT = 300;

export function tellSignatures(walk: Walk, { path }: Place, p: ThinSide, r: ThinSide): void {
  const where = [...path, p.file.architecture].join(' > ');
  for (const own of [p, r])
    if (own.damage !== undefined) {
      const { code, offset, detail } = own.damage;
      walk.report({ kind: 'malformed', path, side: own.side, code, offset, detail });
    }
  const { check } = p;
  if (check === undefined) return;
  const failing = check.issues.filter(({ effect }) => effect === 'fails');
  if (failing.length > 0 || check.cms.status === 'invalid') {
    const codes = [
      ...failing.map(({ code }) => code),
      ...(check.cms.status === 'invalid' ? check.cms.issues.map(({ code }) => code) : []),
    ];
    walk.notAuthentic.push({
      code: 'signature-invalid',
      detail: `${where}: ${[...new Set(codes)].sort().join(', ')}`,
    });
  }
  if (check.cms.status === 'unread') {
    const codes = check.cms.issues.map(({ code, message }) => `${code} (${printable(message)})`).join(', ');
    walk.cannotVerify('signature-unchecked', `${where}: ${codes}`);
  }
  if (check.pages.ciphertext > 0)
    walk.report({
      kind: 'unread',
      path,
      code: 'hash-of-ciphertext',
      detail: `${check.pages.ciphertext} of ${check.pages.checked} pages are not what was signed; they were encrypted then, and who decrypted them is not known`,
    });
  for (const [field, value] of FIELDS) {
    const [a, b] = [value(check), r.check === undefined ? 'no signature' : value(r.check)];
    if (a !== b)
      walk.report({ kind: 'field', path, field, published: short(a), rebuilt: short(b), owner: 'excluded' });
  }
}

const FIELDS: readonly (readonly [string, (check: CodeSignatureCheck) => string])[] = [
  [
    'signature of',
    ({ cms }) => `${cms.status}${cms.chain[0] === undefined ? '' : ` ${cms.chain[0].subject}`}`,
  ],
  ['identifier', ({ signature }) => signature.directories[0]?.directory.identifier ?? ''],
  ['team', ({ signature }) => signature.directories[0]?.directory.teamId ?? 'none'],
  [
    'signature flags',
    ({ signature }) => `0x${(signature.directories[0]?.directory.flags ?? 0).toString(16)}`,
  ],
];

function short(text: string): string {
  const shown = printable(text);
  return shown.length <= MAX_TEXT ? shown : `${shown.slice(0, MAX_TEXT)}…`;
}
