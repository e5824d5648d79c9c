import * as z from "zod/mini";
import { SESSION_COOKIE } from "../core/session.ts";
import type { Routes } from "./route.ts";

const json = "application/json";

/** A file of the operator's page: its name changes with its content. */
const FILE = /^[a-z]+-[0-9A-Z]{8}\.(js|css)$/;

export const consoleRoutes = {
  consolePage: {
    method: "GET",
    path: "/console",
    auth: "public",
    tag: "console",
    summary: "Open the operator's page",
    guide: "docs/console.md",
    headers: { "if-none-match": { description: "The `etag` of the page that the browser has" } },
    answers: {
      200: { description: "The page", contentType: "text/html; charset=utf-8", schema: "string" },
      304: { description: "The page is the one that the browser has" },
      308: { description: "The address of the page, for `/console/`" },
    },
    errors: [],
  },
  consoleFile: {
    method: "GET",
    path: "/console/{file}",
    auth: "public",
    tag: "console",
    summary: "Read a script or a style sheet of the operator's page",
    parameters: { file: z.string("is missing").check(z.regex(FILE, "is no name of a file of the page")) },
    headers: { "accept-encoding": { description: "`gzip`: the answer is compressed", values: ["gzip"] } },
    answers: {
      200: {
        description: "The file, which never changes under this name",
        contentType: "text/javascript; charset=utf-8",
        schema: "string",
        others: { "text/css; charset=utf-8": "A style sheet" },
      },
    },
    errors: ["no_such_file"],
  },
  createCode: {
    method: "POST",
    path: "/console/codes",
    auth: "console",
    tag: "console",
    summary: "Make a code that signs in to the operator's page",
    description:
      "The code works once, within five minutes. It belongs behind `#` in the address of the page, which no server sees.",
    guide: "docs/console.md",
    answers: { 201: { description: "The code", contentType: json, schema: "ConsoleCode" } },
    errors: [],
  },
  signIn: {
    method: "POST",
    path: "/console/sessions",
    auth: "public",
    tag: "console",
    summary: "Sign in to the operator's page with a code",
    description: `The answer sets the cookie \`${SESSION_COOKIE}\`, which stands for the key that made the code. Every route takes it in the
place of a key. With it, every request but GET and HEAD needs an \`Origin\` that is the address of this API, as this one does.`,
    headers: { origin: { description: "The address of this API, which a browser sends" } },
    body: { description: "The code", content: { [json]: { anyOf: ["SignIn"] } } },
    answers: { 201: { description: "The session, as a cookie", contentType: json, schema: "SignedIn" } },
    errors: [
      "bad_code",
      "forbidden_origin",
      "malformed_body",
      "body_too_large",
      "unsupported_media_type",
      "access_unavailable",
    ],
  },
  readSession: {
    method: "GET",
    path: "/console/session",
    auth: "console",
    tag: "console",
    summary: "Read what the caller may do",
    answers: { 200: { description: "The session, or the key", contentType: json, schema: "ConsoleSession" } },
    errors: [],
  },
  signOut: {
    method: "DELETE",
    path: "/console/session",
    auth: "console",
    tag: "console",
    summary: "Sign out of the operator's page",
    description: "The browser deletes the cookie; every function refuses it within ten seconds.",
    answers: { 204: { description: "The session has ended" } },
    errors: ["no_session"],
  },
} as const satisfies Routes;
