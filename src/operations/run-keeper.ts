// SPDX-License-Identifier: Apache-2.0
/** The keeper of this process: when it dies without a word, its programs end and what it left is removed. */
import { fileURLToPath } from 'node:url';
import { startKeeper, type Keeper } from '../process.js';

export const startRunKeeper = async (): Promise<Keeper> =>
  await startKeeper(process.execPath, [fileURLToPath(new URL('./sweeper.js', import.meta.url))]);
