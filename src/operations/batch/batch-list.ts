// SPDX-License-Identifier: Apache-2.0
/** The list of a batch: which versions of which apps are checked, from where, and what is expected. Every problem has its line. */
import path from 'node:path';
import { z } from 'zod';
import type { ExecutorKind } from '../../build/executor.js';
import { UsageError } from '../../errors.js';
import { nearestWord } from '../../nearest-word.js';
import { checkYaml, formatProblem } from '../../recipe/load.js';
import type { Recipe } from '../../recipe/schema.js';
import { RANGE_PATTERN } from '../../recipe/version.js';
import { parseExpectedVerdict, type ExpectedVerdict } from '../../report/expected-verdict.js';
import { NO_CHANNEL } from './job.js';

export interface BatchEntry {
  readonly app: string;
  /** Exact, a range, or `latest`. */
  readonly version: string;
  readonly channel: string;
  readonly engine?: ExecutorKind;
  /** After which its process is ended. */
  readonly minutes?: number;
  /** Absolute. */
  readonly published?: string;
  readonly expect?: ExpectedVerdict;
}

const MAX_ENTRIES = 1000;
const SHOWN = 20;

const minutes = z
  .string()
  .regex(/^[1-9]\d{0,4}$/, 'expected a number of minutes from 1 to 99999')
  .transform(Number);

const entrySchema = z.strictObject({
  app: z.string(),
  version: z
    .string()
    .max(200)
    .regex(RANGE_PATTERN, 'expected a version (10.14.5), a range (10.x, ">=10.9 <11") or latest')
    .default('latest'),
  channel: z.union([z.string(), z.array(z.string()).min(1)]).optional(),
  engine: z.enum(['docker', 'podman', 'local']).optional(),
  minutes: minutes.optional(),
  published: z.string().min(1).optional(),
  expect: z
    .string()
    .refine((text) => parseExpectedVerdict(text) !== undefined, {
      message: 'expected a verdict, or a verdict with @ and the SHA-256 of its statement (64 hex digits)',
    })
    .optional(),
});

type Entry = z.output<typeof entrySchema>;
type Channels = Pick<Recipe, 'app' | 'channels' | 'defaultChannel' | 'unsupportedChannels'>;

export interface KnownRecipes {
  readonly names: readonly string[];
  /** At least those that the list names. */
  readonly recipes: readonly Channels[];
}

const channelsOf = ({ channel }: Entry, recipe: Channels): readonly string[] =>
  channel === undefined
    ? [recipe.defaultChannel ?? Object.keys(recipe.channels)[0] ?? NO_CHANNEL]
    : [channel].flat();

/** What makes two entries the same. */
const keyOf = (entry: Entry, channel: string): string =>
  JSON.stringify([entry.app, entry.version, channel, entry.engine ?? '', entry.published ?? '']);

function listSchema({ names, recipes }: KnownRecipes) {
  const known = new Map(recipes.map((recipe) => [recipe.app, recipe]));
  return z
    .strictObject({
      schemaVersion: z.literal('1').optional(),
      apps: z.array(entrySchema).min(1).max(MAX_ENTRIES),
    })
    .superRefine(({ apps }, context) => {
      const seen = new Map<string, number>();
      for (const [at, entry] of apps.entries()) {
        const wrong = (message: string, ...more: (string | number)[]): void =>
          context.addIssue({ code: 'custom', message, path: ['apps', at, ...more] });
        const recipe = known.get(entry.app);
        if (recipe === undefined) {
          const near = nearestWord(entry.app, names);
          wrong(
            `there is no recipe for ${JSON.stringify(entry.app)}${near === undefined ? '' : `; did you mean ${near}?`}`,
            'app',
          );
          continue;
        }
        const channels = channelsOf(entry, recipe);
        if (entry.published !== undefined && channels.length > 1)
          wrong('one published file is of one channel', 'published');
        for (const channel of channels) {
          const reason = recipe.unsupportedChannels.find((other) => other.channel === channel)?.reason;
          if (reason !== undefined)
            wrong(`${entry.app} on ${channel} cannot be checked yet: ${reason}`, 'channel');
          else if (entry.channel !== undefined && !Object.hasOwn(recipe.channels, channel))
            wrong(
              `${entry.app} has no channel ${JSON.stringify(channel)}, only ${Object.keys(recipe.channels).join(', ') || 'none'}`,
              'channel',
            );
          const key = keyOf(entry, channel);
          const first = seen.get(key);
          if (first !== undefined)
            wrong(`the same as entry ${first + 1}: ${entry.app} ${entry.version} (${channel})`);
          else seen.set(key, at);
        }
      }
    });
}

/** @throws UsageError `list-invalid`, with a line for each problem */
export function parseBatchList(file: string, text: string, known: KnownRecipes): readonly BatchEntry[] {
  // every scalar is the text that stands there: 3.10 is no number
  const checked = checkYaml(listSchema(known), file, text, { scalars: 'failsafe' });
  if (checked.kind === 'invalid') {
    const { problems } = checked;
    const lines = problems.slice(0, SHOWN).map((problem) => formatProblem(problem).replaceAll('\n', ' '));
    if (problems.length > SHOWN) lines.push(`and ${problems.length - SHOWN} more`);
    throw new UsageError('list-invalid', lines.join('\n'), {
      hint: 'a list is `apps:` and below it `- app: weechat` with version, channel, engine, minutes, published, expect',
    });
  }
  return checked.value.apps.flatMap((entry) => {
    const recipe = known.recipes.find(({ app }) => app === entry.app);
    if (recipe === undefined) return [];
    return channelsOf(entry, recipe).map((channel): BatchEntry => {
      const expect = entry.expect === undefined ? undefined : parseExpectedVerdict(entry.expect);
      return {
        app: entry.app,
        version: entry.version,
        channel,
        ...(entry.engine === undefined ? {} : { engine: entry.engine }),
        ...(entry.minutes === undefined ? {} : { minutes: entry.minutes }),
        ...(entry.published === undefined
          ? {}
          : { published: path.resolve(path.dirname(file), entry.published) }),
        ...(expect === undefined ? {} : { expect }),
      };
    });
  });
}
