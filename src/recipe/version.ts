// SPDX-License-Identifier: Apache-2.0
/**
 * Versions: their order, ranges of them, and the nearest ones to a version that nobody knows.
 * Debian's order: https://manpages.debian.org/bookworm/dpkg-dev/deb-version.7.en.html
 */

/** `dotted`: 10.14.5, 8.0.0-beta.1, 7.8.1-1. `debian`: [epoch:]upstream[-revision]. */
export type VersionScheme = 'dotted' | 'debian';

type Operator = '>=' | '<=' | '>' | '<' | '=';

export type VersionRange =
  | { readonly kind: 'any' }
  | { readonly kind: 'exact'; readonly version: string }
  /** `10.x`, `10.1.x`: `parts` are the numbers before the x. */
  | { readonly kind: 'prefix'; readonly parts: readonly string[] }
  | {
      readonly kind: 'bounds';
      readonly bounds: readonly { readonly operator: Operator; readonly version: string }[];
    };

const VERSION = '[0-9][0-9A-Za-z.+~:-]*';
const BOUND = `(?:>=|<=|>|<|=) ?${VERSION}`;
/** For schemas, which cannot call a function. */
export const VERSION_PATTERN = new RegExp(`^${VERSION}$`);
export const RANGE_PATTERN = new RegExp(
  `^(?:latest|\\*|[0-9.]+\\.[xX*]|${VERSION}|${BOUND}(?: +${BOUND})*)$`,
);

/** Undefined for what is no range. A range comes from a command line, so its length is bounded. */
export function parseRange(text: string): VersionRange | undefined {
  if (text.length > 200) return undefined;
  if (text === 'latest' || text === '*') return { kind: 'any' };
  const prefix = /^(\d+(?:\.\d+)*)\.[xX*]$/.exec(text)?.[1];
  if (prefix !== undefined) return { kind: 'prefix', parts: prefix.split('.') };
  if (VERSION_PATTERN.test(text)) return { kind: 'exact', version: text };
  if (!RANGE_PATTERN.test(text)) return undefined;
  const bounds = [...text.matchAll(/(>=|<=|>|<|=) ?([^ ]+)/g)].map(([, operator, version]) => ({
    operator: operator as Operator,
    version: version ?? '',
  }));
  return bounds.length === 0 ? undefined : { kind: 'bounds', bounds };
}

// ---------------------------------------------------------------- order

const order = (a: number, b: number): number => Math.sign(a - b);

/** deb-version(7): letters before everything else but `~`, which sorts before even the end. */
function weight(character: string | undefined): number {
  if (character === undefined) return 0;
  if (character === '~') return -1;
  const code = character.charCodeAt(0);
  return /[A-Za-z]/.test(character) ? code : code + 256;
}

function compareDigits(a: string, b: string): number {
  const left = a.replace(/^0+/, '');
  const right = b.replace(/^0+/, '');
  if (left.length !== right.length) return order(left.length, right.length);
  return left < right ? -1 : left > right ? 1 : 0;
}

/** One part (upstream or revision): alternating runs of non-digits and digits. */
function compareDebianPart(a: string, b: string): number {
  let left = a;
  let right = b;
  while (left !== '' || right !== '') {
    const [leftText = ''] = /^[^0-9]*/.exec(left) ?? [];
    const [rightText = ''] = /^[^0-9]*/.exec(right) ?? [];
    for (let i = 0; i < Math.max(leftText.length, rightText.length); i++) {
      const difference = order(weight(leftText[i]), weight(rightText[i]));
      if (difference !== 0) return difference;
    }
    left = left.slice(leftText.length);
    right = right.slice(rightText.length);
    const [leftDigits = ''] = /^[0-9]*/.exec(left) ?? [];
    const [rightDigits = ''] = /^[0-9]*/.exec(right) ?? [];
    const difference = compareDigits(leftDigits, rightDigits);
    if (difference !== 0) return difference;
    left = left.slice(leftDigits.length);
    right = right.slice(rightDigits.length);
  }
  return 0;
}

export interface DebianVersion {
  readonly epoch: string;
  readonly upstream: string;
  readonly revision: string | undefined;
}

export function splitDebianVersion(version: string): DebianVersion {
  const colon = version.indexOf(':');
  const rest = version.slice(colon + 1);
  const hyphen = rest.lastIndexOf('-');
  return {
    epoch: colon < 0 ? '0' : version.slice(0, colon),
    upstream: hyphen < 0 ? rest : rest.slice(0, hyphen),
    revision: hyphen < 0 ? undefined : rest.slice(hyphen + 1),
  };
}

function compareDebian(a: string, b: string): number {
  const left = splitDebianVersion(a);
  const right = splitDebianVersion(b);
  return (
    compareDigits(left.epoch, right.epoch) ||
    compareDebianPart(left.upstream, right.upstream) ||
    // An absent revision equals 0.
    compareDebianPart(left.revision ?? '0', right.revision ?? '0')
  );
}

