// SPDX-License-Identifier: Apache-2.0
/** Whom a phase may ask: hosts that the recipe lists, and never this machine itself. */
import dns from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';

/** `*.example.org` is every name below it, and not the name itself. */
export function isListed(host: string, hosts: readonly string[]): boolean {
  const name = plainHost(host);
  return hosts.some((entry) =>
    entry.startsWith('*.') ? name.endsWith(entry.slice(1).toLowerCase()) : name === entry.toLowerCase(),
  );
}

/** As names are compared: without the brackets of an IPv6 address and the dot at the end. */
export const plainHost = (host: string): string =>
  host
    .toLowerCase()
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '');

/** The machine's own addresses and those of its link, where clouds keep keys: a container had no way to the former. */
const OWN = ownAddresses();

function ownAddresses(): BlockList {
  const list = new BlockList();
  list.addSubnet('0.0.0.0', 8);
  list.addSubnet('127.0.0.0', 8);
  list.addSubnet('169.254.0.0', 16);
  list.addAddress('::', 'ipv6');
  list.addAddress('::1', 'ipv6');
  list.addSubnet('fe80::', 10, 'ipv6');
  return list;
}

export function isOwnAddress(address: string): boolean {
  const plain = plainHost(address);
  const mapped = /^::ffff:([\d.]+)$/.exec(plain)?.[1];
  const family = isIP(mapped ?? plain);
  return family !== 0 && OWN.check(mapped ?? plain, family === 6 ? 'ipv6' : 'ipv4');
}

/** Thrown, and given to who asked, where a name leads to this machine. */
export class OwnAddress extends Error {
  readonly code = 'ERR_OWN_ADDRESS';
}

/** As `dns.lookup`, checked at the moment of use: a name can lead somewhere else the second time. */
export const guardedLookup: LookupFunction = (hostname, options, callback) => {
  dns.lookup(hostname, { ...options, all: true }, (error, found) => {
    const own = error === null ? found.find(({ address }) => isOwnAddress(address)) : undefined;
    const [first] = found ?? [];
    if (error !== null || own !== undefined || first === undefined)
      callback(error ?? new OwnAddress(`${hostname} is an address of this machine`), '', 0);
    else if (options.all === true) callback(null, found);
    else callback(null, first.address, first.family);
  });
};
