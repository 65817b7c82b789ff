// SPDX-License-Identifier: Apache-2.0
/** What a provisioning profile says by itself; all of it is the file's own word, and so is who signed it. */
import { BufferSource } from '../../bytes.js';
import { FormatError } from '../../errors.js';
import { readProvisioningProfile } from '../../formats/mobile-provision.js';
import { printable } from '../../printable.js';
import type { ProfileInspection } from './types.js';

const EPOCH = Date.UTC(2001, 0, 1);
/** Beyond it JavaScript has no date. */
const LAST = 8.64e15;
const MAX_KEYS = 200;

/** Never throws for what the file holds; `undefined` where it could not be had. */
export function inspectProfile(content: Buffer | undefined): ProfileInspection {
  if (content === undefined) return { unread: 'limits' };
  try {
    const profile = readProvisioningProfile(new BufferSource(content));
    const { name, uuid, appId, teamName } = profile;
    const texts = Object.entries({ name, uuid, appId, teamName }).flatMap(([key, value]) =>
      value === undefined ? [] : [[key, printable(value)] as const],
    );
    const { entitlements, devices, signature } = profile;
    return {
      kind: profile.kind,
      ...Object.fromEntries(texts),
      teams: profile.teams.map(printable),
      ...dates(profile),
      ...(devices === undefined ? {} : { devices }),
      developers: profile.developers.length,
      entitlements:
        entitlements?.kind === 'dict'
          ? entitlements.entries.slice(0, MAX_KEYS).map(({ key }) => printable(key))
          : [],
      signature: signature.status,
      ...(signature.issue === undefined ? {} : { issue: signature.issue }),
    };
  } catch (error) {
    if (error instanceof FormatError) return { unread: error.code };
    throw error;
  }
}

function dates({
  created,
  expires,
}: {
  readonly created?: number;
  readonly expires?: number;
}): Partial<ProfileInspection> {
  const text = (seconds: number | undefined): string | undefined => {
    const at = EPOCH + (seconds ?? Number.NaN) * 1000;
    return Math.abs(at) <= LAST ? new Date(at).toISOString() : undefined;
  };
  const [from, to] = [text(created), text(expires)];
  return { ...(from === undefined ? {} : { created: from }), ...(to === undefined ? {} : { expires: to }) };
}
