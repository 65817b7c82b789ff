// SPDX-License-Identifier: Apache-2.0
/** The address of a Debian archive that this machine can reach. It is not trusted and enters no report. */
import { FailedHere } from '../../errors.js';
import { run } from '../../process.js';

/** Without TLS: a minimal image has no certificates, and what comes is checked against a signed index. */
const DEFAULT = 'http://ftp.debian.org/debian';

let asked: Promise<string> | undefined;

/** `SAMESOURCE_DEBIAN_MIRROR`, else what the machine's package manager uses for Debian's main archive, else Debian's own. */
export async function debianMirror(environment: NodeJS.ProcessEnv = process.env): Promise<string> {
  const own = environment['SAMESOURCE_DEBIAN_MIRROR'];
  if (own !== undefined && own !== '') return own;
  return await (asked ??= aptMirror());
}

async function aptMirror(): Promise<string> {
  return mainArchive(await aptPrints()) ?? DEFAULT;
}

/**
 * Out of what `apt-get update --print-uris` prints. Other publishers have archives that end in `/debian` too: of Docker,
 * which a machine that builds here is likely to have, without `main`; others one level deeper than most mirrors.
 */
export function mainArchive(printed: string): string | undefined {
  const sites = Array.from(
    printed.matchAll(/^'(https?:\/\/[^']+\/debian\/?)\/dists\/[^']+\/main\/binary-[^']+'/gm),
    ([, site = '']) => site,
  );
  // it prints what is listed first last
  sites.reverse();
  return sites.find((site) => /^https?:\/\/[^/]+\/debian\/?$/.test(site)) ?? sites[0];
}

/** Of all indexes, as of a machine that has none yet: reading those takes a second. Nothing is fetched. */
async function aptPrints(): Promise<string> {
  const lists = 'Dir::State::lists=/nonexistent/';
  try {
    const { stdout } = await run('apt-get', ['update', '--print-uris', '-o', lists], { timeoutMs: 60_000 });
    return stdout.toString('utf8');
  } catch (error) {
    if (error instanceof FailedHere) return '';
    throw error;
  }
}
