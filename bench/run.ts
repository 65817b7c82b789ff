// SPDX-License-Identifier: Apache-2.0
/**
 * Prints the table of speed and memory as markdown: `npm run bench`, with `-- --slow` also diffoscope, which takes
 * minutes. Every ratio is the median over rounds in which both sides ran one after the other.
 */
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { comparePair } from '../src/compare/compare.js';
import { appleApps } from './apple-apps.js';
import { keptBuildSamples } from './kept-builds.js';
import { InputMaker, type Inputs } from './make-inputs.js';
import {
  interleaved,
  median,
  medianRatio,
  medianSeconds,
  runOnce,
  type Command,
  type Sample,
} from './measure.js';
import { proxySamples } from './recording-proxy.js';
import { PEERS, peerCommand, versionOf, type Peer } from './peers.js';

const { values } = parseArgs({
  options: {
    slow: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '7' },
    only: { type: 'string' },
    inputs: { type: 'string', default: path.join(tmpdir(), 'samesource-bench') },
  },
});
const rounds = Number(values.rounds);
const note = (line: string): void => console.error(line);
const wanted = (group: string): boolean =>
  values.only === undefined || values.only.split(',').includes(group);

const MAIN = fileURLToPath(new URL('../bin/main.js', import.meta.url));
const MB = 1e6;

interface Row {
  readonly what: string;
  readonly ours: string;
  readonly peer: string;
  readonly result: string;
  readonly limit: string;
  readonly met: boolean | undefined;
}

const rows: Row[] = [];
const versions = new Map<Peer, string | undefined>();

function has(peer: Peer): boolean {
  if (!versions.has(peer)) versions.set(peer, versionOf(peer));
  return versions.get(peer) !== undefined;
}

const compareCommand = (label: string, published: string, rebuilt: string, exit = 0): Command => ({
  label,
  argv: [process.execPath, MAIN, 'compare', '--quiet', published, rebuilt],
  exit,
});
const ours =
  (label: string, published: string, rebuilt: string, exit = 0) =>
  (): Sample =>
    runOnce(compareCommand(label, published, rebuilt, exit));
const peer =
  (name: Peer, a: string, b: string, exit = 0) =>
  (): Sample =>
    runOnce({ label: name, argv: peerCommand(name, a, b), exit });

const seconds = (value: number): string => `${value.toFixed(value < 0.2 ? 3 : 2)} s`;
const megabytes = (bytes: number): string => `${Math.round(bytes / MB)} MB`;

/** One row against a peer; without the peer a row that says so. */
function ratioRow(
  what: string,
  mine: readonly Sample[],
  name: Peer,
  theirs: readonly Sample[] | undefined,
  limit: number,
  limitText: string,
): void {
  const { title } = PEERS[name];
  const own = seconds(medianSeconds(mine));
  if (theirs === undefined) {
    rows.push({
      what,
      ours: own,
      peer: `${title}: not installed`,
      result: '–',
      limit: limitText,
      met: undefined,
    });
    return;
  }
  const ratio = medianRatio(mine, theirs);
  rows.push({
    what,
    ours: own,
    peer: `${title} ${seconds(medianSeconds(theirs))}`,
    result: `${ratio.toFixed(ratio < 0.1 ? 4 : 2)} ×`,
    limit: limitText,
    met: ratio <= limit,
  });
}

async function signedAgainstUnsigned({ signed, unsigned }: Inputs): Promise<void> {
  const what = 'signed (v2 + v3) against unsigned';
  const peers = (['sha256sum', 'python3', 'apksigcopier'] as const).filter(has);
  const samples = await interleaved<'ours' | Peer>(
    {
      ours: ours(what, signed, unsigned),
      ...Object.fromEntries(peers.map((name) => [name, peer(name, signed, unsigned)])),
    },
    rounds,
  );
  const mine = samples.ours ?? [];
  const hashing = samples.sha256sum;
  if (hashing !== undefined) {
    const limit = median(hashing.map((sample) => 1.5 * sample.seconds + 0.4));
    const over = median(
      mine.map((sample, round) => sample.seconds - (1.5 * (hashing[round]?.seconds ?? 0) + 0.4)),
    );
    rows.push({
      what,
      ours: seconds(medianSeconds(mine)),
      peer: `${PEERS.sha256sum.title} ${seconds(medianSeconds(hashing))}`,
      result: `${medianRatio(mine, hashing).toFixed(2)} ×`,
      limit: `≤ 1.5 × + 0.4 s = ${seconds(limit)}`,
      met: over <= 0,
    });
  } else ratioRow(what, mine, 'sha256sum', undefined, 1.5, '≤ 1.5 × + 0.4 s');
  ratioRow(what, mine, 'python3', samples.python3, 1 / 4, '≤ 1/4');
  ratioRow(what, mine, 'apksigcopier', samples.apksigcopier, 1 / 2, '≤ 1/2');
}

