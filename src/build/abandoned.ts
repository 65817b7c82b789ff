// SPDX-License-Identifier: Apache-2.0
/** What an engine holds of a run whose process was killed: the run's directory says which engine, a label which containers and networks. */
import { promises as fs } from 'node:fs';
import path from 'node:path';
import { DOCKER } from './docker.js';
import { Engine } from './engine.js';
import { PODMAN } from './podman.js';

export const ENGINE_FILE = 'engine.json';
const ENGINES = { docker: DOCKER, podman: PODMAN };

/** Before the first container: `run` as in the names of containers and images. */
export async function noteEngine(directory: string, kind: 'docker' | 'podman', run: string): Promise<void> {
  await fs.writeFile(path.join(directory, ENGINE_FILE), JSON.stringify({ kind, run }));
}

/** False when something is still there: the engine does not answer now. */
export async function removeFromEngine(directory: string): Promise<boolean> {
  const noted = await notedEngine(directory);
  if (noted === undefined) return true;
  return await new Engine(ENGINES[noted.kind]).removeRun(noted.run);
}

/** Of a run that is kept: its containers stay, and none of them goes on. False when the engine does not answer now. */
export async function stopInEngine(directory: string): Promise<boolean> {
  const noted = await notedEngine(directory);
  return noted === undefined || (await new Engine(ENGINES[noted.kind]).stopRun(noted.run));
}

/** The rest of the directory may go before the engine answers again. */
export const isEngineFile = (name: string): boolean => name === ENGINE_FILE;

async function notedEngine(directory: string): Promise<ReturnType<typeof parse>> {
  const text = await fs.readFile(path.join(directory, ENGINE_FILE), 'utf8').catch(() => undefined);
  return text === undefined ? undefined : parse(text);
}

function parse(text: string): { readonly kind: 'docker' | 'podman'; readonly run: string } | undefined {
  try {
    const { kind, run } = JSON.parse(text) as { readonly kind?: unknown; readonly run?: unknown };
    if ((kind !== 'docker' && kind !== 'podman') || typeof run !== 'string') return undefined;
    return /^[a-z0-9-]+$/.test(run) ? { kind, run } : undefined;
  } catch {
    return undefined;
  }
}
