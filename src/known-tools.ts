// SPDX-License-Identifier: Apache-2.0
/** The system's tools that some part of us runs: what each is for and what installs it. Imports nothing. */

export interface KnownTool {
  readonly enables: string;
  /** Command for Debian and its relatives. */
  readonly install: string;
  /** Asked for its version; default `--version`. */
  readonly version?: readonly string[];
}

export const KNOWN_TOOLS = {
  git: { enables: 'fetching sources', install: 'apt-get install git' },
  gpgv: { enables: 'checking signatures of archives and tags', install: 'apt-get install gpgv' },
  xz: {
    enables: 'reading Debian packages and the indexes of a Debian archive',
    install: 'apt-get install xz-utils',
  },
  zstd: { enables: 'reading packages that are compressed with Zstandard', install: 'apt-get install zstd' },
  docker: { enables: 'builds in Docker containers', install: 'apt-get install docker.io' },
  podman: { enables: 'builds in Podman containers', install: 'apt-get install podman' },
  ssh: {
    enables: 'builds on another machine',
    install: 'apt-get install openssh-client',
    version: ['-V'],
  },
  adb: {
    enables: 'getting published files from a phone',
    install: 'apt-get install adb',
    version: ['version'],
  },
  nsenter: {
    enables: 'recording what a Podman container fetches',
    install: 'apt-get install util-linux',
  },
  openssl: {
    enables: 'recording what a container fetches over HTTPS',
    install: 'apt-get install openssl',
    version: ['version'],
  },
  mmdebstrap: {
    enables: 'making base images where no image registry can be reached',
    install: 'apt-get install mmdebstrap',
  },
} as const satisfies Readonly<Record<string, KnownTool>>;
export type KnownToolName = keyof typeof KNOWN_TOOLS;

export function knownTool(name: string): KnownTool | undefined {
  return Object.entries<KnownTool>(KNOWN_TOOLS).find(([known]) => known === name)?.[1];
}
