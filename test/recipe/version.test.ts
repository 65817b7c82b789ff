// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process';
import test from 'ava';
import fc from 'fast-check';
import {
  compareVersions,
  inRange,
  nearestVersions,
  parseRange,
  type VersionRange,
  type VersionScheme,
} from '../../src/recipe/version.js';
import { need } from '../helpers/need.js';

function range(text: string): VersionRange {
  const parsed = parseRange(text);
  if (parsed === undefined) throw new Error(`${text} is no range`);
  return parsed;
}

const dotted = fc.array(fc.nat(20), { minLength: 1, maxLength: 4 }).map((parts) => parts.join('.'));
const debian = fc
  .tuple(
    fc.option(fc.nat(3), { nil: undefined }),
    fc.stringMatching(/^[0-9][0-9a-z.+~]{0,6}$/),
    fc.option(fc.stringMatching(/^[0-9][0-9a-z.+~]{0,3}$/), { nil: undefined }),
  )
  .map(
    ([epoch, upstream, revision]) =>
      `${epoch === undefined ? '' : `${epoch}:`}${upstream}${revision === undefined ? '' : `-${revision}`}`,
  );

const comparison = test.macro({
  exec(t, scheme: VersionScheme, a: string, sign: '<' | '=', b: string) {
    const expected = sign === '<' ? -1 : 0;
    t.is(compareVersions(a, b, scheme), expected);
    t.is(compareVersions(b, a, scheme), expected === 0 ? 0 : 1);
  },
  title: (_, scheme: string, a: string, sign: string, b: string) => `${scheme}: ${a} ${sign} ${b}`,
});

test(comparison, 'dotted', '10.9.1', '<', '10.10.0');
test(comparison, 'dotted', '10.9', '=', '10.9.0');
test(comparison, 'dotted', '9.99', '<', '10');
test(comparison, 'dotted', '8.0.0-beta.1', '<', '8.0.0');
test(comparison, 'dotted', '8.0.0-beta.2', '<', '8.0.0-beta.10');
test(comparison, 'dotted', '7.8.1', '<', '7.8.1-1');
test(comparison, 'dotted', '7.8.1-1', '<', '7.8.1-2');
test(comparison, 'debian', '3.8-1', '<', '3.8-1+deb12u1');
test(comparison, 'debian', '3.8~rc1-1', '<', '3.8-1');
test(comparison, 'debian', '3.8-1', '<', '3.10-1');
test(comparison, 'debian', '9.0-1', '<', '1:0.1-1');
test(comparison, 'debian', '3.8', '=', '3.8-0');
test(comparison, 'debian', '1.0a', '<', '1.0+');

const membership = test.macro({
  exec(t, scheme: VersionScheme, text: string, inside: readonly string[], outside: readonly string[]) {
    for (const version of inside) t.true(inRange(version, range(text), scheme), `${version} in ${text}`);
    for (const version of outside)
      t.false(inRange(version, range(text), scheme), `${version} not in ${text}`);
  },
  title: (_, scheme: string, text: string) => `${scheme} range ${text}`,
});

test(membership, 'dotted', '10.x', ['10', '10.0', '10.14.5'], ['1', '9.9', '11.0', '100.1', '10.0.0-beta.1']);
test(membership, 'dotted', '10.1.x', ['10.1', '10.1.7'], ['10', '10.10', '10.11.1', '10.2']);
test(
  membership,
  'dotted',
  '>=10.9 <11',
  ['10.9', '10.9.0', '10.14.5'],
  ['10.8.9', '11', '11.0.0', '11.0-beta.1'],
);
test(membership, 'dotted', '>10.9 <=11', ['10.9.1', '11', '11.0.0'], ['10.9', '11.0.1']);
test(membership, 'dotted', '>= 10.9', ['10.9', '12'], ['10.8']);
test(membership, 'dotted', 'latest', ['1', '99.9'], ['1.0-rc.1']);
test(membership, 'dotted', '10.9', ['10.9'], ['10.9.0', '10.9.1']);
test(membership, 'dotted', '8.0.0-beta.1', ['8.0.0-beta.1'], ['8.0.0']);
test(
  membership,
  'debian',
  '3.x',
  ['3.8-1', '3.6-1.3', '1:3.0-2', '3.8-1+deb12u1'],
  ['30.1-1', '2.9-1', '3.8~rc1-1'],
);
test(membership, 'debian', '3.8', ['3.8-1', '3.8-1+deb12u1'], ['3.8.1-1', '3.7-1']);
test(membership, 'debian', '3.8-1', ['3.8-1'], ['3.8-2', '3.8-1+deb12u1']);
test(membership, 'debian', '<=3.8', ['3.8-1', '3.7-9'], ['3.9-1', '3.8.1-1']);
test(membership, 'debian', '>=3.8-2', ['3.8-2', '3.9-1'], ['3.8-1']);

