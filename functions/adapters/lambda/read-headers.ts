import type { HttpRequest } from "../../core/http.ts";
import type { HttpEvent, HttpMiddleware } from "./http-middleware.ts";

/** Reads the headers once, for the check of the key and for the request. */
export function readHeaders(): HttpMiddleware {
  return {
    before: ({ event }) => {
      event.sent = parseHeaders(event.multiValueHeaders);
    },
  };
}

export type SentHeaders = Pick<HttpRequest, "headers" | "repeatedHeaders">;

function parseHeaders(sent: HttpEvent["multiValueHeaders"] | null): SentHeaders {
  // Without the members of every object: a header may have any name.
  const headers = Object.create(null) as Record<string, string>;
  const repeatedHeaders: string[] = [];
  for (const sentName in sent) {
    const name = sentName.toLowerCase();
    for (const value of sent[sentName] ?? []) {
      if (headers[name] === undefined) headers[name] = value;
      else {
        // Cookies are joined as in one header: a comma may be a part of a value (RFC 9113 section 8.2.3).
        headers[name] += name === "cookie" ? `; ${value}` : `, ${value}`;
        if (!repeatedHeaders.includes(name)) repeatedHeaders.push(name);
      }
    }
  }
  return { headers, repeatedHeaders };
}
