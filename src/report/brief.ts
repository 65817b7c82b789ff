// SPDX-License-Identifier: Apache-2.0
/** Ten lines to quote: dated, about one file, with the digests that make them checkable. Each is a statement. */
import { inert } from './inert.js';
import { clause, count, percent, quoted, some } from './say.js';
import { headline } from './title.js';
import type { Note, Report, SourceRecord, Statement } from './types.js';

const NOTE = 400;
const LINE = 1_500;

export function renderBrief(report: Report, notes: readonly Note[] = []): string {
  return briefStatements(report, notes)
    .map(({ sentence }) => `${line(sentence)}\n`)
    .join('');
}

const line = (sentence: string): string => {
  const text = inert(sentence);
  return text.length <= LINE ? text : `${text.slice(0, LINE).toWellFormed()} …`;
};

/** Always ten; the basis of notes is the file beside the report. */
export function briefStatements(report: Report, notes: readonly Note[] = []): readonly Statement[] {
  return [
    verdictLine(report),
    notes.length > 0 ? notesLine(notes) : environmentLine(report),
    publishedLine(report),
    rebuiltLine(report),
    sourceLine(report),
    buildLine(report),
    matchLine(report),
    adviceLine(report),
    limitsLine(report),
    digestLine(report),
  ];
}

function brief(code: string, sentence: string, basis: readonly string[], check: string): Statement {
  return { code: `brief-${code}`, sentence, basis, check };
}

function verdictLine(report: Report): Statement {
  const { target, published } = report.statement.subject;
  const about =
    target === undefined
      ? `a comparison of ${published.length === 1 ? 'two files' : 'two sets of files'}`
      : `${target.app} ${target.version} (${target.channel})`;
  return brief(
    'verdict',
    `On ${report.run.time.slice(0, 10)}, ${about} gave: ${headline(report)} [${report.statement.verdict.kind}].`,
    ['/run/time', '/statement/subject', '/statement/verdict'],
    'samesource report report.json --check, or the checks of each sentence in report.txt',
  );
}

function notesLine(notes: readonly Note[]): Statement {
  const said = notes.map(({ kind, by, date, text }) => {
    const short = text.length <= NOTE ? clause(text) : `${text.slice(0, NOTE).toWellFormed()} …`;
    return `${kind} by ${by}, ${date}: ${short}`;
  });
  return brief('notes', `${said.join('; ')}.`, ['/statementSha256'], 'cat notes/*.json');
}

function environmentLine({ statement }: Report): Statement {
  if (statement.plan === undefined && statement.deviations.length + statement.carried.length === 0)
    return brief(
      'environment',
      'How either file was made is not part of this report.',
      ['/statement/subject'],
      'read report.txt',
    );
  const departures = statement.deviations.length;
  const carried =
    statement.origins.filter(({ kind }) => kind === 'carried').length + statement.carried.length;
  return brief(
    'environment',
    `${count(departures, 'departure')} from the publisher’s environment ${departures === 1 ? 'is' : 'are'} listed, and ${count(carried, 'binary', 'binaries')} that nobody built here.`,
    ['/statement/deviations', '/statement/origins', '/statement/carried'],
    'read report.txt',
  );
}

function publishedLine({ statement }: Report): Statement {
  const { published } = statement.subject;
  const [file] = published;
  return brief(
    'published',
    file === undefined
      ? 'No published file was obtained.'
      : `Published file: ${file.name}, ${count(file.size, 'byte')}, SHA-256 ${file.sha256}${published.length > 1 ? ` (and ${published.length - 1} more)` : ''}.`,
    ['/statement/subject/published'],
    file === undefined ? 'ls PUBLISHED' : `sha256sum ${quoted(file.name)}`,
  );
}

function rebuiltLine({ statement }: Report): Statement {
  const { rebuilt } = statement.subject;
  const [file] = rebuilt;
  return brief(
    'rebuilt',
    file === undefined
      ? 'No file was rebuilt.'
      : `Compared with: ${file.name}, ${count(file.size, 'byte')}, SHA-256 ${file.sha256}${rebuilt.length > 1 ? ` (and ${rebuilt.length - 1} more)` : ''}.`,
    ['/statement/subject/rebuilt'],
    file === undefined ? 'ls REBUILT' : `sha256sum ${quoted(file.name)}`,
  );
}

