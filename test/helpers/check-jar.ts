// SPDX-License-Identifier: Apache-2.0
/** The JAR signature of a whole archive in memory, as the formats see it. */
import { createHash } from 'node:crypto';
import { inflateRawSync } from 'node:zlib';
import { BufferSource } from '../../src/bytes.js';
import { PAIR_ID, readSigningBlock } from '../../src/formats/apk-signing-block.js';
import { JAR_ISSUES, type JarEffect, type JarStatus, jarStatusAt } from '../../src/formats/jar-issue.js';
import {
  checkJarSignature,
  readJarSignature,
  type JarReading,
  type JarSignatureCheck,
} from '../../src/formats/jar-signature.js';
import { checkJarText } from '../../src/formats/jar-text.js';
import { readZip } from '../../src/formats/zip.js';

function schemesOf(archive: Buffer, directory: number): Set<number> {
  try {
    const pairs = readSigningBlock(new BufferSource(archive), directory)?.pairs ?? [];
    const has = (id: number): boolean => pairs.some((pair) => pair.id === id);
    return new Set([...(has(PAIR_ID.v2) ? [2] : []), ...(has(PAIR_ID.v3) ? [3] : [])]);
  } catch {
    return new Set();
  }
}

export interface JarChecked extends JarSignatureCheck {
  readonly reading: JarReading;
}

/** `text`: also what is `loose`. `changed`: content of entries that is taken instead of theirs. */
export function checkJar(
  archive: Buffer,
  text = false,
  changed: ReadonlyMap<number, Buffer> = new Map(),
): JarChecked {
  const zip = readZip(new BufferSource(archive));
  const content = (index: number): Buffer | string => {
    const other = changed.get(index);
    if (other !== undefined) return other;
    const entry = zip.entries[index];
    if (entry === undefined) return 'no-entry';
    const raw = archive.subarray(entry.dataOffset, entry.dataOffset + entry.compressedSize);
    if (entry.method === 0) return raw;
    try {
      return inflateRawSync(raw);
    } catch {
      return 'invalid-deflate';
    }
  };
  const reading = readJarSignature({
    entries: zip.entries,
    content,
    head: archive.subarray(0, 8),
    schemes: schemesOf(archive, zip.centralDirectory.offset),
  });
  if (text) checkJarText(reading, { orders: [reading.names] });
  const check = checkJarSignature(reading, (entry, algorithm) => {
    const bytes = content(entry);
    return typeof bytes === 'string' ? bytes : createHash(algorithm).update(bytes).digest();
  });
  return { ...check, reading };
}

/** Codes of these effects, each once, sorted. */
export function codesOf({ issues }: JarSignatureCheck, ...effects: readonly JarEffect[]): string[] {
  const found = issues
    .filter(({ code }) => effects.includes(JAR_ISSUES[code].effect))
    .map(({ code }) => code);
  return [...new Set(found)].sort();
}

/** The statuses on all of these versions. */
export function statusesFrom({ issues }: JarSignatureCheck, minSdk: number, maxSdk: number): Set<JarStatus> {
  const found = new Set<JarStatus>();
  for (let sdk = minSdk; sdk <= maxSdk; sdk++) found.add(jarStatusAt(issues, sdk));
  return found;
}