const PRE_RELEASE = /^(?:alpha|beta|dev|pre|preview|rc|snapshot)(?![A-Za-z])/i;

interface Dotted {
  readonly numbers: readonly string[];
  readonly suffix: string;
  /** -1 before the release itself, 0 the release, 1 after it. */
  readonly stage: -1 | 0 | 1;
}

function splitDotted(version: string): Dotted {
  const [numbers = ''] = /^\d+(?:\.\d+)*/.exec(version) ?? [];
  const suffix = version.slice(numbers.length).replace(/^[-.+~]/, '');
  const stage = suffix === '' ? 0 : PRE_RELEASE.test(suffix) || version[numbers.length] === '~' ? -1 : 1;
  return { numbers: numbers.split('.'), suffix, stage };
}

function compareNumbers(a: readonly string[], b: readonly string[]): number {
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const difference = compareDigits(a[i] ?? '0', b[i] ?? '0');
    if (difference !== 0) return difference;
  }
  return 0;
}

function compareDotted(a: string, b: string): number {
  const left = splitDotted(a);
  const right = splitDotted(b);
  return (
    compareNumbers(left.numbers, right.numbers) ||
    order(left.stage, right.stage) ||
    compareDebianPart(left.suffix, right.suffix)
  );
}

/** Negative, zero or positive. `10.9` equals `10.9.0` where versions are dotted, as ranges need it. */
export function compareVersions(a: string, b: string, scheme: VersionScheme): number {
  return scheme === 'debian' ? compareDebian(a, b) : compareDotted(a, b);
}

// ---------------------------------------------------------------- ranges

/** Debian: a bound without revision speaks about the upstream version alone, whatever the epoch. */
function compareToBound(version: string, bound: string, scheme: VersionScheme): number {
  if (scheme === 'dotted') return compareDotted(version, bound);
  if (bound.includes(':') || splitDebianVersion(bound).revision !== undefined)
    return compareDebian(version, bound);
  return compareDebianPart(splitDebianVersion(version).upstream, bound);
}

function meets(comparison: number, operator: Operator): boolean {
  switch (operator) {
    case '>=':
      return comparison >= 0;
    case '<=':
      return comparison <= 0;
    case '>':
      return comparison > 0;
    case '<':
      return comparison < 0;
    case '=':
      return comparison === 0;
  }
}

export function isPreRelease(version: string, scheme: VersionScheme): boolean {
  return scheme === 'debian'
    ? splitDebianVersion(version).upstream.includes('~')
    : splitDotted(version).stage < 0;
}

function hasPrefix(version: string, parts: readonly string[], scheme: VersionScheme): boolean {
  const upstream = scheme === 'debian' ? splitDebianVersion(version).upstream : version;
  const { numbers } = splitDotted(upstream);
  return (
    numbers.length >= parts.length && parts.every((part, i) => compareDigits(part, numbers[i] ?? '0') === 0)
  );
}

/** `<11` leaves out 11.0-beta: whoever asks for less than 11 does not mean its previews. A preview is matched by name only. */
export function inRange(version: string, range: VersionRange, scheme: VersionScheme): boolean {
  switch (range.kind) {
    case 'exact':
      if (version === range.version) return true;
      // `3.8` means 3.8-1 where the archive adds a revision.
      return scheme === 'debian' && splitDebianVersion(version).upstream === range.version;
    case 'any':
      return !isPreRelease(version, scheme);
    case 'prefix':
      return !isPreRelease(version, scheme) && hasPrefix(version, range.parts, scheme);
    case 'bounds':
      return (
        !isPreRelease(version, scheme) &&
        range.bounds.every(({ operator, version: bound }) =>
          meets(compareToBound(version, bound, scheme), operator),
        )
      );
  }
}

/** A version that stands for the range in messages and in comparisons: undefined for `any`. */
export function representative(range: VersionRange): string | undefined {
  switch (range.kind) {
    case 'any':
      return undefined;
    case 'exact':
      return range.version;
    case 'prefix':
      return range.parts.join('.');
    case 'bounds':
      return range.bounds[0]?.version;
  }
}

/** Up to `count` known versions around the place where `version` would stand, in ascending order. */
export function nearestVersions(
  version: string,
  known: readonly string[],
  scheme: VersionScheme,
  count = 3,
): readonly string[] {
  const sorted = [...new Set(known)].sort((a, b) => compareVersions(a, b, scheme));
  const place = sorted.findIndex((other) => compareVersions(other, version, scheme) >= 0);
  const at = place < 0 ? sorted.length : place;
  const start = Math.max(0, Math.min(at - Math.ceil(count / 2), sorted.length - count));
  return sorted.slice(start, start + count);
}