function sourceLine({ statement: { source } }: Report): Statement {
  if (source === undefined)
    return brief('source', 'No source is named: this speaks of files only.', ['/statement/subject'], 'ls');
  return source.kind === 'git'
    ? brief(
        'source',
        `Source: ${originOf(source)}, tree SHA-256 ${source.treeSha256}.`,
        ['/statement/source'],
        `git clone ${quoted(source.repository)} && git rev-parse ${quoted(source.commit)}`,
      )
    : brief(
        'source',
        `Source: ${source.package} ${source.version} of the signed Debian index of ${source.release.date}.`,
        ['/statement/source'],
        `apt-get source --download-only ${quoted(`${source.package}=${source.version}`)}`,
      );
}

/** A directory need not hold what its commit says, and another repository is not the publisher's. */
function originOf({ from, commit, repository }: Extract<SourceRecord, { kind: 'git' }>): string {
  switch (from) {
    case 'upstream':
    case 'bundled':
      return `commit ${commit} of ${repository}`;
    case 'url':
      return `commit ${commit} of ${repository}, which is not the publisher’s repository`;
    case 'directory':
      return `a directory that was handed over, not the publisher’s repository`;
  }
}

function buildLine({ statement, run }: Report): Statement {
  const failure = statement.buildFailure;
  const standing = run.statements.find(({ code }) => code.startsWith('standing-'));
  const built = run.statements.find(({ code }) => code === 'builds');
  const varied = run.statements.find(({ code }) => code === 'variation-same' || code === 'variation-differs');
  const sentence =
    failure === undefined
      ? [built?.sentence ?? 'No build of ours took place.', standing?.sentence, varied?.sentence]
          .filter(Boolean)
          .join(' ')
      : `The ${failure.phase} phase ended with exit code ${failure.exitCode}${failure.firstError.length === 0 ? '' : `: ${clause(failure.firstError[0] ?? '')}`}.`;
  return brief(
    'build',
    sentence,
    failure === undefined ? ['/run/builds'] : ['/statement/buildFailure'],
    built?.check ?? 'build it from the plan and compare the SHA-256 of the outputs',
  );
}

function matchLine({ statement }: Report): Statement {
  const { verdict, coverage, comparison } = statement;
  const check = 'add up the sums of both ledgers in report.json';
  if (verdict.kind === 'unverifiable' || verdict.kind === 'not-authentic')
    return brief(
      'reasons',
      `Reasons: ${some(
        verdict.reasons.map(({ code, detail }) => `${code} (${clause(detail)})`),
        5,
      )}.`,
      ['/statement/verdict/reasons'],
      'read the check of each reason in report.txt',
    );
  return (comparison?.pairs.length ?? 0) === 0
    ? brief('coverage', 'Nothing was compared.', ['/statement/verdict'], check)
    : brief(
        'coverage',
        `${percent(coverage.ratio)} of the content bytes matched (${coverage.matched} of ${coverage.total}).`,
        ['/statement/coverage'],
        check,
      );
}

function adviceLine({ statement }: Report): Statement {
  const [advice] = statement.publisherCan;
  if (advice !== undefined)
    return brief('publisher-can', advice.sentence, ['/statement/publisherCan/0'], advice.check);
  const left = statement.verdict.kind === 'equivalent' ? statement.verdict.excludedBytes : 0;
  return brief(
    'left-out',
    `${count(left, 'byte')} ${left === 1 ? 'was' : 'were'} left out of the verdict by rules.`,
    ['/statement/verdict'],
    'cmp PUBLISHED REBUILT',
  );
}

function limitsLine({ statement }: Report): Statement {
  return brief(
    'does-not-say',
    statement.doesNotSay.map(({ sentence }) => sentence).join(' '),
    ['/statement/doesNotSay'],
    'read report.txt',
  );
}

function digestLine({ statementSha256, run }: Report): Statement {
  return brief(
    'digest',
    `Report statement SHA-256 ${statementSha256}, samesource ${run.tool.version}.`,
    ['/statementSha256', '/run/tool'],
    `jq -cjS .statement report.json | sha256sum   # for a statement of plain text`,
  );
}
