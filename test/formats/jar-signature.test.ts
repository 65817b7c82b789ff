// SPDX-License-Identifier: Apache-2.0
/** JAR signatures made and judged by foreign tools: apksigner, jarsigner, openssl, and the files that test apksig itself. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { FormatError } from '../../src/errors.js';
import { askApksig, type ApksigQuestion } from '../helpers/apksig.js';
import { buildZip } from '../helpers/build-zip.js';
import { checkJar, codesOf, statusesFrom } from '../helpers/check-jar.js';
import { need, without } from '../helpers/need.js';
import { temporaryDirectory } from '../helpers/temp-directory.js';

const LONG = `res/${'a-name-longer-than-a-line-of-a-manifest/'.repeat(3)}x.xml`;
const members = [
  { name: 'AndroidManifest.xml', data: 'manifest' },
  { name: 'classes.dex', data: 'code'.repeat(100) },
  { name: LONG, data: 'x', method: 0 },
  { name: 'res/ünï-çödé 漢字.xml', data: 'names' },
  { name: 'META-INF/services/a.B', data: 'c' },
];
const unsigned = buildZip(members);

// ---------------------------------------------------------------- the files that test apksig

const EXAMPLES = '/usr/share/doc/androguard/examples/signing/apksig';

/** Where we are stricter than apksigner, since the platform is. */
const STRICTER: Readonly<Record<string, readonly string[]>> = {
  // a manifest with NUL is malformed for StrictJarManifestReader
  'v1-only-with-nul-in-entry-name.apk': ['v1-manifest-malformed', 'v1-name-control-character'],
};

test('every file that tests apksig is judged as apksig does, on each range of versions', (t) => {
  if (!need(t, 'androguard', 'jarsigner', 'apksigner')) return;
  if (!existsSync(EXAMPLES)) return void without(t, 'the examples of the package androguard');
  const ranges = [
    [1, 8],
    [9, 17],
    [18, 18],
    [19, 20],
    [21, 21],
    [22, 23],
  ] as const;
  const files = readdirSync(EXAMPLES).filter((name) => name.endsWith('.apk'));
  t.true(files.length > 250);
  const questions = files.flatMap((name) =>
    ranges.map(([minSdk, maxSdk]): ApksigQuestion => ({ file: path.join(EXAMPLES, name), minSdk, maxSdk })),
  );
  const answers = askApksig(temporaryDirectory(t), questions);
  t.is(answers.length, questions.length);
  let verified = 0;
  for (const [index, { file, minSdk, maxSdk }] of questions.entries()) {
    const answer = answers[index];
    const name = path.basename(file);
    let ours: ReturnType<typeof checkJar>;
    try {
      ours = checkJar(readFileSync(file));
    } catch (error) {
      // not one archive, which nobody verifies
      t.true(error instanceof FormatError, `${name}: ${String(error)}`);
      t.is(answer?.byJar, false, name);
      continue;
    }
    const accepted = [...statusesFrom(ours, minSdk, maxSdk)].every(
      (status) => status === 'verified' || status === 'unchecked',
    );
    const stricter = STRICTER[name];
    if (stricter !== undefined) {
      for (const code of stricter) t.true(codesOf(ours, 'invalid').includes(code), `${name}: ${code}`);
      t.false(accepted, name);
      continue;
    }
    t.is(
      accepted,
      answer?.byJar ?? false,
      `${name} on ${minSdk}-${maxSdk}: ${codesOf(ours, 'invalid', 'unsupported').join()}`,
    );
    if (accepted) verified++;
  }
  t.log(`${files.length} files, ${questions.length} questions, ${verified} verified`);
});

// ---------------------------------------------------------------- apksigner

interface Key {
  readonly key: string;
  readonly certificate: string;
}

const KEYS = {
  'rsa-1024': ['-newkey', 'rsa:1024'],
  'rsa-2048': ['-newkey', 'rsa:2048'],
  'rsa-4096': ['-newkey', 'rsa:4096'],
  'dsa-1024': ['-newkey', 'dsa:dsa-1024.parameters'],
  'dsa-2048': ['-newkey', 'dsa:dsa-2048.parameters'],
  'p-256': ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'],
  'p-384': ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-384'],
  'p-521': ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-521'],
} as const;
type KeyName = keyof typeof KEYS;

