// SPDX-License-Identifier: Apache-2.0
/** Of a report: its forms, its plan and findings, and what of the build that gave it is kept on this machine. */
import path from 'node:path';
import { directoryOf, OBJECTS } from '../inputs/builds/build-directory.js';
import { keptBuilds, noteUse, type FoundBuild } from '../inputs/builds/find-builds.js';
import { cacheDirectory } from '../inputs/cache.js';
import type { Sha256 } from '../model.js';
import { renderBrief } from '../report/brief.js';
import { describeDifference } from '../report/describe-difference.js';
import { renderJson } from '../report/json.js';
import { renderText } from '../report/text.js';
import type { Note, Report } from '../report/types.js';
import type { OperationOptions } from './options.js';
import type { PackedFile } from './pack-archive.js';
import { Names, storedFile, textFile, type Packed } from './pack-files.js';
import { readNotes } from './read-report.js';
import { trusted } from './reconcile.js';

/** `ofRun`: what its own run still has. @throws UsageError `report-inconsistent` */
export async function reportFiles(file: string, options: OperationOptions, ofRun?: Gave): Promise<Packed> {
  const report = await trusted(file);
  const { statement, statementSha256 } = report;
  const notes = await readNotes(file, statementSha256);
  const { target } = statement.subject;
  const short = statementSha256.slice(0, 12);
  const kept = await keptOf(report, options, ofRun);
  return {
    title: `${target === undefined ? 'a comparison' : `${target.app} ${target.version} (${target.channel})`}, report ${short}`,
    root: `samesource-${target === undefined ? 'compare' : target.app}-${short}`,
    files: [...reportTexts(report, notes), ...kept.files],
    missing: kept.missing,
  };
}

const json = (value: unknown): string => `${JSON.stringify(value, undefined, 2)}\n`;

function reportTexts(report: Report, notes: readonly Note[]): readonly PackedFile[] {
  const { statement } = report;
  const { plan, checks, comparison } = statement;
  const findings = (comparison?.pairs ?? []).flatMap(({ published, differences, differencesCut }) => [
    ...differences.map((one) => `${published.name}: ${describeDifference(one)}\n`),
    ...(differencesCut > 0 ? [`${published.name}: ${differencesCut} more findings are counted only\n`] : []),
  ]);
  return [
    textFile(
      'report.json',
      'the whole report; every other file here that is a text follows from it',
      renderJson(report),
    ),
    textFile(
      'report.txt',
      'the same to read: what was proven, what was not, and how to check it',
      renderText(report, { notes }),
    ),
    textFile('brief.txt', 'ten lines to quote', renderBrief(report, notes)),
    ...(plan === undefined && checks === undefined
      ? []
      : [
          textFile(
            'plan.json',
            'what was built and how: source, image, commands, outputs, what was compared',
            json(plan ?? checks),
          ),
        ]),
    ...(findings.length === 0
      ? []
      : [
          textFile(
            'differences.txt',
            'every finding in one line: where the published and the rebuilt file differ',
            findings.join(''),
          ),
        ]),
    ...notes.map((note, at) =>
      textFile(`notes/${at + 1}-${note.kind}.json`, `a note beside the report, by ${note.by}`, json(note)),
    ),
  ];
}

interface Kept {
  readonly files: readonly PackedFile[];
  readonly missing: readonly string[];
}

/** Logs and rebuilt files of the kept build that gave this report. */
async function keptOf(
  { statement, run }: Report,
  options: OperationOptions,
  ofRun: Gave | undefined,
): Promise<Kept> {
  const { rebuilt, published } = statement.subject;
  const digest = statement.plan?.buildDigest;
  const wanted = rebuilt.map(({ sha256 }) => sha256);
  const logs = run.logs.map(({ sha256 }) => sha256);
  const found =
    ofRun ??
    (digest === undefined ? undefined : await buildThatGave(digest, new Set([...wanted, ...logs]), options));
  if (found === undefined)
    return {
      files: [],
      missing: [
        ...(rebuilt.length === 0
          ? []
          : ['the rebuilt files: no build that gave them is kept on this machine (`verify builds`)']),
        ...(run.logs.length === 0 ? [] : ['the logs: the report knows them by their digest only']),
      ],
    };
  const taken = new Names();
  const files: PackedFile[] = [...found.logs];
  const missing: string[] = [];
  // bytes of the publisher's do not travel in this archive, also where ours are the same
  const theirs = new Set(published.map(({ sha256 }) => sha256));
  const hadThem = statement.unverifiable.some(({ code }) => code === 'artifact-in-inputs');
  for (const { name, sha256 } of rebuilt) {
    const file = found.outputs.get(sha256);
    if (file === undefined) missing.push(`${name}: the kept build has no file with its SHA-256`);
    else if (theirs.has(sha256))
      missing.push(`${name}: the rebuilt file is the published one, byte for byte`);
    else if (hadThem)
      missing.push(`${name}: the build had the published file among its inputs, and may have put it in`);
    else {
      const what = `the file that our build made: ${name}`;
      const stored = await storedFile(`rebuilt/${taken.path(name)}`, what, file);
      if (stored.sha256 === sha256) files.push(stored);
      else missing.push(`${name}: the kept file is damaged`);
    }
  }
  return { files, missing };
}

/** What is left of a build: files by digest, and its logs, as they may be handed on. */
export interface Gave {
  readonly outputs: ReadonlyMap<Sha256, string>;
  readonly logs: readonly PackedFile[];
}

async function buildThatGave(
  digest: Sha256,
  wanted: ReadonlySet<Sha256>,
  options: OperationOptions,
): Promise<Gave | undefined> {
  const cache = cacheDirectory();
  const note = (text: string): void => options.onProgress?.({ kind: 'note', text });
  const builds = await keptBuilds(
    cache,
    (place, why) => note(`the kept build ${place.id.slice(0, 12)} is damaged and was removed: ${why}`),
    digest,
  );
  const has = ({ build: { result } }: FoundBuild): boolean =>
    [...(result.kind === 'succeeded' ? [...result.outputs, ...result.extra] : []), ...result.logs].some(
      ({ sha256 }) => wanted.has(sha256),
    );
  const found = builds.find(has);
  if (found === undefined) return undefined;
  await noteUse(cache, found.place);
  const at = (sha256: Sha256): string => path.join(directoryOf(cache, found.place), OBJECTS, sha256);
  const { result, prepared } = found.build;
  const outputs = result.kind === 'succeeded' ? [...result.outputs, ...result.extra] : [];
  const taken = new Names();
  const logs: PackedFile[] = [];
  for (const { name, phase, kept } of [...prepared.logs, ...result.logs])
    logs.push(
      await storedFile(`logs/${taken.plain(name)}`, `what the ${phase} phase printed`, at(kept.sha256)),
    );
  return { outputs: new Map(outputs.map(({ sha256 }) => [sha256, at(sha256)])), logs };
}
