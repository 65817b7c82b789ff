// SPDX-License-Identifier: Apache-2.0
/**
 * Podman looks for what is copied out of a container with a volume in one of two places and follows links there: one that
 * leads from a tree in memory to the container's own files, or the other way round, ends nowhere, or at another file. That
 * must not look like something that the order of names changed.
 */
import path from 'node:path';
import { FailedHere } from '../errors.js';
import type { BuildPlan } from '../model.js';
import type { OrderedTree } from './directory-order.js';
import type { Engine } from './engine.js';
import type { CollectedOutputs } from './outputs.js';

/** With nothing but a shell; the container that holds the tree sees the links in it. */
const DIRECT = `test ! -h "$1" && cd -P -- "\${1%/*}" && test "$(pwd -P)" = "\${1%/*}"`;

/** @throws FailedHere `output-refused` */
export async function assertNotLinked(
  engine: Engine,
  { holder, directory }: OrderedTree,
  plan: BuildPlan,
  { absent }: CollectedOutputs,
): Promise<void> {
  if (engine.description.followsAcrossVolumes) return;
  const [gone] = absent;
  if (gone !== undefined) refuse(engine, gone);
  for (const { id, path: output } of plan.outputs) {
    const file = path.posix.join(directory, output).replace(/\/+$/, '');
    if (!file.startsWith(`${directory}/`)) continue;
    const { ended } = await engine.run(['exec', holder, 'sh', '-c', DIRECT, 'sh', file]);
    if (ended.kind !== 'exited' || ended.code !== 0) refuse(engine, id);
  }
}

function refuse(engine: Engine, id: string): never {
  throw new FailedHere(
    'output-refused',
    `${engine.kind} may not have found the output ${id}: it follows no link into a tree in memory or out of it`,
  );
}
