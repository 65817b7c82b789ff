// SPDX-License-Identifier: Apache-2.0
/** The one error base. An error means that we could not do our job; a difference or a verdict is data, never an error. */

/** `code` is stable kebab-case and what tests assert; `message` is lower case, without a final full stop. */
export class VerifyError<Code extends string = string> extends Error {
  readonly code: Code;
  constructor(code: Code, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
  static {
    this.prototype.name = 'VerifyError';
  }
}

/** Malformed or unsupported structure in an artifact. `offset` is relative to the ByteSource that was read. */
export class FormatError extends VerifyError {
  readonly format: string;
  readonly offset: number;
  /** The message without the place. */
  readonly detail: string;
  constructor(format: string, code: string, offset: number, message: string, options?: { cause?: unknown }) {
    super(`${format}/${code}`, `${message} (${format}, offset ${offset})`, options);
    this.format = format;
    this.offset = offset;
    this.detail = message;
  }
  static {
    this.prototype.name = 'FormatError';
  }
}

/** The caller's mistake: an unknown app or option, a recipe that does not check, the same file as both sides. Exit 64. */
export class UsageError extends VerifyError {
  /** What the user can do next; shown on its own line. */
  readonly hint: string | undefined;
  constructor(code: string, message: string, options?: { cause?: unknown; hint?: string }) {
    super(code, message, options);
    this.hint = options?.hint;
  }
  static {
    this.prototype.name = 'UsageError';
  }
}

/** Classes of our own failures: no verdict comes of them (exit 75; `interrupted` 130). */
export type FailureClass =
  | 'no-engine'
  | 'engine-died'
  | 'host-differs'
  | 'host-key'
  | 'login-refused'
  | 'transfer-damaged'
  | 'prepare-failed'
  | 'disk-full'
  | 'out-of-memory'
  | 'time-limit'
  | 'network'
  | 'rate-limited'
  | 'mirror-incomplete'
  | 'host-refused'
  | 'not-recorded'
  | 'no-recording'
  | 'no-device'
  | 'device-unauthorized'
  | 'pull-failed'
  | 'index-signature'
  | 'index-stale'
  | 'index-unreadable'
  | 'unreadable-input'
  | 'build-damaged'
  | 'missing-tool'
  | 'output-refused'
  | 'plan-unresolved'
  | 'kept-run-damaged'
  | 'kept-state-gone'
  | 'kept-state-changed'
  | 'run-in-use'
  | 'assisted'
  | 'interrupted';

/** A line of a log that people have met before: a row of `known-failures.ts`. */
export interface KnownLine {
  readonly id: string;
  readonly line: string;
}

/** We could not do it here, which says nothing about the publisher. */
export class FailedHere extends VerifyError<FailureClass> {
  readonly hint: string | undefined;
  /** What the log is known to say, beside what the class says already. */
  readonly known: readonly KnownLine[];
  /** Below the directory of the run, which goes when it ends: whoever keeps the log says where it is then. */
  readonly log: string | undefined;
  constructor(
    failure: FailureClass,
    message: string,
    options?: { cause?: unknown; hint?: string; known?: readonly KnownLine[]; log?: string },
  ) {
    super(failure, message, options);
    this.hint = options?.hint;
    this.known = options?.known ?? [];
    this.log = options?.log;
  }
  static {
    this.prototype.name = 'FailedHere';
  }
}
