// SPDX-License-Identifier: Apache-2.0
/** What is taken out of logs and failures before they are kept: whose machine it is, and what opens doors. */
import test from 'ava';
import { privateTexts } from '../../src/operations/private-texts.js';
import { redactor } from '../../src/report/redact.js';

test.serial('passwords of proxies and tokens are in nothing that is kept', (t) => {
  const before = { ...process.env };
  t.teardown(() => {
    process.env = before;
  });
  process.env = {
    ...before,
    https_proxy: 'http://somebody:pass%2Fword@proxy.example.org:3128',
    GITHUB_TOKEN: 'ghp_0123456789abcdef',
    SIGNING_PASSWORD: 'correct horse',
    SOME_TOKEN: 'yes',
    TOKENIZER: 'sentencepiece',
  };
  const redact = redactor(privateTexts());
  t.is(
    redact('CONNECT http://somebody:pass%2Fword@proxy.example.org:3128 (pass/word) failed'),
    'CONNECT http://<secret>:<secret>@<network> (<secret>) failed',
  );
  t.is(redact('Authorization: Bearer ghp_0123456789abcdef'), 'Authorization: Bearer <secret>');
  t.is(redact('correct horse: yes, with a sentencepiece'), '<secret>: yes, with a sentencepiece');
});
