// SPDX-License-Identifier: Apache-2.0
import test from 'ava';
import { BufferSource } from '../../src/bytes.js';
import { FormatError } from '../../src/errors.js';
import {
  checkCodeResources,
  type SealCheck,
  type SealedBundle,
} from '../../src/formats/code-resources-check.js';
import { readCodeResources } from '../../src/formats/code-resources.js';
import { xmlPlist, type Plain } from '../helpers/build-plist.js';
import { bundleOf, codeResources, sealed, type BundleContents } from '../helpers/seal-bundle.js';

const CONTENTS: BundleContents = {
  Main: 'code',
  'Info.plist': 'info',
  PkgInfo: 'APPL????',
  'a.txt': 'a',
  'de.lproj/L.strings': 'de',
  'Base.lproj/M.nib': 'base',
  'Frameworks/X.framework/X': 'framework',
  'Frameworks/X.framework/_CodeSignature/CodeResources': 'theirs',
  '_CodeSignature/CodeResources': 'own',
  link: { link: 'a.txt' },
};

function check(
  contents: BundleContents,
  resources: Buffer = codeResources(CONTENTS),
  more: Partial<SealedBundle> = {},
): SealCheck {
  return checkCodeResources(readCodeResources(new BufferSource(resources)), {
    ...bundleOf(contents),
    ...more,
  });
}

const issues = (found: SealCheck): string[] => found.issues.map(({ code, path }) => `${code} ${path}`);

test('a bundle as it was signed', (t) => {
  const found = check(CONTENTS);
  t.deepEqual(found.issues, []);
  t.is(found.verified, 6);
  t.deepEqual(found.unsealed, [
    { path: 'Main', why: 'executable' },
    { path: 'Info.plist', why: 'omitted-by-rule' },
    { path: 'PkgInfo', why: 'omitted-by-rule' },
    { path: '_CodeSignature/CodeResources', why: 'signature' },
  ]);
  const {
    files,
    files2,
    rules,
    rules2,
    issues: none,
  } = readCodeResources(new BufferSource(codeResources(CONTENTS)));
  t.deepEqual(none, []);
  t.is(files.get('a.txt')?.kind, 'file');
  t.like(files2?.get('link'), { kind: 'symlink', target: 'a.txt' });
  t.like(files2?.get('de.lproj/L.strings'), { optional: true });
  t.is(rules.length, 5);
  t.deepEqual(
    rules2?.find(({ pattern }) => pattern === '^Info\\.plist$'),
    { pattern: '^Info\\.plist$', weight: 20, omit: true, optional: false, nested: false },
  );
});

test('each thing that is not as it was signed', (t) => {
  const { 'a.txt': a, 'de.lproj/L.strings': german, ...without } = CONTENTS;
  t.deepEqual(issues(check({ ...CONTENTS, 'a.txt': 'b' })), ['digest-mismatch a.txt']);
  t.deepEqual(issues(check({ ...CONTENTS, 'Info.plist': 'b' })), ['digest-mismatch Info.plist']);
  t.deepEqual(issues(check({ ...without, 'de.lproj/L.strings': german ?? '' })), ['file-missing a.txt']);
  // what is optional may be absent, and not be another one
  t.deepEqual(issues(check({ ...without, 'a.txt': a ?? '' })), []);
  t.deepEqual(issues(check({ ...CONTENTS, 'de.lproj/L.strings': 'en' })), [
    'digest-mismatch de.lproj/L.strings',
  ]);
  t.deepEqual(issues(check({ ...CONTENTS, 'evil.dylib': 'x' })), ['file-unsealed evil.dylib']);
  t.deepEqual(issues(check({ ...CONTENTS, 'CodeResourcesEvil.bin': 'x' })), [
    'file-unsealed CodeResourcesEvil.bin',
  ]);
  t.deepEqual(issues(check({ ...CONTENTS, '_CodeSignatureEvil/x': 'x' })), [
    'file-unsealed _CodeSignatureEvil/x',
  ]);
  t.deepEqual(issues(check({ ...CONTENTS, link: { link: '/etc/passwd' } })), ['link-mismatch link']);
  t.deepEqual(issues(check({ ...CONTENTS, link: 'a' })), ['type-mismatch link']);
  t.deepEqual(issues(check({ ...CONTENTS, 'a.txt': { link: 'x' } })), ['type-mismatch a.txt']);
  t.deepEqual(issues(check(CONTENTS, undefined, { digest: () => undefined })).slice(0, 1), [
    'file-unread Base.lproj/M.nib',
  ]);
});

function changed(change: (values: Record<string, Plain>) => void): Buffer {
  const values = structuredCloneOf(sealed(CONTENTS));
  change(values);
  return xmlPlist(values);
}

/** As deep as the changes go. */
function structuredCloneOf(values: Record<string, Plain>): Record<string, Plain> {
  return Object.fromEntries(
    Object.entries(values).map(([key, value]) => [key, { ...(value as Record<string, Plain>) }]),
  );
}

const part = (values: Record<string, Plain>, name: string): Record<string, Plain> =>
  values[name] as Record<string, Plain>;

