/** Parses IP addresses and truncates them to networks that identify no single client. */

/** The network of a client whose address is not known. */
export const UNKNOWN_NETWORK = 'unknown';

/** Returns the /24 of an IPv4 address or the /48 of an IPv6 address, and `unknown` for anything else. */
export function truncateAddress(address: string | null | undefined): string {
  if (!address) return UNKNOWN_NETWORK;
  if (!address.includes(':')) return truncateIpv4(address);
  if (!/^[0-9a-f:.]{2,45}$/i.test(address)) return UNKNOWN_NETWORK;
  const groups = groupsOf(address);
  if (groups.length !== 8 || groups.some((group) => !(group >= 0 && group <= 0xffff))) return UNKNOWN_NETWORK;
  const mapped = mappedIpv4(groups);
  if (mapped !== undefined) return truncateIpv4(mapped);
  let kept = groups.slice(0, 3);
  while (kept.at(-1) === 0) kept = kept.slice(0, -1);
  return `${kept.map((group) => group.toString(16)).join(':')}::/48`;
}

function truncateIpv4(address: string): string {
  const [, network] = /^((?:\d{1,3}\.){3})\d{1,3}$/.exec(address) ?? [];
  return network === undefined ? UNKNOWN_NETWORK : `${network}0/24`;
}

/** Returns the IPv4 address in an IPv4-mapped IPv6 address, `::ffff:192.0.2.1`; undefined if it is not one. */
export function mappedIpv4(groups: readonly number[]): string | undefined {
  if (groups.slice(0, 6).join() !== '0,0,0,0,0,65535') return undefined;
  const [high = 0, low = 0] = groups.slice(6);
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}

/** Returns the eight groups of an IPv6 address. */
export function groupsOf(address: string): number[] {
  const [head = [], tail] = address.split('::').map((part) => part.split(':').flatMap(groupOf));
  if (tail === undefined) return head;
  const zeros = Array<number>(Math.max(0, 8 - head.length - tail.length)).fill(0);
  return [...head, ...zeros, ...tail];
}

/** Returns the group of a part: two groups for a trailing IPv4 address, none for an empty part around `::`. */
function groupOf(part: string): number[] {
  if (part === '') return [];
  if (!part.includes('.')) return [Number.parseInt(part, 16)];
  const [a = 0, b = 0, c = 0, d = 0] = part.split('.').map(Number);
  return [(a << 8) | b, (c << 8) | d];
}
