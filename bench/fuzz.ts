// SPDX-License-Identifier: Apache-2.0
/**
 * Ten minutes of inputs that are nearly right: `npm run bench:fuzz`, `-- --minutes 1` shorter, `-- --seed 7` from
 * another seed. Exit 1 when something broke; a failure is made again by its target and seed.
 */
import { parseArgs } from 'node:util';
import { fuzz, FUZZ_TARGETS, MAX_BYTES, type FuzzFailure } from '../test/attacks/fuzz.js';

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '10' }, seed: { type: 'string', default: '1000000' } },
});
const each = (Number(values.minutes) * 60_000) / FUZZ_TARGETS.length;
const failures: FuzzFailure[] = [];
console.log('| reader | inputs | refused | slowest, s | failures |\n|---|--:|--:|--:|--:|');
for (const target of FUZZ_TARGETS) {
  const count = await fuzz(target, Number(values.seed), each);
  failures.push(...count.failures);
  console.log(
    `| ${[target.name, count.inputs, count.refused, count.slowest.toFixed(3), count.failures.length].join(' | ')} |`,
  );
}
const peak = process.resourceUsage().maxRSS * 1024;
console.log(`\npeak memory: ${Math.round(peak / 1e6)} MB`);
for (const failure of failures) console.error(JSON.stringify(failure));
process.exitCode = failures.length === 0 && peak < MAX_BYTES ? 0 : 1;
