// SPDX-License-Identifier: Apache-2.0
/** The address of a Debian archive that this machine can reach. It is not trusted and enters no report. */
import { FailedHere } from '../../errors.js';
import { run } from '../../process.js';

/** Without TLS: a minimal image has no certificates, and what comes is checked against a signed index. */
const DEFAULT = 'http://ftp.debian.org/debian';

/** `SAMESOURCE_DEBIAN_MIRROR`, else what the machine's package manager uses for Debian's main archive, else Debian's own. */
export async function debianMirror(environment: NodeJS.ProcessEnv = process.env): Promise<string> {
  const asked = environment['SAMESOURCE_DEBIAN_MIRROR'];
  if (asked !== undefined && asked !== '') return asked;
  const sites = await aptSites();
  return sites.find((site) => /\/debian\/?$/.test(site)) ?? DEFAULT;
}

async function aptSites(): Promise<readonly string[]> {
  try {
    const { stdout } = await run('apt-get', ['indextargets', '--format', '$(SITE)', 'Created-By: Packages'], {
      timeoutMs: 60_000,
    });
    return stdout
      .toString('utf8')
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => /^https?:\/\//.test(line));
  } catch (error) {
    if (error instanceof FailedHere) return [];
    throw error;
  }
}
