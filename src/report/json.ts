// SPDX-License-Identifier: Apache-2.0
/** `report.json` as it is stored. */
import type { Report } from './types.js';

export function renderJson(report: Report): string {
  return `${JSON.stringify(report)}\n`;
}
