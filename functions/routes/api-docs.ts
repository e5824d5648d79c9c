import * as z from "zod/mini";
import type { Route, Routes } from "./route.ts";

export const apiDocsRoutes = {
  listTypes: {
    method: "GET",
    path: "/schemas",
    auth: "public",
    tag: "api-docs",
    summary: "List the types of events whose data is checked",
    answers: { 200: { description: "The catalog", contentType: "application/json", schema: "Types" } },
    errors: [],
  },
  readSchema: {
    method: "GET",
    path: "/schemas/{type}",
    auth: "public",
    tag: "api-docs",
    summary: "Read the JSON Schema of a type's data",
    parameters: { type: z.string("is missing").check(z.minLength(1, "is empty")) },
    query: {
      dataschema: z
        .optional(z.string("is no text"))
        .check(z.describe("The version; without it the oldest, which an event without `dataschema` means too")),
    },
    answers: {
      200: { description: "JSON Schema 2020-12", contentType: "application/schema+json", schema: "object" },
    },
    errors: ["no_such_type", "no_such_version"],
  },
  openApi: file("/openapi.json", "Read this API as an OpenAPI document", "application/json", "object"),
  docs: {
    ...file("/docs", "Read and try this API on a page", "text/html; charset=utf-8"),
    answers: {
      200: { description: "The page", contentType: "text/html; charset=utf-8", schema: "string" },
      308: { description: "The address of the page, for `/docs/`" },
    },
  },
  docsRapidoc: {
    ...file("/docs/rapidoc-min.js", "RapiDoc, which draws the page", "text/javascript; charset=utf-8"),
    query: { v: version() },
  },
  docsScript: {
    ...file("/docs/page.js", "The page's own script", "text/javascript; charset=utf-8"),
    query: { v: version() },
  },
} as const satisfies Routes;

function file(path: Route["path"], summary: string, contentType: string, schema: "object" | "string" = "string") {
  return {
    method: "GET",
    path,
    auth: "public",
    tag: "api-docs",
    summary,
    answers: { 200: { description: summary, contentType, schema } },
    errors: [],
  } as const satisfies Route;
}

/** The page names a file's version in its address, so that a browser never keeps an old one. */
function version() {
  return z.optional(z.string("is no text")).check(z.describe("The version of the file; any is answered with today's"));
}