/** With the signatures checked by somebody else as well, which ours has in it. */
async function signaturesIncluded({ signed, jarSigned, unsigned }: Inputs): Promise<void> {
  for (const [what, file, name] of [
    ['signed (v2 + v3) against unsigned, signature verified', signed, 'copy-and-verify'],
    ['signed (v1 + v2 + v3) against unsigned, signature verified', jarSigned, 'copy-and-verify-v1'],
  ] as const) {
    const samples = await interleaved<'ours' | Peer>(
      {
        ours: ours(what, file, unsigned),
        ...(has(name) ? { [name]: peer(name, file, unsigned) } : {}),
      },
      rounds,
    );
    ratioRow(what, samples.ours ?? [], name, samples[name], 1 / 3, '≤ 1/3');
  }
}

async function inspected({ signed, jarSigned }: Inputs): Promise<void> {
  for (const [what, file, name] of [
    ['`inspect` of one file (v2 + v3)', signed, 'apksigner'],
    ['`inspect` of one file (v1 + v2 + v3)', jarSigned, 'apksigner-v1'],
  ] as const) {
    const argv = [process.execPath, MAIN, 'inspect', '--quiet', file];
    const samples = await interleaved<'ours' | Peer>(
      {
        ours: () => runOnce({ label: what, argv }),
        ...(has(name) ? { [name]: peer(name, file, file) } : {}),
      },
      rounds,
    );
    ratioRow(what, samples.ours ?? [], name, samples[name], 1, '< 1');
  }
}

async function oneChangedByte({ signed, signedCopy, oneByte }: Inputs): Promise<void> {
  const what = 'one byte changed in the middle of an entry';
  const { ours: mine = [], identical = [] } = await interleaved(
    {
      ours: ours(what, signed, oneByte, 1),
      identical: ours('identical files', signed, signedCopy),
    },
    rounds,
  );
  const ratio = medianRatio(mine, identical);
  rows.push({
    what,
    ours: seconds(medianSeconds(mine)),
    peer: `ours, byte-identical files ${seconds(medianSeconds(identical))}`,
    result: `${ratio.toFixed(2)} ×`,
    limit: '≤ 2',
    met: ratio <= 2,
  });
  if (!values.slow) {
    rows.push({
      what,
      ours: seconds(medianSeconds(mine)),
      peer: `${PEERS.diffoscope.title}: run with \`--slow\``,
      result: '–',
      limit: '≤ 1/100',
      met: undefined,
    });
    return;
  }
  const once = has('diffoscope') ? [peer('diffoscope', signed, oneByte, 1)()] : undefined;
  ratioRow(
    what,
    [{ ...noSample, seconds: medianSeconds(mine) }],
    'diffoscope',
    once,
    1 / 100,
    '≤ 1/100, one run',
  );
}

const noSample: Sample = { seconds: 0, cpuSeconds: 0, peakBytes: 0 };

async function identicalInProcess({ signed, signedCopy }: Inputs): Promise<void> {
  const what = 'byte-identical files, in process';
  const samples = await interleaved<'ours' | Peer>(
    {
      ours: async (): Promise<Sample> => {
        const started = performance.now();
        const { worst } = await comparePair(signed, signedCopy);
        if (worst !== 'identical') throw new Error(`${what}: ${worst}`);
        return { ...noSample, seconds: (performance.now() - started) / 1000 };
      },
      ...(has('cmp') ? { cmp: peer('cmp', signed, signedCopy) } : {}),
    },
    Math.max(rounds, 15),
  );
  ratioRow(what, samples.ours ?? [], 'cmp', samples.cmp, 4, '≤ 4');
}

async function allRecompressed({ signed, recompressed }: Inputs): Promise<void> {
  const what = 'all entries re-compressed';
  const samples = await interleaved<'ours' | Peer>(
    {
      ours: ours(what, signed, recompressed),
      ...(has('unzip') ? { unzip: peer('unzip', signed, recompressed) } : {}),
    },
    rounds,
  );
  ratioRow(what, samples.ours ?? [], 'unzip', samples.unzip, 0.7, '≤ 0.7');
}

/** Signed by others on both sides; with `--slow` also diffoscope, which has no rule for it. */
async function appOfApple(): Promise<void> {
  const what = 'an `.ipa` of 38 MB with a program of 54 MB, signed anew';
  const [published, rebuilt] = await appleApps(maker);
  const command: Command = {
    label: what,
    argv: [process.execPath, MAIN, 'compare', '--quiet', '--rule', 'appstore', published, rebuilt],
  };
  const name = 'hash-and-test';
  const samples = await interleaved<'ours' | Peer>(
    {
      ours: () => runOnce(command),
      ...(has(name) ? { [name]: peer(name, published, rebuilt) } : {}),
    },
    rounds,
  );
  const mine = samples.ours ?? [];
  ratioRow(what, mine, name, samples[name], 3, '≤ 3');
  const peak = median(mine.map(({ peakBytes }) => peakBytes));
  rows.push({
    what: `peak memory: ${what}`,
    ours: seconds(medianSeconds(mine)),
    peer: '',
    result: megabytes(peak),
    limit: '< 300 MB',
    met: peak < 300 * MB,
  });
  if (!values.slow) return;
  const once = has('diffoscope') ? [peer('diffoscope', published, rebuilt, 1)()] : undefined;
  ratioRow(
    what,
    [{ ...noSample, seconds: medianSeconds(mine) }],
    'diffoscope',
    once,
    1 / 10,
    '≤ 1/10, one run',
  );
}

