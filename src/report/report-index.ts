// SPDX-License-Identifier: Apache-2.0
/** `reports/index.json`: which reports are about a published file, by its SHA-256. Derived from the reports, never edited. */
import { z } from 'zod';
import type { FileIdentity, Sha256, Target, VerdictKind } from '../model.js';
import type { Note, Report } from './types.js';

export interface IndexedNote {
  readonly kind: Note['kind'];
  readonly date: string;
  /** Name below the report's `notes/`. */
  readonly file: string;
}

export interface IndexedReport {
  readonly app: string;
  readonly version: string;
  readonly channel: string;
  readonly verdict: VerdictKind;
  readonly title: string;
  readonly statementSha256: Sha256;
  /** ISO 8601, UTC. */
  readonly time: string;
  readonly supersedes?: Sha256;
  /** Built from another source than the publisher's: it answers nothing about the publisher. */
  readonly otherSource?: true;
  /** Its plan is another report's: it says that the same comes of it, and is no report of its own. */
  readonly replay?: true;
  /** The file is of another app than the one that was asked about: that is no verdict on the file. */
  readonly otherApp?: true;
  readonly notes?: readonly IndexedNote[];
}

export interface ReportIndex {
  readonly schemaVersion: 1;
  /** By SHA-256, the reports that the file is a subject of, and its name there. */
  readonly files: Readonly<Record<Sha256, readonly { readonly name: string; readonly report: string }[]>>;
  /** By directory below `reports/`. */
  readonly reports: Readonly<Record<string, IndexedReport>>;
}

/** `<app>/<version>/<channel>/<digest>-<n>`: what publish.ts makes. Others are not answers about an app. */
export const REPORT_PLACE = /^(?:[A-Za-z0-9][A-Za-z0-9._+~-]*\/){3}[0-9a-f]{12}-[1-9]\d{0,5}$/;

/** Directories below `reports/`, one in the other, that hold all reports on a version of a channel. */
export function placeOf({ app, version, channel }: Target): readonly string[] {
  return [app, versionSegment(version), channel];
}

/** `1:2.3-4` has a colon, and a range that nothing was found for, such as `>=10.9 <11`, more. */
function versionSegment(version: string): string {
  const plain = version.replaceAll(':', '~').replaceAll(/[<>=* ]+/g, '_');
  return plain.startsWith('_') ? `v${plain}` : plain;
}

/** As much of a report as the index needs. */
export type Indexable = Pick<Report, 'statementSha256'> & {
  readonly statement: Pick<Report['statement'], 'subject' | 'verdict' | 'title' | 'deviations'> & {
    readonly comparison?: { readonly pairs: readonly { readonly published: FileIdentity }[] };
  };
  readonly run: Pick<Report['run'], 'time' | 'supersedes' | 'replayOf'>;
};

export interface PlacedReport {
  readonly place: string;
  readonly report: Indexable;
  readonly notes: readonly { readonly file: string; readonly note: Note }[];
}

/** The files that a report is about: what was handed over, and the parts of it that were compared one by one. */
export function subjectsOf({
  statement,
}: Indexable): readonly { readonly name: string; readonly sha256: Sha256 }[] {
  const seen = new Set<Sha256>();
  return [
    ...statement.subject.published,
    ...(statement.comparison?.pairs.map(({ published }) => published) ?? []),
  ].flatMap(({ name, sha256 }) => {
    if (seen.has(sha256)) return [];
    seen.add(sha256);
    return [{ name, sha256 }];
  });
}

/** What the index says of one report; nothing of a comparison without app and version. */
export function indexed({ report, notes }: PlacedReport): IndexedReport | undefined {
  const { statement, statementSha256, run } = report;
  const { target } = statement.subject;
  if (target === undefined) return undefined;
  const about = notes.filter(({ note }) => note.statementSha256 === statementSha256);
  return {
    app: target.app,
    version: target.version,
    channel: target.channel,
    verdict: statement.verdict.kind,
    title: statement.title,
    statementSha256,
    time: run.time,
    ...(run.supersedes === undefined ? {} : { supersedes: run.supersedes }),
    ...(statement.deviations.some(({ code }) => code === 'source-replaced') ? { otherSource: true } : {}),
    ...(run.replayOf === undefined ? {} : { replay: true }),
    ...(isOfAnotherApp(statement) ? { otherApp: true } : {}),
    ...(about.length === 0
      ? {}
      : { notes: about.map(({ file, note }) => ({ kind: note.kind, date: note.date, file })) }),
  };
}

