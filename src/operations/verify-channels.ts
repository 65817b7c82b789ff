// SPDX-License-Identifier: Apache-2.0
/** One version on several channels: each has its verdict and its report, and what is built for the first serves all. */
import { FailedHere, UsageError } from '../errors.js';
import { channelOf } from '../recipe/compare-plan.js';
import type { OperationOptions } from './options.js';
import { recipeOf } from './recipes.js';
import { verify, type VerifyRequest, type VerifyResult } from './verify.js';

export type ChannelResult =
  | { readonly kind: 'verified'; readonly channel: string; readonly result: VerifyResult }
  /** No verdict on this one, which says nothing about the others. */
  | { readonly kind: 'failed'; readonly channel: string; readonly error: FailedHere };

/**
 * `onResult`: each as soon as it is there.
 * @throws UsageError `unknown-channel`, `same-channel`, `one-channel-only`, before anything is fetched; FailedHere `interrupted`
 */
export async function verifyChannels(
  { version, ...request }: Omit<VerifyRequest, 'channel'>,
  channels: readonly string[],
  options: OperationOptions = {},
  onResult: (result: ChannelResult) => Promise<void> | void = () => undefined,
): Promise<readonly ChannelResult[]> {
  await assertChannels(request, channels, options);
  const results: ChannelResult[] = [];
  // a range means the same version everywhere: that of the first channel
  let exact = version;
  for (const channel of channels) {
    const result = await verified({ ...request, version: exact, channel }, options);
    if (result.kind === 'verified') exact = result.result.report.statement.subject.target?.version ?? exact;
    results.push(result);
    await onResult(result);
  }
  return results;
}

async function verified(
  request: VerifyRequest & { readonly channel: string },
  options: OperationOptions,
): Promise<ChannelResult> {
  const { channel } = request;
  try {
    return { kind: 'verified', channel, result: await verify(request, options) };
  } catch (error) {
    if (!(error instanceof FailedHere) || error.code === 'interrupted') throw error;
    return { kind: 'failed', channel, error };
  }
}

async function assertChannels(
  request: Omit<VerifyRequest, 'channel' | 'version'>,
  channels: readonly string[],
  { recipes }: OperationOptions,
): Promise<void> {
  const { recipe } = await recipeOf(request.app, recipes);
  for (const channel of channels) channelOf(recipe, channel);
  const twice = channels.find((channel, at) => channels.indexOf(channel) !== at);
  if (twice !== undefined) throw new UsageError('same-channel', `the channel ${twice} is named twice`);
  for (const [option, value] of [
    ['--published', request.published],
    ['--evidence', request.evidence],
    ['--supersedes', request.supersedes],
    ['--device', request.device],
  ] as const)
    if (value !== undefined)
      throw new UsageError('one-channel-only', `${option} belongs to one channel, and several are named`, {
        hint: 'name one channel with it: what was built is used again for the others',
      });
}
