// SPDX-License-Identifier: Apache-2.0
/** Trees in another order: archives by GNU tar, and what is made of them unpacked by it. */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { roomFor } from '../../src/build/directory-order.js';
import type { PreparedState } from '../../src/build/prepared-container.js';
import { assertSameTree } from '../../src/build/tree-copy.js';
import { treeMembers, type TreeMember } from '../../src/build/tree-members.js';
import { firstDifference, shuffled, tarOf, treeRecord } from '../../src/build/tree-order.js';
import { BufferSource } from '../../src/bytes.js';
import { FailedHere } from '../../src/errors.js';
import { temporaryDirectory } from '../helpers/temp-directory.js';

const LONG = `${'l'.repeat(120)}/${'m'.repeat(150)}`;

function tree(t: ExecutionContext): string {
  const root = temporaryDirectory(t);
  const at = path.join(root, 'build/app');
  mkdirSync(path.join(at, LONG), { recursive: true });
  mkdirSync(path.join(at, 'many'));
  for (let n = 0; n < 50; n++) writeFileSync(path.join(at, 'many', String(n)), String(n).repeat(300 * n));
  writeFileSync(path.join(at, LONG, 'odd\nnäme'), 'odd');
  writeFileSync(path.join(at, 'f'), 'linked');
  for (const name of ['a', 'many/z', 'z']) linkSync(path.join(at, 'f'), path.join(at, name));
  symlinkSync('../'.repeat(60), path.join(at, 'link'));
  chmodSync(path.join(at, 'many/7'), 0o4711);
  chmodSync(path.join(at, 'many'), 0o2750);
  utimesSync(path.join(at, 'many'), 1000, 1000);
  writeFileSync(path.join(root, 'build/beside'), 'not of it');
  return root;
}

const tarred = (root: string, ...args: readonly string[]): Buffer =>
  execFileSync('tar', ['-C', root, ...args, '-cf', '-', 'build'], { maxBuffer: 1 << 26 });

async function bytesOf(source: BufferSource, members: readonly TreeMember[]): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of tarOf(source, members)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

for (const format of ['gnu', 'pax'])
  test(`${format}: the same members in another order`, async (t) => {
    const source = new BufferSource(tarred(tree(t), `--format=${format}`, '--sort=name'));
    const members = treeMembers(source, 'build/app');
    const ordered = shuffled(members);
    t.deepEqual(shuffled([...members].reverse()), ordered, 'whatever order they came in');
    t.is(ordered[0]?.path, '');
    t.notDeepEqual(ordered, members);
    t.deepEqual(
      ordered.toSorted((a, b) => a.offset - b.offset),
      members,
    );
    const bytes = await bytesOf(source, ordered);
    const other = new BufferSource(bytes);
    const [one, two] = [
      await treeRecord(source, members, true),
      await treeRecord(other, treeMembers(other, 'build/app'), true),
    ];
    t.is(firstDifference(one, two), undefined);
    // the foreign tool: each file, link, mode and time as before
    const into = [temporaryDirectory(t), temporaryDirectory(t)] as const;
    execFileSync('tar', ['-C', into[0], '-xpf', '-', 'build/app'], { input: source.read(0, source.size) });
    execFileSync('tar', ['-C', into[1], '--delay-directory-restore', '-xpf', '-'], { input: bytes });
    const facts = (root: string): string =>
      execFileSync(
        'sh',
        [
          '-c',
          `find build/app -printf '%p %y %m %U:%G %T@ %n %l\\n' | sed 's/\\.[0-9]* / /' | sort; find build/app -type f -exec cksum {} + | sort`,
        ],
        { cwd: root, encoding: 'utf8' },
      );
    t.is(facts(into[1]), facts(into[0]));
    t.true(facts(into[1]).includes(' f 4711 '));
    t.is(readFileSync(path.join(into[1], 'build/app', LONG, 'odd\nnäme'), 'utf8'), 'odd');
    t.deepEqual(
      execFileSync('ls', ['build'], { cwd: into[1], encoding: 'utf8' }),
      'app\n',
      'nothing beside the tree',
    );
  });

test('parents come first, a hard link after its file, siblings by lot', (t) => {
  const member = (at: string, type: string, target?: string): TreeMember => ({
    path: at,
    type,
    ...(target === undefined ? {} : { target }),
    offset: 0,
    size: 0,
    data: { offset: 0, size: 0 },
    facts: '',
    owner: '',
  });
  const names = Array.from({ length: 40 }, (_, n) => `d/${n}`);
  const members = [
    member('', '5'),
    member('d', '5'),
    ...names.map((name) => member(name, '0')),
    // whatever the lot gives, some of them come before their file
    ...names.map((name) => member(`e${name}`, '1', name)),
    member('ed', '5'),
  ];
  const order = shuffled(members).map(({ path: at }) => at);
  t.is(order.length, members.length);
  t.is(new Set(order).size, members.length);
  const place = (name: string): number => order.indexOf(name);
  for (const name of names) {
    t.true(place('d') < place(name));
    t.true(place(name) < place(`e${name}`) && place('ed') < place(`e${name}`));
  }
  const siblings = order.filter((name) => name.startsWith('d/'));
  t.notDeepEqual(siblings, names);
  t.notDeepEqual(siblings, names.toReversed());
});

