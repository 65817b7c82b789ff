// SPDX-License-Identifier: Apache-2.0
/** Two channels: the result on standard output, everything for people on standard error when the result is JSON. */
import { styleText } from 'node:util';
import { printableJson } from '../index.js';

export interface OutputOptions {
  readonly json?: boolean;
  readonly quiet?: boolean;
}

export class Output {
  readonly json: boolean;
  readonly quiet: boolean;

  constructor(options: OutputOptions) {
    this.json = options.json === true;
    this.quiet = options.quiet === true;
  }

  /** The result for people: standard output, or standard error beside JSON. */
  print(text: string): void {
    if (this.json) {
      if (!this.quiet) process.stderr.write(line(text));
    } else process.stdout.write(line(text));
  }

  /** The result for programs; nothing without `--json`. */
  data(value: unknown): void {
    if (this.json) process.stdout.write(`${printableJson(JSON.stringify(value, null, 2))}\n`);
  }

  /** What goes on; nothing with `--quiet`. */
  note(text: string): void {
    if (!this.quiet) process.stderr.write(line(text));
  }
}

const line = (text: string): string => (text.endsWith('\n') ? text : `${text}\n`);

type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow';

/** Honours NO_COLOR and pipes. */
export function styled(style: Style, text: string, stream: NodeJS.WriteStream = process.stderr): string {
  const plain = process.env['NO_COLOR'] !== undefined && process.env['NO_COLOR'] !== '';
  return plain || !stream.isTTY ? text : styleText(style, text);
}
