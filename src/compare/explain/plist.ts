// SPDX-License-Identifier: Apache-2.0
/** Property lists that differ, by key path: Info.plist, entitlements, compiled strings, `CodeResources` and any other. */
import type { ByteSource } from '../../bytes.js';
import { FormatError } from '../../errors.js';
import { comparePlists, type PlistDifference } from '../../formats/plist-difference.js';
import { readPlist, type PlistDocument } from '../../formats/plist.js';
import { printable } from '../../printable.js';
import type { Cause, Difference, Side } from '../types.js';
import type { Explainer } from './explain-leaf.js';

const MAX_BYTES = 16 << 20;
/** Key paths of one file that are told; what is more is counted. */
const MAX_PATHS = 200;
/** Of one side: the keyed archives that Apple's tools write leave many numbers of objects behind that nothing uses. */
const MAX_HIDDEN = 5;
const MAX_TEXT = 300;

export const explainPlist: Explainer = async ({ path, published, rebuilt }) => {
  const [p, r] = [open(published), open(rebuilt)];
  if (p === undefined || r === undefined) return undefined;
  const { found, cut, reordered } = comparePlists(p.root, r.root, MAX_PATHS);
  const hidden = [
    ...hiddenBytes(path, 'published', published, p),
    ...hiddenBytes(path, 'rebuilt', rebuilt, r),
  ];
  const sameForm = p.form === r.form;
  // two texts with the same values differ where a patch shows it
  if (found.length === 0 && hidden.length === 0 && sameForm && p.form === 'xml') return undefined;
  const field = (name: string, a: string, b: string): Difference => ({
    kind: 'field',
    path,
    field: `plist/${name}`,
    published: a,
    rebuilt: b,
    owner: 'different',
  });
  return [
    ...(sameForm ? [] : [field('form', p.form, r.form)]),
    ...found.map((difference) => fieldOf(path, difference)),
    ...(cut === 0 ? [] : [field('more', `${cut} more key paths differ`, '')]),
    ...(reordered === 0 ? [] : [field('order of keys', `another one in ${reordered} dictionaries`, '')]),
    ...(sameForm && found.length === 0 && reordered === 0 && hidden.length === 0
      ? [field('encoding', 'the same values', 'stored in another way')]
      : []),
    ...hidden,
  ];
};

/** Nothing for what is no property list. */
function open(source: ByteSource): PlistDocument | undefined {
  if (source.size < 8 || source.size > MAX_BYTES) return undefined;
  const head = source.read(0, Math.min(200, source.size)).toString('latin1');
  if (!head.startsWith('bplist00') && !/<plist|<!DOCTYPE plist|^(?:\xef\xbb\xbf)?<\?xml/.test(head))
    return undefined;
  try {
    return readPlist(source);
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
}

function fieldOf(path: readonly string[], { path: keys, published, rebuilt }: PlistDifference): Difference {
  const cause = causeOf(keys, published, rebuilt);
  return {
    kind: 'field',
    path,
    field: `plist/${keys === '' ? '(root)' : shown(keys)}`,
    published: published === undefined ? 'absent' : shown(published),
    rebuilt: rebuilt === undefined ? 'absent' : shown(rebuilt),
    owner: 'different',
    ...(cause === undefined ? {} : { cause }),
  };
}

/** What Xcode writes about itself and about the machine. */
const TOOLCHAIN = new Set([
  'BuildMachineOSBuild',
  'DTCompiler',
  'DTPlatformBuild',
  'DTPlatformVersion',
  'DTSDKBuild',
  'DTSDKName',
  'DTXcode',
  'DTXcodeBuild',
]);

function causeOf(key: string, published: string | undefined, rebuilt: string | undefined): Cause | undefined {
  if (!TOOLCHAIN.has(key) || published === undefined || rebuilt === undefined) return undefined;
  return { kind: 'toolchain-version', evidence: `${key} ${shown(published)}, rebuilt ${shown(rebuilt)}` };
}

function shown(text: string): string {
  return printable(text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text);
}

function hiddenBytes(
  path: readonly string[],
  side: Side,
  source: ByteSource,
  { findings }: PlistDocument,
): Difference[] {
  return findings
    .filter(({ code }) => code === 'gap' || code === 'unreferenced' || code === 'trailer')
    .slice(0, MAX_HIDDEN)
    .map(({ code, offset, length }) => ({
      kind: 'hidden',
      path,
      side,
      region: `plist/${code}`,
      offset,
      length,
      hex: source.read(offset, Math.min(64, length)).toString('hex'),
    }));
}
