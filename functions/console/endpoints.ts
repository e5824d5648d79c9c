import { createHash } from "node:crypto";
import { gunzipSync } from "node:zlib";
import type { ConsoleSession } from "../core/console-answers.ts";
import { signIn } from "../core/console-bodies.ts";
import { SESSION_SECONDS, SIGN_IN_BODY_MAX_BYTES } from "../core/console-limits.ts";
import { RequestError } from "../core/errors.ts";
import { isKnown } from "../core/if-none-match.ts";
import { requireOwnOrigin } from "../core/own-origin.ts";
import type { PageFiles } from "../core/ports.ts";
import type { Principal } from "../core/principal.ts";
import { readBody } from "../core/read-body.ts";
import { scopesOf } from "../core/scopes.ts";
import { SESSION_COOKIE } from "../core/session.ts";
import type { consoleRoutes } from "../routes/console.ts";
import type { Handlers } from "../routes/route.ts";
import type { Console } from "./console.ts";
import { FILE_HEADERS, PAGE_HEADERS } from "./page.ts";

export type EndpointsDeps = {
  console: Console;
  /** The text of the page. */
  page: string;
  files: PageFiles;
  installation: Pick<ConsoleSession, "stage" | "version" | "build">;
};

/** Answers the routes of console. */
export function createConsoleEndpoints(deps: EndpointsDeps): Handlers<typeof consoleRoutes> {
  const { console, page, files, installation } = deps;
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

    createCode: async ({ principal, requestId }) => {
      const made = await console.makeCode({ ...principal, requestId });
      return { status: 201, headers: NEVER_KEPT, body: JSON.stringify(made) };
    },

    signIn: async (request) => {
      requireOwnOrigin(request.headers);
      const { code } = readBody(signIn, request, SIGN_IN_BODY_MAX_BYTES);
      const { session, expiresAt } = await console.signIn(code, request.requestId);
      const headers = { ...NEVER_KEPT, "set-cookie": cookie(session, SESSION_SECONDS) };
      return { status: 201, headers, body: JSON.stringify({ expiresAt }) };
    },

    readSession: async ({ principal }) => {
      const answer: ConsoleSession = { ...describe(principal), ...installation };
      return { status: 200, headers: NEVER_KEPT, body: JSON.stringify(answer) };
    },

    signOut: async ({ principal, requestId }) => {
      await console.signOut({ ...principal, requestId });
      return { status: 204, headers: { ...NEVER_KEPT, "set-cookie": cookie("", 0) }, body: "" };
    },
  };
}

/** Answers about one caller, or with a secret: no cache may keep them. */
const NEVER_KEPT = { "cache-control": "no-store" };

/** A cookie that scripts cannot read, and that no page of another site makes the browser send. @see RFC 6265bis section 4.1.3 */
const cookie = (value: string, seconds: number) =>
  `${SESSION_COOKIE}=${value}; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=${seconds}`;

/** The rights of a caller, without what only limits and checks need. */
function describe({ keyId, keyTenant, tenant, role, types, sources, expiresAt, session }: Principal) {
  const ends = [session?.expiresAt, expiresAt].filter((end) => end !== undefined).toSorted();
  return {
    keyId,
    keyTenant,
    tenant,
    role,
    scopes: [...scopesOf({ role, tenant: keyTenant })],
    ...(types !== undefined && { types: [...types] }),
    ...(sources !== undefined && { sources: [...sources] }),
    ...(ends[0] !== undefined && { expiresAt: ends[0] }),
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