const noRange = test.macro({
  exec(t, text: string) {
    t.is(parseRange(text), undefined);
  },
  title: (_, text: string) => `${JSON.stringify(text.slice(0, 40))} is no range`,
});
for (const text of ['', ' ', 'x', 'v10', '>=', '>=10 or <9', '10 11', '../10', '10;rm', '1'.repeat(500)])
  test(noRange, text);

for (const [scheme, versions] of [
  ['dotted', dotted],
  ['debian', debian],
] as const) {
  test(`${scheme}: the order is total`, (t) => {
    fc.assert(
      fc.property(versions, versions, versions, (a, b, c) => {
        const ab = compareVersions(a, b, scheme);
        const bc = compareVersions(b, c, scheme);
        if (compareVersions(a, a, scheme) !== 0 || ab + compareVersions(b, a, scheme) !== 0) return false;
        return !(ab <= 0 && bc <= 0) || compareVersions(a, c, scheme) <= 0;
      }),
    );
    t.pass();
  });
}

test('what lies between two members of a range is a member', (t) => {
  const ranges = fc.oneof(
    fc.tuple(dotted, dotted).map(([a, b]) => `>=${a} <${b}`),
    dotted.map((a) => `<=${a}`),
    fc.array(fc.nat(20), { minLength: 1, maxLength: 3 }).map((parts) => `${parts.join('.')}.x`),
  );
  fc.assert(
    fc.property(ranges, fc.array(dotted, { minLength: 3, maxLength: 12 }), (text, versions) => {
      const sorted = versions.sort((a, b) => compareVersions(a, b, 'dotted'));
      const flags = sorted.map((version) => inRange(version, range(text), 'dotted'));
      const first = flags.indexOf(true);
      return first < 0 || flags.slice(first, flags.lastIndexOf(true) + 1).every(Boolean);
    }),
  );
  t.pass();
});

test('a prefix is the range from it to its successor', (t) => {
  fc.assert(
    fc.property(fc.nat(30), dotted, (major, version) => {
      const bounds = range(`>=${major} <${major + 1}`);
      return inRange(version, range(`${major}.x`), 'dotted') === inRange(version, bounds, 'dotted');
    }),
  );
  t.pass();
});

test('the order of Debian versions is the one of dpkg', (t) => {
  if (!need(t, 'dpkg')) return;
  for (const [a, b] of fc.sample(fc.tuple(debian, debian), { numRuns: 80, seed: 7 })) {
    const sign = compareVersions(a, b, 'debian');
    const relation = sign < 0 ? 'lt' : sign > 0 ? 'gt' : 'eq';
    t.is(spawnSync('dpkg', ['--compare-versions', a, relation, b]).status, 0, `${a} ${relation} ${b}`);
  }
});

test('the nearest versions stand around the missing one', (t) => {
  const known = ['10.14.5', '10.9.1', '11.0.0', '10.10.0', '12.0.0'];
  t.deepEqual(nearestVersions('10.9.5', known, 'dotted'), ['10.9.1', '10.10.0', '10.14.5']);
  t.deepEqual(nearestVersions('1', known, 'dotted'), ['10.9.1', '10.10.0', '10.14.5']);
  t.deepEqual(nearestVersions('99', known, 'dotted'), ['10.14.5', '11.0.0', '12.0.0']);
  t.deepEqual(nearestVersions('99', [], 'dotted'), []);
});
