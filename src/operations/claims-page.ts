// SPDX-License-Identifier: Apache-2.0
/** docs/claims.md: every claim in the same sentences, whoever made it, with what reports say of it. */
import { schemeOf } from '../recipe/candidates.js';
import type { Recipe } from '../recipe/schema.js';
import { compareVersions } from '../recipe/version.js';
import type { ReportIndex } from '../report/report-index.js';
import type { Claim, Claims } from './claims.js';
import { statusRows, type StatusRow, type VersionStatus } from './status.js';

const HEAD = `# Claims

What is said in public about these apps and their source, and what was tested of it. Written by \`npm run docs:messengers\`
from [claims.yaml](claims.yaml), the recipes and the reports: the same sentences for every maker. A quotation stands as it
was read; what could not be confirmed says so. A verdict is about the files of one channel and says nothing about another.
`;

export function claimsPage(claims: Claims, recipes: readonly Recipe[], index: ReportIndex): string {
  const rows = statusRows(recipes, index);
  return [HEAD, ...claims.claims.map((claim) => section(claim, recipes, rows)), scoreboards(claims)].join(
    '\n',
  );
}

function section(claim: Claim, recipes: readonly Recipe[], rows: readonly StatusRow[]): string {
  const { date, dateBy, by, quote, url, read } = claim;
  const link = url === undefined ? '' : ` (<${url}>)`;
  const at = read.at.startsWith('https://') ? `<${read.at}>` : read.at;
  const lines = [
    `## ${claim.id}`,
    '',
    `- **Said** ${date === undefined ? 'without a date' : `in ${date}`}${dateBy === undefined ? '' : ` (${dateBy})`} by ${by}${link}: “${quote}”`,
    `- **Read** on ${read.on}: ${at}${read.copy ? ' (a copy; the place itself was not read)' : ''}.`,
  ];
  switch (claim.kind) {
    case 'protocol':
    case 'server':
      lines.push('- **Out of scope**: this tool compares files.');
      break;
    case 'build':
    case 'source':
    case 'statement':
      lines.push(`- **What would test it**: ${claim.test}.`);
      lines.push('- **What was tested**:', ...claim.apps.flatMap((app) => tested(claim, app, recipes, rows)));
      if (claim.unconfirmed !== undefined) lines.push(`- **Unconfirmed**: ${claim.unconfirmed}.`);
      lines.push(`- **What cannot be tested**: ${claim.cannot}.`);
      break;
  }
  return `${lines.join('\n')}\n`;
}

function tested(
  claim: Claim,
  app: string,
  recipes: readonly Recipe[],
  rows: readonly StatusRow[],
): readonly string[] {
  const recipe = recipes.find((one) => one.app === app);
  if (recipe === undefined) return [`  - \`${app}\`: there is no recipe.`];
  const source =
    recipe.source === undefined
      ? `no source is known (status \`${recipe.status.kind}\`)`
      : recipe.source.kind === 'git'
        ? `source <${recipe.source.repository}>`
        : `source of kind \`${recipe.source.kind}\``;
  const then = claim.date === undefined ? undefined : versionOf(recipe, claim.date);
  const lines = [
    `  - \`${app}\`: ${source}${then === undefined ? '' : `; newest version dated up to ${claim.date}: ${then}`}.`,
  ];
  if (claim.kind !== 'build') return lines;
  for (const row of rows.filter((one) => one.app === app))
    lines.push(`    - ${row.channel}: ${found(row, then)}`);
  for (const { by, versions, channel, result, reason, url } of recipe.knownResults)
    lines.push(
      `    - ${channel}, found by others (${by}, <${url}>), ${span(recipe, versions)}: ${result}${reason === undefined ? '' : `; ${reason}`}.`,
    );
  return lines;
}

/** The newest version that the recipe dates on or before that date: what users got then, as far as is known. */
export function versionOf(recipe: Recipe, date: string): string | undefined {
  const dated = recipe.versions.resolve
    .flatMap((strategy) => (strategy.kind === 'pinned' ? strategy.versions : []))
    .filter((one) => one.date !== undefined && one.date.slice(0, date.length) <= date);
  const scheme = schemeOf(recipe);
  return dated.map(({ version }) => version).sort((a, b) => compareVersions(b, a, scheme))[0];
}

/** Of the version of the claim's date, and of the newest that there is a report of. */
function found({ versions }: StatusRow, then: string | undefined): string {
  const [newest] = versions;
  if (newest === undefined) return 'no report.';
  const old = versions.find(({ version }) => version === then);
  const parts = [
    ...(then === undefined ? [] : [old === undefined ? `no report of ${then}` : told(old)]),
    ...(newest === old ? [] : [told(newest)]),
  ];
  return `${parts.join('; ')}.`;
}

const told = ({ version, verdict, date, place }: VersionStatus): string =>
  `${version} \`${verdict}\` ([report](../reports/${place}/report.md) of ${date})`;

/** Recipes list versions in no order. */
function span(recipe: Recipe, versions: readonly string[]): string {
  const sorted = versions.toSorted((a, b) => compareVersions(a, b, schemeOf(recipe)));
  const [first = '', last = first] = [sorted[0], sorted.at(-1)];
  return versions.length === 1 ? first : `${versions.length} versions from ${first} to ${last}`;
}

function scoreboards({ scoreboards: boards }: Claims): string {
  const lines = boards.map(
    ({ title, url, about, clients }) =>
      `- [${title}](${url.replace('#{client}', '')}): ${about}. Here: ${Object.keys(clients)
        .map((app) => `\`${app}\``)
        .join(', ')}.`,
  );
  return `## Scoreboards of others\n\n${lines.join('\n')}\n- The [compliance tester](https://compliance.conversations.im/) rates servers, not clients.\n`;
}

/** By app, where others say something about it. */
export function scoreboardLinks({
  scoreboards: boards,
}: Claims): Readonly<Record<string, { title: string; url: string }[]>> {
  const links: Record<string, { title: string; url: string }[]> = {};
  for (const { title, url, clients } of boards)
    for (const [app, client] of Object.entries(clients))
      (links[app] ??= []).push({ title, url: url.replace('{client}', client) });
  return links;
}
