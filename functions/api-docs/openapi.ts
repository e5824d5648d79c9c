import { type ErrorCode, errorTable } from "../core/errors.ts";
import { SESSION_COOKIE } from "../core/session.ts";
import { componentSchemas } from "./components.ts";
import { dataSchemas, describeTypes, eventTypes } from "./event-types.ts";
import { operations } from "./operations.ts";
import { sharedProblems } from "./problems.ts";
import type { createApiDocs } from "./api-docs.ts";

/**
 * Builds the OpenAPI 3.1 document of the HTTP API from the routes, the zod schemas, the table of errors, and the catalog where
 * it is given. `npm run generate` writes it to docs/openapi.json without the catalog, whose types belong to the user.
 * @see https://spec.openapis.org/oas/v3.1.1
 */
export function openApi(catalog?: ReturnType<typeof createApiDocs>) {
  const types = catalog === undefined ? [] : eventTypes(catalog);
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
      { name: "events", description: `Send and read events${describeTypes(types)}` },
      { name: "dead-letters", description: "Events that could not be stored" },
      { name: "exports", description: "Events as files" },
      { name: "archive", description: "Events whose retention is over" },
      { name: "erasures", description: "Events that must not be there any more" },
      { name: "subscriptions", description: "Events sent to you: webhooks, e-mail, chat and queues" },
      { name: "status", description: "Numbers for operators" },
      { name: "console", description: "The operator's page" },
      { name: "retention", description: "For how long events are kept" },
      { name: "access", description: "Keys, tenants and the audit log" },
      { name: "api-docs", description: "Types, schemas and this document" },
      { name: "health" },
    ],
    paths: operations(),
    components: {
      schemas: { ...componentSchemas(), ...dataSchemas(types) },
      responses: sharedProblems(),
      parameters: { Tenant: TENANT },
      securitySchemes: SECURITY_SCHEMES,
    },
  };
}

const TENANT = {
  name: "Sluice-Tenant",
  in: "header",
  description: "The tenant, for a key of the installation. A key of a tenant leaves it out",
  schema: { type: "string" },
};

const SECURITY_SCHEMES = {
  bearer: { type: "http", scheme: "bearer", description: "A key of Sluice" },
  apiKey: {
    type: "apiKey",
    in: "header",
    name: "x-api-key",
    description: "The same key, for clients that set headers only by name",
  },
  session: {
    type: "apiKey",
    in: "cookie",
    name: SESSION_COOKIE,
    description: "A session of the operator's page; with it, a request that changes something needs our own `Origin`",
  },
};

const unknownPath: ErrorCode = "no_such_route";
const otherMethod: ErrorCode = "method_not_allowed";

const DESCRIPTION = `**A 202 means that an event will be stored exactly once per (tenant, source, id), or put into
the dead-letter queue with its reason, from which it can be replayed.** Sending an event with its id again is always safe.

A request that fails as a whole is answered with a problem document (RFC 9457) with a stable \`code\`. A path that is not in
this document gets ${errorTable[unknownPath].status} \`${unknownPath}\`, another method of a path
${errorTable[otherMethod].status} \`${otherMethod}\` with \`Allow\`. HEAD is answered as GET, without the body.`;