test('a difference in anything is found', async (t) => {
  const root = tree(t);
  const record = async (owners = true, ...args: readonly string[]) => {
    const source = new BufferSource(tarred(root, '--sort=name', ...args));
    return await treeRecord(source, treeMembers(source, 'build/app'), owners);
  };
  const before = await record();
  const differs = async (at: string, ...args: readonly string[]): Promise<void> => {
    const after = await record(true, ...args);
    t.is(firstDifference(before, after), at);
    t.not(firstDifference(after, before), undefined);
  };
  await differs('', '--owner=5');
  t.is(firstDifference(await record(false), await record(false, '--owner=5', '--group=6')), undefined);
  await differs('', '--mtime=@5');
  await differs('many/7', '--exclude=build/app/many/7');
  const file = path.join(root, 'build/app/many/3');
  chmodSync(file, 0o600);
  await differs('many/3');
  chmodSync(file, 0o644);
  const { mtime } = { mtime: new Date() };
  writeFileSync(file, 'x'.repeat(900));
  utimesSync(file, mtime, mtime);
  await differs('many/3');
});

test('an engine that copied something otherwise is found out before a build begins', async (t) => {
  const root = tree(t);
  const source = new BufferSource(tarred(root, '--sort=name'));
  const record = await treeRecord(source, treeMembers(source, 'build/app'), true);
  const copy = { file: '', record, mebibytes: 1 };
  const directory = temporaryDirectory(t);
  const check = async (...args: readonly string[]): Promise<void> => {
    const bytes = execFileSync(
      'tar',
      ['-C', path.join(root, 'build'), '--sort=name', ...args, '-cf', '-', 'app'],
      {
        maxBuffer: 1 << 26,
      },
    );
    const engine = {
      kind: 'docker',
      description: { copyOutOwners: true },
      copyTarOut: async (_name: string, _from: string, onChunk: (chunk: Buffer) => Promise<void>) => {
        for (let at = 0; at < bytes.length; at += 65_536) await onChunk(bytes.subarray(at, at + 65_536));
      },
    };
    const state = { engine, request: { directory } } as unknown as PreparedState;
    await assertSameTree(state, 'holder', '/build/app', copy, undefined);
  };
  await t.notThrowsAsync(check());
  for (const args of [['--mtime=@1'], ['--owner=7'], ['--exclude=app/many/7'], ['--mode=0777']] as const)
    await t.throwsAsync(check(...args), {
      instanceOf: FailedHere,
      code: 'engine-died',
      message: /copied the tree otherwise than it is/,
    });
  t.deepEqual(readdirSync(directory), []);
});

test('extended attributes are part of a member', async (t) => {
  const root = tree(t);
  const bytes = tarred(root, '--format=pax', '--sort=name', '--pax-option=SCHILY.xattr.user.x:=one');
  const other = tarred(root, '--format=pax', '--sort=name', '--pax-option=SCHILY.xattr.user.x:=two');
  const record = async (tar: Buffer) => {
    const source = new BufferSource(tar);
    return await treeRecord(source, treeMembers(source, 'build/app'), true);
  };
  t.not(firstDifference(await record(bytes), await record(other)), undefined);
  t.is(firstDifference(await record(bytes), await record(bytes)), undefined);
});

test('what would not be the same afterwards is refused', (t) => {
  const refused = (bytes: Buffer, message: RegExp): void => {
    const error = t.throws(() => treeMembers(new BufferSource(bytes), 'build/app'), {
      instanceOf: FailedHere,
      code: 'unreadable-input',
    });
    t.regex(error?.message ?? '', message);
  };
  const root = tree(t);
  const file = path.join(root, 'build/app/sparse');
  execFileSync('truncate', ['-s', '1M', file]);
  refused(tarred(root, '--sparse', '--format=gnu'), /^"sparse" is of a kind that is not copied \("S"\)/);
  refused(tarred(root, '--sparse', '--format=pax', '--sparse-version=0.1'), /sparse" is sparse$/);
  refused(tarred(root, '--format=pax', '--pax-option=mtime=1'), /records that hold for all that follows/);
  refused(tarred(root, '--exclude=build/app'), /no directory build\/app/);
  refused(Buffer.concat([tarred(root).subarray(0, 5000)]), /cannot be read/);
  const twice = execFileSync('tar', ['-C', root, '--hard-dereference', '-cf', '-', 'build', 'build/app/f'], {
    maxBuffer: 1 << 26,
  });
  refused(twice, /^"f" stands twice/);
  // a link that leads out of the tree, and one that leads in
  for (const [from, to] of [
    ['build/0-outside', 'build/app/f'],
    ['build/app/f', 'build/outside'],
  ] as const) {
    const own = tree(t);
    if (from.startsWith('build/app')) linkSync(path.join(own, from), path.join(own, to));
    else linkSync(path.join(own, to), path.join(own, from));
    refused(tarred(own, '--sort=name'), /is a hard link into or out of the tree/);
  }
});

test('how much memory there is for what a build writes', (t) => {
  t.is(roomFor({ free: 10_000, tree: 100, memory: 2000, disk: 4096 }), 4096);
  t.is(roomFor({ free: 3000, tree: 100, memory: 2000, disk: 4096 }), 900);
  t.is(roomFor({ free: 3000, tree: 10, memory: 2000, disk: 64 }), 64);
  t.is(roomFor({ free: 2456, tree: 100, memory: 2000, disk: 4096 }), 356);
  const error = t.throws(() => roomFor({ free: 2455, tree: 100, memory: 2000, disk: 4096 }), {
    instanceOf: FailedHere,
    code: 'out-of-memory',
  });
  t.regex(error?.message ?? '', /100 MiB, 356 MiB .* 2000 MiB .* than the 2455 MiB of memory/);
});
