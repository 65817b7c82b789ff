// SPDX-License-Identifier: Apache-2.0
import { setTimeout as sleep } from 'node:timers/promises';

const SECONDS = 30;

/** Waits for what a machine under load does late. */
export async function until<Value>(look: () => Value | undefined): Promise<Value> {
  for (let count = 0; count < SECONDS * 20; count++) {
    const value = look();
    if (value !== undefined) return value;
    await sleep(50);
  }
  throw new Error(`it did not happen within ${SECONDS} seconds`);
}
