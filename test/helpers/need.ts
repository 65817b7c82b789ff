// SPDX-License-Identifier: Apache-2.0
/** Tests that need a foreign tool: skipped with a reason on a bare machine, a failure under CI=true. */
import { accessSync, constants } from 'node:fs';
import path from 'node:path';
import type { ExecutionContext } from 'ava';

export function hasTool(name: string): boolean {
  return (process.env['PATH'] ?? '').split(path.delimiter).some((directory) => {
    try {
      accessSync(path.join(directory, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** True when all tools are there. Else logs why the test is skipped, passes it, and returns false; fails under CI=true. */
export function need(t: ExecutionContext, ...tools: readonly string[]): boolean {
  const missing = tools.filter((tool) => !hasTool(tool));
  if (missing.length === 0) return true;
  const why = `skipped: needs ${missing.join(', ')} on the PATH`;
  if (process.env['CI'] === 'true') t.fail(why);
  else {
    t.log(why);
    t.pass();
  }
  return false;
}
