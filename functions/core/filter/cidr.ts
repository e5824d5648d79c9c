/**
 * Addresses of IPv4 and IPv6, read as strictly as functions/sql/0002_filters.sql reads them: no zeros in front of the
 * numbers of IPv4, no zone, no prefix length. `::ffff:10.0.0.1` is an address of IPv6.
 */
export type Cidr = { readonly version: 4 | 6; readonly first: bigint; readonly bits: number };

/** Parses `address/bits`; undefined for any other text. Bits of the address behind the prefix are cleared. */
export function parseCidr(text: string): Cidr | undefined {
  const match = /^([^/]+)\/(0|[1-9]\d{0,2})$/.exec(text);
  const address = match?.[1] === undefined ? undefined : parseAddress(match[1]);
  const bits = Number(match?.[2]);
  if (address === undefined || bits > lengthOf(address.version)) return undefined;
  const rest = BigInt(lengthOf(address.version) - bits);
  return { version: address.version, first: (address.value >> rest) << rest, bits };
}

/** Tells whether a text is an address in the range. */
export function isInCidr(text: string, { version, first, bits }: Cidr): boolean {
  const address = parseAddress(text);
  const rest = BigInt(lengthOf(version) - bits);
  return address !== undefined && address.version === version && address.value >> rest === first >> rest;
}

/** Writes a range as PostgreSQL reads it. */
export function writeCidr({ version, first, bits }: Cidr): string {
  const [width, base, mark] = version === 4 ? ([8n, 10, "."] as const) : ([16n, 16, ":"] as const);
  const groups = [];
  for (let rest = BigInt(lengthOf(version)); rest > 0n; rest -= width) {
    groups.push(((first >> (rest - width)) & ((1n << width) - 1n)).toString(base));
  }
  return `${groups.join(mark)}/${bits}`;
}

function lengthOf(version: 4 | 6): number {
  return version === 4 ? 32 : 128;
}

function parseAddress(text: string): { version: 4 | 6; value: bigint } | undefined {
  if (IPV4.test(text)) return { version: 4, value: ofGroups(text.split(".").map(Number), 8n) };
  if (!IPV6.test(text)) return undefined;
  const hex = text.replace(/[\d.]+$/, (tail) => (tail.includes(".") ? toHex(tail) : tail));
  const [head = "", tail] = hex.split("::");
  const before = groupsOf(head);
  const after = tail === undefined ? [] : groupsOf(tail);
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => 0);
  return { version: 6, value: ofGroups([...before, ...zeros, ...after], 16n) };
}

/** The IPv4 at the end of an address of IPv6, as its two last groups. */
function toHex(ipv4: string): string {
  const [a = 0, b = 0, c = 0, d = 0] = ipv4.split(".").map(Number);
  return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
}

function groupsOf(text: string): number[] {
  return text === "" ? [] : text.split(":").map((group) => Number.parseInt(group, 16));
}

function ofGroups(groups: number[], width: bigint): bigint {
  return groups.reduce((value, group) => (value << width) | BigInt(group), 0n);
}

const OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])";
const V4 = `${OCTET}(?:[.]${OCTET}){3}`;
const H = "[0-9a-fA-F]{1,4}";

/** Anchored; a test compares both with those of 0002_filters.sql. */
export const IPV4_PATTERN = `^${V4}$`;
export const IPV6_PATTERN = `^(?:${[
  `(?:${H}:){7}${H}`,
  `(?:${H}:){1,7}:`,
  `(?:${H}:){1,6}:${H}`,
  `(?:${H}:){1,5}(?::${H}){1,2}`,
  `(?:${H}:){1,4}(?::${H}){1,3}`,
  `(?:${H}:){1,3}(?::${H}){1,4}`,
  `(?:${H}:){1,2}(?::${H}){1,5}`,
  `${H}:(?::${H}){1,6}`,
  `:(?:(?::${H}){1,7}|:)`,
  `(?:${H}:){6}${V4}`,
  `(?:${H}:){1,5}:${V4}`,
  `(?:${H}:){1,4}:${H}:${V4}`,
  `(?:${H}:){1,3}(?::${H}){1,2}:${V4}`,
  `(?:${H}:){1,2}(?::${H}){1,3}:${V4}`,
  `${H}:(?::${H}){1,4}:${V4}`,
  `:(?::${H}){0,5}:${V4}`,
].join("|")})$`;

const IPV4 = new RegExp(IPV4_PATTERN);
const IPV6 = new RegExp(IPV6_PATTERN);