function makeKey(directory: string, name: KeyName): Key {
  const at = (file: string): string => path.join(directory, file);
  const run = (...parts: readonly string[]): void =>
    void execFileSync('openssl', parts, { cwd: directory, stdio: 'pipe' });
  if (name.startsWith('dsa-'))
    run(
      'genpkey',
      '-genparam',
      '-algorithm',
      'DSA',
      '-pkeyopt',
      `dsa_paramgen_bits:${name.slice(4)}`,
      '-pkeyopt',
      `dsa_paramgen_q_bits:${name === 'dsa-1024' ? 160 : 256}`,
      '-out',
      `${name}.parameters`,
    );
  run(
    'req',
    '-x509',
    '-nodes',
    '-days',
    '9999',
    '-subj',
    `/CN=${name}/O=Test/emailAddress=a@example.org`,
    ...KEYS[name],
    '-keyout',
    `${name}.pem`,
    '-out',
    `${name}.x509.pem`,
  );
  run('pkcs8', '-topk8', '-nocrypt', '-in', `${name}.pem`, '-outform', 'DER', '-out', `${name}.pk8`);
  return { key: at(`${name}.pk8`), certificate: at(`${name}.x509.pem`) };
}

function apksigner(
  directory: string,
  keys: readonly Key[],
  options: { readonly minSdk: number; readonly alias?: string; readonly newer?: boolean },
): Buffer {
  const [input, output] = [path.join(directory, 'unsigned.apk'), path.join(directory, 'signed.apk')];
  writeFileSync(input, unsigned);
  const signers = keys.flatMap(({ key, certificate }, index) => [
    ...(index === 0 ? [] : ['--next-signer']),
    '--key',
    key,
    '--cert',
    certificate,
    ...(options.alias === undefined ? [] : ['--v1-signer-name', `${options.alias}${index}`]),
  ]);
  const newer = String(options.newer ?? false);
  execFileSync(
    'apksigner',
    [
      'sign',
      ...signers,
      '--min-sdk-version',
      String(options.minSdk),
      '--v1-signing-enabled=true',
      `--v2-signing-enabled=${newer}`,
      `--v3-signing-enabled=${newer}`,
      '--v4-signing-enabled=false',
      '--out',
      output,
      input,
    ],
    { stdio: 'pipe' },
  );
  return readFileSync(output);
}

test('what apksigner signs verifies and is written as it writes: keys, versions, names, signers', (t) => {
  if (!need(t, 'apksigner', 'openssl', 'jarsigner')) return;
  const directory = temporaryDirectory(t);
  const keys = Object.fromEntries(
    (Object.keys(KEYS) as KeyName[]).map((name) => [name, makeKey(directory, name)]),
  ) as Record<KeyName, Key>;
  const cases: {
    readonly names: readonly KeyName[];
    readonly minSdk: number;
    readonly alias?: string;
    readonly newer?: boolean;
  }[] = [
    ...(Object.keys(KEYS) as KeyName[]).flatMap((name) =>
      // Java does not sign SHA-1 with the larger DSA keys
      (name === 'dsa-2048' ? [21, 24] : [18, 21, 24]).map((minSdk) => ({ names: [name], minSdk })),
    ),
    { names: ['rsa-2048'], minSdk: 1 },
    { names: ['dsa-1024'], minSdk: 1 },
    { names: ['rsa-2048'], minSdk: 16, alias: 'A-LONG alias' },
    { names: ['p-256', 'rsa-2048'], minSdk: 18, alias: 'K' },
    { names: ['p-384', 'dsa-2048', 'rsa-1024'], minSdk: 21, alias: 'K' },
    { names: ['p-256', 'dsa-1024'], minSdk: 18, alias: 'K' },
    { names: ['p-256'], minSdk: 18, newer: true },
    { names: ['rsa-4096', 'p-521'], minSdk: 18, alias: 'K', newer: false },
  ];
  const signed = cases.map((one, index) => {
    const apk = apksigner(
      directory,
      one.names.map((name) => keys[name]),
      one,
    );
    const file = path.join(directory, `case-${index}.apk`);
    writeFileSync(file, apk);
    return { ...one, apk, file };
  });
  const answers = askApksig(
    directory,
    signed.map(({ file, minSdk }) => ({ file, minSdk, maxSdk: 27 })),
  );
  for (const [index, { names, minSdk, apk, newer }] of signed.entries()) {
    const title = `${names.join()} from ${minSdk}`;
    const ours = checkJar(apk, true);
    t.deepEqual(codesOf(ours, 'invalid', 'open', 'loose', 'free'), [], title);
    t.is(ours.status, 'verified', title);
    t.is(ours.signers.length, names.length, title);
    t.is(answers[index]?.verified, true, title);
    t.deepEqual([...statusesFrom(ours, minSdk, newer === true ? 23 : 27)], ['verified'], title);
  }
});

