// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { cpusIn } from '../../src/build/allowed-cpus.js';
import { variedContainer, variedVariables } from '../../src/build/variation.js';

test('a list of CPUs, as the kernel writes it', (t) => {
  t.deepEqual(cpusIn('0'), [0]);
  t.deepEqual(cpusIn('0-3'), [0, 1, 2, 3]);
  t.deepEqual(cpusIn('1,3-4,8'), [1, 3, 4, 8]);
  for (const other of ['', '0-', 'a', '0 1', '3-1,x', '99999', '1\n2']) t.deepEqual(cpusIn(other), [], other);
});

test('one CPU fewer, and as much more time', (t) => {
  t.deepEqual(variedContainer(['cpus'], [0, 2, 5]), { hostName: 'build', cpuSet: '0,2', timeFactor: 1.5 });
  t.deepEqual(variedContainer(['cpus', 'host-name'], [0]), { hostName: 'varied-host', timeFactor: 1 });
  t.deepEqual(variedContainer(['time-zone'], [0, 1]), { hostName: 'build', timeFactor: 1 });
});

test('the time zone is another one than the plan’s, whichever that is', (t) => {
  const variables = [
    ['LANG', 'C'],
    ['TZ', 'UTC'],
  ] as const;
  const zone = (timeZone: string): string | undefined =>
    variedVariables(variables, ['time-zone'], { timeZone }).find(([name]) => name === 'TZ')?.[1];
  t.is(zone('UTC'), '<+14>-14');
  t.not(zone('<+14>-14'), '<+14>-14');
  t.deepEqual(variedVariables(variables, ['cpus'], { timeZone: 'UTC' }), variables);
});
