// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import ajvFormats from 'ajv-formats';
import test from 'ava';
import { renderJson } from '../../src/report/json.js';
import { reportJsonSchemaText } from '../../src/report/json-schema.js';
import { REPORTS } from '../helpers/a-report.js';

const written = (): string => readFileSync(new URL('../../../reports/schema.json', import.meta.url), 'utf8');

function validatorOf(schema: object) {
  const ajv = new Ajv2020({ allErrors: true, strict: false });
  ajvFormats.default(ajv);
  return ajv.compile(schema);
}
const validator = validatorOf(JSON.parse(written()) as object);

test('reports/schema.json is up to date (npm run schema:reports)', (t) => {
  t.is(written(), reportJsonSchemaText());
});

for (const [name, make] of Object.entries(REPORTS))
  test(`a report of ours is valid against the published schema: ${name}`, async (t) => {
    validator(JSON.parse(renderJson(await make())));
    t.deepEqual(validator.errors ?? [], []);
  });

test('the published schema refuses what the program refuses', async (t) => {
  const report = await REPORTS.equal();
  t.false(validator({ ...report, schemaVersion: 2 }));
  t.false(validator({ ...report, statementSha256: 'abc' }));
  t.false(validator({ ...report, more: 1 }));
  t.false(validator({ ...report, run: { ...report.run, time: 'yesterday' } }));
});

test('the published schema describes notes', (t) => {
  const { $defs } = JSON.parse(written()) as { $defs: { note: object } };
  const note = validatorOf($defs.note);
  const good = {
    schemaVersion: 1,
    kind: 'correction',
    statementSha256: 'a'.repeat(64),
    date: '2026-01-02',
    by: 'us',
    text: 'the date was wrong',
  };
  t.true(note(good));
  t.false(note({ ...good, kind: 'praise' }));
});
