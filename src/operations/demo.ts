// SPDX-License-Identifier: Apache-2.0
/** The demo: the real pipeline over a small app of this package, with its published file or with two tampered ones. */
import path from 'node:path';
import { packageRoot } from '../inputs/package-files.js';
import type { OperationOptions } from './options.js';
import { verify, type VerifyResult } from './verify.js';

export interface DemoRequest {
  /** Check the two tampered files instead of the published one. */
  readonly tampered?: boolean;
  readonly out?: string;
}

const TAMPERED = ['tampered-dex.apk', 'tampered-hidden.apk'];

export async function demo(
  request: DemoRequest,
  options: OperationOptions = {},
): Promise<readonly VerifyResult[]> {
  const files = request.tampered === true ? TAMPERED : [undefined];
  const results: VerifyResult[] = [];
  for (const name of files)
    results.push(
      await verify(
        {
          app: 'demo',
          version: 'latest',
          ...(name === undefined ? {} : { published: path.join(packageRoot(), 'demo/published', name) }),
          ...(request.out === undefined ? {} : { out: request.out }),
        },
        options,
      ),
    );
  return results;
}
