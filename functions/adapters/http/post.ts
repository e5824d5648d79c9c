import { type IncomingMessage, request as httpRequest, type RequestOptions } from "node:http";
import { request as httpsRequest } from "node:https";
import { urlToHttpOptions } from "node:url";
import { RequestFilteringHttpAgent, RequestFilteringHttpsAgent } from "request-filtering-agent";
import type { Content } from "../../core/notice-content.ts";
import { RESPONSE_READ_MAX_BYTES } from "../../core/subscription-limits.ts";
import type { SinkAddresses } from "./sink-address.ts";

/** The answer of a sink, of whatever status, or that there was none and why, for people. */
type Posted = { code: number; retryAfter: string | undefined; text: string } | { error: string };

/** Posts to a sink, and ends by `endsAt` (ms since the epoch). Never throws, and follows no redirect. */
export type Post = (url: string, content: Content, endsAt: number) => Promise<Posted>;

/**
 * Posts over connections that are kept. Each is made to an address that passed the rule at that moment: ours in the
 * look-up, and that of request-filtering-agent behind it.
 */
export function createPost(addresses: SinkAddresses, { allowHttp }: { allowHttp: boolean }): Post {
  const allowIPAddressList = allowHttp ? ["127.0.0.1", "::1"] : [];
  const options = { lookup: addresses.lookup, allowIPAddressList };
  const agents = (keepAlive: boolean) => ({
    http: { request: httpRequest, agent: new RequestFilteringHttpAgent({ ...options, keepAlive }) },
    https: { request: httpsRequest, agent: new RequestFilteringHttpsAgent({ ...options, keepAlive }) },
  });
  const kept = agents(true);
  const fresh = agents(false);
  const targetOf = createTargets(addresses);

  return async (url, content, endsAt) => {
    const { refused, options: to, host, protocol } = targetOf(url);
    if (refused !== undefined) return { error: `The sink's URL ${refused}.` };
    const send = ({ request, agent }: (typeof kept)["http" | "https"]) =>
      postOnce((headers, on) => request({ ...to, method: "POST", headers, agent }, on), { host, ...content }, endsAt)
        // Node refuses what HTTP cannot carry before it connects.
        .catch((error: unknown) => ({ error: errorOf(error as NodeJS.ErrnoException) }));
    const posted = await send(kept[protocol]);
    if (posted !== "stale") return posted;
    // A kept connection that the sink had closed shows itself only when it is used, and a frozen process has many. The next one
    // is new: a sink that reads a request and then closes gets it twice, and not once over each kept connection.
    const again = await send(fresh[protocol]);
    return again === "stale" ? { error: "The sink closed the connection." } : again;
  };
}

/** URLs that are read once, of the sinks that events go to again and again. */
const TARGETS_KEPT = 1_000;

type Target = { refused: string | undefined; options: RequestOptions; host: string; protocol: "http" | "https" };

/** Reads URLs as Node's client wants them. The rule for the text of a URL never changes, so that of each is kept. */
function createTargets(addresses: SinkAddresses): (url: string) => Target {
  const known = new Map<string, Target>();
  const read = (url: string): Target => {
    const refused = addresses.refuse(url);
    if (refused !== undefined) return { refused, options: {}, host: "", protocol: "https" };
    const parsed = new URL(url);
    return {
      refused,
      options: urlToHttpOptions(parsed),
      host: parsed.host,
      protocol: parsed.protocol === "https:" ? "https" : "http",
    };
  };
  return (url) => {
    const target = known.get(url) ?? read(url);
    if (known.size >= TARGETS_KEPT) known.clear();
    known.set(url, target);
    return target;
  };
}

function postOnce(
  start: (headers: string[], onAnswer: (answer: IncomingMessage) => void) => ReturnType<typeof httpRequest>,
  { host, headers, body }: Content & { host: string },
  endsAt: number,
): Promise<Posted | "stale"> {
  return new Promise((resolve) => {
    let answer: { code: number; retryAfter: string | undefined } | undefined;
    const chunks: Buffer[] = [];
    let isLate = false;
    const end = (failure: Posted | "stale") => {
      clearTimeout(timer);
      resolve(answer === undefined ? failure : { ...answer, text: textOf(chunks) });
    };

    // As a list, which Node writes as it is, `host` with it. It checks each of them all the same.
    const named = { host, ...headers, "content-length": String(Buffer.byteLength(body)) };
    const request = start(Object.entries(named).flat(), (incoming) => {
      answer = { code: incoming.statusCode ?? 0, retryAfter: incoming.headers["retry-after"] };
      let bytes = 0;
      incoming.on("data", (chunk: Buffer) => {
        chunks.push(chunk);
        bytes += chunk.byteLength;
        if (bytes >= RESPONSE_READ_MAX_BYTES) incoming.destroy();
      });
      // The status is the answer: a body that is cut short changes nothing about it.
      incoming.on("error", () => undefined);
      incoming.on("close", () => end({ error: "" }));
    });
    const timer = setTimeout(
      () => {
        isLate = true;
        request.destroy();
      },
      Math.max(endsAt - Date.now(), 0),
    );
    request.on("error", (error: NodeJS.ErrnoException) => {
      if (isLate) return end({ error: "The sink did not answer in time." });
      const isStale = request.reusedSocket && (error.code === "ECONNRESET" || error.code === "EPIPE");
      return end(isStale ? "stale" : { error: errorOf(error) });
    });
    // An answer 101, which changes the protocol, closes the request without an error.
    request.on("close", () => answer === undefined && end({ error: "The sink closed the connection." }));
    // A text goes out with its head in one write, which bytes do not.
    request.end(body);
  });
}

function textOf(chunks: Buffer[]): string {
  return Buffer.concat(chunks).subarray(0, RESPONSE_READ_MAX_BYTES).toString("utf8");
}

/** A code of Node or OpenSSL; the message may quote what the sink sent. */
function errorOf({ code = "unknown" }: NodeJS.ErrnoException): string {
  if (code === "EREFUSEDADDRESS") return "The sink's host has an address that is not public: no connection was made.";
  return `The sink could not be reached: ${code}.`;
}
