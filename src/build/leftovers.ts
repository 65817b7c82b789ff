// SPDX-License-Identifier: Apache-2.0
/** Everything of a run that an engine holds, by name. Named before it is made, so that nothing is ever left behind. */
import type { Engine } from './engine.js';

export class Leftovers {
  readonly #engine: Engine;
  readonly #containers = new Set<string>();
  readonly #images = new Set<string>();
  readonly #networks = new Set<string>();
  readonly #volumes = new Set<string>();
  readonly #stay: boolean;

  /** `stay`: somebody else removes them, by the label and the name of their run. */
  constructor(engine: Engine, stay = false) {
    this.#engine = engine;
    this.#stay = stay;
  }

  container(name: string): string {
    this.#containers.add(name);
    return name;
  }

  image(name: string): string {
    this.#images.add(name);
    return name;
  }

  network(name: string): string {
    this.#networks.add(name);
    return name;
  }

  volume(name: string): string {
    this.#volumes.add(name);
    return name;
  }

  /** With the containers that use it. */
  async removeVolume(name: string): Promise<void> {
    if (await this.#engine.removeVolume(name)) this.#volumes.delete(name);
  }

  /** No container of them runs any more. */
  async removeNetworks(): Promise<void> {
    for (const name of this.#networks)
      if (await this.#engine.removeNetwork(name)) this.#networks.delete(name);
  }

  async removeContainer(name: string): Promise<void> {
    await this.#engine.removeContainer(name);
    this.#containers.delete(name);
  }

  /** The container of a phase, which may be looked into later. */
  async removePhase(name: string): Promise<void> {
    if (!this.#stay) await this.removeContainer(name);
  }

  /** Never throws: what cannot be removed now carries the label of its run. */
  async removeAll(): Promise<void> {
    for (const name of this.#volumes) await this.removeVolume(name);
    if (this.#stay) {
      await this.removeNetworks();
      return;
    }
    for (const name of this.#containers) await this.removeContainer(name);
    await this.removeNetworks();
    for (const name of [...this.#images].reverse()) await this.#engine.removeImage(name);
    this.#images.clear();
  }
}
