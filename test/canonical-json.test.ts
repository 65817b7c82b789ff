// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import test from 'ava';
import fc from 'fast-check';
import { asJson, canonicalJson, digestOf } from '../src/canonical-json.js';

/** The same by other means: `JSON.stringify` of one level at a time. */
function expected(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(expected).join()}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, member]) => `${JSON.stringify(key)}:${expected(member)}`).join()}}`;
}

test('any JSON value: keys in order, nothing else changed', (t) => {
  fc.assert(
    fc.property(fc.jsonValue({ stringUnit: 'binary' }), (value) => {
      const text = canonicalJson(value);
      return text === expected(value) && canonicalJson(JSON.parse(text)) === text;
    }),
  );
  t.is(
    canonicalJson({ b: [], a: {}, 10: -0, 9: 'é"\\\n\u2028', _: undefined }),
    '{"10":0,"9":"é\\"\\\\\\n\u2028","a":{},"b":[]}',
  );
  t.is(canonicalJson([undefined, null, true]), '[null,null,true]');
});

test('a value is what a reader of its JSON gets', (t) => {
  const dirty = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      fc.constantFrom(undefined, null, true, -0, 0, 1.5, '', 'é', '__proto__'),
      fc.array(tie('value')),
      fc.dictionary(fc.string(), tie('value')),
    ),
  })).value;
  fc.assert(
    fc.property(fc.dictionary(fc.string(), dirty), (value) => {
      t.deepEqual(asJson(value), JSON.parse(JSON.stringify(value)));
      t.is(canonicalJson(asJson(value)), canonicalJson(value));
    }),
  );
  const clean = { a: [1, { b: null }] };
  t.is(asJson(clean), clean);
});

test('the digest is that of the text, however long', (t) => {
  const value = Array.from({ length: 20_000 }, (_, index) => ({ index, name: `é ${index}` }));
  t.is(digestOf(value), createHash('sha256').update(canonicalJson(value)).digest('hex'));
});

for (const [name, value] of [
  ['NaN', Number.NaN],
  ['an infinity', [Number.POSITIVE_INFINITY]],
  ['a bigint', 1n],
  ['a function', { a: () => 1 }],
  ['a lone surrogate', '\ud800'],
  ['a lone surrogate in a key', { '\udc00': 1 }],
] as const)
  test(`${name} has no canonical form`, (t) => {
    t.throws(() => canonicalJson(value), { instanceOf: TypeError });
  });
