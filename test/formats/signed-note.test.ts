// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import fc from 'fast-check';
import { FormatError } from '../../src/errors.js';
import { readCheckpoint } from '../../src/formats/log-checkpoint.js';
import { assertSignedBy, readNoteKey, readSignedNote } from '../../src/formats/signed-note.js';
import { APK_LOGS } from '../../src/inputs/log/known-logs.js';
import { checkpointText, logSigner, sha256 } from '../helpers/build-log.js';

const TEXT = 'a text\n\nwith an empty line\n';
const signer = logSigner('example.org/log');
const NOTE = `${TEXT}\n${signer.line(TEXT)}`;

test('the example of the specification: key and signature', (t) => {
  const key = readNoteKey('example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k');
  const note = readSignedNote(
    Buffer.from(
      'This is an example message.\n\n\u2014 example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n',
    ),
  );
  t.notThrows(() => assertSignedBy(note, key));
  t.throws(() => assertSignedBy({ ...note, text: 'This is an example message!\n' }, key), {
    code: 'signed-note/bad-signature',
  });
});

for (const algorithm of ['ed25519', 'ecdsa'] as const)
  test(`${algorithm}: a note is read, its signature holds, a changed text does not`, (t) => {
    const own = logSigner('example.org/log', algorithm);
    const note = readSignedNote(Buffer.from(`${TEXT}\n${own.line(TEXT)}`));
    t.is(note.text, TEXT);
    t.notThrows(() => assertSignedBy(note, readNoteKey(own.key)));
    t.throws(() => assertSignedBy({ ...note, text: `${TEXT}more\n` }, readNoteKey(own.key)), {
      code: 'signed-note/bad-signature',
    });
  });

test('signatures by others say nothing, also under the same name; one that claims the key must hold', (t) => {
  const sameName = logSigner('example.org/log');
  const key = readNoteKey(signer.key);
  const of = (...lines: readonly string[]) => readSignedNote(Buffer.from(`${TEXT}\n${lines.join('')}`));
  const [mine, theirs] = [signer.line(TEXT), logSigner('witness.example').line(TEXT)];
  t.notThrows(() => assertSignedBy(of(theirs, sameName.line('another'), mine), key));
  t.throws(() => assertSignedBy(of(theirs, sameName.line(TEXT)), key), {
    code: 'signed-note/not-signed-by-key',
  });
  t.throws(() => assertSignedBy(of(mine, signer.line('another text\n')), key), {
    code: 'signed-note/bad-signature',
  });
});

const base64 = (bytes: number): string => Buffer.alloc(bytes, 7).toString('base64');
for (const [at, [code, note]] of (
  [
    ['no-signatures', 'a text\n'],
    ['end', NOTE.slice(0, -1)],
    ['utf-8', Buffer.concat([Buffer.from([0xff]), Buffer.from(NOTE)])],
    ['control-character', NOTE.replace('a text', 'a\rtext')],
    ['control-character', `\0${NOTE}`],
    ['signature-line', `${TEXT}\n`],
    ['signature-line', `${TEXT}\n- name ${base64(68)}\n`],
    ['signature-line', `${TEXT}\n\u2014 na+me ${base64(68)}\n`],
    ['signature-line', `${TEXT}\n\u2014 na\u2003me ${base64(68)}\n`],
    ['signature-line', `${TEXT}\n\u2014 name ${base64(4)}\n`],
    ['signature-line', `${TEXT}\n\u2014 name ${base64(68)}=\n`],
    ['signature-line', `${TEXT}\n\u2014 name ${base64(68)} more\n`],
    ['too-many-signatures', `${TEXT}\n${`\u2014 name ${base64(68)}\n`.repeat(101)}`],
    ['too-large', Buffer.alloc((1 << 20) + 1, 0x61)],
  ] as const
).entries())
  test(`a malformed note is refused: ${code} (${at})`, (t) => {
    t.throws(() => readSignedNote(Buffer.from(note as string)), {
      instanceOf: FormatError,
      code: `signed-note/${code}`,
    });
  });

