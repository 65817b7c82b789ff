// SPDX-License-Identifier: Apache-2.0
/** The small words of the recipe schema: strings of a checked form, and objects that refuse keys they do not know. */
import { z } from 'zod';
import { nearestWord } from '../nearest-word.js';
import { RANGE_PATTERN, VERSION_PATTERN } from './version.js';

/** What was expected, for a word that is none of `known`. */
export function expectedOneOf(given: unknown, known: readonly string[]): string {
  const nearest = typeof given === 'string' ? nearestWord(given, known) : undefined;
  const suggestion = nearest === undefined ? '' : ` (did you mean ${nearest}?)`;
  return `expected one of ${known.join(', ')}, got ${JSON.stringify(given) ?? 'nothing'}${suggestion}`;
}

/** An object that refuses unknown keys: one line per unknown key, in the order of `issue.keys`. */
export function strict<Shape extends z.ZodRawShape>(shape: Shape) {
  const known = Object.keys(shape);
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? issue.keys.map((key: string) => expectedOneOf(key, known)).join('\n')
        : undefined,
  });
}

export function word<const Words extends readonly [string, ...string[]]>(words: Words) {
  return z.enum(words, { error: (issue) => expectedOneOf(issue.input, words) });
}

/** A union by `kind`; a wrong kind is answered with the list of kinds. */
export function byKind<
  const Options extends readonly [
    z.ZodObject<{ kind: z.ZodLiteral<string> }>,
    ...z.ZodObject<{ kind: z.ZodLiteral<string> }>[],
  ],
>(options: Options) {
  const kinds = options.map((option) => option.shape.kind.value);
  return z.discriminatedUnion('kind', options, {
    error: (issue) =>
      issue.code === 'invalid_union'
        ? expectedOneOf((issue.input as { kind?: unknown } | undefined)?.kind, kinds)
        : undefined,
  });
}

const formed = (pattern: RegExp, expected: string) =>
  z.string().regex(pattern, {
    error: (issue) => `expected ${expected}, got ${JSON.stringify(issue.input)}`,
  });

export const text = z.string().trim().min(1, { error: 'expected some text' });
export const webAddress = formed(/^https?:\/\/[^\s"<>]+$/, 'a web address');
export const repositoryAddress = formed(
  /^(?:https:\/\/[a-z0-9.-]+|http:\/\/127\.0\.0\.1:\d+|file:\/\/)(?:\/[A-Za-z0-9._~-]+)+$/,
  'an https address without user, query or final slash (for tests also file:// and http://127.0.0.1)',
);
export const githubRepository = formed(
  /^[A-Za-z0-9][A-Za-z0-9-]{0,38}\/(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}$/,
  'the owner and name of a repository on GitHub, as in owner/name',
);
export const fieldPath = formed(
  /^[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*$/,
  'the name of a field, or several joined by dots',
);
export const appId = formed(
  /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/,
  'an app id: lower case letters, digits and hyphens',
);
export const channelId = formed(/^[a-z][a-z0-9-]*$/, 'a channel id: lower case letters, digits and hyphens');
export const version = formed(VERSION_PATTERN, 'a version such as 10.14.5').max(100);
export const range = formed(RANGE_PATTERN, 'a version or a range such as 10.x, ">=10.9 <11" or "*"').max(200);
export const commit = formed(
  /^[0-9a-f]{40}(?:[0-9a-f]{24})?$/,
  'a full commit id: 40 or 64 lower case hex digits',
);
export const sha256 = formed(/^[0-9a-f]{64}$/, 'a SHA-256: 64 lower case hex digits');
export const keyFingerprint = formed(
  /^(?:[0-9A-F]{40}|[0-9A-F]{64})$/,
  'a fingerprint of an OpenPGP key: 40 or 64 upper case hex digits',
);
export const imageDigest = formed(/^sha256:[0-9a-f]{64}$/, 'sha256: and 64 lower case hex digits');
export const date = formed(/^\d{4}-\d{2}-\d{2}$/, 'a date as YYYY-MM-DD');
export const identifier = formed(/^[A-Za-z0-9][A-Za-z0-9._+-]*$/, 'a name of letters, digits and . _ + -');
export const variableName = formed(/^[A-Z_][A-Z0-9_]*$/, 'a variable name in upper case');
/** Below some root: no absolute path, no `..`, no empty part. */
export const pathBelow = formed(
  /^(?!.*(?:^|\/)\.{1,2}(?:\/|$))[^/\0\\][^\0\\]*$/,
  'a relative path without . and .. parts',
);
/** Below the work directory or, with one leading `../`, below its parent. */
export const outputPath = formed(
  /^(?:\.\.\/)?(?!.*(?:^|\/)\.{1,2}(?:\/|$))[^/\0\\.][^\0\\]*$/,
  'a relative path, at most one leading ../',
);
export const absolutePath = formed(
  /^\/(?!.*(?:^|\/)\.{1,2}(?:\/|$))[A-Za-z0-9._{}+-]+(?:\/[A-Za-z0-9._{}+-]+)*$/,
  'an absolute path without . and .. parts',
);
export const hostName = formed(
  /^(?:\*\.)?[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/,
  'the name of a host in lower case, or *. and a name',
);
export const positive = z.int().min(1);

function captures(pattern: string): number | undefined {
  try {
    return (new RegExp(`${pattern}|`, 'u').exec('')?.length ?? 1) - 1;
  } catch {
    return undefined;
  }
}

/** A regular expression (Unicode mode) with exactly one group: what it captures is compared. */
export const capturingPattern = z
  .string()
  .max(300)
  .refine((pattern) => captures(pattern) === 1, {
    error: 'expected a regular expression with exactly one capture group',
  });

/** A regular expression (Unicode mode) with the named group `version` and perhaps `build`. */
export const subjectPattern = z
  .string()
  .max(300)
  .refine((pattern) => captures(pattern) !== undefined && pattern.includes('(?<version>'), {
    error: 'expected a regular expression with a group (?<version>…)',
  });
