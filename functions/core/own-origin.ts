import { RequestError } from "./errors.ts";

/**
 * Refuses a request of a browser that no page of this API has sent: its `Origin` must be the host of the request, over TLS or
 * on this machine. Browsers write both headers themselves. A request without `Origin` is refused as well.
 * @throws RequestError `forbidden_origin`
 * @see https://cheatsheetseries.owasp.org/cheatsheets/Cross-Site_Request_Forgery_Prevention_Cheat_Sheet.html
 */
export function requireOwnOrigin(headers: Readonly<Record<string, string | undefined>>): void {
  const host = (headers["host"] ?? "").toLowerCase();
  const origin = headers["origin"];
  const schemes = LOOPBACK.test(host) ? ["https", "http"] : ["https"];
  if (
    origin !== undefined &&
    host !== "" &&
    schemes.some((scheme) => origin === `${scheme}://${withoutPort(scheme, host)}`)
  )
    return;
  throw new RequestError(
    "forbidden_origin",
    origin === undefined
      ? "A request with the cookie of a session needs the header `Origin`, which browsers send. Use a key outside of a browser."
      : `A page of ${JSON.stringify(origin.slice(0, MAX_ORIGIN_CHARACTERS))} may not do this. Open the operator's page at the address of this API.`,
  );
}

const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?$/;

/** A host as an origin names it: without the port that its scheme has by default. */
const withoutPort = (scheme: string, host: string): string => host.replace(scheme === "https" ? /:443$/ : /:80$/, "");

const MAX_ORIGIN_CHARACTERS = 128;
