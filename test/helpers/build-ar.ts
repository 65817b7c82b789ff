// SPDX-License-Identifier: Apache-2.0
/** ar archives, also such as no tool writes. */

export interface ArMemberSpec {
  /** The 16 bytes of the name field, padded with spaces. */
  readonly name: string;
  readonly data?: string | Uint8Array;
  readonly mtime?: string;
  readonly uid?: string;
  readonly gid?: string;
  readonly mode?: string;
  /** Instead of the size of `data`. */
  readonly size?: string;
  readonly magic?: string;
  /** After data of odd size. */
  readonly padding?: string;
}

export function buildAr(members: readonly ArMemberSpec[], trailing = ''): Buffer {
  const parts: Buffer[] = [Buffer.from('!<arch>\n')];
  for (const member of members) {
    const data = Buffer.from(member.data ?? '');
    const header = [
      member.name.padEnd(16),
      (member.mtime ?? '1700000000').padEnd(12),
      (member.uid ?? '0').padEnd(6),
      (member.gid ?? '0').padEnd(6),
      (member.mode ?? '100644').padEnd(8),
      (member.size ?? String(data.length)).padEnd(10),
      member.magic ?? '`\n',
    ].join('');
    parts.push(Buffer.from(header, 'latin1'), data);
    if (data.length % 2 === 1) parts.push(Buffer.from(member.padding ?? '\n', 'latin1'));
  }
  return Buffer.concat([...parts, Buffer.from(trailing, 'latin1')]);
}
