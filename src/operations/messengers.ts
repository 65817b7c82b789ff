// SPDX-License-Identifier: Apache-2.0
/** README's table of messengers, from recipes and reports: what each channel can be checked for, and what was found. */
import type { Recipe, RecipeChannel } from '../recipe/schema.js';
import type { ReportIndex } from '../report/report-index.js';
import { statusRows, type StatusRow } from './status.js';

/** Scoreboards of others about the same app. */
export type Scoreboards = Readonly<
  Record<string, readonly { readonly title: string; readonly url: string }[]>
>;

const HEAD = [
  'app',
  'platform',
  'channel',
  'source published',
  'instructions published',
  'signer known',
  'at best',
  'last verdict',
  'what blocks',
];

export function messengersTable(
  recipes: readonly Recipe[],
  index: ReportIndex,
  scoreboards: Scoreboards = {},
): string {
  const rows = statusRows(recipes, index).flatMap((row): string[][] => {
    const recipe = recipes.find(({ app }) => app === row.app);
    return recipe === undefined ? [] : [cells(recipe, row, scoreboards[row.app] ?? [])];
  });
  return [HEAD, HEAD.map(() => '---'), ...rows].map((row) => `| ${row.map(cell).join(' | ')} |`).join('\n');
}

const cell = (text: string): string => text.replaceAll('|', '\\|').replace(/\s+/g, ' ').trim();

function cells(recipe: Recipe, row: StatusRow, links: Scoreboards[string]): string[] {
  const channel = Object.hasOwn(recipe.channels, row.channel) ? recipe.channels[row.channel] : undefined;
  const elsewhere = links.map(({ title, url }) => `[${title}](${url})`).join(', ');
  return [
    `\`${recipe.app}\`${elsewhere === '' ? '' : ` (${elsewhere})`}`,
    recipe.platform,
    row.channel,
    sourcePublished(recipe),
    INSTRUCTIONS[recipe.status.kind],
    signerKnown(channel),
    bestVerdict(recipe, row.channel),
    lastVerdict(row),
    blocks(recipe, row.channel).join('; ') || '–',
  ];
}

const INSTRUCTIONS = {
  'reproducible-claimed': 'yes',
  'buildable-unclaimed': 'to build',
  distribution: 'the distribution’s',
  closed: 'no',
  retired: 'no',
  demonstration: 'yes',
} as const satisfies Record<Recipe['status']['kind'], string>;

function sourcePublished({ source, versions }: Recipe): string {
  if (source === undefined) return 'no';
  return versions.withoutSource.length === 0 ? 'yes' : 'not of all versions';
}

function signerKnown(channel: RecipeChannel | undefined): string {
  if (channel === undefined) return '–';
  if (channel.acquisition.kind === 'debian-archive') return 'the archive’s';
  // packages carry no signature: the signed index names them by their digests
  if (channel.acquisition.kind === 'debian-repository') return 'that of the index';
  if (channel.signers.length === 0) return 'no';
  return channel.signers.some(({ statedBy }) => statedBy === 'publisher')
    ? 'stated by the publisher'
    : 'stated by others';
}

/** What no check of this channel's files can go beyond. */
export function bestVerdict(recipe: Recipe, id: string): string {
  const channel = Object.hasOwn(recipe.channels, id) ? recipe.channels[id] : undefined;
  if (recipe.source === undefined) return '`unverifiable`: no-source';
  if (channel?.encryption !== undefined) return '`unverifiable`: encrypted';
  if (recipe.builds.length === 0 && recipe.hostBuilds.length > 0) return '`unverifiable`: needs-host';
  // what nobody can check yet has no bound that was looked at, but Play's files are known
  if (channel === undefined && id !== 'play') return '–';
  // a store that makes what users install puts its own marks into it
  const edited = id === 'play' || channel?.builtBy === 'store' || (channel?.rules.length ?? 0) > 0;
  return edited ? '`equivalent`' : '`reproducible`';
}

function lastVerdict({ versions: [last], summary }: StatusRow): string {
  if (last === undefined) return '–';
  const also = summary.startsWith('last ') ? `; ${summary}` : '';
  return `[\`${last.verdict}\`](reports/${last.place}/report.md) ${last.version}, ${last.date}${also}`;
}

function blocks(recipe: Recipe, id: string): readonly string[] {
  const unsupported = recipe.unsupportedChannels.find(({ channel }) => channel === id);
  if (unsupported !== undefined) return [`not checked yet: ${unsupported.reason}`];
  const found: string[] = [];
  const channel = Object.hasOwn(recipe.channels, id) ? recipe.channels[id] : undefined;
  if (recipe.status.kind === 'retired') found.push('the service ended');
  if (recipe.source === undefined) found.push('no source is published');
  if (channel?.encryption !== undefined) found.push(`${channel.encryption.scheme} encryption`);
  const systems = [...new Set(recipe.hostBuilds.map(({ system }) => system))];
  if (systems.length > 0) found.push(`is built on ${systems.join(' and ')} only`);
  const image = recipe.builds.at(-1)?.environment.image.kind;
  if (image === 'floating' || image === 'extracted') found.push('upstream’s base image must be reachable');
  if (recipe.unpublished.length > 0)
    found.push(`not published: ${recipe.unpublished.map(({ what }) => what).join(', ')}`);
  if (recipe.liveInputs.length > 0)
    found.push(`answers of servers at build time: ${recipe.liveInputs.map(({ what }) => what).join(', ')}`);
  if (channel?.acquisition.kind === 'handed-over') found.push('the file must be handed over');
  return found;
}

// ---------------------------------------------------------------- in a page

const BEGIN = '<!-- messengers: written by npm run docs:messengers -->';
const END = '<!-- /messengers -->';

/** The page with this table between its two marks. */
export function withMessengers(page: string, table: string): string {
  const [from, to] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (from < 0 || to < from) throw new Error(`the page has no place between ${BEGIN} and ${END}`);
  return `${page.slice(0, from + BEGIN.length)}\n\n${table}\n\n${page.slice(to)}`;
}