async function keptBuilds(): Promise<void> {
  const { first = [], second = [], withBuild = [], withFile = [] } = await keptBuildSamples(rounds);
  rows.push({
    what: 'second run of an unchanged plan and file (demo)',
    ours: seconds(medianSeconds(second)),
    peer: `ours, the build alone ${seconds(medianSeconds(first))}`,
    result: seconds(medianSeconds(second)),
    limit: '< 1 s',
    met: medianSeconds(second) < 1,
  });
  const ratio = medianRatio(withBuild, withFile);
  rows.push({
    what: 'another file with a kept build (`compare --build`)',
    ours: seconds(medianSeconds(withBuild)),
    peer: `ours, the comparison alone ${seconds(medianSeconds(withFile))}`,
    result: `${ratio.toFixed(2)} ×`,
    limit: '≤ 1.5',
    met: ratio <= 1.5,
  });
}

async function proxy(): Promise<void> {
  const { packages, bytes, samples } = await proxySamples(Math.min(rounds, 5));
  const { direct = [], proxied = [] } = samples;
  const ratio = medianRatio(proxied, direct);
  rows.push({
    what: `a prepare phase that installs ${packages} packages (${megabytes(bytes)}) through the recording proxy`,
    ours: seconds(medianSeconds(proxied)),
    peer: `ours, without it ${seconds(medianSeconds(direct))}`,
    result: `${ratio.toFixed(2)} ×`,
    limit: '≤ 1.15',
    met: ratio <= 1.15,
  });
}

async function memory(maker: InputMaker, { signed, recompressed }: Inputs): Promise<void> {
  const row = (what: string, published: string, rebuilt: string, exit: number, limit: number): void => {
    note(`memory: ${what}`);
    const sample = runOnce(compareCommand(what, published, rebuilt, exit));
    rows.push({
      what: `peak memory: ${what}`,
      ours: seconds(sample.seconds),
      peer: '',
      result: megabytes(sample.peakBytes),
      limit: `< ${limit} MB`,
      met: sample.peakBytes < limit * MB,
    });
  };
  for (const [title, size] of [
    ['10 MB', 10 * MB],
    ['70 MB', 70 * MB],
    ['500 MB', 500 * MB],
    ['2 GB', 2000 * MB],
  ] as const) {
    const pair = await maker.scaled(size);
    row(`signed against unsigned, ${title}`, pair.signed, pair.unsigned, 0, 200);
  }
  row('one entry of 1.5 GB that differs', ...(await maker.oneLargeEntry()), 1, 200);
  row('all entries re-compressed, 70 MB', signed, recompressed, 0, 250);
  row('65,000 entries, one moved', ...(await maker.manyEntries()), 0, 200);
}

const maker = new InputMaker(values.inputs, note);
let made: Promise<Inputs> | undefined;
const inputs = (): Promise<Inputs> => (made ??= maker.main());
const before = loadavg()[0] ?? 0;
const groups: Readonly<Record<string, () => Promise<void>>> = {
  signed: async () => signedAgainstUnsigned(await inputs()),
  signatures: async () => signaturesIncluded(await inputs()),
  inspect: async () => inspected(await inputs()),
  'one-byte': async () => oneChangedByte(await inputs()),
  identical: async () => identicalInProcess(await inputs()),
  recompressed: async () => allRecompressed(await inputs()),
  apple: () => appOfApple(),
  kept: () => keptBuilds(),
  proxy: () => proxy(),
  memory: async () => memory(maker, await inputs()),
};
for (const [name, measureGroup] of Object.entries(groups)) {
  if (!wanted(name)) continue;
  note(`measuring ${name}`);
  await measureGroup();
}

console.log('| case | ours | against | result | limit | |');
console.log('| --- | --- | --- | --- | --- | --- |');
for (const { what, ours: own, peer: against, result, limit, met } of rows)
  console.log(
    `| ${what} | ${own} | ${against} | ${result} | ${limit} | ${met === undefined ? 'not measured' : met ? 'met' : '**missed**'} |`,
  );
const model = cpus()[0]?.model.trim() ?? 'unknown CPU';
console.log(
  `\n${model}, ${availableParallelism()} cores, Node ${process.versions.node}; median of ${rounds} rounds; load ${before.toFixed(1)} before, ${(loadavg()[0] ?? 0).toFixed(1)} after.`,
);
for (const [name, version] of versions) console.log(`${name}: ${version ?? 'not installed'}.`);
if (rows.some(({ met }) => met === false)) process.exitCode = 1;
