// SPDX-License-Identifier: Apache-2.0
/**
 * Counts the attacks of the catalogue that end with exit 0: ours, and the tools that are here. `npm run bench:tamper`
 * prints the tables as markdown; `-- --diffoscope` runs that one too (seconds for each), `-- --only ours,unzip` fewer.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { judge, writeSide } from '../test/attacks/attack-verdict.js';
import { makeBase, type Sides } from '../test/attacks/base.js';
import { attacks } from '../test/attacks/index.js';
import { legitimate } from '../test/attacks/legitimate.js';
import { hasTool } from '../test/helpers/need.js';
import { PEERS } from './peers.js';

const { values } = parseArgs({
  options: { diffoscope: { type: 'boolean', default: false }, only: { type: 'string' } },
});

type Peer = 'apksigcopier' | 'python' | 'unzip' | 'diffoscope';

const [PYTHON = 'python3'] = PEERS.python3.version;
const LOOP = fileURLToPath(new URL('../../bench/python-apkdiff.py', import.meta.url));
/** As published scripts do: what unzip only warns of is not looked at, signatures are left out as a directory. */
const UNZIP = `
mkdir "$3/a" "$3/b"
unzip -qqo "$1" -d "$3/a" </dev/null; [ $? -le 1 ] || exit 9
unzip -qqo "$2" -d "$3/b" </dev/null; [ $? -le 1 ] || exit 9
rm -rf "$3/a/META-INF" "$3/b/META-INF"
exec diff -rq "$3/a" "$3/b"
`;

const COMMAND: Readonly<
  Record<Peer, (published: string, rebuilt: string, scratch: string) => readonly string[]>
> = {
  apksigcopier: (published, rebuilt) => ['apksigcopier', 'compare', published, '--unsigned', rebuilt],
  python: (published, rebuilt) => [PYTHON, LOOP, published, rebuilt],
  unzip: (published, rebuilt, scratch) => ['sh', '-c', UNZIP, 'sh', published, rebuilt, scratch],
  diffoscope: (published, rebuilt) => [
    'diffoscope',
    '--no-progress',
    '--text',
    '/dev/null',
    published,
    rebuilt,
  ],
};
const TITLE: Readonly<Record<Peer, string>> = {
  apksigcopier: '`apksigcopier compare`',
  python: 'Python `zipfile` loop',
  unzip: '`unzip` + `diff -r`',
  diffoscope: '`diffoscope`',
};
const PROGRAMS: Readonly<Record<Peer, readonly string[]>> = {
  apksigcopier: ['apksigcopier', 'apksigner'],
  python: ['python3'],
  unzip: ['unzip', 'diff'],
  diffoscope: ['diffoscope'],
};

const wanted = (name: string): boolean => values.only === undefined || values.only.split(',').includes(name);
const peers = (Object.keys(COMMAND) as Peer[]).filter(
  (peer) =>
    wanted(peer) &&
    PROGRAMS[peer].every((tool) => hasTool(tool)) &&
    (peer !== 'diffoscope' || values.diffoscope),
);

/** Exit 0, for one file against one file; `undefined` where the tool knows no sets of files. */
function peerAccepts(peer: Peer, { published, rebuilt }: Sides): boolean | undefined {
  if (!Buffer.isBuffer(published) || !Buffer.isBuffer(rebuilt)) return undefined;
  const directory = mkdtempSync(path.join(tmpdir(), 'samesource-tamper-'));
  try {
    const [program = peer, ...args] = COMMAND[peer](
      writeSide(directory, 'published', published),
      writeSide(directory, 'rebuilt', rebuilt),
      directory,
    );
    // no tool may wait for an answer, or go where a name leads
    const { status, error } = spawnSync(program, args, { cwd: directory, stdio: 'ignore', timeout: 120_000 });
    if (error !== undefined && !('code' in error && error.code === 'ETIMEDOUT')) throw error;
    return status === 0;
  } finally {
    execFileSync('chmod', ['-R', 'u+rwX', directory]);
    rmSync(directory, { recursive: true, force: true });
  }
}

interface Tally {
  files: number;
  ours: number;
  readonly peers: Map<Peer, { judged: number; accepted: number }>;
}

async function tally(into: Map<string, Tally>, group: string, sides: Sides): Promise<void> {
  const row = into.get(group) ?? { files: 0, ours: 0, peers: new Map() };
  into.set(group, row);
  row.files++;
  const { exit } = await judge(sides);
  if (exit === 0) row.ours++;
  for (const peer of peers) {
    const accepts = peerAccepts(peer, sides);
    const count = row.peers.get(peer) ?? { judged: 0, accepted: 0 };
    row.peers.set(peer, count);
    if (accepts === undefined) continue;
    count.judged++;
    if (accepts) count.accepted++;
  }
}

function table(what: string, rows: ReadonlyMap<string, Tally>): string[] {
  const all = [...rows.values()];
  const line = (name: string, list: readonly Tally[]): string => {
    const files = list.reduce((sum, row) => sum + row.files, 0);
    const ours = list.reduce((sum, row) => sum + row.ours, 0);
    const others = peers.map((peer) => {
      const counts = list.map((row) => row.peers.get(peer) ?? { judged: 0, accepted: 0 });
      const judged = counts.reduce((sum, count) => sum + count.judged, 0);
      const accepted = counts.reduce((sum, count) => sum + count.accepted, 0);
      return judged === 0 ? '–' : judged === files ? String(accepted) : `${accepted} of ${judged}`;
    });
    return `| ${[name, files, ours, ...others].join(' | ')} |`;
  };
  return [
    `| ${[what, 'files', '`verify compare`', ...peers.map((peer) => TITLE[peer])].join(' | ')} |`,
    `|---|${'--:|'.repeat(2 + peers.length)}`,
    ...[...rows].map(([name, row]) => line(name, [row])),
    line('**all**', all),
  ];
}

const base = makeBase();
const [tampered, honest] = [new Map<string, Tally>(), new Map<string, Tally>()];
for (const [index, attack] of attacks.entries()) {
  if (process.stderr.isTTY) process.stderr.write(`\r${index + 1} of ${attacks.length} attacks`);
  await tally(tampered, attack.source, attack.make(base));
}
if (process.stderr.isTTY) process.stderr.write('\n');
for (const { name, make } of legitimate) await tally(honest, name, make(base));
console.log(
  [
    ...table('attack: accepted (exit 0)', tampered),
    '',
    ...table('legitimate: accepted (exit 0)', honest),
  ].join('\n'),
);
const missed = [...tampered.values()].reduce((sum, row) => sum + row.ours, 0);
const refused = [...honest.values()].reduce((sum, row) => sum + row.files - row.ours, 0);
process.exitCode = missed + refused === 0 ? 0 : 1;
