// SPDX-License-Identifier: Apache-2.0
/** `reports/schema.json`: the published form of `schema.ts` (https://json-schema.org/draft/2020-12/schema). */
import { reportJsonSchema } from './schema.js';

export function reportJsonSchemaText(): string {
  return `${JSON.stringify(reportJsonSchema(), undefined, 2)}\n`;
}
