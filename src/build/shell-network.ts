// SPDX-License-Identifier: Apache-2.0
/**
 * The network of a shell where the phase reached ours: the same proxy with the same hosts, and no other way out. It begins
 * and ends with the shell, though the container stays.
 */
import { FailedHere } from '../errors.js';
import type { Engine } from './engine.js';
import { accountIn, passwdOf } from './inside.js';
import { PROXY_CLEAN_UP, PROXY_PORT, proxyFiles, type PhaseProxy } from './phase-proxy.js';
import { certificateOf, listenAtGateway, listenInside } from './proxy-reach.js';
import type { OpenRecorder, Recorder, RecorderOptions, RecorderOutcome } from './recorder.js';
import { tarStream } from './tar-write.js';

const START_MS = 60_000;

/** What the phase's own network was made of. */
export interface ShellRule {
  readonly open: OpenRecorder;
  readonly options: RecorderOptions;
}

export class ShellNetwork {
  readonly #engine: Engine;
  readonly #container: string;
  readonly #recorder: Recorder;
  /** Where the engine's description says `gateway`. */
  readonly #name: string | undefined;
  readonly proxy: PhaseProxy;

  private constructor(engine: Engine, container: string, recorder: Recorder, name?: string, at?: PhaseProxy) {
    this.#engine = engine;
    this.#container = container;
    this.#recorder = recorder;
    this.#name = name;
    this.proxy = at ?? { host: '127.0.0.1', port: PROXY_PORT, wait: false, ...certificateOf(recorder) };
  }

  /** @throws FailedHere `no-recording`, `not-recorded` */
  static async open(
    engine: Engine,
    container: string,
    run: string,
    { open, options }: ShellRule,
  ): Promise<ShellNetwork> {
    const recorder = await open(options);
    if (engine.description.reach === 'namespace') return new ShellNetwork(engine, container, recorder);
    const name = `${container}-network`;
    try {
      // of a shell that was killed
      await engine.removeNetwork(name);
      const proxy = await listenAtGateway(engine, recorder, name, run);
      return new ShellNetwork(engine, container, recorder, name, proxy);
    } catch (error) {
      await engine.removeNetwork(name);
      await recorder.close().catch(() => undefined);
      throw error;
    }
  }

  /** Of `create`. */
  get arguments(): readonly string[] {
    return ['--network', this.#name ?? 'none'];
  }

  /**
   * The container, which does not run, gets to the proxy from its next start on and in no other way.
   * @throws FailedHere what the engine's words mean
   */
  async attach(user: string): Promise<void> {
    const engine = this.#engine;
    await engine.leaveNetworks(this.#container);
    await this.#assertNoOther();
    if (this.#name !== undefined) await engine.checked(['network', 'connect', this.#name, this.#container]);
    const account = accountIn(await passwdOf(engine, this.#container), user);
    const files = proxyFiles(this.proxy, account, 0);
    if (files.length > 0) await engine.copyIn(this.#container, tarStream(files));
  }

  /** One that an older version made may have a network that no engine takes from it. @throws FailedHere `no-recording` */
  async #assertNoOther(): Promise<void> {
    const { kind } = this.#engine;
    const format = '{{.HostConfig.NetworkMode}}';
    const args = ['inspect', '--type', 'container', '--format', format, this.#container];
    const mode = await this.#engine.checked(args);
    if (!/^(?:host|slirp4netns|pasta|container|ns)\b/.test(mode)) return;
    throw new FailedHere(
      'no-recording',
      `the container ${this.#container} reaches the network without our proxy (${mode})`,
      { hint: `${kind} rm ${this.#container}, with what was made in it: the next shell begins anew` },
    );
  }

  /** The container has started. @throws FailedHere `no-recording`, `engine-died` */
  async enter(): Promise<void> {
    if (this.#name !== undefined) return;
    const server = await listenInside(this.#engine, this.#container, AbortSignal.timeout(START_MS));
    if (server === undefined) throw new FailedHere('engine-died', `${this.#container} did not stay up`);
    await this.#recorder.listen(server);
  }

  /** As the phase's script was followed; the container still runs. */
  async cleanUp(): Promise<void> {
    if (this.proxy.certificate === undefined) return;
    await this.#engine.run(['exec', this.#container, 'sh', '-c', PROXY_CLEAN_UP]).catch(() => undefined);
  }

  /** The container runs no more. */
  async close(): Promise<RecorderOutcome> {
    try {
      return await this.#recorder.close();
    } finally {
      if (this.#name !== undefined) {
        await this.#engine.leaveNetworks(this.#container).catch(() => undefined);
        await this.#engine.removeNetwork(this.#name);
      }
    }
  }
}
