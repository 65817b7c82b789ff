// SPDX-License-Identifier: Apache-2.0
import { createRequire } from 'node:module';
import test from 'ava';
import { FormatError } from '../../src/errors.js';
import { readCheckpoint } from '../../src/formats/log-checkpoint.js';
import {
  consistencyRanges,
  emptyRoot,
  GrowingTree,
  inclusionRanges,
  leafHash,
  nodesOf,
  rootByInclusion,
  rootOver,
  rootsByConsistency,
  type EntryRange,
} from '../../src/formats/merkle-tree.js';
import { checkpointText, otherEntries, treeHash } from '../helpers/build-log.js';

/** The entries that tests of Certificate Transparency use, and the roots over the first n of them. */
const ENTRIES = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
].map((hex) => Buffer.from(hex, 'hex'));
const ROOTS = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];

const over = (entries: readonly Buffer[], ranges: readonly EntryRange[]): Buffer[] =>
  ranges.map(({ from, to }) =>
    rootOver(
      nodesOf({ from, to }).map(({ level, index }) =>
        treeHash(entries.slice(index * 2 ** level, (index + 1) * 2 ** level)),
      ),
    ),
  );
const grown = (entries: readonly Buffer[]): Buffer => {
  const tree = new GrowingTree();
  for (const entry of entries) tree.add(leafHash(entry));
  return tree.root();
};

test('roots are the known ones', (t) => {
  ROOTS.forEach((root, size) => {
    t.is(treeHash(ENTRIES.slice(0, size)).toString('hex'), root);
    t.is(grown(ENTRIES.slice(0, size)).toString('hex'), root);
  });
  t.is(emptyRoot().toString('hex'), ROOTS[0] ?? '');
});

test('a known proof: entry 0 of 8, and of 6 the way from 2', (t) => {
  t.deepEqual(
    over(ENTRIES, inclusionRanges(0, 8)).map((hash) => hash.toString('hex').slice(0, 8)),
    ['96a296d2', '5f083f0a', '6b47aaf2'],
  );
  t.deepEqual(consistencyRanges(2, 6), [
    { from: 2, to: 4 },
    { from: 4, to: 6 },
  ]);
});

const LARGEST = 24;
const entries = otherEntries(LARGEST);

test('every entry of every small tree is proven; with a hash, an index or a size that is another it is not', (t) => {
  for (let size = 1; size <= LARGEST; size++) {
    const root = treeHash(entries.slice(0, size));
    for (let index = 0; index < size; index++) {
      const path = over(entries, inclusionRanges(index, size));
      const leaf = leafHash(entries[index] ?? Buffer.alloc(0));
      t.deepEqual(rootByInclusion(leaf, index, size, path), root);
      for (const [i, hash] of path.entries()) {
        const changed = [...path];
        changed[i] = Buffer.from(hash.map((byte, at) => (at === 7 ? byte ^ 1 : byte)));
        t.notDeepEqual(rootByInclusion(leaf, index, size, changed), root);
      }
      t.throws(() => rootByInclusion(leaf, index, size, [...path, root]), {
        code: 'merkle-tree/proof-length',
      });
      if (path.length > 0)
        t.throws(() => rootByInclusion(leaf, index, size, path.slice(1)), {
          code: 'merkle-tree/proof-length',
        });
      const elsewhere = (index + 1) % size;
      if (elsewhere !== index) t.notDeepEqual(attempt(leaf, elsewhere, size, path), root);
    }
    t.throws(() => rootByInclusion(root, size, size, []), { code: 'merkle-tree/index' });
  }
});

function attempt(
  leaf: Buffer,
  index: number,
  size: number,
  path: readonly Buffer[],
): Buffer | string | undefined {
  try {
    return rootByInclusion(leaf, index, size, path);
  } catch (error) {
    return (error as FormatError).code;
  }
}

test('every small tree is the beginning of every larger one; with a changed entry it is not', (t) => {
  const forked = entries.map((entry, i) => (i === 0 ? Buffer.from('another') : entry));
  for (let size = 1; size <= LARGEST; size++)
    for (let before = 1; before < size; before++) {
      const old = { size: before, root: treeHash(entries.slice(0, before)) };
      const path = over(entries.slice(0, size), consistencyRanges(before, size));
      const now = treeHash(entries.slice(0, size));
      t.deepEqual(rootsByConsistency(old, size, path), { before: old.root, now });
      const other = rootsByConsistency(
        old,
        size,
        over(forked.slice(0, size), consistencyRanges(before, size)),
      );
      t.false(other.before.equals(old.root) && other.now.equals(treeHash(forked.slice(0, size))));
      t.throws(() => rootsByConsistency(old, size, [...path, now]), { code: 'merkle-tree/proof-length' });
    }
});

test('complete subtrees grow into the same root; one that begins nowhere is refused', (t) => {
  const many = otherEntries(600);
  const tree = new GrowingTree();
  tree.add(treeHash(many.slice(0, 256)), 8);
  tree.add(treeHash(many.slice(256, 512)), 8);
  for (const entry of many.slice(512)) tree.add(leafHash(entry));
  t.deepEqual(tree.root(), treeHash(many));
  t.is(tree.size, 600);
  t.throws(() => tree.add(emptyRoot(), 8), { instanceOf: RangeError });
});

// ---------------------------------------------------------------- another implementation

interface Foreign {
  readonly verifyMerkleInclusion: (entry: object, checkpoint: object) => void;
}

test('the verifier of sigstore accepts and refuses the same proofs, from the same checkpoint', (t) => {
  const load = createRequire(import.meta.url);
  const folder = load.resolve('@sigstore/verify').replace(/index\.js$/, 'tlog/');
  const { verifyMerkleInclusion } = load(`${folder}merkle.js`) as Foreign;
  const { LogCheckpoint } = load(`${folder}checkpoint.js`) as {
    readonly LogCheckpoint: { fromString(note: string): { logSize: bigint; logHash: Buffer } };
  };
  for (const size of [1, 2, 3, 7, 8, 15, 24]) {
    const text = checkpointText('example.org/log', size, treeHash(entries.slice(0, size)));
    const theirs = LogCheckpoint.fromString(text);
    const ours = readCheckpoint(text);
    t.is(Number(theirs.logSize), ours.size);
    t.deepEqual(theirs.logHash, ours.root);
    for (let index = 0; index < size; index++) {
      const hashes = over(entries, inclusionRanges(index, size));
      const entry = (body: Buffer | undefined): object => ({
        canonicalizedBody: body,
        inclusionProof: { logIndex: String(index), hashes },
      });
      t.notThrows(() => verifyMerkleInclusion(entry(entries[index]), theirs));
      t.throws(() => verifyMerkleInclusion(entry(Buffer.from('another entry')), theirs));
      t.notDeepEqual(rootByInclusion(leafHash(Buffer.from('another entry')), index, size, hashes), ours.root);
    }
  }
});
