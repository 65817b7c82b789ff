// SPDX-License-Identifier: Apache-2.0
/** README's table of messengers, from recipes and reports: what each channel can be checked for, and what was found. */
import type { Recipe, RecipeChannel } from '../recipe/schema.js';
import type { ReportIndex } from '../report/report-index.js';
import { bestVerdict, missingFor } from './best-verdict.js';
import { statusRows, type StatusRow } from './status.js';

/** Scoreboards of others about the same app. */
export type Scoreboards = Readonly<
  Record<string, readonly { readonly title: string; readonly url: string }[]>
>;

const NONE = '–';

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
  const found = statusRows(recipes, index).flatMap((row): Row[] => {
    const recipe = recipes.find(({ app }) => app === row.app);
    return recipe === undefined ? [] : [rowOf(recipe, row, scoreboards[row.app] ?? [])];
  });
  const rows = families(found).map(cells);
  return [HEAD, HEAD.map(() => '---'), ...rows].map((row) => `| ${row.map(cell).join(' | ')} |`).join('\n');
}

const cell = (text: string): string => text.replaceAll('|', '\\|').replace(/\s+/g, ' ').trim();

/** A channel: what stands left and right of its name and of its last verdict. */
interface Row {
  readonly app: string;
  readonly channel: string;
  readonly left: readonly string[];
  readonly middle: readonly string[];
  readonly last: string;
  readonly blocks: string;
}

function rowOf(recipe: Recipe, row: StatusRow, links: Scoreboards[string]): Row {
  const channel = Object.hasOwn(recipe.channels, row.channel) ? recipe.channels[row.channel] : undefined;
  const elsewhere = links.map(({ title, url }) => `[${title}](${url})`).join(', ');
  return {
    app: recipe.app,
    channel: row.channel,
    left: [`\`${recipe.app}\`${elsewhere === '' ? '' : ` (${elsewhere})`}`, row.platform ?? recipe.platform],
    middle: [
      sourcePublished(recipe),
      instructions(recipe, channel),
      signerKnown(channel),
      bestVerdict(recipe, row.channel),
    ],
    last: lastVerdict(row),
    blocks: blocks(recipe, row.channel).join('; ') || '–',
  };
}

const ABI = /-(?:arm64-v8a|armeabi-v7a|x86|x86-64|universal)$/;

/** The channels of one place that differ in the ABI of their file only stand in one row. */
function families(rows: readonly Row[]): readonly (readonly Row[])[] {
  const found: Row[][] = [];
  for (const row of rows) {
    const base = row.channel.replace(ABI, '');
    const family = found.find(([head]) => head?.app === row.app && head.channel === base && alike(head, row));
    if (family === undefined) found.push([row]);
    else family.push(row);
  }
  return found;
}

const alike = (a: Row, b: Row): boolean =>
  a.blocks === b.blocks && [...a.left, ...a.middle].join('\n') === [...b.left, ...b.middle].join('\n');

function cells(family: readonly Row[]): readonly string[] {
  const [head] = family;
  if (head === undefined) return [];
  const verdicts = family.filter(({ last }) => last !== NONE);
  const last =
    family.length === 1
      ? head.last
      : verdicts.map(({ channel, last: own }) => `${channel}: ${own}`).join('; ');
  return [
    ...head.left,
    family.map(({ channel }) => channel).join(', '),
    ...head.middle,
    last || NONE,
    head.blocks,
  ];
}

const INSTRUCTIONS = {
  'reproducible-claimed': 'yes',
  'buildable-unclaimed': 'to build',
  distribution: 'the distribution’s',
  closed: 'none known',
  retired: 'none known',
  demonstration: 'yes',
} as const satisfies Record<Recipe['status']['kind'], string>;

/** How to get from the source to the files of this channel, as the makers tell it. */
function instructions({ source, status }: Recipe, channel: RecipeChannel | undefined): string {
  // of a channel that cannot be checked yet nobody looked for them
  if (source !== undefined && channel === undefined) return NONE;
  return channel?.instructions === 'to-build' ? 'to build' : INSTRUCTIONS[status.kind];
}

function sourcePublished({ source, versions }: Recipe): string {
  if (source === undefined) return 'none known';
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

function lastVerdict({ versions: [last], summary }: StatusRow): string {
  if (last === undefined) return NONE;
  const also = summary.startsWith('last ') ? `; ${summary}` : '';
  return `[\`${last.verdict}\`](reports/${last.place}/report.md) ${last.version}, ${last.date}${also}`;
}

function blocks(recipe: Recipe, id: string): readonly string[] {
  const unsupported = recipe.unsupportedChannels.find(({ channel }) => channel === id);
  if (unsupported !== undefined) return [`not checked yet: ${unsupported.reason}`];
  const found: string[] = [];
  const channel = Object.hasOwn(recipe.channels, id) ? recipe.channels[id] : undefined;
  if (recipe.status.kind === 'retired') found.push('the service ended');
  if (recipe.source === undefined) found.push('no published source is known');
  if (channel?.encryption !== undefined) found.push(`${channel.encryption.scheme} encryption`);
  const systems = [...new Set(recipe.hostBuilds.map(({ system }) => system))];
  if (systems.length > 0) found.push(`is built on ${systems.join(' and ')} only`);
  const image = recipe.builds.at(-1)?.environment.image.kind;
  if (image === 'floating' || image === 'extracted') found.push('upstream’s base image must be reachable');
  const asks = recipe.builds.at(-1)?.deviations.some(({ code }) => code === 'privileges') ?? false;
  if (asks) found.push('the makers’ script asks for privileges that a build does not get here');
  const { unpublished, liveInputs } = missingFor(recipe, id);
  if (unpublished.length > 0) found.push(`not published: ${unpublished.map(({ what }) => what).join(', ')}`);
  if (liveInputs.length > 0)
    found.push(`inputs of the day: ${liveInputs.map(({ what }) => what).join(', ')}`);
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
