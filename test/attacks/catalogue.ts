// SPDX-License-Identifier: Apache-2.0
/** The table of `docs/comparison.md`, from the registry. */
import type { Attack, Expected, Manner } from './base.js';

const escaped = (text: string): string =>
  text.replaceAll('|', '\\|').replaceAll('\n', '\\n').replaceAll('*', '\\*').replaceAll('$', '\\$');

function said(attack: { readonly expected: Expected } | undefined): string {
  if (attack === undefined) return '';
  const { kind, exit, code } = attack.expected;
  return `${kind} (${exit})${code === undefined ? '' : ` \`${code}\``}`;
}

/** One row for each name, in the order of the registry; between families a row that names them. */
export function catalogue(attacks: readonly Attack[]): string {
  const families = new Map<string, Map<string, Attack[]>>();
  for (const attack of attacks) {
    const names = families.get(attack.source) ?? new Map<string, Attack[]>();
    families.set(attack.source, names);
    names.set(attack.name, [...(names.get(attack.name) ?? []), attack]);
  }
  const rows: string[] = [];
  for (const [family, names] of families) {
    rows.push('', `### ${family.slice(0, 1).toUpperCase()}${family.slice(1)}`, '');
    rows.push('| attack | what is done | as it is | re-signed or forged |', '|---|---|---|---|');
    for (const [name, list] of names) {
      const of = (...manners: readonly Manner[]) => list.find(({ manner }) => manners.includes(manner));
      rows.push(
        `| ${escaped(name)} | ${escaped(list[0]?.explanation ?? '')} | ${said(of('as-is'))} | ${said(of('re-signed', 'forged'))} |`,
      );
    }
  }
  return `${rows.join('\n')}\n`;
}

const BEGIN = '<!-- attacks: made by npm run docs:attacks -->\n';
const END = '\n<!-- /attacks -->';

/** The page with its table made again. */
export function withCatalogue(page: string, attacks: readonly Attack[]): string {
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (begin === -1 || end === -1) throw new Error('the page has no place for the attacks');
  return page.slice(0, begin + BEGIN.length) + catalogue(attacks) + page.slice(end);
}