test('sixteen signatures and a hundred are read', (t) => {
  for (const count of [16, 100])
    t.is(readSignedNote(Buffer.from(`${TEXT}\n${signer.line(TEXT).repeat(count)}`)).signatures.length, count);
});

const [name = '', id = '', ...encoded] = signer.key.split('+');
const material = encoded.join('+');
const keyOf = (type: number, bytes: Buffer): string => {
  const key = Buffer.concat([Buffer.from([type]), bytes]);
  const own = type === 2 ? sha256(bytes) : sha256(name, '\n', key);
  return `${name}+${own.toString('hex', 0, 4)}+${key.toString('base64')}`;
};
for (const [code, key] of [
  ['key-form', ''],
  ['key-form', `${name}+${id}`],
  ['key-form', `${name}+${id.toUpperCase()}x+${material}`],
  ['key-form', `${name}+${id}+${material}*`],
  ['key-form', `+${id}+${material}`],
  ['key-id', `${name}x+${id}+${material}`],
  ['key-id', `${name}+00000000+${material}`],
  ['key-type', keyOf(4, Buffer.alloc(32, 1))],
  ['key-type', keyOf(1, Buffer.alloc(31, 1))],
  ['key-bytes', keyOf(2, Buffer.alloc(91, 1))],
] as const)
  test(`a malformed key is refused: ${code} ${key}`, (t) => {
    t.throws(() => readNoteKey(key), { instanceOf: FormatError, code: `signed-note/${code}` });
  });

test('the keys of the known logs are keys', (t) => {
  for (const { key } of APK_LOGS) t.notThrows(() => readNoteKey(key));
  t.deepEqual(
    APK_LOGS.map(({ key }) => readNoteKey(key).algorithm),
    ['ed25519', 'ecdsa-sha256'],
  );
});

const ROOT = sha256('root');
for (const [code, text] of [
  ['lines', 'origin\n1\n'],
  ['lines', `origin\n1\n${ROOT.toString('base64')}`],
  ['lines', `\n1\n${ROOT.toString('base64')}\n`],
  ['lines', `${checkpointText('origin', 1, ROOT)}\nmore\n`],
  ['size', checkpointText('origin', '-1', ROOT)],
  ['size', checkpointText('origin', '01', ROOT)],
  ['size', checkpointText('origin', '1e3', ROOT)],
  ['size', checkpointText('origin', '9223372036854775808', ROOT)],
  ['size', checkpointText('origin', '9'.repeat(5000), ROOT)],
  ['root', checkpointText('origin', 1, ROOT.subarray(1))],
  ['root', `origin\n1\nnone\n`],
  ['root', checkpointText('origin', 0, ROOT)],
] as const)
  test(`a malformed checkpoint is refused: ${code} of ${text.length} characters ${JSON.stringify(text.slice(0, 20))}`, (t) => {
    t.throws(() => readCheckpoint(text), { instanceOf: FormatError, code: `log-checkpoint/${code}` });
  });

test('a checkpoint with an extension line is read', (t) => {
  t.deepEqual(readCheckpoint(`${checkpointText('origin', 5, ROOT)}more\n`), {
    origin: 'origin',
    size: 5,
    root: ROOT,
  });
});

test('whatever bytes: a note or a FormatError', (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), mutated()), (bytes) => {
        try {
          const { text } = readSignedNote(Buffer.from(bytes));
          readCheckpoint(text);
        } catch (error) {
          return error instanceof FormatError;
        }
        return true;
      }),
    ),
  );
});

function mutated(): fc.Arbitrary<Uint8Array> {
  const good = Buffer.from(NOTE);
  return fc
    .tuple(fc.nat(good.length - 1), fc.nat(255))
    .map(([at, byte]) => good.map((old, i) => (i === at ? byte : old)));
}
