// SPDX-License-Identifier: Apache-2.0
/**
 * Writes the one library that the demo app brings along ready-made: a real ELF shared object for arm64, by hand,
 * because nothing of others is checked in. The app's own build only copies it, so that a report shows `carried`.
 * https://gabi.xinuos.com/ and https://github.com/ARM-software/abi-aa/blob/main/aaelf64/aaelf64.rst
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const NAME = 'libcrypto-prebuilt.so';
const SYMBOL = 'demo_crypto_version';
const HEADER = 64;
const SEGMENT = 56;

/** mov w0, #1; ret */
const code = words(0x52800020, 0xd65f03c0);

export function prebuiltLibrary() {
  const strings = table([SYMBOL, NAME]);
  const sectionNames = table(['.dynsym', '.dynstr', '.hash', '.text', '.dynamic', '.shstrtab']);
  const sections = [{ name: '', type: 0, bytes: Buffer.alloc(0) }];
  let at = HEADER + 2 * SEGMENT;
  const place = (name, type, bytes, more = {}) => {
    at = Math.ceil(at / 8) * 8;
    const section = { name, type, bytes, offset: at, address: at, align: 8, flags: 2, ...more };
    sections.push(section);
    at += bytes.length;
    return section;
  };

  // the symbol's address is known once the code has its place
  const symbols = Buffer.alloc(48);
  const dynsym = place('.dynsym', 11, symbols, { link: 2, info: 1, entry: 24 });
  const dynstr = place('.dynstr', 3, strings.bytes, { align: 1 });
  const hash = place('.hash', 5, words(1, 2, 1, 0, 0), { link: 1, entry: 4 });
  const text = place('.text', 1, code, { flags: 6 });
  symbols.writeUInt32LE(strings.at(SYMBOL), 24);
  symbols[28] = 0x12; // a global function
  symbols.writeUInt16LE(4, 30); // in .text
  symbols.writeBigUInt64LE(BigInt(text.address), 32);
  symbols.writeBigUInt64LE(BigInt(code.length), 40);
  const dynamic = place(
    '.dynamic',
    6,
    longs(
      [4, hash.address], // DT_HASH
      [5, dynstr.address], // DT_STRTAB
      [6, dynsym.address], // DT_SYMTAB
      [10, strings.bytes.length], // DT_STRSZ
      [11, 24], // DT_SYMENT
      [14, strings.at(NAME)], // DT_SONAME
      [0, 0],
    ),
    { link: 2, entry: 16 },
  );
  const loaded = at;
  place('.shstrtab', 3, sectionNames.bytes, { address: 0, align: 1, flags: 0 });
  const tableAt = Math.ceil(at / 8) * 8;

  const file = Buffer.alloc(tableAt + 64 * sections.length);
  header(tableAt, sections.length).copy(file);
  segment(1, 5, 0, loaded, 0x4000).copy(file, HEADER); // one PT_LOAD, read and execute
  segment(2, 4, dynamic.offset, dynamic.bytes.length, 8).copy(file, HEADER + SEGMENT);
  sections.forEach((section, index) => {
    if (index === 0) return;
    section.bytes.copy(file, section.offset);
    sectionHeader(section, sectionNames.at(section.name)).copy(file, tableAt + 64 * index);
  });
  return file;
}

function header(tableAt, count) {
  const bytes = Buffer.alloc(HEADER);
  Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]).copy(bytes); // 64 bits, little endian
  bytes.writeUInt16LE(3, 16); // ET_DYN
  bytes.writeUInt16LE(183, 18); // EM_AARCH64
  bytes.writeUInt32LE(1, 20);
  bytes.writeBigUInt64LE(BigInt(HEADER), 32);
  bytes.writeBigUInt64LE(BigInt(tableAt), 40);
  [HEADER, SEGMENT, 2, 64, count, count - 1].forEach((value, index) =>
    bytes.writeUInt16LE(value, 52 + 2 * index),
  );
  return bytes;
}

function segment(type, flags, offset, size, align) {
  return Buffer.concat([words(type, flags), longs(offset, offset, offset, size, size, align)]);
}

function sectionHeader({ type, flags, address, offset, bytes, link = 0, info = 0, align, entry = 0 }, name) {
  return Buffer.concat([
    words(name, type),
    longs(flags, address, offset, bytes.length),
    words(link, info),
    longs(align, entry),
  ]);
}

/** Strings, each with its NUL, after the empty one. */
function table(strings) {
  const bytes = Buffer.from(`\0${strings.map((string) => `${string}\0`).join('')}`, 'latin1');
  return { bytes, at: (string) => bytes.indexOf(`\0${string}\0`, 0, 'latin1') + 1 };
}

function words(...values) {
  const bytes = Buffer.alloc(4 * values.length);
  values.forEach((value, index) => bytes.writeUInt32LE(value, 4 * index));
  return bytes;
}

function longs(...items) {
  const values = items.flat();
  const bytes = Buffer.alloc(8 * values.length);
  values.forEach((value, index) => bytes.writeBigUInt64LE(BigInt(value), 8 * index));
  return bytes;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const directory = path.join(path.dirname(fileURLToPath(import.meta.url)), 'source', 'lib', 'arm64-v8a');
  mkdirSync(directory, { recursive: true });
  writeFileSync(path.join(directory, NAME), prebuiltLibrary());
}
