// SPDX-License-Identifier: Apache-2.0
/**
 * A shell where a phase ended: a copy of its container, made with the arguments that the phase's own was made with. The
 * container that was kept stays as it is. The copy stays too, stopped, for the next shell and for what was made in it.
 */
import { FailedHere } from '../errors.js';
import type { PhaseName } from '../model.js';
import { chooseRuntime } from './create-prepare.js';
import { DOCKER } from './docker.js';
import { Engine } from './engine.js';
import { throwIfAborted } from './engine-failure.js';
import { PODMAN } from './podman.js';
import { outsideVariables } from './phase.js';
import { proxyLines, type PhaseProxy } from './phase-proxy.js';
import { probeEngine } from './probe.js';
import type { RecorderOutcome } from './recorder.js';
import { runLabel, shellContainer, shellImage } from './run-names.js';
import { ShellNetwork, type ShellRule } from './shell-network.js';

export interface EndedPhase {
  readonly kind: 'docker' | 'podman';
  readonly run: string;
  readonly phase: PhaseName;
  readonly container: string;
  /** Of `create`, up to the image. */
  readonly arguments: readonly string[];
  /** Instead of the container: what was frozen of it. */
  readonly image?: { readonly name: string; readonly id: string };
  /** Where it reached the network through our proxy. */
  readonly rule?: ShellRule;
}

export interface ShellRequest {
  /** Without one: a shell that reads from where this process reads. */
  readonly command?: string;
  /** Both ends are a terminal. */
  readonly terminal: boolean;
  /** Temporary files of the engine's client go there. */
  readonly directory: string;
  /** With what went over the network, at the end. */
  readonly onFetched?: (outcome: RecorderOutcome) => void;
  readonly signal?: AbortSignal;
}

/** Until the container is ended. */
const IDLE = 'while :; do sleep 3600; done';

/**
 * Returns the exit code of the command or of the shell.
 * @throws FailedHere `no-engine`, `kept-state-gone`, `kept-state-changed`, `disk-full`, `engine-died`, `interrupted`,
 * `no-recording`
 */
export async function openShell(ended: EndedPhase, request: ShellRequest): Promise<number> {
  const engine = new Engine(ended.kind === 'docker' ? DOCKER : PODMAN);
  const { signal } = request;
  await probeEngine(engine, signal);
  engine.workIn(request.directory);
  const { run, phase, rule } = ended;
  const name = shellContainer(run, phase);
  const network = rule === undefined ? undefined : await ShellNetwork.open(engine, name, run, rule);
  try {
    await provideContainer(engine, name, ended, network?.arguments ?? [], signal);
    await network?.attach(userOf(ended));
    await engine.checked(['start', name], engine.startIn);
    await network?.enter();
    throwIfAborted(signal, 'before the shell began');
    const script = scriptOf(ended, request, network?.proxy);
    return await engine.attached(
      ['exec', ...modeOf(request), name, 'sh', '-c', script, 'sh', request.command ?? ''],
      signal,
    );
  } finally {
    await network?.cleanUp();
    // whatever was left running in it ends too; `kill` of Podman comes back before that is over
    await engine.run(['stop', '-t', '0', name]).catch(() => undefined);
    if (network !== undefined) request.onFetched?.(await network.close());
  }
}

/** Made when this is the first shell of the phase. */
async function provideContainer(
  engine: Engine,
  name: string,
  { run, phase, container, image, arguments: args }: EndedPhase,
  network: readonly string[],
  signal: AbortSignal | undefined,
): Promise<void> {
  if ((await engine.state(name)) !== undefined) {
    await chooseRuntimeFor(engine, await imageOf(engine, name), run, signal);
    return;
  }
  const from = image === undefined ? shellImage(run, phase) : await checkedImage(engine, image);
  if (image === undefined) {
    await assertContainer(engine, container);
    await engine.freeze(container, from);
  }
  throwIfAborted(signal, 'before the shell began');
  await chooseRuntimeFor(engine, from, run, signal);
  await engine.checked(['create', ...ownArguments(args, name, run), ...network, from, '-c', IDLE]);
}

/** @throws FailedHere `kept-state-gone` */
export async function assertContainer(engine: Engine, container: string): Promise<void> {
  if ((await engine.state(container)) === undefined)
    throw new FailedHere('kept-state-gone', `${engine.kind} has no container ${container} any more`, {
      hint: 'it was removed there, or another engine answers now than the one of this run; begin anew with verify',
    });
}

/**
 * Its id, which says what it holds: the name alone could be anybody's.
 * @throws FailedHere `kept-state-gone`, `kept-state-changed`
 */
export async function checkedImage(
  engine: Engine,
  { name, id }: { readonly name: string; readonly id: string },
): Promise<string> {
  const found = await engine.findImage(name);
  const hint = 'take the run up again with `verify resume RUN --from prepare`, or begin anew with verify';
  if (found === undefined)
    throw new FailedHere('kept-state-gone', `${engine.kind} has no image ${name} any more`, { hint });
  if (found !== id)
    throw new FailedHere(
      'kept-state-changed',
      `${name} is another image than the one that was prepared: ${found}, and ${id} was written down`,
      { hint },
    );
  return id;
}

async function chooseRuntimeFor(
  engine: Engine,
  image: string,
  run: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  await chooseRuntime(engine, image, { run, ...(signal === undefined ? {} : { signal }) });
}

async function imageOf(engine: Engine, container: string): Promise<string> {
  return await engine.checked(['inspect', '--type', 'container', '--format', '{{.Image}}', container]);
}

/** Those of the phase, which may have been one of an earlier run. */
const ownArguments = (args: readonly string[], name: string, run: string): readonly string[] => {
  const own = new Map([
    ['--name', name],
    ['--label', runLabel(run)[1] ?? ''],
  ]);
  return args.map((arg, at) => own.get(args[at - 1] ?? '') ?? arg);
};

const modeOf = ({ command, terminal }: ShellRequest): readonly string[] =>
  terminal ? ['--interactive', '--tty'] : command === undefined ? ['--interactive'] : [];

const userOf = ({ arguments: args }: EndedPhase): string => args[args.indexOf('--user') + 1] ?? 'root';

/** As the phase's own script began, but that a person's terminal keeps its name, and what fails ends nothing. */
function scriptOf(
  { arguments: args }: EndedPhase,
  { command, terminal }: ShellRequest,
  proxy: PhaseProxy | undefined,
): string {
  const variables = args.flatMap((arg, at) => (args[at - 1] === '--env' ? [arg.split('=')[0] ?? ''] : []));
  const engines = proxy === undefined && reachesNetwork(args);
  const unset = outsideVariables(new Set(variables), engines).filter((each) => !terminal || each !== 'TERM');
  const shell = command !== undefined ? 'exec sh -c "$1"' : terminal ? 'exec sh -i' : 'exec sh';
  const proxied = proxy === undefined ? [] : proxyLines(proxy);
  return ['umask 022', `unset ${unset.join(' ')}`, ...proxied, shell].join('\n');
}

/** By the arguments that a phase's container was made with. */
export const reachesNetwork = (args: readonly string[]): boolean =>
  !args.some((arg, at) => args[at - 1] === '--network' && arg === 'none');