const byName = <T>(record: Readonly<Record<string, T>>): Record<string, T> =>
  Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));

/** Its signature holds, and it says that it is another app: whoever asked took the wrong file. */
function isOfAnotherApp({ verdict: decided }: Indexable['statement']): boolean {
  if (decided.kind !== 'not-authentic') return false;
  const codes = decided.reasons.map(({ code }) => code);
  return codes.includes('other-package') && !codes.includes('signature-invalid');
}

/** The same for the same reports, in whatever order they were read. */
export function makeReportIndex(placed: readonly PlacedReport[]): ReportIndex {
  const files: Record<Sha256, { name: string; report: string }[]> = {};
  const reports: Record<string, IndexedReport> = {};
  for (const one of [...placed].sort((a, b) => (a.place < b.place ? -1 : 1))) {
    const entry = indexed(one);
    if (entry === undefined || !REPORT_PLACE.test(one.place)) continue;
    reports[one.place] = entry;
    for (const { name, sha256 } of subjectsOf(one.report))
      (files[sha256] ??= []).push({ name, report: one.place });
  }
  return { schemaVersion: 1, files: byName(files), reports };
}

export const renderReportIndex = (index: ReportIndex): string => `${JSON.stringify(index, null, 2)}\n`;

// ---------------------------------------------------------------- from elsewhere

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const short = z.string().max(1000);
const place = z.string().max(500).regex(REPORT_PLACE);
const verdict = z.enum([
  'reproducible',
  'equivalent',
  'unreproducible',
  'unverifiable',
  'unbuildable',
  'not-authentic',
] as const satisfies readonly VerdictKind[]);
const subject = z.looseObject({ name: z.string(), sha256 });

/** For a look over many reports: what it says is believed of none before it was checked as a whole. */
export const indexableSchema = z.looseObject({
  statement: z.looseObject({
    subject: z.looseObject({
      target: z.looseObject({ app: short, version: short, channel: short }).optional(),
      published: z.array(subject),
    }),
    verdict: z
      .looseObject({ kind: verdict, reasons: z.array(z.looseObject({ code: z.string() })).optional() })
      .refine(({ kind, reasons }) => kind !== 'not-authentic' || reasons !== undefined),
    title: short,
    deviations: z.array(z.looseObject({ code: z.string() })),
    comparison: z.looseObject({ pairs: z.array(z.looseObject({ published: subject })) }).optional(),
  }),
  statementSha256: sha256,
  run: z.looseObject({ time: z.iso.datetime(), supersedes: sha256.optional(), replayOf: sha256.optional() }),
});

/** An index that somebody serves: nothing of it is believed before the report says the same. */
export const reportIndexSchema = z.strictObject({
  schemaVersion: z.literal(1),
  files: z.record(sha256, z.array(z.strictObject({ name: short, report: place })).min(1)),
  reports: z.record(
    place,
    z.strictObject({
      app: short,
      version: short,
      channel: short,
      verdict,
      title: short,
      statementSha256: sha256,
      time: z.iso.datetime(),
      supersedes: sha256.optional(),
      otherSource: z.literal(true).optional(),
      replay: z.literal(true).optional(),
      otherApp: z.literal(true).optional(),
      notes: z
        .array(
          z.strictObject({
            kind: z.enum(['vendor-response', 'correction', 'withdrawal']),
            date: z.iso.date(),
            file: z
              .string()
              .max(200)
              .regex(/^[A-Za-z0-9][A-Za-z0-9._+~-]*\.json$/),
          }),
        )
        .optional(),
    }),
  ),
});