test('no byte of a signature file or block can be changed unnoticed', (t) => {
  if (!need(t, 'apksigner', 'openssl')) return;
  const directory = temporaryDirectory(t);
  const apk = apksigner(directory, [makeKey(directory, 'p-256')], { minSdk: 18 });
  const { reading, signers } = checkJar(apk);
  const certificate = signers[0]?.certificateSha256;
  const [file] = reading.files;
  if (file === undefined) return t.fail('no signature file');
  for (const target of [reading.manifestEntry, file.entry, file.blockEntry]) {
    const { archive } = reading;
    const bytes = archive.content(target) as Buffer;
    for (let at = 0; at < bytes.length; at++) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8));
      const ours = checkJar(apk, true, new Map([[target, changed]]));
      // nothing signs the certificate: a changed one is another one
      const clean =
        ours.status === 'verified' &&
        codesOf(ours, 'loose').length === 0 &&
        ours.signers[0]?.certificateSha256 === certificate;
      if (clean) t.fail(`byte ${at} of ${archive.entries[target]?.rawName.toString() ?? ''} may be changed`);
    }
  }
  t.pass();
});

// ---------------------------------------------------------------- jarsigner

const JAR_KEYS = {
  rsa: ['-keyalg', 'RSA', '-keysize', '2048'],
  dsa: ['-keyalg', 'DSA', '-keysize', '2048'],
  ec: ['-keyalg', 'EC', '-groupname', 'secp256r1'],
} as const;

function jarsigner(
  t: ExecutionContext,
  options: readonly string[],
  aliases: readonly (keyof typeof JAR_KEYS)[],
  archive = unsigned,
): Buffer {
  const directory = temporaryDirectory(t);
  const store = ['-keystore', path.join(directory, 'store.p12'), '-storepass', 'password'];
  const file = path.join(directory, 'app.apk');
  writeFileSync(file, archive);
  for (const alias of aliases) {
    const request = ['-genkeypair', ...store, '-alias', alias, '-dname', `CN=${alias}, O=Test`];
    execFileSync('keytool', [...request, '-validity', '9999', ...JAR_KEYS[alias]], { stdio: 'pipe' });
    execFileSync('jarsigner', [...store, ...options, file, alias], { stdio: 'pipe' });
  }
  return readFileSync(file);
}

for (const [title, options, aliases, algorithm] of [
  ['RSA', [], ['rsa'], 'sha256'],
  ['DSA', [], ['dsa'], 'sha256'],
  ['EC', [], ['ec'], 'sha256'],
  ['RSA, SHA-512', ['-digestalg', 'SHA-512', '-sigalg', 'SHA512withRSA'], ['rsa'], 'sha512'],
  ['EC, SHA-384', ['-digestalg', 'SHA-384', '-sigalg', 'SHA384withECDSA'], ['ec'], 'sha384'],
  ['RSA, SHA-1', ['-digestalg', 'SHA1', '-sigalg', 'SHA1withRSA'], ['rsa'], 'sha1'],
  ['without a file name of its own', ['-sigfile', 'OTHER'], ['rsa'], 'sha256'],
] as const)
  test(`what jarsigner signs verifies and is written as it writes: ${title}`, (t) => {
    if (!need(t, 'jarsigner', 'keytool', 'apksigner')) return;
    const jar = jarsigner(t, options, aliases);
    const ours = checkJar(jar, true);
    t.deepEqual(codesOf(ours, 'invalid', 'open', 'loose'), []);
    // its signed attributes hold the time, and nothing else that it chose
    t.deepEqual(codesOf(ours, 'free'), ['cms-signing-time']);
    t.is(ours.status, 'verified');
    t.deepEqual([...statusesFrom(ours, 1, 18)], ['unsupported']);
    t.deepEqual([...statusesFrom(ours, 24, 40)], ['verified']);
    const digests = [...ours.reading.digests.values()].flat().map((digest) => digest.algorithm);
    t.deepEqual([...new Set(digests)], [algorithm]);
    const directory = temporaryDirectory(t);
    const file = path.join(directory, 'signed.apk');
    writeFileSync(file, jar);
    t.is(askApksig(directory, [{ file, minSdk: 24, maxSdk: 27 }])[0]?.verified, true);
  });

