// SPDX-License-Identifier: Apache-2.0
/** What of the machine can be used, and for each thing that is missing: what it would enable and what installs it. */
import { DOCKER } from '../build/docker.js';
import { Engine, type EngineDescription } from '../build/engine.js';
import { engineFix, engineState, type EngineState } from '../build/engine-state.js';
import { PODMAN } from '../build/podman.js';
import { FailedHere } from '../errors.js';
import { cacheDirectory } from '../inputs/cache.js';
import { debianKeyring } from '../inputs/debian/debian-archive.js';
import { describeMachine, freeDiskMiB, freeMemoryMiB, type Machine } from '../inputs/machine.js';
import { nodeRequirement } from '../inputs/package-files.js';
import { KNOWN_TOOLS, type KnownTool } from '../known-tools.js';
import { toolVersion } from '../process.js';
import type { OperationOptions } from './options.js';

export interface Missing {
  readonly kind: 'missing';
  readonly enables: string;
  readonly install: string;
}

export interface ToolState {
  readonly name: string;
  /** Without it nothing but `compare`, `report` and `recipes` works. */
  readonly essential: boolean;
  readonly state: { readonly kind: 'present'; readonly version: string } | Missing;
}

export interface EngineDiagnosis {
  readonly name: EngineDescription['kind'];
  readonly enables: string;
  readonly state: EngineState;
  /** What to do about an engine that does not answer. */
  readonly fix?: string;
}

export interface Diagnosis {
  /** Nothing essential is missing. */
  readonly healthy: boolean;
  readonly node: { readonly version: string; readonly required: string; readonly enough: boolean };
  readonly tools: readonly ToolState[];
  readonly engines: readonly EngineDiagnosis[];
  readonly debianKeyring: { readonly kind: 'present'; readonly file: string } | Missing;
  readonly disk: readonly {
    readonly what: 'cache' | 'current directory';
    readonly directory: string;
    readonly freeMiB: number;
  }[];
  readonly memory: { readonly totalMiB: number; readonly freeMiB: number };
  readonly machine: Machine;
}

const ESSENTIAL: readonly string[] = ['git'];
const ENGINES = [DOCKER, PODMAN] as const;

export async function doctor(options: OperationOptions = {}): Promise<Diagnosis> {
  const machine = describeMachine();
  const required = await nodeRequirement();
  const node = { version: machine.node, required, enough: isEnough(machine.node, required) };
  const tools = await Promise.all(
    Object.entries<KnownTool>(KNOWN_TOOLS)
      .filter(([name]) => !ENGINES.some(({ kind }) => kind === name))
      .map(([name, tool]) => toolState(name, tool)),
  );
  return {
    healthy: node.enough && tools.every(({ essential, state }) => !essential || state.kind === 'present'),
    node,
    tools,
    engines: await Promise.all(ENGINES.map((engine) => diagnosed(engine, options.signal))),
    debianKeyring: await keyring(),
    disk: [
      { what: 'cache', ...(await disk(cacheDirectory())) },
      { what: 'current directory', ...(await disk(process.cwd())) },
    ],
    memory: { totalMiB: machine.memoryMiB, freeMiB: freeMemoryMiB() },
    machine,
  };
}

async function toolState(name: string, { enables, install, version: asked }: KnownTool): Promise<ToolState> {
  const version = await toolVersion(name, asked);
  return {
    name,
    essential: ESSENTIAL.includes(name),
    state: version === undefined ? { kind: 'missing', enables, install } : { kind: 'present', version },
  };
}

async function diagnosed(description: EngineDescription, signal?: AbortSignal): Promise<EngineDiagnosis> {
  const engine = new Engine(description);
  const name = description.kind;
  const { enables } = KNOWN_TOOLS[name];
  const state = await engineState(engine, signal);
  if (state.kind === 'reachable') return { name, enables, state };
  return { name, enables, state, fix: engineFix(engine, state) };
}

async function keyring(): Promise<Diagnosis['debianKeyring']> {
  try {
    return { kind: 'present', file: await debianKeyring() };
  } catch (error) {
    if (!(error instanceof FailedHere)) throw error;
    return {
      kind: 'missing',
      enables: 'checking the indexes of the Debian archive',
      install: 'apt-get install debian-archive-keyring',
    };
  }
}

async function disk(directory: string): Promise<{ readonly directory: string; readonly freeMiB: number }> {
  return { directory, freeMiB: await freeDiskMiB(directory) };
}

/** `required` as npm writes it: `>=20.19`. */
function isEnough(version: string, required: string): boolean {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number);
  const [wantedMajor = 0, wantedMinor = 0] = required
    .replace(/^>=\s*/, '')
    .split('.')
    .map(Number);
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
}
