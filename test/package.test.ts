// SPDX-License-Identifier: Apache-2.0
/** The package as users get it: what is in it, the same bytes twice, and its program with production dependencies only. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { extract } from 'tar';
import { packageRoot } from '../src/inputs/package-files.js';
import { temporaryDirectory } from './helpers/temp-directory.js';

interface Manifest {
  readonly version: string;
  readonly files: readonly string[];
  readonly bin: Readonly<Record<string, string>>;
  readonly scripts: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
}

const root = packageRoot();
const manifest = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as Manifest;

/** Scripts are left out: `prepare` would compile anew what the tests are running from. */
function pack(t: ExecutionContext): string {
  const directory = temporaryDirectory(t);
  execFileSync('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', directory], {
    cwd: root,
    env: { ...process.env, npm_config_cache: path.join(directory, 'cache') },
    stdio: 'ignore',
  });
  return path.join(directory, `samesource-${manifest.version}.tgz`);
}

async function unpacked(t: ExecutionContext): Promise<string> {
  const directory = path.join(temporaryDirectory(t), 'node_modules/samesource');
  mkdirSync(directory, { recursive: true });
  await extract({ file: pack(t), cwd: directory, strip: 1 });
  return directory;
}

function filesBelow(directory: string): readonly string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((file) => statSync(path.join(directory, file)).isFile())
    .sort();
}

test('packing twice gives the same bytes', (t) => {
  const [one, other] = [pack(t), pack(t)].map((file) =>
    createHash('sha256').update(readFileSync(file)).digest('hex'),
  );
  t.is(one, other);
});

test('the package holds what `files` names and nothing else', async (t) => {
  const files = filesBelow(await unpacked(t));
  // npm always adds these
  const named = [...manifest.files, 'package.json', 'README.md', 'LICENSE'];
  t.deepEqual(
    files.filter((file) => !named.some((name) => file === name || file.startsWith(`${name}/`))),
    [],
  );
  for (const name of named)
    t.true(
      files.some((file) => file === name || file.startsWith(`${name}/`)),
      name,
    );
  t.deepEqual(
    files.filter((file) =>
      /(?:^|\/)(?:test|bench|node_modules|attempts)\/|\.test\.|\.env$|\.tgz$/.test(file),
    ),
    [],
  );
});

test('the package names no machine and no user', async (t) => {
  const directory = await unpacked(t);
  const forbidden = [root, os.homedir() + path.sep, os.tmpdir() + path.sep, `//${os.hostname()}`];
  // these speak of paths inside of containers
  const files = filesBelow(directory).filter((file) => !/^(?:docker|recipes)\//.test(file));
  for (const file of files) {
    // paths inside of containers
    const text = readFileSync(path.join(directory, file), 'latin1').replaceAll(
      /\/tmp\/samesource-(?:proxy|room)/g,
      '',
    );
    t.deepEqual(
      forbidden.filter((name) => text.includes(name)),
      [],
      file,
    );
  }
});

test('installing the package runs nothing', (t) => {
  // npm runs these where a package is installed from a tarball or a registry; `prepare` runs only in a checkout
  for (const script of ['preinstall', 'install', 'postinstall', 'prepublish'])
    t.false(script in manifest.scripts, script);
});

test('the lock file names only the public registry', (t) => {
  const { packages } = JSON.parse(readFileSync(path.join(root, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, { readonly resolved?: string; readonly integrity?: string }>>;
  };
  for (const [name, { resolved, integrity }] of Object.entries(packages)) {
    if (name === '') continue;
    // left out by npm's own setting, or the public one: never the address of somebody's mirror
    if (resolved !== undefined) t.regex(resolved, /^https:\/\/registry\.npmjs\.org\//, name);
    t.regex(integrity ?? '', /^sha512-/, name);
  }
});

test('its programs run with production dependencies only', async (t) => {
  const directory = await unpacked(t);
  const modules = path.dirname(directory);
  for (const name of Object.keys(manifest.dependencies))
    symlinkSync(path.join(root, 'node_modules', name), path.join(modules, name));
  const cwd = temporaryDirectory(t);
  for (const program of Object.values(manifest.bin)) {
    const run = (...args: readonly string[]): string =>
      execFileSync(process.execPath, [path.join(directory, program), ...args], { cwd, encoding: 'utf8' });
    t.is(run('--version').trim(), manifest.version);
    t.regex(run('recipes', 'lint'), /no problems/);
    t.regex(run('plan', 'telegram-android', '10.14.5'), /^plan +telegram-android 10\.14\.5/);
  }
  t.deepEqual(readdirSync(cwd), []);
});
