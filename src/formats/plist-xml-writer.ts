// SPDX-License-Identifier: Apache-2.0
/**
 * The one XML that Core Foundation writes for these values in this order. A file that is these bytes has no room for
 * anything beside its values.
 * https://github.com/apple-oss-distributions/CF/blob/main/CFPropertyList.c (_CFAppendXML0)
 */
import type { PlistValue } from './plist-value.js';

const HEAD =
  '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">\n<plist version="1.0">\n';
/** Base64 lines end where 76 columns do, a tab counting eight. */
const COLUMNS = 76;
const EPOCH = 978_307_200;

/** `undefined` where XML has no form for a value: sets, and UIDs by themselves. */
export function writeXmlPlist(root: PlistValue): Buffer | undefined {
  const lines: string[] = [];
  return append(lines, root, 0) ? Buffer.from(`${HEAD}${lines.join('')}</plist>\n`, 'utf8') : undefined;
}

/** The element with its line end, as deep as this. */
export function xmlElement(value: PlistValue, depth: number): string | undefined {
  const lines: string[] = [];
  return append(lines, value, depth) ? lines.join('') : undefined;
}

export function xmlKey(key: string, depth: number): string {
  return `${'\t'.repeat(depth)}<key>${escaped(key)}</key>\n`;
}

function append(lines: string[], value: PlistValue, depth: number): boolean {
  const indent = '\t'.repeat(depth);
  const line = (text: string): boolean => lines.push(`${indent}${text}\n`) > 0;
  switch (value.kind) {
    case 'dict':
      if (value.entries.length === 0) return line('<dict/>');
      line('<dict>');
      for (const entry of value.entries) {
        lines.push(xmlKey(entry.key, depth + 1));
        if (!append(lines, entry.value, depth + 1)) return false;
      }
      return line('</dict>');
    case 'array':
      if (value.items.length === 0) return line('<array/>');
      line('<array>');
      return value.items.every((item) => append(lines, item, depth + 1)) && line('</array>');
    case 'string':
      return line(`<string>${escaped(value.value)}</string>`);
    case 'integer':
      return line(`<integer>${value.value}</integer>`);
    case 'real':
      return line(`<real>${realText(value.value)}</real>`);
    case 'boolean':
      return line(value.value ? '<true/>' : '<false/>');
    case 'date':
      return line(
        `<date>${new Date((EPOCH + value.seconds) * 1000).toISOString().replace('.000Z', 'Z')}</date>`,
      );
    case 'data': {
      line('<data>');
      const width = Math.max(4, COLUMNS - 8 * depth - ((COLUMNS - 8 * depth) % 4));
      const text = value.value.toString('base64');
      for (let at = 0; at < text.length; at += width) line(text.slice(at, at + width));
      return line('</data>');
    }
    case 'set':
    case 'uid':
      return false;
  }
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function realText(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? '+infinity' : '-infinity';
  return String(value);
}
