// SPDX-License-Identifier: Apache-2.0
/**
 * The keys that the App Store adds to an Info.plist: taken out of both sides again, the values that remain are the same,
 * and no byte of either file is anything but a value. Versions, the minimum system and what Xcode says of itself are
 * no such keys: Telegram's own comparison leaves those out too, and this one does not.
 */
import { BufferSource } from '../../bytes.js';
import { comparePlists } from '../../formats/plist-difference.js';
import { readPlist, type PlistEntry, type PlistValue } from '../../formats/plist.js';
import { xmlElement, xmlKey } from '../../formats/plist-xml-writer.js';
import { unlessMalformed } from './malformed.js';
import type { Rule } from './rule.js';

export const appstoreInfoPlist: Rule = {
  class: 'store-edit',
  title: 'Keys of the App Store in Info.plist',
  reason:
    'the App Store adds UISupportedDevices, DTAppStoreToolsBuild and ITSDRMScheme to the Info.plist of what it delivers; without them both sides hold the same values and nothing else',
  reference: 'https://github.com/TelegramMessenger/Telegram-iOS/blob/master/tools/ipadiff.py',
  content: {
    name: /^Payload\/[^/]+\.app\/(?:(?:[^/]+\/)*[^/]+\.(?:app|appex|framework)\/)?Info\.plist$/,
    limit: 1 << 20,
    leavesOut: 'content',
    covers: (published, rebuilt) =>
      unlessMalformed(() => {
        const [p, r] = [withoutStore(published), withoutStore(rebuilt)];
        if (p === undefined || r === undefined || p.form !== r.form) return false;
        if (p.text !== undefined)
          return r.text !== undefined && p.text.equals(r.text) && sameValues(p.root, r.root);
        return sameValues(p.root, r.root);
      }),
  },
};

const MAX_DEVICES = 1000;
/** What a value of the store can be; anything else is a difference. */
const STORE_KEYS: ReadonlyMap<string, (value: PlistValue) => boolean> = new Map([
  ['UISupportedDevices', isDevices],
  // a build number of Apple: 17C53, 13F15, 21A5248v
  [
    'DTAppStoreToolsBuild',
    (value: PlistValue) => value.kind === 'string' && /^[0-9]{1,3}[A-Z][0-9]{1,5}[a-z]?$/.test(value.value),
  ],
  ['ITSDRMScheme', (value: PlistValue) => value.kind === 'string' && /^v[0-9]{1,2}$/.test(value.value)],
]);

/** Models as the system names them, each once. */
function isDevices(value: PlistValue): boolean {
  if (value.kind !== 'array' || value.items.length > MAX_DEVICES) return false;
  const names = value.items.map((item) => (item.kind === 'string' ? item.value : ''));
  return (
    names.every((name) =>
      /^(?:iPhone|iPad|iPod|Watch|AppleTV|RealityDevice)[0-9]{1,2},[0-9]{1,2}$/.test(name),
    ) && new Set(names).size === names.length
  );
}

interface Without {
  readonly form: 'binary' | 'xml';
  readonly root: PlistValue;
  /** Of XML: the bytes without those of the keys. */
  readonly text?: Buffer;
}

/** `undefined` where a byte is no value, or a value is none of the store. @throws FormatError */
function withoutStore(bytes: Buffer): Without | undefined {
  const { form, root, findings } = readPlist(new BufferSource(bytes));
  if (findings.length > 0 || root.kind !== 'dict') return undefined;
  const added = root.entries.filter(({ key }) => STORE_KEYS.has(key));
  if (!added.every(({ key, value }) => STORE_KEYS.get(key)?.(value) === true)) return undefined;
  const rest: PlistValue = {
    kind: 'dict',
    entries: root.entries.filter(({ key }) => !STORE_KEYS.has(key)),
  };
  if (form === 'binary') return { form, root: rest };
  const text = added.reduce<Buffer | undefined>(cut, bytes);
  return text === undefined ? undefined : { form, root: rest, text };
}

/** The one place where these lines stand, as Core Foundation writes them. */
function cut(bytes: Buffer | undefined, { key, value }: PlistEntry): Buffer | undefined {
  const lines = Buffer.from(`${xmlKey(key, 1)}${xmlElement(value, 1) ?? ''}`);
  const at = bytes?.indexOf(lines) ?? -1;
  if (bytes === undefined || at === -1 || bytes.includes(lines, at + 1)) return undefined;
  return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + lines.length)]);
}

/** The order of keys is that of a hash table with these keys in it: it follows from nothing, and means nothing. */
function sameValues(p: PlistValue, r: PlistValue): boolean {
  return comparePlists(p, r, 1).found.length === 0;
}
