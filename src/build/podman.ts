// SPDX-License-Identifier: Apache-2.0
/** Podman: no daemon. Its own /etc/hosts names the machine and the container, so that it gets ours instead. */
import type { EngineDescription } from './engine.js';

export const PODMAN: EngineDescription = {
  kind: 'podman',
  command: 'podman',
  versionArguments: ['version', '--format', '{{.Client.Version}}'],
  // crun, the usual one, does not start a container on every kernel and cgroup set-up; runc is often there too
  runtimes: [[], ['--runtime', 'runc'], ['--runtime', 'crun']],
  createArguments: () => ['--no-hosts'],
  // its networks that lead nowhere else have no address on this machine with every of its network programs
  reach: 'namespace',
  // else the files get the owner of the container's user instead of the one that the stream states
  copyInArguments: ['--archive=false'],
  copyOutArguments: [],
  followsAcrossVolumes: false,
  // it gives all of them to the container's user
  copyOutOwners: false,
  buildArguments: ['--force-rm', '--no-cache', '--layers=false'],
  exportsToFile: true,
  installHint: 'apt-get install podman',
  startHint: 'podman info',
};
