// SPDX-License-Identifier: Apache-2.0
/** What files say by themselves: identity, signatures, bytes, code. Nothing is compared, nothing stored. */
import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import { FileSource } from '../bytes.js';
import { FactThread, WORTH_A_THREAD } from '../compare/fact-thread.js';
import type { Inspection } from '../compare/inspect/types.js';
import { localFiles } from '../inputs/local-files.js';
import type { OperationOptions } from './options.js';
import { stoppable } from './stoppable.js';

export interface InspectRequest {
  /** An APK, a set of them in an archive or a directory, or an app bundle. */
  readonly file: string;
  /** Its v4 signature; default the file beside it with `.idsig` added, if there is one. */
  readonly idsig?: string;
}

/**
 * What is wrong with a file is in the result.
 * @throws FailedHere `unreadable-input`
 */
export async function inspect(request: InspectRequest, options: OperationOptions = {}): Promise<Inspection> {
  return await stoppable(options, async ({ signal }) => {
    const files = await localFiles(request.file);
    if ((statSync(request.file, { throwIfNoEntry: false })?.size ?? 0) >= WORTH_A_THREAD)
      FactThread.startEarly();
    const { inspectFiles } = await import('../compare/inspect/inspect-files.js');
    const isDirectory = statSync(request.file).isDirectory();
    const idsig =
      request.idsig ?? (existsSync(`${request.file}.idsig`) ? `${request.file}.idsig` : undefined);
    const opened: FileSource[] = [];
    const open = (file: string): FileSource => {
      const source = FileSource.open(file);
      opened.push(source);
      return source;
    };
    try {
      return await inspectFiles(
        path.basename(path.resolve(request.file)),
        files.map(({ name, path: at }) => ({ name, source: open(at) })),
        {
          signal,
          isDirectory,
          ...(idsig === undefined || isDirectory ? {} : { idsig: open(idsig) }),
        },
      );
    } finally {
      for (const source of opened) source.close();
    }
  });
}
