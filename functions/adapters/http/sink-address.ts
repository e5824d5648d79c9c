import { lookup as systemLookup, type LookupAddress } from "node:dns";
import { isIP, type LookupFunction } from "node:net";
import ipaddr from "ipaddr.js";
import { SINK_URL_MAX_CHARACTERS } from "../../core/subscription-limits.ts";

/** The URLs that sinks may have, and the addresses behind them. */
export type SinkAddresses = {
  /** Refuses a URL by its text alone. @returns what is wrong, for people */
  refuse(url: string): string | undefined;
  /** Refuses a URL by its text, and by the addresses that its host has now. @returns what is wrong, for people */
  check(url: string, deadline: number): Promise<string | undefined>;
  /** Looks a host up for a connection; fails where one of its addresses is refused, whatever a check found before. */
  lookup: LookupFunction;
};

/** Ports of HTTPS. Others belong to services that no webhook has business with. */
const SINK_PORTS: ReadonlySet<string> = new Set(["443", "8443"]);

/**
 * Makes the rule of sinks: HTTPS to public addresses.
 * @param options.allowHttp opens `localhost`, `127.0.0.1` and `[::1]` too, by http and on any port: for a laptop
 * @param options.lookup finds the addresses of a host. @default that of the system
 */
export function createSinkAddresses(options: {
  allowHttp: boolean;
  ports?: ReadonlySet<string>;
  lookup?: LookupFunction;
}): SinkAddresses {
  const { allowHttp, ports = SINK_PORTS, lookup: find = systemLookup } = options;
  const isLocal = (host: string) => allowHttp && LOCAL_HOSTS.has(host);
  const isRefused = (host: string, address: string) =>
    !(isPublic(address) || (isLocal(host) && LOCAL_HOSTS.has(address)));

  function refuse(text: string): string | undefined {
    const url = text.length <= SINK_URL_MAX_CHARACTERS ? URL.parse(text) : null;
    if (url === null) return `is no URL of at most ${SINK_URL_MAX_CHARACTERS} characters`;
    if (url.username !== "" || url.password !== "") return "has a user name or password; send a header in its place";
    if (text.includes("#")) return "has a fragment (#), which is never sent; leave it out";
    const host = hostOf(url);
    if (url.protocol !== "https:" && !(url.protocol === "http:" && isLocal(host)))
      return "does not begin with https://";
    if (isIP(host) !== 0 && isRefused(host, host)) return NOT_PUBLIC;
    if (isLocal(host) || ports.has(url.port || "443")) return undefined;
    return `has the port ${url.port}; the port of a sink is ${[...ports].join(" or ")}`;
  }

  return {
    refuse,
    async check(text, deadline) {
      const refused = refuse(text);
      if (refused !== undefined) return refused;
      const host = hostOf(new URL(text));
      const addresses = await addressesOf(find, host, deadline);
      if (addresses.length === 0) return "has a host that does not resolve; check its name";
      // Without the address: it would show names and networks that only this installation sees.
      return addresses.some((address) => isRefused(host, address)) ? NOT_PUBLIC : undefined;
    },
    lookup(host, lookupOptions, callback) {
      find(host, lookupOptions, (error, found, family) => {
        if (error !== null) return callback(error, found, family);
        const refused = listOf(found).some((address) => isRefused(host, address));
        return refused ? callback(new RefusedAddressError(), found, family) : callback(null, found, family);
      });
    },
  };
}

/** A host has an address that no sink may have, at the moment of a connection. */
class RefusedAddressError extends Error {
  override readonly name = "RefusedAddressError";
  readonly code = "EREFUSEDADDRESS";
}

const LOCAL_HOSTS: ReadonlySet<string> = new Set(["localhost", "127.0.0.1", "::1"]);

const NOT_PUBLIC = "has a host whose address is not public; a sink must be reachable from the internet";

/**
 * True for an address of the public internet. request-filtering-agent asks the same library for the same range; it lets pass
 * all IPv6 without a name, for example `::7f00:1`, which some systems take for 127.0.0.1.
 * @see https://www.iana.org/assignments/ipv6-address-space/ipv6-address-space.xhtml
 */
function isPublic(address: string): boolean {
  if (isIP(address) === 0) return false;
  const parsed = ipaddr.parse(address);
  if (parsed.range() !== "unicast" || METADATA.has(parsed.toString())) return false;
  return parsed.kind() === "ipv4" || parsed.match(GLOBAL_UNICAST);
}

/** The only part of IPv6 that is given out: 2000::/3. */
const GLOBAL_UNICAST = ipaddr.parseCIDR("2000::/3");

/**
 * Public addresses that hosts serve themselves: Azure's.
 * @see https://learn.microsoft.com/en-us/azure/virtual-network/what-is-ip-address-168-63-129-16
 */
const METADATA: ReadonlySet<string> = new Set(["168.63.129.16"]);

function hostOf({ hostname }: URL): string {
  return hostname.startsWith("[") ? hostname.slice(1, -1) : hostname;
}

function listOf(found: string | LookupAddress[]): string[] {
  return typeof found === "string" ? [found] : found.map(({ address }) => address);
}

/** The addresses of a host; none where it does not resolve in time. */
function addressesOf(find: LookupFunction, host: string, deadline: number): Promise<string[]> {
  if (isIP(host) !== 0) return Promise.resolve([host]);
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve([]), Math.max(deadline - Date.now(), 0));
    find(host, { all: true }, (error, found) => {
      clearTimeout(timer);
      resolve(error === null ? listOf(found) : []);
    });
  });
}
