// SPDX-License-Identifier: Apache-2.0
/** Hostile names and texts made printable: what a person sees is unambiguous and cannot steer a terminal or a page. */

// C0, DEL, C1, and everything that reorders, joins or hides text: bidi controls, zero-width, line separators, tags, BOM
const UNSAFE =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e0fff}]|\\/gu;

function escapeCharacter(character: string): string {
  if (character === '\\') return '\\\\';
  const code = character.codePointAt(0) ?? 0;
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
}

/** Escapes what is not plainly printable; a backslash becomes two, so the form is reversible. */
export function printable(text: string): string {
  return text.toWellFormed().replace(UNSAFE, escapeCharacter);
}

/** JSON with the same value, in which none of those characters stands as it is. */
export function printableJson(json: string): string {
  return json.replace(UNSAFE, (character) =>
    character === '\\' || character === '\n'
      ? character
      : Array.from(
          { length: character.length },
          (_, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`,
        ).join(''),
  );
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** As `printable` for raw bytes: valid UTF-8 is kept, every byte of an invalid sequence becomes `\xNN`. */
export function printableBytes(bytes: Uint8Array): string {
  try {
    return printable(decoder.decode(bytes));
  } catch {
    return Array.from(bytes, (byte) =>
      byte >= 0x20 && byte < 0x7f
        ? printable(String.fromCharCode(byte))
        : `\\x${byte.toString(16).padStart(2, '0')}`,
    ).join('');
  }
}
