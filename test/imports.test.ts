// SPDX-License-Identifier: Apache-2.0
/** The rules between rooms (ARCHITECTURE.md, "Imports"), read from the import statements of `src/`. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import test from 'ava';
import { packageRoot } from '../src/inputs/package-files.js';
import { importsOf, roomOf, sources, type SourceFile } from './helpers/sources.js';

const BASE = ['model', 'errors'];
const STAGES = ['recipe', 'inputs', 'build', 'formats', 'compare', 'report'];
const PURE = ['canonical-json', 'known-failures', 'nearest-word', 'printable', 'tree-manifest'];

/** What a room may import beside itself. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  model: [],
  errors: [],
  'known-tools': [],
  'known-failures': [],
  'canonical-json': [],
  'nearest-word': [],
  printable: [],
  'tree-manifest': ['model'],
  'owned-directory': [],
  'owned-lock': ['errors', 'owned-directory'],
  bytes: ['errors'],
  process: ['errors', 'known-tools'],
  recipe: [...BASE, ...PURE],
  formats: ['bytes', 'errors'],
  inputs: ['formats', 'process', 'known-tools', 'owned-directory', 'owned-lock', 'bytes', ...BASE, ...PURE],
  build: ['formats', 'process', 'known-tools', 'owned-directory', 'owned-lock', 'bytes', ...BASE, ...PURE],
  compare: ['formats', 'bytes', ...BASE, ...PURE],
  report: ['compare', 'owned-directory', ...BASE, ...PURE],
  pipeline: [...STAGES, 'bytes', ...BASE, ...PURE],
  verify: ['pipeline', ...STAGES, 'bytes', ...BASE, ...PURE],
  'verify-checks': ['pipeline', ...STAGES, 'bytes', ...BASE, ...PURE],
  operations: [
    'verify',
    'verify-checks',
    'pipeline',
    ...STAGES,
    'process',
    'known-tools',
    'owned-directory',
    'owned-lock',
    'bytes',
    ...BASE,
    ...PURE,
  ],
  index: ['operations', 'verify', 'report', 'compare', ...BASE, ...PURE],
  cli: ['index'],
};

/** Single steps beyond the table, each with its reason. */
const EXCEPTIONS: Readonly<Record<string, { readonly to: readonly string[]; readonly why: string }>> = {
  'compare/decode/decode-tool.ts': { to: ['process'], why: 'xz and zstd are decoded by the system' },
};

/** What the report may use of `compare` while it runs: pure functions, made again to check a report. */
const REPORT_MAY_RUN = [
  'compare/authenticity.ts',
  'compare/coverage.ts',
  'compare/excluding-rules.ts',
  'compare/ledger.ts',
  'compare/folders.ts',
  'compare/name-pattern.ts',
  'compare/rules/index.ts',
  'compare/types.ts',
  'compare/verdict.ts',
];

const all = sources();

/** The files in which `matches` holds. */
function files(matches: (source: SourceFile) => boolean): readonly string[] {
  return all.filter(matches).map(({ file }) => file);
}

const imports = (...names: readonly string[]) => {
  const wanted = new Set(names.flatMap((name) => [name, `node:${name}`]));
  return (source: SourceFile): boolean =>
    source.imports.some(({ from }) => wanted.has(from.split('/promises')[0] ?? ''));
};

const code = (text: string): string => text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '');

