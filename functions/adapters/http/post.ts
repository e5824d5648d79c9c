import type { Content } from "../../core/notice-content.ts";
import { RESPONSE_READ_MAX_BYTES } from "../../core/subscription-limits.ts";
import { type Connection, createConnections } from "./connections.ts";
import type { SinkAddresses } from "./sink-address.ts";

/** The answer of a sink, of whatever status, or that there was none and why, for people. */
type Posted = { code: number; retryAfter: string | undefined; text: string } | { error: string };

/** Posts to a sink, and ends by `endsAt` (ms since the epoch). Never throws, and follows no redirect. */
export type Post = (url: string, content: Content, endsAt: number) => Promise<Posted>;

/** Posts over connections that are kept (connections.ts). */
export function createPost(addresses: SinkAddresses, options: { allowHttp: boolean }): Post {
  const connections = createConnections(addresses, options);
  const targetOf = createTargets(addresses);

  return async (url, content, endsAt) => {
    const { refused, origin, path } = targetOf(url);
    if (refused !== undefined) return { error: `The sink's URL ${refused}.` };
    const send = (connection: Connection) =>
      postOnce(connection, () => connections.keep(connection), path, content, endsAt);
    const kept = connections.take(origin);
    const posted = kept === undefined ? "stale" : await send(kept);
    if (posted !== "stale") return posted;
    // A kept connection that the sink had closed shows itself only when it is used, and a frozen process has many. The next one
    // is new: a sink that reads a request and then closes gets it twice, and not once over each kept connection.
    const again = await send(await connections.open(origin));
    return again === "stale" ? { error: CLOSED } : again;
  };
}

/** URLs that are read once, of the sinks that events go to again and again. */
const TARGETS_KEPT = 1_000;

type Target = { refused: string | undefined; origin: string; path: string };

/** Reads URLs as the client wants them. The rule for the text of a URL never changes, so that of each is kept. */
function createTargets(addresses: SinkAddresses): (url: string) => Target {
  const known = new Map<string, Target>();
  const read = (url: string): Target => {
    const refused = addresses.refuse(url);
    if (refused !== undefined) return { refused, origin: "", path: "" };
    const { origin, pathname, search } = new URL(url);
    return { refused, origin, path: pathname + search };
  };
  return (url) => {
    const target = known.get(url) ?? read(url);
    if (known.size >= TARGETS_KEPT) known.clear();
    known.set(url, target);
    return target;
  };
}

/** `stale`: the sink closed the connection without an answer. */
function postOnce(
  { client, end }: Connection,
  keep: () => void,
  path: string,
  { headers, body }: Content,
  endsAt: number,
): Promise<Posted | "stale"> {
  return new Promise((resolve) => {
    let answer: { code: number; retryAfter: string | undefined } | undefined;
    const chunks: Buffer[] = [];
    let bytes = 0;
    let isLate = false;
    const settle = (failure: Posted | "stale") => {
      clearTimeout(timer);
      // The status is the answer: a body that is cut short changes nothing about it.
      resolve(answer === undefined ? failure : { ...answer, text: textOf(chunks) });
    };
    const timer = setTimeout(
      () => {
        isLate = true;
        end();
      },
      Math.max(endsAt - Date.now(), 0),
    );
    const fail = (error: NodeJS.ErrnoException) => {
      end();
      if (isLate) return settle({ error: "The sink did not answer in time." });
      if (NO_ANSWERS.has(error.message)) return settle({ error: "The sink answered 100 or 101, which is no answer." });
      return settle(CLOSED_CODES.has(error.code ?? "") ? "stale" : { error: errorOf(error) });
    };
    try {
      client.dispatch(
        { path, method: "POST", headers, body },
        {
          onRequestStart: () => undefined,
          onResponseStart(_controller, code, { "retry-after": retryAfter }) {
            // Informational ones come before the answer.
            if (code >= 200) answer = { code, retryAfter: [retryAfter].flat()[0] };
          },
          onResponseData(_controller, chunk) {
            chunks.push(chunk);
            bytes += chunk.byteLength;
            if (bytes >= RESPONSE_READ_MAX_BYTES) end();
          },
          onResponseEnd() {
            keep();
            settle({ error: "" });
          },
          onResponseError: (_controller, error) => fail(error),
        },
      );
    } catch (error) {
      // The client refuses what HTTP cannot carry before it connects.
      fail(error as NodeJS.ErrnoException);
    }
  });
}

/** That a connection was closed, by the sink or because it was; the last one is undici's. */
const CLOSED_CODES: ReadonlySet<string> = new Set(["ECONNRESET", "EPIPE", "UND_ERR_SOCKET", "UND_ERR_DESTROYED"]);

/** undici's words for an answer 100 and 101. It sends no header to which one of them would be an answer, and ends the connection. */
const NO_ANSWERS: ReadonlySet<string> = new Set(["bad response", "bad upgrade"]);

const CLOSED = "The sink closed the connection.";

function textOf(chunks: Buffer[]): string {
  return Buffer.concat(chunks).subarray(0, RESPONSE_READ_MAX_BYTES).toString("utf8");
}

/** A code of Node, OpenSSL or undici; the message may quote what the sink sent. */
function errorOf({ code = "unknown" }: NodeJS.ErrnoException): string {
  if (code === "EREFUSEDADDRESS") return "The sink's host has an address that is not public: no connection was made.";
  return `The sink could not be reached: ${code}.`;
}
