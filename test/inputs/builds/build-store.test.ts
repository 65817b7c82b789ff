// SPDX-License-Identifier: Apache-2.0
import { existsSync, promises as fs, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { sha256 } from '../../../src/bytes.js';
import { digestOf } from '../../../src/canonical-json.js';
import { FailedHere, UsageError } from '../../../src/errors.js';
import {
  BUILD_FILE,
  buildPlaces,
  directoryOf,
  removeBuild,
  type BuildPlace,
} from '../../../src/inputs/builds/build-directory.js';
import { buildPlace, buildsFor, buildSize, keptBuilds } from '../../../src/inputs/builds/find-builds.js';
import { DamagedBuild, loadBuild, readBuild } from '../../../src/inputs/builds/load-build.js';
import { PlaceFile, placeLines } from '../../../src/inputs/builds/place-file.js';
import { storeBuild, type BuildToKeep } from '../../../src/inputs/builds/store-build.js';
import { BufferSource } from '../../../src/bytes.js';
import { aPlan } from '../../helpers/a-plan.js';
import { EMPTY_INVENTORY } from '../../helpers/build-request.js';
import { temporaryDirectory } from '../../helpers/temp-directory.js';

const hash = (text: string): string => sha256(new BufferSource(Buffer.from(text)));

interface Made {
  readonly cache: string;
  readonly build: BuildToKeep;
  readonly keep: (more?: Partial<BuildToKeep>) => Promise<BuildPlace>;
}

function made(t: ExecutionContext, output = 'output\n'): Made {
  const directory = temporaryDirectory(t);
  const file = (name: string, text: string): string => {
    writeFileSync(path.join(directory, name), text);
    return path.join(directory, name);
  };
  const { build: plan } = aPlan();
  const log = file('build-1.log', 'a private line\n');
  const build: BuildToKeep = {
    key: { buildDigest: digestOf(plan), tool: '0.1.0', architecture: 'x64' },
    plan,
    run: 'run-1',
    attempt: 1,
    prepared: {
      inventory: {
        ...EMPTY_INVENTORY,
        files: 2,
        bySha256: new Map([
          [hash('b'), 'source/b'],
          [hash('a'), 'fetched/a!/ünï'],
        ]),
        byAllocatedSections: new Map([[hash('c'), 'source/c.so']]),
        linkable: ['source/x.a'],
        linkableInto: new Map([['x86-64', ['source/x.a']]]),
        unopened: { count: 3, shown: [{ place: 'source/y', reason: 'encrypted' }] },
      },
      environment: {
        executor: 'docker',
        packages: [],
        kernel: 'k',
        cpuCount: 2,
        architecture: 'x64',
        commands: ['true'],
      },
      deviations: [{ code: 'image-drift', what: 'w', reason: 'r', canChangeOutput: 'unknown' }],
      logs: [],
      seconds: 3,
    },
    result: {
      kind: 'succeeded',
      outputs: [
        {
          output: 'apk',
          name: 'app.apk',
          path: file('app.apk', output),
          size: output.length,
          sha256: hash(output),
        },
      ],
      absent: ['other'],
      extra: [],
      logs: [{ phase: 'build', path: log, sha256: hash('a private line\n'), truncatedBytes: 0 }],
      seconds: 60,
    },
  };
  const cache = path.join(directory, 'cache');
  return {
    cache,
    build,
    keep: async (more = {}) => {
      const { id } = await storeBuild(cache, { ...build, ...more }, (name) =>
        Promise.resolve(readFileSync(name, 'utf8').replace('private', '<private>')),
      );
      return { digest: build.key.buildDigest, id };
    },
  };
}

const objectOf = (cache: string, place: BuildPlace, sha: string): string =>
  path.join(directoryOf(cache, place), 'objects', sha);

async function read(t: ExecutionContext, cache: string, place: BuildPlace) {
  const build = await readBuild(cache, place);
  if (build === undefined) throw new Error('it is not there');
  return await loadBuild(cache, place, build, path.join(temporaryDirectory(t), 'into'));
}

test('what is kept comes back as it was: files, inventory, deviations, and the log without what is private', async (t) => {
  const { cache, build, keep } = made(t);
  const place = await keep();
  const { prepared, result } = await read(t, cache, place);
  if (result.kind !== 'succeeded' || build.result.kind !== 'succeeded') return t.fail();
  t.deepEqual(result.absent, ['other']);
  const [output] = result.outputs;
  t.like(output, { output: 'apk', name: 'app.apk', sha256: hash('output\n') });
  t.is(readFileSync(output?.path ?? '', 'utf8'), 'output\n');
  t.is(path.basename(output?.path ?? ''), 'app.apk');
  t.is(readFileSync(result.logs[0]?.path ?? '', 'utf8'), 'a <private> line\n');
  t.is(result.logs[0]?.sha256, hash('a private line\n'));
  const { inventory, ...rest } = prepared;
  const { inventory: given, ...others } = build.prepared;
  t.deepEqual(rest, others);
  t.deepEqual(new Map(inventory.bySha256), given.bySha256);
  t.is(inventory.bySha256.get(hash('a')), 'fetched/a!/ünï');
  t.is(inventory.bySha256.get(hash('none')), undefined);
  t.is(inventory.byAllocatedSections.get(hash('c')), 'source/c.so');
  t.deepEqual(inventory.linkableInto, given.linkableInto);
  t.deepEqual(inventory.unopened, given.unopened);
  t.is(inventory.treeSha256, given.treeSha256);
  t.deepEqual(readdirSync(path.join(cache, 'builds/.partial')), []);
});

test('an index of places finds each of many, and nothing else', (t) => {
  const places = new Map(
    Array.from({ length: 5000 }, (_, at) => [hash(String(at)), `fetched/${'x'.repeat(at % 300)}/${at}`]),
  );
  const file = new PlaceFile(Buffer.from([...placeLines(places)].join('')));
  for (const [digest, place] of places) t.is(file.get(digest), place);
  for (const other of ['x', 'y', 'z']) t.is(file.get(hash(other)), undefined);
  t.is(file.get('0'.repeat(64)), undefined);
  t.is(file.get('f'.repeat(64)), undefined);
  t.is(file.get('not a digest'), undefined);
  t.is(new PlaceFile(Buffer.alloc(0)).get(hash('x')), undefined);
});

test('what builds of one plan share lies on the disk once, and stays when one of them goes', async (t) => {
  const { cache, build, keep } = made(t);
  const [one, other] = [await keep(), await keep({ attempt: 2 })];
  t.not(one.id, other.id);
  t.is(
    statSync(objectOf(cache, one, hash('output\n'))).ino,
    statSync(objectOf(cache, other, hash('output\n'))).ino,
  );
  t.true((await buildSize(cache, one)).ownBytes < (await buildSize(cache, one)).bytes);
  t.true(await removeBuild(cache, one));
  t.false(await removeBuild(cache, one));
  t.is((await read(t, cache, other)).result.kind, 'succeeded');
  t.true(await removeBuild(cache, other));
  t.false(existsSync(path.join(cache, 'builds', build.key.buildDigest)));
  t.deepEqual(await buildPlaces(cache), []);
});

for (const [what, spoil] of [
  [
    'an output with one changed byte',
    async (cache: string, place: BuildPlace) =>
      overwrite(objectOf(cache, place, hash('output\n')), 'Output\n'),
  ],
  [
    'an output that is cut',
    async (cache: string, place: BuildPlace) => overwrite(objectOf(cache, place, hash('output\n')), 'out'),
  ],
  [
    'an output that is gone',
    async (cache: string, place: BuildPlace) => fs.rm(objectOf(cache, place, hash('output\n'))),
  ],
  [
    'build.json with another verdict of the build',
    async (cache: string, place: BuildPlace) => {
      const file = path.join(directoryOf(cache, place), BUILD_FILE);
      await overwrite(file, (await fs.readFile(file, 'utf8')).replace('"attempt":1', '"attempt":7'));
    },
  ],
  [
    'a build without build.json',
    async (cache: string, place: BuildPlace) => fs.rm(path.join(directoryOf(cache, place), BUILD_FILE)),
  ],
  [
    'a build without objects',
    async (cache: string, place: BuildPlace) =>
      fs.rm(path.join(directoryOf(cache, place), 'objects'), { recursive: true }),
  ],
  [
    'an inventory with one line less',
    async (cache: string, place: BuildPlace) => {
      const objects = path.join(directoryOf(cache, place), 'objects');
      for (const name of await fs.readdir(objects)) {
        const text = await fs.readFile(path.join(objects, name), 'utf8');
        if (text.includes('source/b'))
          await overwrite(path.join(objects, name), text.split('\n').slice(1).join('\n'));
      }
    },
  ],
] as const)
  test(`${what} is damaged`, async (t) => {
    const { cache, keep } = made(t);
    const place = await keep();
    await spoil(cache, place);
    await t.throwsAsync(() => read(t, cache, place), { instanceOf: DamagedBuild, code: 'build-damaged' });
  });

async function overwrite(file: string, text: string): Promise<void> {
  await fs.chmod(file, 0o644);
  await fs.writeFile(file, text);
}

test('the list tells what is damaged and removes it; a build of another plan’s digest is damaged', async (t) => {
  const { cache, build, keep } = made(t);
  const [one, other] = [await keep(), await keep({ attempt: 2 })];
  await fs.truncate(path.join(directoryOf(cache, one), BUILD_FILE), 10);
  const moved = { digest: '1'.repeat(64), id: other.id };
  await fs.mkdir(path.join(cache, 'builds', moved.digest));
  await fs.cp(directoryOf(cache, other), directoryOf(cache, moved), { recursive: true });
  const damaged: string[] = [];
  const found = await keptBuilds(cache, ({ id }) => damaged.push(id));
  t.deepEqual(
    found.map(({ place }) => place),
    [other],
  );
  t.deepEqual(damaged.sort(), [one.id, other.id].sort());
  t.deepEqual(
    (await buildsFor(cache, build.key, () => undefined)).map(({ place }) => place),
    [other],
  );
  for (const key of [
    { ...build.key, tool: '0.2.0' },
    { ...build.key, architecture: 'arm64' },
    { ...build.key, packageSha256: '1'.repeat(64) },
    { ...build.key, buildDigest: '2'.repeat(64) },
  ])
    t.deepEqual(await buildsFor(cache, key, () => undefined), []);
});

test('two that keep builds of one plan at once, while a third removes: each is whole', async (t) => {
  const { cache, keep } = made(t);
  const places = await Promise.all(
    Array.from({ length: 12 }, async (_, attempt) => {
      const place = await keep({ attempt });
      if (attempt % 3 === 0) await removeBuild(cache, place);
      return place;
    }),
  );
  const found = await keptBuilds(cache, (_, why) => t.fail(why));
  t.is(found.length, 8);
  for (const { place } of found) t.is((await read(t, cache, place)).result.kind, 'succeeded');
  t.is(new Set(places.map(({ id }) => id)).size, 12);
});

test('an id is found by its beginning; one that nobody has or several have is refused', async (t) => {
  const { cache, keep } = made(t);
  const place = await keep();
  t.deepEqual(await buildPlace(cache, place.id.slice(0, 8)), place);
  const twin = { digest: '3'.repeat(64), id: `${place.id.slice(0, 8)}${'0'.repeat(56)}` };
  await fs.mkdir(directoryOf(cache, twin), { recursive: true });
  for (const [prefix, code] of [
    [place.id.slice(0, 8), 'ambiguous-build'],
    [place.id.slice(0, 3), 'unknown-build'],
    ['../../etc', 'unknown-build'],
    ['', 'unknown-build'],
    [`${place.id}0`, 'unknown-build'],
    ['0123456789', 'unknown-build'],
  ] as const)
    t.is(
      (await t.throwsAsync(() => buildPlace(cache, prefix), { instanceOf: UsageError }))?.code,
      code,
      prefix,
    );
  t.deepEqual(await buildPlace(cache, place.id), place);
});

test('a build that cannot be stored leaves nothing: FailedHere', async (t) => {
  const { cache, build, keep } = made(t);
  if (build.result.kind !== 'succeeded') return t.fail();
  const [output] = build.result.outputs;
  if (output === undefined) return t.fail();
  const gone = {
    ...build.result,
    outputs: [output, { ...output, path: path.join(cache, 'nowhere'), sha256: hash('z') }],
  };
  t.is(
    (await t.throwsAsync(() => keep({ result: gone }), { instanceOf: FailedHere }))?.code,
    'unreadable-input',
  );
  t.deepEqual(await buildPlaces(cache), []);
  t.deepEqual(readdirSync(path.join(cache, 'builds/.partial')), []);
});

test('a failed build is kept as one', async (t) => {
  const { cache, keep } = made(t);
  const result = {
    kind: 'failed',
    phase: 'build',
    exitCode: 2,
    firstError: ['error: x'],
    tail: ['make: ***'],
    known: [{ id: 'gone', line: 'E: 404' }],
    logs: [],
    seconds: 1,
  } as const;
  t.deepEqual((await read(t, cache, await keep({ result }))).result, result);
});
