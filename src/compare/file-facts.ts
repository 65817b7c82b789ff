// SPDX-License-Identifier: Apache-2.0
/**
 * What is asked of one file alone, while both are being compared: SHA-256 of each, the published signature. Large files
 * are read for it on a thread of its own.
 */
import { availableParallelism } from 'node:os';
import { FileSource, sha256, type ByteSource } from '../bytes.js';
import { checkApkSignature, type ApkSections, type ApkSignatureCheck } from '../formats/apk-signature.js';
import { FactThread, WORTH_A_THREAD } from './fact-thread.js';
import type { Side } from './types.js';

/** `close` it. */
export class FileFacts {
  readonly #sources: Readonly<Record<Side, ByteSource>>;
  readonly #digests: Partial<Record<Side, Promise<string>>> = {};
  readonly #thread: FactThread | undefined;

  constructor(published: ByteSource, rebuilt: ByteSource) {
    this.#sources = { published, rebuilt };
    const worthwhile =
      published instanceof FileSource &&
      published.size + rebuilt.size >= WORTH_A_THREAD &&
      availableParallelism() > 1;
    this.#thread = worthwhile ? FactThread.take() : undefined;
    if (worthwhile) this.prefetch('published');
  }

  sha256(side: Side): Promise<string> {
    return (this.#digests[side] ??= this.#sha256(this.#sources[side]));
  }

  /** Lets the thread begin, if there is one, with what will be asked later. */
  prefetch(side: Side): void {
    // who asks gets the error; until then nobody waits
    if (this.#thread !== undefined) this.sha256(side).catch(() => undefined);
  }

  /** Of the published file. The promise may wait for a while to be asked for its result. */
  signature(sections: ApkSections): Promise<ApkSignatureCheck> {
    const check = this.#signature(sections);
    check.catch(() => undefined);
    return check;
  }

  async close(): Promise<void> {
    await this.#thread?.close();
  }

  async #signature(sections: ApkSections): Promise<ApkSignatureCheck> {
    const { published } = this.#sources;
    if (this.#thread !== undefined && published instanceof FileSource) {
      const answer = await this.#thread.ask({ kind: 'signature', file: published.lend(), sections });
      if (answer.kind === 'signature') return answer.check;
    }
    return checkApkSignature(published, sections);
  }

  async #sha256(source: ByteSource): Promise<string> {
    if (this.#thread !== undefined && source instanceof FileSource) {
      const answer = await this.#thread.ask({ kind: 'sha256', file: source.lend() });
      if (answer.kind === 'sha256') return answer.sha256;
    }
    return sha256(source);
  }
}
