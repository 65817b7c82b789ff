// SPDX-License-Identifier: Apache-2.0
/** What somebody has to say for a first recipe. */

/** What is asked for, in this order. */
export const RECIPE_QUESTIONS = {
  app: 'name of the recipe, e.g. chat-android',
  title: 'title for people, e.g. Chat for Android',
  repository: 'https address of the source, e.g. https://example.org/chat',
  release: 'a version that is known to have a tag, e.g. 1.2.3',
  tag: 'its tag with {version} in the place of the version, e.g. v{version}',
  package: 'package of the app, e.g. org.example.chat',
  url: 'address of the published file, with {version}',
  image: 'image to build in, e.g. debian:bookworm',
  script: 'command that builds it',
  built: 'file that the build makes, below the source',
} as const;
export type RecipeQuestion = keyof typeof RECIPE_QUESTIONS;
