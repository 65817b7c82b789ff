// SPDX-License-Identifier: Apache-2.0
/** Base images of ours that engines keep from run to run, so that a root file system is imported once. */
import { DOCKER } from './docker.js';
import { Engine } from './engine.js';
import { PODMAN } from './podman.js';

const PREFIX = 'localhost/samesource-base-';

export interface EngineImage {
  readonly engine: 'docker' | 'podman';
  readonly reference: string;
  /** As the engine writes it. */
  readonly size: string;
}

/** Of every engine that answers. */
export async function baseImages(): Promise<readonly EngineImage[]> {
  const images: EngineImage[] = [];
  for (const description of [DOCKER, PODMAN]) {
    const { kind } = description;
    const args = ['images', '--format', '{{.Repository}}:{{.Tag}}\t{{.Size}}'];
    const result = await new Engine(description).run(args).catch(() => undefined);
    if (result?.ended.kind !== 'exited' || result.ended.code !== 0) continue;
    for (const line of result.stdout.toString().split('\n')) {
      const [reference = '', size = ''] = line.split('\t');
      if (reference.startsWith(PREFIX)) images.push({ engine: kind, reference, size });
    }
  }
  return images;
}

/** False when it is in use: an engine keeps the image of a container that is there. */
export async function removeBaseImage({ engine, reference }: EngineImage): Promise<boolean> {
  const one = new Engine(engine === 'docker' ? DOCKER : PODMAN);
  const result = await one.run(['rmi', reference]).catch(() => undefined);
  return result?.ended.kind === 'exited' && result.ended.code === 0;
}
