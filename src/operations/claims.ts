// SPDX-License-Identifier: Apache-2.0
/** docs/claims.yaml: what is said in public about the apps. Checked for form and for words that judge. */
import { parse } from 'yaml';
import { z } from 'zod';
import { UsageError } from '../errors.js';

const text = z.string().trim().min(1);
const day = z.string().regex(/^\d{4}-\d{2}-\d{2}$/);
const app = z.string().regex(/^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/);
const address = z.string().regex(/^https:\/\/[^\s"<>]+$/);

/** `build`: the file is what the source gives; `source`: source is published; `statement`: what somebody did or said. */
export const CLAIM_KINDS = ['build', 'source', 'statement', 'protocol', 'server'] as const;

const base = z.strictObject({
  id: z.string().regex(/^[a-z0-9][a-z0-9.-]*$/),
  by: text,
  /** As far as it is known. */
  date: z
    .string()
    .regex(/^\d{4}(?:-\d{2}(?:-\d{2})?)?$/)
    .optional(),
  /** Where the date is from, if not from the place itself. */
  dateBy: text.optional(),
  /** As it was read. */
  quote: z.string().trim().min(10),
  url: address.optional(),
  read: z.strictObject({ at: text, on: day, copy: z.boolean() }),
  apps: z.array(app).min(1),
});

const claim = z.discriminatedUnion('kind', [
  base.extend({
    kind: z.enum(['build', 'source', 'statement']),
    /** What would test it. */
    test: text,
    cannot: text,
    unconfirmed: text.optional(),
  }),
  base.extend({ kind: z.enum(['protocol', 'server']) }),
]);

const scoreboard = z.strictObject({
  title: text,
  /** With {client} for its word for an app. */
  url: address,
  about: text,
  clients: z.record(app, z.string().regex(/^[a-z0-9-]*$/)),
});

const claimsSchema = z.strictObject({
  claims: z.array(claim).min(1),
  scoreboards: z.array(scoreboard).default([]),
});

export type Claims = z.output<typeof claimsSchema>;
export type Claim = Claims['claims'][number];

/** @throws UsageError `claims-invalid` with every problem */
export function parseClaims(source: string): Claims {
  const parsed = claimsSchema.safeParse(parse(source));
  if (!parsed.success)
    throw invalid(
      parsed.error.issues.map(({ path, message }) => `${path.map(String).join('.')}: ${message}`),
    );
  const problems = lintClaims(parsed.data);
  if (problems.length > 0) throw invalid(problems);
  return parsed.data;
}

const invalid = (problems: readonly string[]): UsageError =>
  new UsageError('claims-invalid', `docs/claims.yaml:\n${problems.join('\n')}`);

/** Words that judge. They stand in quotations, where they are somebody's, and nowhere else. */
const JUDGING =
  /\b(?:alleged(?:ly)?|actual(?:ly)?|bad(?:ly)?|best|better|claim(?:s|ed)?|clear(?:ly)?|deceptive|dishonest|even|fake|false(?:ly)?|great|honest(?:ly)?|in fact|insecure|just|lie[sd]?|mere(?:ly)?|misleading|obvious(?:ly)?|only|poor(?:ly)?|questionable|real(?:ly)?|refus(?:e[sd]?|al)|safe(?:ly)?|secure(?:ly)?|simpl[ey]|so-called|strong(?:ly)?|suspicious|true|truly|trustworthy|unfortunately|unsafe|weak(?:ly)?|worse|worst|wrong(?:ly)?)\b/i;

export function lintClaims({ claims, scoreboards }: Claims): readonly string[] {
  const problems: string[] = [];
  const seen = new Set<string>();
  for (const one of claims) {
    if (seen.has(one.id)) problems.push(`${one.id}: stands twice`);
    seen.add(one.id);
    const said = {
      by: one.by,
      dateBy: one.dateBy ?? 'itself',
      ...('test' in one ? { test: one.test, cannot: one.cannot } : {}),
    };
    const all = 'unconfirmed' in one ? { ...said, unconfirmed: one.unconfirmed ?? '' } : said;
    for (const [key, value] of Object.entries(all)) problems.push(...judging(`${one.id}.${key}`, value));
  }
  for (const { title, about } of scoreboards) problems.push(...judging(title, about));
  return problems;
}

function judging(place: string, value: string): readonly string[] {
  const [word] = JUDGING.exec(value) ?? [];
  const problems =
    word === undefined ? [] : [`${place}: ${JSON.stringify(word)} judges; say what is, with its date`];
  if (/[.!?]$/.test(value.trim())) problems.push(`${place}: ends without full stop, as a part of a sentence`);
  return problems;
}
