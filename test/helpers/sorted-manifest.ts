// SPDX-License-Identifier: Apache-2.0
/** A manifest whose strings are sorted as aapt2 does. */
import { NONE, TYPE_STRING, writeAxmlDocument, type AxmlNode } from '../../src/formats/axml-document.js';
import { UTF8_FLAG } from '../../src/formats/string-pool.js';

const ANDROID = 'http://schemas.android.com/apk/res/android';
const TYPE_INTEGER = 0x10;

/** `value`: Google Play's number is there, with this text beside the resource id of `android:value`; `application`: the name of the class. */
export function sortedManifest(value?: string, application = 'App', flags = UTF8_FLAG): Buffer {
  const added = value === undefined ? [] : ['com.android.vending.derived.apk.id', 'meta-data'];
  const map = [0x01010003, ...(value === undefined ? [] : [0x01010024])];
  const words = ['android', 'application', ANDROID, 'manifest', application, ...added].sort();
  const encoding = flags === UTF8_FLAG ? 'utf8' : 'utf16le';
  const strings = ['name', ...(value === undefined ? [] : [value]), ...words];
  const at = (text: string): number => strings.indexOf(text);
  const fields = { line: 0, comment: NONE };
  const places = [0, 0, 0] as const;
  const name = (text: string) => ({
    namespace: at(ANDROID),
    name: 0,
    raw: at(text),
    type: TYPE_STRING,
    data: at(text),
  });
  const start = (
    element: string,
    ...attributes: Extract<AxmlNode, { kind: 'start' }>['attributes']
  ): AxmlNode => ({
    kind: 'start',
    ...fields,
    namespace: NONE,
    name: at(element),
    places,
    attributes,
  });
  const end = (element: string): AxmlNode => ({ kind: 'end', ...fields, namespace: NONE, name: at(element) });
  const scope = { ...fields, prefix: at('android'), uri: at(ANDROID) };
  const number = { namespace: at(ANDROID), name: 1, raw: NONE, type: TYPE_INTEGER, data: 3 };
  const meta =
    value === undefined
      ? []
      : [start('meta-data', name('com.android.vending.derived.apk.id'), number), end('meta-data')];
  return writeAxmlDocument({
    pool: { flags, strings: strings.map((text) => Buffer.from(text, encoding)), styles: [] },
    map,
    nodes: [
      { kind: 'namespace-start', ...scope },
      start('manifest'),
      start('application', name(application)),
      ...meta,
      end('application'),
      end('manifest'),
      { kind: 'namespace-end', ...scope },
    ],
  });
}
