// SPDX-License-Identifier: Apache-2.0
/**
 * What the recording proxy costs: a prepare phase that installs a few hundred packages of Debian's archive, through it and
 * as with `--no-record`, one after the other, in containers that are the same otherwise.
 */
import { mkdtempSync, promises as fs } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import { makeExecutor } from '../src/build/executors.js';
import type { Executor } from '../src/build/executor.js';
import { recordingProxy } from '../src/inputs/proxy/recording-proxy.js';
import { debianMirror } from '../src/inputs/debian/debian-mirror.js';
import { packageRoot } from '../src/inputs/package-files.js';
import type { BuildPlan, FetchedWorld } from '../src/model.js';
import { rootFileSystem, type ImageOptions } from '../src/operations/image.js';
import { EMPTY_INVENTORY, smallPlan } from '../test/helpers/build-request.js';
import { cacheDirectory } from '../src/inputs/cache.js';
import { interleaved, type Sample } from './measure.js';

const PACKAGES = 'build-essential debhelper libgtk-3-dev libcurl4-openssl-dev asciidoctor cmake';

const scriptFor = (mirror: string): string => `
  rm -f /etc/apt/sources.list.d/*
  echo 'deb ${mirror} bookworm main' > /etc/apt/sources.list
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -q
  apt-get install -q -y --no-install-recommends ${PACKAGES}`;

export interface ProxySamples {
  readonly packages: number;
  readonly bytes: number;
  readonly samples: Readonly<Partial<Record<'direct' | 'proxied', readonly Sample[]>>>;
}

export async function proxySamples(rounds: number): Promise<ProxySamples> {
  const mirror = await debianMirror();
  const plan = smallPlan({
    prepare: scriptFor(mirror),
    environment: {
      image: { kind: 'lock', name: 'debian-12', sha256: '0'.repeat(64), packages: 1 },
      memoryMiB: 2048,
      diskMiB: 4096,
      minutes: 20,
      cpus: availableParallelism(),
    },
  });
  const dependencies = {
    rootFileSystem: (name: string, more: ImageOptions) =>
      rootFileSystem(name, { ...more, cache: cacheDirectory() }),
    async takeInventory(exported: AsyncIterable<Uint8Array>) {
      for await (const _ of exported);
      return EMPTY_INVENTORY;
    },
    takeInventoryOfDirectory: () => Promise.resolve(EMPTY_INVENTORY),
  };
  const direct = makeExecutor('docker', dependencies);
  const proxied = makeExecutor('docker', { ...dependencies, openRecorder: recordingProxy });
  let world: FetchedWorld | undefined;
  // makes the image as well
  await preparedBy(proxied, smallPlan({ prepare: 'true', environment: plan.environment }));
  const samples = await interleaved(
    {
      direct: async () => (await preparedBy(direct, plan)).sample,
      proxied: async () => {
        const { sample, fetched } = await preparedBy(proxied, plan);
        [world] = fetched;
        return sample;
      },
    },
    rounds,
  );
  return {
    packages: world?.requests.filter(({ url }) => url.endsWith('.deb')).length ?? 0,
    bytes: world?.bytes ?? 0,
    samples,
  };
}

let count = 0;

async function preparedBy(
  executor: Executor,
  plan: BuildPlan,
): Promise<{ readonly sample: Sample; readonly fetched: readonly FetchedWorld[] }> {
  const directory = mkdtempSync(path.join(tmpdir(), 'samesource-bench-'));
  const tree = path.join(directory, 'tree');
  await fs.mkdir(tree);
  await fs.writeFile(path.join(tree, 'a.txt'), 'a\n');
  let seconds = Number.NaN;
  try {
    const outcome = await executor.prepare({
      plan,
      source: { directory: tree, commitTime: 1_700_000_000 },
      directory,
      cache: path.join(directory, 'cache'),
      packageRoot: packageRoot(),
      run: `bench-${process.pid}-${++count}`,
      debianMirror: await debianMirror(),
      onProgress: (event) => {
        if (event.kind === 'phase-finished' && event.phase === 'prepare') ({ seconds } = event);
      },
    });
    if (outcome.kind !== 'prepared') throw new Error(JSON.stringify(outcome));
    const { fetched = [] } = outcome.prepared;
    await outcome.prepared.close();
    return { sample: { seconds, cpuSeconds: 0, peakBytes: 0 }, fetched };
  } finally {
    await fs.rm(directory, { recursive: true, force: true });
  }
}
