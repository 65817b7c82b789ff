// SPDX-License-Identifier: Apache-2.0
/** tar archives, also such as no tool writes. */

export interface TarMemberSpec {
  readonly name: string;
  readonly data?: string | Uint8Array;
  readonly type?: string;
  readonly linkName?: string;
  readonly prefix?: string;
  /** Spelled fields, as long as they are or shorter. */
  readonly mode?: string;
  readonly uid?: string | Uint8Array;
  readonly gid?: string;
  readonly size?: string | Uint8Array;
  readonly mtime?: string | Uint8Array;
  readonly checksum?: string;
  readonly magic?: string;
  readonly userName?: string;
  readonly groupName?: string;
  readonly devMajor?: string;
  readonly devMinor?: string;
  /** Written over the header at the given offsets before the checksum is made. */
  readonly patch?: Readonly<Record<number, number>>;
  /** A byte for the space up to the next block. */
  readonly padding?: number;
}

function octal(value: number, digits: number): string {
  return `${value.toString(8).padStart(digits, '0')}\0`;
}

export function tarMember(spec: TarMemberSpec): Buffer {
  const data = Buffer.from(spec.data ?? '');
  const block = Buffer.alloc(512);
  const put = (value: string | Uint8Array, at: number): void => {
    block.set(typeof value === 'string' ? Buffer.from(value, 'latin1') : value, at);
  };
  put(spec.name, 0);
  put(spec.mode ?? octal(0o644, 7), 100);
  put(spec.uid ?? octal(0, 7), 108);
  put(spec.gid ?? octal(0, 7), 116);
  put(spec.size ?? octal(data.length, 11), 124);
  put(spec.mtime ?? octal(1_700_000_000, 11), 136);
  put(spec.type ?? '0', 156);
  put(spec.linkName ?? '', 157);
  put(spec.magic ?? 'ustar\x0000', 257);
  put(spec.userName ?? '', 265);
  put(spec.groupName ?? '', 297);
  put(spec.devMajor ?? '', 329);
  put(spec.devMinor ?? '', 337);
  put(spec.prefix ?? '', 345);
  for (const [at, value] of Object.entries(spec.patch ?? {})) block[Number(at)] = value;
  block.fill(' ', 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  put(spec.checksum ?? `${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return Buffer.concat([block, data, Buffer.alloc(-data.length & 511, spec.padding ?? 0)]);
}

export function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return `${length}${rest}`;
}

/** With the end that tar writes: zeros up to the next 10,240 bytes. */
export function buildTar(members: readonly TarMemberSpec[], end?: Uint8Array): Buffer {
  const body = Buffer.concat(members.map(tarMember));
  const size = Math.ceil((body.length + 1024) / 10_240) * 10_240 - body.length;
  return Buffer.concat([body, end ?? Buffer.alloc(size)]);
}
