import type { HttpResponse } from "../core/http.ts";
import type { apiDocsRoutes } from "../routes/api-docs.ts";
import type { Handlers } from "../routes/route.ts";
import { type Asset, CONTENT_SECURITY_POLICY, docsPage } from "./docs-page.ts";
import { openApi } from "./openapi.ts";
import type { createSchemas } from "./schemas.ts";

export type ApiDocsDeps = {
  schemas: ReturnType<typeof createSchemas>;
  /** The scripts of the documentation page. */
  rapidoc: () => Asset;
  pageScript: () => Asset;
};

/** Answers the routes of api-docs. */
export function createApiDocsEndpoints({ schemas, rapidoc, pageScript }: ApiDocsDeps): Handlers<typeof apiDocsRoutes> {
  return {
    listTypes: async () => ok(JSON.stringify(schemas.types())),

    readSchema: async ({ parameters, query }) => ok(JSON.stringify(schemas.schema(parameters.type, query.dataschema))),

    openApi: async () => ok(JSON.stringify(openApi(schemas))),

    docs: async ({ path }) => {
      // Below /docs/ the page's relative addresses would be others.
      if (path.endsWith("/")) return { status: 308, headers: { location: "../docs" }, body: "" };
      return ok(docsPage({ rapidoc: rapidoc(), page: pageScript() }), {
        "content-security-policy": CONTENT_SECURITY_POLICY,
        "referrer-policy": "no-referrer",
        "cache-control": "no-cache",
      });
    },

    docsRapidoc: async () => script(rapidoc()),
    docsScript: async () => script(pageScript()),
  };
}

function ok(body: string, headers: Record<string, string> = {}): HttpResponse<200> {
  return { status: 200, headers, body };
}

/** The page asks for a script with its version, so browsers may keep it for ever. */
function script({ text }: Asset): HttpResponse<200> {
  return ok(text, { "cache-control": "public, max-age=31536000, immutable" });
}
