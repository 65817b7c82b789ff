// SPDX-License-Identifier: Apache-2.0
/** What files say by themselves: identity, signatures, bytes, code. Nothing is compared, nothing stored. */
import { statSync } from 'node:fs';
import path from 'node:path';
import { FileSource } from '../bytes.js';
import { FactThread, WORTH_A_THREAD } from '../compare/fact-thread.js';
import type { Inspection } from '../compare/inspect/types.js';
import { UsageError } from '../errors.js';
import { assertNoLinks, localTree } from '../inputs/local-files.js';
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
 * @throws UsageError `idsig-of-directory`; FailedHere `unreadable-input`
 */
export async function inspect(request: InspectRequest, options: OperationOptions = {}): Promise<Inspection> {
  return await stoppable(options, async ({ signal }) => {
    const { files, links } = await localTree(request.file);
    if ((statSync(request.file, { throwIfNoEntry: false })?.size ?? 0) >= WORTH_A_THREAD)
      FactThread.startEarly();
    const { inspectFiles } = await import('../compare/inspect/inspect-files.js');
    const isDirectory = statSync(request.file).isDirectory();
    const idsig = request.idsig ?? (isFile(`${request.file}.idsig`) ? `${request.file}.idsig` : undefined);
    if (request.idsig !== undefined && isDirectory)
      throw new UsageError('idsig-of-directory', `${request.file} is a directory, --idsig is of one APK`, {
        hint: 'put it beside its APK, with .idsig added to the name',
      });
    const opened: FileSource[] = [];
    const open = (file: string): FileSource => {
      const source = FileSource.open(file);
      opened.push(source);
      return source;
    };
    try {
      const inspection = await inspectFiles(
        path.basename(path.resolve(request.file)),
        files.map(({ name, path: at }) => ({ name, source: open(at) })),
        {
          signal,
          isDirectory,
          links,
          ...(idsig === undefined || isDirectory ? {} : { idsig: open(idsig) }),
        },
      );
      // bundles of macOS have links; elsewhere what they lead to would be missing
      if (inspection.app === undefined) assertNoLinks(request.file, links);
      return inspection;
    } finally {
      for (const source of opened) source.close();
    }
  });
}

const isFile = (file: string): boolean => statSync(file, { throwIfNoEntry: false })?.isFile() === true;
