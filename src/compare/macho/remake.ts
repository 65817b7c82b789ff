// SPDX-License-Identifier: Apache-2.0
/**
 * A published program made again: the rebuilt one without its signature, the published signature behind it, and what
 * follows from that computed. The SHA-256 must be the published one.
 */
import { createHash } from 'node:crypto';
import { eachChunk } from '../../bytes.js';
import type { Proof } from '../types.js';
import type { Walk } from '../walk.js';
import type { ThinSide } from './thin-side.js';

const COMMAND = 16;
const CODE_SIGNATURE = 0x1d;
const PAGES = [0x1000, 0x4000] as const;

export function remake(walk: Walk, p: ThinSide, r: ThinSide): Proof {
  const published = p.file.signature;
  if (published === undefined || p.linkEdit === undefined || r.linkEdit === undefined)
    return { kind: 'none', why: 'the published file has no signature that could be put in' };
  const head = headWith(p, r);
  if (head === undefined) return { kind: 'none', why: 'the command of the signature is at another place' };
  const takenBytes = (walk.nodes[0]?.published.runs ?? []).reduce(
    (sum, { owner, region, length }) =>
      sum + (owner === 'signature' && /^mach-o\/signature(?:-|$)/.test(region) ? length : 0),
    0,
  );
  const start = Math.ceil(r.contentEnd / 16) * 16;
  const tried = PAGES.map((page) => {
    const bytes = Buffer.from(head);
    const put = fieldsOf(r, bytes);
    const size = start + published.size - (r.linkEdit?.offset ?? 0);
    const at = r.linkEdit?.command.offset ?? 0;
    const step = r.file.bits === 64 ? 8 : 4;
    put(at + 24 + step, step, Math.ceil(size / page) * page);
    put(at + 24 + 3 * step, step, size);
    const hash = createHash('sha256').update(bytes);
    eachChunk(r.source, bytes.length, r.contentEnd - bytes.length, (chunk) => void hash.update(chunk));
    hash.update(Buffer.alloc(start - r.contentEnd));
    eachChunk(p.source, published.offset, published.size, (chunk) => void hash.update(chunk));
    return hash.digest('hex');
  });
  const wanted = createHash('sha256');
  eachChunk(p.source, 0, p.source.size, (chunk) => void wanted.update(chunk));
  const expected = wanted.digest('hex');
  const sha256 = tried.find((digest) => digest === expected) ?? tried[0] ?? '';
  return { kind: 'transplant', profile: 'codesign', sha256, equal: sha256 === expected, takenBytes };
}

/** Header and commands of the rebuilt file with the command of the published signature. */
function headWith(p: ThinSide, r: ThinSide): Buffer | undefined {
  const { file } = r;
  const own = file.commands.find(({ name }) => name === 'LC_CODE_SIGNATURE');
  const theirs = p.file.commands.find(({ name }) => name === 'LC_CODE_SIGNATURE');
  const at = own?.offset ?? file.headerSize + file.commandsSize;
  if (theirs?.offset !== at || p.file.signature === undefined) return undefined;
  const added = own === undefined ? COMMAND : 0;
  const bytes = Buffer.from(r.source.read(0, file.headerSize + file.commandsSize + added));
  const put = fieldsOf(r, bytes);
  put(16, 4, file.commands.length + (added === 0 ? 0 : 1));
  put(20, 4, file.commandsSize + added);
  put(at, 4, CODE_SIGNATURE);
  put(at + 4, 4, COMMAND);
  put(at + 8, 4, Math.ceil(r.contentEnd / 16) * 16);
  put(at + 12, 4, p.file.signature.size);
  return bytes;
}

function fieldsOf({ file }: ThinSide, bytes: Buffer): (at: number, size: number, value: number) => void {
  return (at, size, value) => {
    const high = Math.floor(value / 2 ** 32);
    if (file.littleEndian) {
      bytes.writeUInt32LE(value >>> 0, at);
      if (size === 8) bytes.writeUInt32LE(high, at + 4);
    } else {
      bytes.writeUInt32BE(size === 8 ? high : value >>> 0, at);
      if (size === 8) bytes.writeUInt32BE(value >>> 0, at + 4);
    }
  };
}
