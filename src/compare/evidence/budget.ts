// SPDX-License-Identifier: Apache-2.0
/** How much of one file is read for evidence, and what was not: hostile members cost no more than this. */
import { FormatError } from '../../errors.js';

const MEMBERS = 20_000;
const MEMBER_BYTES = 256 << 20;
const ALL_BYTES = 2 * 2 ** 30;
const MAX_UNREAD = 100;

export interface UnreadMember {
  readonly member: string;
  readonly code: string;
}

export class EvidenceBudget {
  readonly memberBytes = MEMBER_BYTES;
  readonly unreadMembers: UnreadMember[] = [];
  #members = 0;
  #bytes = 0;

  /** Whether a member of this size may be read; counts it if so. */
  take(size: number, member: string): boolean {
    const fits = this.#members < MEMBERS && size <= MEMBER_BYTES && this.#bytes + size <= ALL_BYTES;
    if (!fits) {
      this.unread(member, 'limits');
      return false;
    }
    this.#members++;
    this.#bytes += size;
    return true;
  }

  unread(member: string, code: string): void {
    if (this.unreadMembers.length < MAX_UNREAD) this.unreadMembers.push({ member, code });
  }

  /** A reader that does not understand a member tells nothing about it. */
  guard(member: string, read: () => void): void {
    try {
      read();
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      this.unread(member, error.code);
    }
  }
}
