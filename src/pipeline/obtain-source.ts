// SPDX-License-Identifier: Apache-2.0
/** The source of a plan as a directory, where it is not the prepare phase that fetches it. */
import { checkOutSource } from '../inputs/source/source.js';
import type { Plan } from '../model.js';
import type { PipelineOptions } from './options.js';

export type SourceStage = Awaited<ReturnType<typeof checkOutSource>> | { readonly kind: 'in-prepare' };

/** Debian's source packages are fetched by the prepare phase and checked against the signed index there. */
export async function obtainSource(
  plan: Plan,
  options: Pick<PipelineOptions, 'workspace' | 'source' | 'signal' | 'onProgress'>,
): Promise<SourceStage> {
  const { source } = plan.build;
  if (source.kind === 'debian') return { kind: 'in-prepare' };
  return await checkOutSource(source, {
    ...options.workspace,
    directory: `${options.workspace.directory}/source`,
    override: options.source,
    signal: options.signal,
    onProgress: options.onProgress,
  });
}
