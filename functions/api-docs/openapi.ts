import { type ErrorCode, errorTable } from "../core/errors.ts";
import { componentSchemas } from "./components.ts";
import { operations } from "./operations.ts";
import { sharedProblems } from "./problems.ts";

/**
 * Builds the OpenAPI 3.1 document of the HTTP API from the routes, the zod schemas and the table of errors.
 * `npm run generate` writes it to docs/openapi.json.
 * @see https://spec.openapis.org/oas/v3.1.1
 */
export function openApi() {
  return {
    openapi: "3.1.1",
    info: {
      title: "Sluice",
      version: "1",
      summary: "Event ingestion that loses nothing",
      description: DESCRIPTION,
    },
    // Relative to the address of the document: the root of a domain, or below the name of a stage.
    servers: [{ url: "." }],
    tags: [
      { name: "events", description: "Send and read events" },
      { name: "api-docs", description: "Types, schemas and this document" },
      { name: "health" },
    ],
    paths: operations(),
    components: { schemas: componentSchemas(), responses: sharedProblems() },
  };
}

const unknownRoute: ErrorCode = "no_such_route";

const DESCRIPTION = `**A 202 means that an event will be stored exactly once per (tenant, source, id), or put into
the dead-letter queue with its reason, from which it can be replayed.** Sending an event with its id again is always safe.

A request that fails as a whole is answered with a problem document (RFC 9457) with a stable \`code\`. A method and path
that are not in this document get ${errorTable[unknownRoute].status} \`${unknownRoute}\`.`;
