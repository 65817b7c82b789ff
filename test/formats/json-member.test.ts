// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { FormatError } from '../../src/errors.js';
import { jsonMember } from '../../src/formats/json-member.js';

const member = (text: string, ...names: readonly string[]): unknown => {
  const found = jsonMember(Buffer.from(text), names);
  return found === undefined ? undefined : JSON.parse(found.toString('utf8'));
};

test('a member of a member is found, whatever stands around it', (t) => {
  const value = { 'a "b"': [1, { c: '}]{[\\"' }], b: null, ü: -1.5e3 };
  for (const text of [
    JSON.stringify({ x: '\\', y: { '}': ['"', {}] }, here: { z: [], there: value } }),
    JSON.stringify({ here: { there: value, z: true } }, undefined, 2),
    ` {\t"here"\r\n:{"th\\u0065re":${JSON.stringify(value)} , "x":1} }\n`,
  ]) {
    t.deepEqual(member(text, 'here', 'there'), value);
    t.deepEqual(member(text, 'here', 'there', 'ü'), -1500);
    t.is(member(text, 'here', 'nowhere'), undefined);
    t.is(member(text, 'there', 'here'), undefined);
  }
  t.is(member('{}', 'a'), undefined);
  t.is(member('{"__proto__":{"a":1}}', '__proto__', 'a'), 1);
});

const fails = test.macro({
  exec(t, code: string, text: string) {
    t.throws(() => jsonMember(Buffer.from(text), ['a']), { instanceOf: FormatError, code });
  },
  title: (_, code: string, text: string) => `${code}: ${text.slice(0, 40)}`,
});
for (const text of [
  '',
  '[]',
  '"a"',
  '1',
  '{"a"}',
  '{"a":}',
  '{a:1}',
  '{"a":1',
  '{"a":1,}',
  '{"a":1 "b":2}',
  '{"a":[}',
  '{"a":{"b":1]}',
  '{"\\x":1}',
])
  test(fails, 'json/syntax', text);
for (const text of ['{"a', '{"a\\"}', '{"a":"', '{"a":"\\"}', '{"a":[', '{"a":{"b":"x}'])
  test(fails, 'json/unfinished', text);
test(fails, 'json/duplicate-name', '{"a":1,"b":2,"a":1}');
test(fails, 'json/duplicate-name', '{"a":1,"\\u0061":1}');
test(fails, 'json/trailing-text', '{"a":1} {"a":2}');
test(fails, 'json/too-deep', `{"b":${'['.repeat(101)}${']'.repeat(101)}}`);

test('what it finds is what JSON.parse finds, or neither takes it', (t) => {
  const text = JSON.stringify({ q: ['\\"', 'x'], a: { b: '\\\\' }, c: [{}, []] });
  for (let at = 0; at < text.length; at++)
    for (const other of ['"', '\\', '{', '}', '[', ']', ',', ':', ' ', '0']) {
      const changed = text.slice(0, at) + other + text.slice(at + 1);
      let whole: { a?: unknown };
      try {
        whole = JSON.parse(changed) as { a?: unknown };
      } catch {
        continue;
      }
      try {
        t.deepEqual(member(changed, 'a'), whole.a, changed);
      } catch (error) {
        t.true(error instanceof FormatError && error.code === 'json/duplicate-name', changed);
      }
    }
});

test('a hundred thousand packages and a million brackets take no time', (t) => {
  const packages = Array.from(
    { length: 100_000 },
    (_, at) => `"p${at}":{"versions":{"x":["${'a'.repeat(80)}"]}}`,
  );
  const text = Buffer.from(`{"repo":{"x":[${'{},'.repeat(300_000)}{}]},"packages":{${packages.join(',')}}}`);
  const started = performance.now();
  t.is(jsonMember(text, ['packages', 'p99999'])?.length, 103);
  t.true(performance.now() - started < 10_000);
});
