// SPDX-License-Identifier: Apache-2.0
/** The files of a log, from its address: each has the form that it must have, none is believed yet. */
import { FailedHere } from '../../errors.js';
import {
  MAX_BUNDLE,
  placeOfNode,
  readBundle,
  readTile,
  subtreeHash,
  TILE_WIDTH,
  tileNumber,
  type Tile,
} from '../../formats/log-tiles.js';
import { type EntryRange, nodesOf, rootOver } from '../../formats/merkle-tree.js';
import { MAX_NOTE } from '../../formats/signed-note.js';
import type { DownloadRequest } from '../http/download.js';
import { fetchAside, fetchBytes, type Fetched } from '../http/fetch-bytes.js';
import type { ApkLog } from './known-logs.js';

export type LogOptions = Pick<
  DownloadRequest,
  'signal' | 'onProgress' | 'backoffMs' | 'attempts' | 'pace'
> & {
  readonly cache: string;
};

const MAX_LISTING = 2 ** 31;

export class LogFiles {
  readonly #log: ApkLog;
  readonly #options: LogOptions;
  readonly #tiles = new Map<string, Promise<readonly Buffer[]>>();

  constructor(log: ApkLog, options: LogOptions) {
    this.#log = log;
    this.#options = options;
  }

  /** @throws FailedHere `mirror-incomplete` where the address has no log */
  async checkpoint(): Promise<Buffer> {
    const name = this.#log.layout.kind === 'tiles' ? 'checkpoint' : 'checkpoint.txt';
    return this.#there(name, await this.#fetch(name, MAX_NOTE));
  }

  /**
   * Of a range that a proof names, by tiles of a tree of `size` entries.
   * @throws FormatError `log-tile/length`
   */
  async hashOf(range: EntryRange, size: number): Promise<Buffer> {
    const hashes = nodesOf(range).map(async (node) => {
      const { tile, start, count } = placeOfNode(node, size);
      return subtreeHash((await this.#tile(tile)).slice(start, start + count));
    });
    return rootOver(await Promise.all(hashes));
  }

  /** @throws FormatError `log-tile/bundle-…` */
  async bundle(index: number, width: number): Promise<readonly Buffer[]> {
    const { bytes, found } = await this.#wide(`tile/entries`, index, width, MAX_BUNDLE);
    return readBundle(bytes, found).slice(0, width);
  }

  async listing<T>(name: string, read: (file: string) => Promise<T>): Promise<Fetched<T>> {
    return await fetchAside(this.#options.cache, this.#request(name, MAX_LISTING), read);
  }

  async #tile({ level, index, width }: Tile): Promise<readonly Buffer[]> {
    const folder = this.#log.layout.kind === 'tiles' ? `tile/${level}` : `tile/8/${level}`;
    const key = `${folder}/${tileNumber(index, width)}`;
    const known = this.#tiles.get(key);
    if (known !== undefined) return await known;
    const tile = this.#wide(folder, index, width, TILE_WIDTH * 32).then(({ bytes, found }) =>
      readTile(bytes, found).slice(0, width),
    );
    this.#tiles.set(key, tile);
    return await tile;
  }

  /** A partial file may have given way to the full one, which begins with the same bytes. */
  async #wide(
    folder: string,
    index: number,
    width: number,
    limit: number,
  ): Promise<{ readonly bytes: Buffer; readonly found: number }> {
    const name = `${folder}/${tileNumber(index, width)}`;
    const asked = await this.#fetch(name, limit);
    if (asked.kind === 'done' || width === TILE_WIDTH)
      return { bytes: this.#there(name, asked), found: width };
    const full = await this.#fetch(`${folder}/${tileNumber(index, TILE_WIDTH)}`, limit);
    return { bytes: this.#there(name, full), found: TILE_WIDTH };
  }

  #there(name: string, fetched: Fetched<Buffer>): Buffer {
    if (fetched.kind === 'done') return fetched.value;
    throw new FailedHere(
      'mirror-incomplete',
      `the log at ${this.#log.url} does not have its file ${name} (status ${fetched.status})`,
      { hint: 'check the address of the log, or try again later' },
    );
  }

  async #fetch(name: string, maxBytes: number): Promise<Fetched<Buffer>> {
    return await fetchBytes(this.#options.cache, this.#request(name, maxBytes));
  }

  #request(name: string, maxBytes: number) {
    const { cache: _, ...options } = this.#options;
    const url = `${this.#log.url.replace(/\/+$/, '')}/${name}`;
    return { ...options, url, what: `${name} of the log`, maxBytes };
  }
}
