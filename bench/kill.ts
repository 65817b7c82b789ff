// SPDX-License-Identifier: Apache-2.0
/**
 * Kills a batch on Docker 100 times at seeded moments and looks at what is left: `npm run bench:kill`, `-- --rounds 10`,
 * `-- --seed 7`. Prints one line a round, and exits with 1 when anything was lost, half there, there twice or left over.
 */
import { parseArgs } from 'node:util';
import { killRounds } from '../test/helpers/kill-rounds.js';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '100' },
    seed: { type: 'string', default: '20261129' },
  },
});
const endings: (() => unknown)[] = [];
const teardown = (ending: () => unknown): void => void endings.push(ending);
let [n, bad] = [0, 0];
try {
  for await (const { whom, afterMs, problems } of killRounds(
    { teardown },
    { rounds: Number(values.rounds), seed: Number(values.seed) },
  )) {
    n++;
    if (problems.length > 0) bad++;
    console.log(
      [
        `${n}: ${whom} killed after ${afterMs} ms: ${problems.length === 0 ? 'nothing' : 'PROBLEMS'}`,
        ...problems,
      ].join('\n  '),
    );
  }
} finally {
  for (const ending of endings.reverse()) await ending();
}
console.log(`${n} kills, ${bad} with problems`);
process.exitCode = bad === 0 && n > 0 ? 0 : 1;