test('import statements are read in every form', (t) => {
  const text = [
    `import 'node:fs';`,
    `import { a } from './a.js';`,
    `import type {\n  B,\n} from '../b.js';`,
    `export * from './c/d.js';`,
    `export type * from './e.js';`,
    `const f = await import('./f.js');`,
    `new Worker(new URL('./g.js', import.meta.url));`,
    `const text = "import { x } from './no.js'";`,
  ].join('\n');
  t.deepEqual(
    importsOf('room/file.ts', text).map(({ from, file, typeOnly }) => [file ?? from, typeOnly]),
    [
      ['node:fs', false],
      ['room/a.ts', false],
      ['b.ts', true],
      ['room/c/d.ts', false],
      ['room/e.ts', true],
      ['room/f.ts', false],
      ['room/g.ts', false],
    ],
  );
  for (const source of all)
    t.is(
      source.imports.filter(({ from }) => from.startsWith('.')).length,
      (code(source.text).match(/(?:\bfrom |\bimport |import\()'\.|new URL\('\.[^']*\.js'/g) ?? []).length,
      source.file,
    );
});

test('every import leads to a file, and every room has its rule', (t) => {
  t.true(all.length > 100);
  const root = path.join(packageRoot(), 'src');
  for (const { file, room, imports: found } of all) {
    t.true(room in ALLOWED, `${file}: no rule for the room ${room}`);
    for (const { file: to } of found) if (to !== undefined) t.true(existsSync(path.join(root, to)), to);
  }
});

test('a room imports only what its rule allows', (t) => {
  const broken = all.flatMap(({ file, room, imports: found }) =>
    found.flatMap(({ file: to }) => {
      if (to === undefined || roomOf(to) === room) return [];
      const allowed = [...(ALLOWED[room] ?? []), ...(EXCEPTIONS[file]?.to ?? [])];
      return allowed.includes(roomOf(to)) ? [] : [`${file} imports ${to}`];
    }),
  );
  t.deepEqual(broken, []);
});

test('an exception that nobody uses is gone', (t) => {
  for (const [file, { to }] of Object.entries(EXCEPTIONS)) {
    const source = all.find((one) => one.file === file);
    for (const room of to)
      t.true(
        source?.imports.some((found) => found.file !== undefined && roomOf(found.file) === room),
        file,
      );
  }
});

test('a report is made of types and pure functions of the comparison', (t) => {
  const broken = all
    .filter(({ room }) => room === 'report')
    .flatMap(({ file, imports: found }) =>
      found.flatMap(({ file: to, typeOnly }) =>
        to !== undefined && roomOf(to) === 'compare' && !typeOnly && !REPORT_MAY_RUN.includes(to)
          ? [`${file} runs ${to}`]
          : [],
      ),
    );
  t.deepEqual(broken, []);
});

test('no cycles among what runs', (t) => {
  const edges = new Map(
    all.map(({ file, imports: found }) => [
      file,
      found.flatMap(({ file: to, typeOnly }) => (to === undefined || typeOnly ? [] : [to])),
    ]),
  );
  const done = new Set<string>();
  const cycles: string[] = [];
  const visit = (file: string, way: readonly string[]): void => {
    if (way.includes(file)) cycles.push([...way.slice(way.indexOf(file)), file].join(' → '));
    if (way.includes(file) || done.has(file)) return;
    for (const to of edges.get(file) ?? []) visit(to, [...way, file]);
    done.add(file);
  };
  for (const file of edges.keys()) visit(file, []);
  t.deepEqual(cycles, []);
});

test('no cycles among rooms', (t) => {
  const visit = (room: string, way: readonly string[]): void => {
    t.false(way.includes(room), [...way, room].join(' → '));
    for (const to of ALLOWED[room] ?? []) visit(to, [...way, room]);
  };
  visit('cli', []);
});

test('one place starts processes, three start threads', (t) => {
  t.deepEqual(files(imports('execa', 'child_process')), ['process.ts']);
  t.deepEqual(files(imports('worker_threads')), [
    'compare/decode/digest-pool.ts',
    'compare/decode/digest-worker.ts',
    'compare/decode/inflate-pool.ts',
    'compare/decode/inflate-worker.ts',
    'compare/decode/release.ts',
    'compare/fact-thread.ts',
    'compare/file-facts-worker.ts',
  ]);
});

test('only the command line prints, exits and reads its arguments', (t) => {
  const speaks = /\bconsole\.|\bprocess\.(?:exit\b|exitCode|argv|stdout|stderr|stdin|on\(|once\()/;
  t.deepEqual(
    files(({ room, text }) => room !== 'cli' && speaks.test(code(text))),
    // the program that a batch starts for each job: it is asked and answers on its own streams
    ['operations/batch/batch-worker.ts'],
  );
});

test('formats, recipes and the nouns touch neither disk nor network', (t) => {
  const outside = imports(
    'fs',
    'net',
    'http',
    'https',
    'http2',
    'dns',
    'tls',
    'dgram',
    'os',
    'child_process',
  );
  const pure = [
    'formats',
    'recipe',
    'model',
    'errors',
    'known-tools',
    'printable',
    'canonical-json',
    'index',
  ];
  t.deepEqual(
    files((source) => pure.includes(source.room) && (outside(source) || /\bfetch\(/.test(code(source.text)))),
    [],
  );
});

test('the network is reached from `inputs` and, by programs in a build, from `build`', (t) => {
  const network = imports('net', 'http', 'https', 'http2', 'dns', 'tls', 'dgram');
  t.deepEqual(
    files(
      (source) =>
        !['inputs', 'build'].includes(source.room) &&
        (network(source) || /\bfetch\(/.test(code(source.text))),
    ),
    [],
  );
});

test('one place writes reports', (t) => {
  t.deepEqual(
    files((source) => source.room === 'report' && imports('fs')(source)),
    ['report/publish.ts'],
  );
  t.deepEqual(
    files(({ imports: found }) =>
      found.some(({ file, typeOnly }) => file === 'report/publish.ts' && !typeOnly),
    ),
    ['operations/note-report.ts', 'operations/render-report.ts', 'operations/store.ts'],
  );
});

/** A statement that acts: Prettier puts every statement of a module at the start of a line. */
const ACTS =
  /^(?:(?:await|for|if|while|do|switch|try|throw|new|void|delete)\b|[A-Za-z_$][\w$]*(?:\.[\w$]+)*\s*(?:\(|\?\.|=[^=>]|[+-]=|\+\+))/;
/** A text of several lines is no code; templates inside of templates are left alone. */
const outsideOfTemplates = (text: string): string =>
  text.replace(/`(?:\\.|[^`\\])*`/g, (template) => template.replace(/[^\n]/g, ' '));

/** Programs and threads: they do something because they were started. */
const STARTED = [
  'build/listener.ts',
  'cli/main.ts',
  'compare/decode/digest-worker.ts',
  'compare/decode/inflate-worker.ts',
  'compare/file-facts-worker.ts',
  'operations/batch/batch-worker.ts',
  'operations/sweeper.ts',
];

test('a module declares and does nothing else', (t) => {
  const doing = all
    .filter(({ file }) => !STARTED.includes(file))
    .flatMap(({ file, text }) =>
      outsideOfTemplates(text)
        .split('\n')
        .flatMap((line, index) => (ACTS.test(line) ? [`${file}:${index + 1} ${line}`] : [])),
    );
  t.deepEqual(doing, []);
});

test('importing the package prints nothing, listens to nothing and leaves nothing running', (t) => {
  const index = pathToFileURL(path.join(packageRoot(), 'dist/src/index.js')).href;
  const script = `
    // zod keeps two registries there
    const globals = () => Object.keys(globalThis).filter((name) => !name.startsWith('__zod_'));
    const state = () => JSON.stringify([process.eventNames().map(String), process.env, process.cwd(), globals()]);
    const before = state();
    await import(${JSON.stringify(index)});
    const running = process.getActiveResourcesInfo().filter((kind) => !/^(?:CloseReq|FSReq|TTYWrap|PipeWrap)/.test(kind));
    console.log(JSON.stringify({ same: before === state(), running }));`;
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  t.deepEqual(JSON.parse(output), { same: true, running: [] });
});

test('no file is a drawer for everything', (t) => {
  t.deepEqual(
    files(
      ({ file }) =>
        /(?:^|\/)(?:utils?|helpers?|common|misc)\.ts$/.test(file) || !/^[a-z0-9/-]+\.ts$/.test(file),
    ),
    [],
  );
});
