import { createHash } from "node:crypto";
import { gunzipSync } from "node:zlib";
import { RequestError } from "../core/errors.ts";
import { isKnown } from "../core/if-none-match.ts";
import type { PageFiles } from "../core/ports.ts";
import type { consoleRoutes } from "../routes/console.ts";
import type { Handlers } from "../routes/route.ts";
import { FILE_HEADERS, PAGE_HEADERS } from "./page.ts";

export type ConsoleDeps = {
  /** The text of the page. */
  page: string;
  files: PageFiles;
};

/** Answers the routes of console. */
export function createConsoleEndpoints({ page, files }: ConsoleDeps): Handlers<typeof consoleRoutes> {
  const etag = `"${createHash("sha256").update(page).digest("base64url").slice(0, TAG_CHARACTERS)}"`;
  return {
    consolePage: async ({ path, headers }) => {
      // Below /console/ the page's relative addresses would be others.
      if (path.endsWith("/")) return { status: 308, headers: { location: "../console" }, body: "" };
      const sent = { ...PAGE_HEADERS, etag };
      if (isKnown(etag, headers["if-none-match"])) return { status: 304, headers: sent, body: "" };
      return { status: 200, headers: sent, body: page };
    },

    consoleFile: async ({ parameters, headers }) => {
      const bytes = files(parameters.file);
      if (bytes === undefined)
        throw new RequestError("no_such_file", `The page has no file ${parameters.file}. Load the page again.`);
      const type = parameters.file.endsWith(".css") ? "text/css" : "text/javascript";
      const sent = { ...FILE_HEADERS, "content-type": `${type}; charset=utf-8` };
      if (!takesGzip(headers["accept-encoding"]))
        return { status: 200, headers: sent, body: gunzipSync(bytes).toString("utf8") };
      const body = Buffer.from(bytes).toString("base64");
      return { status: 200, headers: { ...sent, "content-encoding": "gzip" }, body, isBase64: true };
    },
  };
}

/** 132 bits. */
const TAG_CHARACTERS = 22;

/** Tells whether `Accept-Encoding` names gzip, or anything, and does not refuse it. @see RFC 9110 section 12.5.3 */
function takesGzip(accepted = ""): boolean {
  const weights = new Map(
    accepted.split(",").map((each) => {
      const [coding = "", weight = ""] = each
        .trim()
        .toLowerCase()
        .split(/\s*;\s*q=/);
      return [coding, weight === "" ? 1 : Number(weight)];
    }),
  );
  return (weights.get("gzip") ?? weights.get("x-gzip") ?? weights.get("*") ?? 0) > 0;
}
