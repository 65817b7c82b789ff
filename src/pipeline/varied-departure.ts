// SPDX-License-Identifier: Apache-2.0
/** The departure of a report whose build gave more under other conditions than under those of the plan. */
import type { Deviation, Variation } from '../model.js';
import { beside, otherConditions, VARIED_ENVIRONMENT } from '../report/varied-statements.js';

/** The same words on every machine: they are part of the statement. */
export const variedDeparture = (varied: readonly Variation[]): Deviation => ({
  code: VARIED_ENVIRONMENT,
  what: `the reported build was made with ${otherConditions(varied)} than the plan's${beside(varied)}`,
  reason: 'builds as the plan has it came less near to the published file',
  canChangeOutput: 'yes',
});
