import type { HttpResponse } from "../core/http.ts";
import type { Asset } from "../core/ports.ts";
import type { apiDocsRoutes } from "../routes/api-docs.ts";
import type { Handlers } from "../routes/route.ts";
import { CONTENT_SECURITY_POLICY, docsPage } from "./docs-page.ts";
import { openApi } from "./openapi.ts";
import type { createApiDocs } from "./api-docs.ts";

export type ApiDocsDeps = {
  apiDocs: ReturnType<typeof createApiDocs>;
  /** The scripts of the documentation page. */
  rapidoc: () => Asset;
  pageScript: () => Asset;
};

/** Answers the routes of api-docs. */
export function createApiDocsEndpoints({ apiDocs, rapidoc, pageScript }: ApiDocsDeps): Handlers<typeof apiDocsRoutes> {
  return {
    listTypes: async () => ok(JSON.stringify(apiDocs.types())),

    readSchema: async ({ parameters, query }) => ok(JSON.stringify(apiDocs.schema(parameters.type, query.dataschema))),

    openApi: async () => ok(JSON.stringify(openApi(apiDocs))),

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
