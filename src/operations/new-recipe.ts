// SPDX-License-Identifier: Apache-2.0
/** A first recipe for an app, from what its author knows: valid, and with a TODO for each thing that was not said. */
import { UsageError } from '../errors.js';
import { renderRecipe, type RecipeDraft, type Todo } from '../recipe/import/draft.js';
import { RECIPE_QUESTIONS, type RecipeQuestion } from './recipe-questions.js';
import { lintText } from './recipes.js';

export interface NewRecipeRequest {
  readonly answers: Readonly<Partial<Record<RecipeQuestion, string>>>;
  /** Asked for what is not answered yet. */
  readonly ask?: (question: RecipeQuestion, text: string) => Promise<string>;
  /** Today, as YYYY-MM-DD. */
  readonly date: string;
}

export interface NewRecipe {
  readonly app: string;
  readonly text: string;
}

/**
 * @throws UsageError `recipe-questions` with the options that are missing, `recipe-invalid` with a line for each problem
 */
export async function newRecipe({ answers, ask, date }: NewRecipeRequest): Promise<NewRecipe> {
  const given = new Map<RecipeQuestion, string>();
  const missing: RecipeQuestion[] = [];
  for (const [question, text] of Object.entries(RECIPE_QUESTIONS) as [RecipeQuestion, string][]) {
    const answer = (answers[question] ?? (await ask?.(question, text)) ?? '').trim();
    if (answer === '') missing.push(question);
    else given.set(question, answer);
  }
  if (missing.length > 0)
    throw new UsageError('recipe-questions', `not said: ${missing.map((name) => `--${name}`).join(', ')}`, {
      hint: 'give them as options, or run it on a terminal, where it asks',
    });
  const app = given.get('app') ?? '';
  const text = renderRecipe(draft(given, date), 'A first recipe: every TODO wants an answer with a source.');
  const { problems } = lintText(`${app}.yaml`, text);
  if (problems.length > 0) throw new UsageError('recipe-invalid', problems.join('\n'));
  return { app, text };
}

function draft(given: ReadonlyMap<RecipeQuestion, string>, date: string) {
  const of = (question: RecipeQuestion): string => given.get(question) ?? '';
  const url = of('url');
  const recipe: RecipeDraft = {
    schemaVersion: 1,
    app: of('app'),
    title: of('title'),
    platform: 'android',
    status: { kind: 'buildable-unclaimed', evidence: [{ url: of('repository') }] },
    evidence: [{ what: 'Everything below, as the author of this recipe said it.', date, confirmed: false }],
    source: { kind: 'git', repository: of('repository') },
    versions: { resolve: [{ kind: 'tag', templates: [of('tag')], known: [of('release')] }] },
    channels: {
      website: {
        title: 'The file of the makers',
        builtBy: 'publisher',
        packageId: of('package'),
        acquisition: { kind: 'url', url, onlyLatest: false },
        pairs: [{ published: url.slice(url.lastIndexOf('/') + 1), output: 'app' }],
      },
    },
    builds: [
      {
        versions: '*',
        environment: {
          image: { kind: 'floating', reference: of('image') },
          user: 'root',
          directory: '/build/source',
          locale: 'C.UTF-8',
          timeZone: 'UTC',
          sourceDateEpoch: 'commit',
          memoryMiB: 8192,
          diskMiB: 20480,
          minutes: 120,
          expectedMinutes: 30,
          cpus: 4,
        },
        phases: [
          {
            name: 'build',
            network: true,
            networkReason: 'Not looked at yet: the build may fetch what it needs while it runs.',
            script: of('script'),
          },
        ],
        outputs: [{ id: 'app', path: of('built') }],
      },
    ],
  };
  const build = ['builds', 0];
  const todos: Todo[] = [
    {
      path: ['status'],
      field: 'status',
      why: 'what the makers say about rebuilding, with the address where they say it',
    },
    {
      path: ['evidence'],
      field: 'evidence',
      why: 'where each fact was read: repository, path, commit, date',
    },
    {
      path: ['channels', 'website'],
      field: 'signers',
      why: "the certificate of the published file, from the makers' own statement",
    },
    { path: [...build, 'versions'], field: 'versions', why: 'the range for which this build was tried' },
    {
      path: [...build, 'environment'],
      field: 'environment',
      why: "user, directory, locale and time zone of the makers' own builds",
    },
    {
      path: [...build, 'phases'],
      field: 'phases',
      why: 'fetch in a phase prepare, and build without network',
    },
  ];
  return { recipe, todos };
}