test('what the list says of itself', (t) => {
  t.deepEqual(
    issues(
      check(
        CONTENTS,
        changed((values) => (part(values, 'files')['a.txt'] = Buffer.alloc(20))),
      ),
    ),
    ['versions-disagree a.txt'],
  );
  t.deepEqual(
    issues(
      check(
        CONTENTS,
        changed((values) => (part(values, 'files')['gone'] = Buffer.alloc(20))),
      ),
    ),
    ['file-missing gone'],
  );
  t.deepEqual(
    issues(
      check(
        CONTENTS,
        changed((values) => (part(values, 'files2')['PkgInfo'] = { hash: hash('APPL????') })),
      ),
    ),
    ['seal-omitted PkgInfo'],
  );
  const list = (bytes: Buffer): string[] =>
    readCodeResources(new BufferSource(bytes)).issues.map(({ code, path }) => `${code} ${path}`);
  t.deepEqual(list(changed((values) => (values['evil'] = 'x'))), ['unknown-key evil']);
  t.deepEqual(
    list(changed((values) => (part(values, 'files2')['a.txt'] = { hash: Buffer.alloc(20), evil: 'x' }))),
    ['unknown-key a.txt: evil'],
  );
  t.deepEqual(list(changed((values) => (part(values, 'rules2')['^(a+)+$'] = { omit: true }))), [
    'unknown-rule ^(a+)+$',
  ]);
  t.deepEqual(list(changed((values) => (part(values, 'rules2')['^.*'] = { omit: true, evil: 1 }))), [
    'unknown-key ^.*: evil',
  ]);
  const twice = Buffer.from(
    codeResources(CONTENTS)
      .toString('latin1')
      .replace('<key>rules</key>', '<key>files</key><dict/><key>rules</key>'),
    'latin1',
  );
  t.deepEqual(list(twice), ['plist-finding ']);
});

const hash = (text: string): Buffer => bundleOf({ text }).digest('text', 'sha1') ?? Buffer.alloc(0);

test('a pattern of somebody else covers nothing and is never run', (t) => {
  const bomb = changed((values) => {
    part(values, 'rules2')['^.*'] = false;
    part(values, 'rules2')['^(([a-z])+.)+[A-Z]([a-z])+$'] = { weight: 5000 };
  });
  const name = 'a'.repeat(5000);
  const found = check({ ...CONTENTS, [name]: 'x' }, bomb);
  t.like(
    found.unsealed.find(({ path }) => path === name),
    { why: 'omitted-by-rule' },
  );
  // every file that is sealed all the same is told
  t.true(found.issues.some(({ code }) => code === 'seal-omitted'));
});

test('code of its own, by the digest of its CodeDirectory', (t) => {
  const digest = Buffer.alloc(20, 7);
  const seal = (cdhash?: Buffer): Buffer =>
    xmlPlist({
      files: {},
      files2: {
        'Frameworks/X.framework': {
          ...(cdhash === undefined ? {} : { cdhash }),
          requirement: 'anchor apple generic',
        },
      },
      rules: {},
      rules2: { '^.*': true },
    });
  const contents = { Main: 'x', 'Frameworks/X.framework/X': 'y', 'Frameworks/X.framework/a/b': 'y' };
  const nested = (hashes: readonly Buffer[] | undefined): Partial<SealedBundle> => ({ nested: () => hashes });
  t.deepEqual(check(contents, seal(digest), nested([Buffer.alloc(20), digest])), {
    issues: [],
    absent: [],
    unsealed: [{ path: 'Main', why: 'executable' }],
    verified: 1,
  });
  t.deepEqual(issues(check(contents, seal(digest), nested([Buffer.alloc(20)]))), [
    'nested-mismatch Frameworks/X.framework',
  ]);
  t.deepEqual(issues(check(contents, seal(digest), nested(undefined))), [
    'nested-unchecked Frameworks/X.framework',
  ]);
  t.deepEqual(issues(check(contents, seal(), nested([digest]))), ['nested-unchecked Frameworks/X.framework']);
  t.deepEqual(
    issues(check({ ...contents, 'Frameworks/Y.framework/Y': 'z' }, seal(digest), nested([digest]))),
    ['file-unsealed Frameworks/Y.framework/Y'],
  );
});

test('an old list alone', (t) => {
  const values = sealed(CONTENTS);
  const old = xmlPlist({ files: values['files'] ?? {}, rules: values['rules'] ?? {} });
  const { link: _, ...files } = CONTENTS;
  t.deepEqual(check(files, old).issues, []);
  t.deepEqual(issues(check({ ...files, 'a.txt': 'b' }, old)), ['digest-mismatch a.txt']);
});

const refuses = test.macro({
  exec(t, code: string, bytes: Buffer) {
    t.throws(() => readCodeResources(new BufferSource(bytes)), { instanceOf: FormatError, code });
  },
  title: (title) => `refused: ${title ?? ''}`,
});
test('no property list', refuses, 'plist/root', Buffer.from('x'));
test('a list', refuses, 'code-resources/structure', xmlPlist([]));
test('files that are a list', refuses, 'code-resources/structure', xmlPlist({ files: [] }));
test('a digest of 19 bytes', refuses, 'code-resources/digest', xmlPlist({ files: { a: Buffer.alloc(19) } }));
test(
  'a digest that is a text',
  refuses,
  'code-resources/digest',
  xmlPlist({ files2: { a: { hash2: 'x' } } }),
);
test(
  'a seal without digest',
  refuses,
  'code-resources/seal',
  xmlPlist({ files2: { a: { optional: true } } }),
);
test('a link to a number', refuses, 'code-resources/seal', xmlPlist({ files2: { a: { symlink: 1 } } }));
test(
  'what is neither true nor false',
  refuses,
  'code-resources/seal',
  xmlPlist({ files2: { a: { hash: Buffer.alloc(20), optional: 'yes' } } }),
);
test(
  'a weight that is a text',
  refuses,
  'code-resources/rule',
  xmlPlist({ rules: { '^.*': { weight: '1' } } }),
);
test('half a weight', refuses, 'code-resources/rule', xmlPlist({ rules: { '^.*': { weight: 0.5 } } }));
