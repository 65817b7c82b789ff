// SPDX-License-Identifier: Apache-2.0
import type { CommandModule } from 'yargs';
import { globalOptions, recipesOption, runCommand, type GlobalArguments } from '../command.js';
import { EXIT } from '../exit-code.js';
import { recipesCheckCommand } from './recipes-check.js';
import { recipesImportCommand } from './recipes-import.js';
import { recipesNewCommand } from './recipes-new.js';
import type { LoadedRecipe } from '../../index.js';

interface RecipesArguments extends GlobalArguments {
  readonly app: string | undefined;
  readonly file: string | undefined;
}

export const recipesCommand: CommandModule<object, RecipesArguments> = {
  command: 'recipes [app] [file]',
  describe: 'list the recipes, show one, or check all of them (recipes lint)',
  builder: (yargs) =>
    recipesOption(
      globalOptions(
        yargs.command(recipesImportCommand).command(recipesNewCommand).command(recipesCheckCommand),
      ),
    )
      .positional('app', { type: 'string', describe: 'app to show, or lint, or list' })
      .positional('file', { type: 'string', describe: 'with lint: a recipe file of yours' })
      .example('$0 recipes', 'all apps')
      .example('$0 recipes telegram-android', 'one recipe with its evidence')
      .example('$0 recipes lint', 'check all recipes')
      .example('$0 recipes import fdroiddata metadata/org.example.chat.yml', 'a recipe of what others know'),
  handler: (argv) =>
    runCommand(argv, async ({ output, options }) => {
      const { lintFile, lintRecipes, recipeOf, recipes } = await import('../../index.js');
      if (argv.app === 'lint') {
        const results =
          argv.file === undefined ? await lintRecipes(options.recipes) : [await lintFile(argv.file)];
        const problems = results.flatMap((result) => result.problems);
        output.print(
          problems.length === 0
            ? `${results.length} recipes, no problems`
            : [...problems, `${problems.length} problems`].join('\n'),
        );
        output.data(results);
        return problems.length === 0 ? EXIT.ok : EXIT.usage;
      }
      if (argv.app === undefined || argv.app === 'list') {
        const all = await recipes(options.recipes);
        output.print(table(all));
        output.data(
          all.map(({ recipe, sha256 }) => ({
            app: recipe.app,
            title: recipe.title,
            status: recipe.status,
            sha256,
          })),
        );
        return EXIT.ok;
      }
      const { recipe, sha256, file } = await recipeOf(argv.app, options.recipes);
      output.print(shown({ recipe, sha256, file }));
      output.data({ sha256, ...recipe });
      return EXIT.ok;
    }),
};

function table(all: readonly LoadedRecipe[]): string {
  const width = Math.max(...all.map(({ recipe }) => recipe.app.length));
  return all
    .map(({ recipe }) => `${recipe.app.padEnd(width)}  ${recipe.title} (${recipe.status.kind})`)
    .join('\n');
}

function shown({ recipe, sha256, file }: LoadedRecipe): string {
  const { status } = recipe;
  return [
    `${recipe.app}: ${recipe.title}`,
    `status    ${status.kind}: ${status.note}`,
    ...status.evidence.map((evidence) => `evidence  ${evidence.url}`),
    ...recipe.evidence.map(
      ({ what, repository, path, commit, url, date, confirmed }) =>
        `read      ${what}: ${[repository, path, commit, url].filter((part) => part !== undefined).join(' ')} (${date}${confirmed ? '' : ', unconfirmed'})`,
    ),
    `source    ${sourceOf(recipe.source)}`,
    ...Object.entries(recipe.channels).map(
      ([id, channel]) => `channel   ${id}: ${channel.title}, built by the ${channel.builtBy}`,
    ),
    ...recipe.unsupportedChannels.map(({ channel, reason }) => `channel   ${channel}: not yet: ${reason}`),
    ...recipe.builds.map((build) => `builds    ${build.versions}`),
    ...recipe.hostBuilds.map(
      ({ versions, system, reason }) => `builds    ${versions}: only on ${system}: ${reason}`,
    ),
    ...recipe.knownResults.map(
      (known) =>
        `known     ${known.by}: ${known.versions.join(', ')} (${known.channel}): ${known.result}${known.reason === undefined ? '' : `; ${known.reason}`} ${known.url}`,
    ),
    `file      ${file} sha256:${sha256}`,
  ].join('\n');
}

function sourceOf(source: LoadedRecipe['recipe']['source']): string {
  switch (source?.kind) {
    case 'git':
      return source.repository;
    case 'debian':
      return `Debian ${source.suite} ${source.component}, source package ${source.package}, ${source.architecture}`;
    case 'bundled':
      return `files of this package: ${source.directory}`;
    case undefined:
      return 'none is published';
  }
}
