// SPDX-License-Identifier: Apache-2.0
/** `recipes/<package>.yml` of rbtlog. https://github.com/obfusk/rbtlog/blob/log/schemas/recipe.json */
import { z } from 'zod';
import { digits, flag, httpsAddress, list, text } from './foreign-parts.js';

const strict = <Shape extends z.ZodRawShape>(shape: Shape) =>
  z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? issue.keys.map(() => `the format has no such key`).join('\n')
        : undefined,
  });
const place = z.string().regex(/^(?:\/[a-zA-Z0-9_-]+)+$/, {
  error: (issue) => `expected a path, got ${JSON.stringify(issue.input)}`,
});

const provisioning = strict({
  android_home: place,
  build_tools: text,
  cmake: text,
  cmdline_tools: strict({
    version: text,
    url: httpsAddress,
    sha256: z.string().regex(/^[0-9a-f]{64}$/, { error: 'expected a SHA-256: 64 lower case hex digits' }),
  }),
  extra_packages: list,
  image: text,
  jdk: text,
  ndk: text,
  platform: text,
  platform_tools: text,
  tools: text,
  verify_git: flag.optional(),
  verify_gradle_wrapper: flag,
  windows_like: flag.optional(),
});

export const rbtlogApk = strict({
  apk_pattern: text,
  apk_url: httpsAddress,
  build: list,
  build_cpus: digits.or(z.literal('')).optional(),
  build_dirs: z.array(place).optional(),
  build_home_dir: place,
  build_repo_dir: place,
  build_timeout: digits.or(z.literal('')).optional(),
  build_user: text,
  provisioning,
});

export const rbtlogSchema = strict({
  repository: httpsAddress,
  updates: z.string().regex(/^(?:(?:checkonly:)?(?:releases|tags:.*)|manual|disabled)$/, {
    error: 'expected releases, tags:<pattern>, checkonly:…, manual or disabled',
  }),
  labels: list.optional(),
  notes: list.optional(),
  versions: z
    .array(strict({ tag: text, apks: z.array(rbtlogApk).min(1) }))
    .min(1, { error: 'expected at least one version' }),
});

export type RbtlogApk = z.output<typeof rbtlogApk>;
export type RbtlogRecipe = z.output<typeof rbtlogSchema>;
