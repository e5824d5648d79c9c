import * as z from "zod/mini";
import type { Routes } from "./route.ts";

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
} as const satisfies Routes;
