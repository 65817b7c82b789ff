// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { readVersionControlInfo } from '../../src/formats/version-control-info.js';

const A = 'a'.repeat(40);
const B = 'b'.repeat(64);
const read = (text: string) => readVersionControlInfo(Buffer.from(text));

test('commits, each once, and why there is none', (t) => {
  const one = `repositories {\n  system: GIT\n  local_root_path: "$PROJECT_DIR"\n  revision: "${A}"\n}\n`;
  t.deepEqual(read(one), { revisions: [A] });
  t.deepEqual(read(`${one}${one}repositories { revision: "${B}" }`), { revisions: [A, B] });
  t.deepEqual(read('generate_error_reason: NO_SUPPORTED_VCS_FOUND\n'), {
    revisions: [],
    error: 'NO_SUPPORTED_VCS_FOUND',
  });
});

test('what is no such line is not looked at', (t) => {
  for (const text of [
    '',
    `# revision: "${A}"`,
    `revision: "${A}b"`,
    `revision: "${A.toUpperCase()}"`,
    `old_revision: "${A}"`,
    `revision: ${A}`,
    '\0\xff'.repeat(1000),
  ])
    t.deepEqual(read(text), { revisions: [] }, text.slice(0, 40));
});
