import type { IncomingHttpHeaders } from "node:http";
import { isIP } from "node:net";
import { hostname } from "node:os";

/**
 * The reason why a request comes from a web page of another site; undefined for any other. Of the local servers only the
 * API asks for a key, and a browser lets every page send requests to this machine: by DNS rebinding with the page's host
 * name in `Host`, else with the page's site in `Origin`. A client that is no browser sends the address that it called, and no `Origin`.
 * @param names hosts that mean this machine besides its loopback ones; 0.0.0.0 or :: stands for every address of it
 */
export function foreignRequest(headers: IncomingHttpHeaders, names: readonly string[]): string | undefined {
  const { host, origin } = headers;
  if (host !== undefined && !isOwn(host, names)) {
    return `${JSON.stringify(host)} does not name this machine. Call it by 127.0.0.1 or localhost.`;
  }
  if (origin === undefined) return undefined;
  const site = /^https?:\/\/(.*)$/.exec(origin)?.[1] ?? "";
  // Of all numbers only the called one is surely this machine's.
  if (
    site === host ||
    isOwn(
      site,
      names.filter((name) => !isWildcard(name)),
    )
  )
    return undefined;
  return `A page of ${JSON.stringify(origin)} may not call this machine.`;
}

/** Whether a host with or without a port means this machine. */
function isOwn(host: string, names: readonly string[]): boolean {
  const name = (/^(\[[\da-f:.]+\]|[\w.-]+)(?::\d+)?$/i.exec(host)?.[1] ?? "").toLowerCase().replace(/\.$/, "");
  const address = name.replace(/^\[(.*)\]$/, "$1");
  if (name === "localhost" || name.endsWith(".localhost") || address === "::1") return true;
  if (isIP(address) === 4 && address.startsWith("127.")) return true;
  if (OWN_NAMES.has(name)) return true;
  // A name server cannot answer for a number, so rebinding needs a name.
  if (names.some(isWildcard)) return isIP(address) !== 0;
  return names.some((each) => each.toLowerCase() === address);
}

export const isWildcard = (address: string): boolean => address === "0.0.0.0" || address === "::";

/** This machine by its own name, and as containers on it call it. No web page has such a name. */
const OWN_NAMES = new Set([
  hostname().toLowerCase(),
  `${hostname().toLowerCase()}.local`,
  "host.docker.internal",
  "host.containers.internal",
]);
