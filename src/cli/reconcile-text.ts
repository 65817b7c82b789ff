// SPDX-License-Identifier: Apache-2.0
/** Where two reports part, for a terminal. */
import { printable, type ReconcileResult } from '../index.js';

const SHOWN = 8;
const VALUE = 120;

const TITLES: Readonly<Record<ReconcileResult['stages'][number]['stage'], string>> = {
  published: 'published files',
  source: 'source',
  plan: 'plan',
  environment: 'environment',
  fetched: 'fetched files',
  inputs: 'inputs',
  outputs: 'rebuilt files',
  rules: 'rules',
  verdict: 'tool and verdict',
};

export function reconcileText(result: ReconcileResult): string {
  const { target, reports, verdicts, stages, first, sentence, publishedDiffer, machines } = result;
  const lines: string[] = [];
  if (publishedDiffer.length > 0) {
    const about =
      target === undefined ? 'under one name' : `as ${target.app} ${target.version} (${target.channel})`;
    lines.push(`DIFFERENT PUBLISHED FILES ${show(about)}:`);
    for (const { what, one = '', other = '' } of publishedDiffer)
      lines.push(`  ${show(what)}`, `    A sha256:${show(one)}`, `    B sha256:${show(other)}`);
    lines.push(
      '  Either one of them is not what the publisher hands out, or the publisher hands out several: settle this first.',
      '',
    );
  }
  lines.push(printable(sentence), '');
  for (const [at, report] of reports.entries()) {
    lines.push(
      `${'AB'[at] ?? ''}  ${show(report.file)}  [${verdicts[at] ?? ''}] ${show(report.title)}, ${report.time.slice(0, 10)}`,
    );
    for (const { kind, by, date } of report.notes) lines.push(`   ${kind} by ${show(by)}, ${date}`);
  }
  lines.push('');
  for (const { stage, outcome, partings } of stages) {
    const here = stage === first ? '  <- here they part' : '';
    lines.push(`${MARK[outcome]} ${TITLES[stage]}${NOTE[outcome] ?? ''}${here}`);
    for (const { what, one, other } of partings.slice(0, SHOWN))
      lines.push(`    ${show(what)}`, `      A ${shown(one)}`, `      B ${shown(other)}`);
    if (partings.length > SHOWN) lines.push(`    … and ${partings.length - SHOWN} more (--json has all)`);
  }
  const aside = (title: string, list: ReconcileResult['machines']): void => {
    const told = list.map(({ what, one, other }) => `${what} ${shown(one)} / ${shown(other)}`);
    if (told.length > 0) lines.push('', `${title}: ${told.join(', ')}`);
  };
  aside('Machines, which part nothing', machines);
  aside('What only one of them tried, which parts nothing', result.triedByOne);
  return lines.join('\n');
}

const MARK = { same: '=', parted: '≠', aside: '~', 'not-recorded': '-' } as const;
const NOTE: Readonly<Partial<Record<keyof typeof MARK, string>>> = {
  aside: ' (others, and the same came of them)',
  'not-recorded': ' (not in both reports)',
};

const shown = (value: string | undefined): string => (value === undefined ? 'not there' : show(value));

function show(value: string): string {
  const text = printable(value);
  return text.length <= VALUE ? text : `${text.slice(0, VALUE).toWellFormed()} …`;
}