test('the order in which Java writes hundreds of sections follows from their names', (t) => {
  if (!need(t, 'jarsigner', 'keytool')) return;
  const many = Array.from({ length: 700 }, (_, at) => ({
    name: `res/${(at * 7919) % 9973}/${'x'.repeat(at % 50)}.png`,
    data: `${at}`,
  }));
  const jar = jarsigner(t, [], ['ec'], buildZip([...members, ...many]));
  const ours = checkJar(jar, true);
  t.deepEqual(codesOf(ours, 'invalid', 'open', 'loose'), []);
  const names = ours.reading.manifest.sections.map(({ name }) => name);
  t.notDeepEqual(names, [...names].sort());
});

test('two signers one after the other by jarsigner', (t) => {
  if (!need(t, 'jarsigner', 'keytool')) return;
  const ours = checkJar(jarsigner(t, [], ['rsa', 'ec']), true);
  t.is(ours.status, 'verified');
  t.deepEqual(ours.signers.map(({ keyType }) => keyType).sort(), ['ec', 'rsa']);
  t.deepEqual(codesOf(ours, 'note'), ['v1-several-signers', 'v1-unprotected-entry']);
});

// ---------------------------------------------------------------- openssl

/** A block that openssl makes over the signature file of apksigner. */
function opensslBlock(t: ExecutionContext, ...options: readonly string[]): ReturnType<typeof checkJar> {
  const directory = temporaryDirectory(t);
  const { key, certificate } = makeKey(directory, 'rsa-2048');
  const apk = apksigner(directory, [{ key, certificate }], { minSdk: 18 });
  const { reading } = checkJar(apk);
  const [file] = reading.files;
  if (file === undefined) throw new Error('no signature file');
  writeFileSync(path.join(directory, 'file.sf'), file.bytes);
  const block = execFileSync(
    'openssl',
    [
      'cms',
      '-sign',
      '-binary',
      '-in',
      'file.sf',
      '-signer',
      certificate,
      '-inkey',
      path.join(directory, 'rsa-2048.pem'),
      '-outform',
      'DER',
      '-md',
      'sha256',
      ...options,
    ],
    { cwd: directory },
  );
  return checkJar(apk, true, new Map([[file.blockEntry, block]]));
}

test('blocks by openssl: with and without signed attributes, with content, with more than is understood', (t) => {
  if (!need(t, 'openssl', 'apksigner')) return;
  const plain = opensslBlock(t, '-noattr');
  t.is(plain.status, 'verified');
  t.deepEqual(codesOf(plain, 'open', 'loose', 'free'), []);
  const attributes = opensslBlock(t, '-nosmimecap');
  t.is(attributes.status, 'verified');
  t.deepEqual(codesOf(attributes, 'open', 'loose', 'free'), ['cms-signing-time']);
  const capabilities = opensslBlock(t);
  t.is(capabilities.status, 'unchecked');
  t.deepEqual(codesOf(capabilities, 'open'), ['cms-unknown-attribute']);
  const content = opensslBlock(t, '-noattr', '-nodetach');
  t.is(content.status, 'unchecked');
  t.deepEqual(codesOf(content, 'open'), ['cms-content']);
  t.deepEqual(codesOf(opensslBlock(t, '-noattr', '-nocerts'), 'invalid'), ['cms-no-certificate']);
  t.true(codesOf(opensslBlock(t, '-noattr', '-keyid'), 'invalid').includes('cms-malformed'));
  const streamed = opensslBlock(t, '-noattr', '-stream', '-nodetach');
  t.is(streamed.status, 'unchecked');
  t.true(codesOf(streamed, 'open').includes('cms-not-canonical'));
});
