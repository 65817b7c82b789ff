// SPDX-License-Identifier: Apache-2.0
/** Placeholders that nothing fills in. */
import type { Found } from './lint-problem.js';
import { PLACEHOLDERS } from './template.js';

function unknownPlaceholders(template: string): readonly string[] {
  return [...template.matchAll(/(?<!\$)\{([A-Za-z]+)\}/g)]
    .map(([, name]) => name ?? '')
    .filter((name) => !PLACEHOLDERS.some((known) => known === name));
}

export function lintTemplates(path: string, templates: readonly string[]): readonly Found[] {
  return templates.flatMap(unknownPlaceholders).map((name) => ({
    code: 'unknown-placeholder',
    path,
    message: `{${name}} is none of ${PLACEHOLDERS.map((known) => `{${known}}`).join(', ')}`,
  }));
}
