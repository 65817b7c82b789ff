// SPDX-License-Identifier: Apache-2.0
/** Tests that need a foreign tool: skipped with a reason on a bare machine, a failure under CI=true. */
import { accessSync, appendFileSync, constants } from 'node:fs';
import path from 'node:path';
import type { ExecutionContext } from 'ava';
import packages from '../tools.json' with { type: 'json' };

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
  // CI installs what that table names
  for (const tool of tools)
    if (!(tool in packages)) t.fail(`${tool} is not in test/tools.json, which says what package brings it`);
  const missing = tools.filter((tool) => !hasTool(tool));
  return missing.length === 0 || without(t, ...missing);
}

/** For what is more than a tool on the PATH, e.g. `a running Docker engine`: as `need` when it is missing. */
export function without(t: ExecutionContext, ...missing: readonly string[]): false {
  const why = `skipped: needs ${missing.join(', ')}`;
  // read by scripts/test.mjs for its last line
  const record = process.env['SAMESOURCE_TEST_RECORD'];
  if (record !== undefined && record !== '')
    for (const what of missing) appendFileSync(record, `${JSON.stringify({ what, test: t.title })}\n`);
  if (process.env['CI'] === 'true') t.fail(why);
  else {
    t.log(why);
    t.pass();
  }
  return false;
}
