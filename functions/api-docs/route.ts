import { RequestError } from "../core/errors.ts";
import type { HttpRequest, HttpResponse } from "../core/http.ts";
import { type Asset, CONTENT_SECURITY_POLICY, docsPage } from "./docs-page.ts";
import { openApi } from "./openapi.ts";
import type { createSchemas } from "./schemas.ts";

export type ApiDocsRouteDeps = {
  schemas: ReturnType<typeof createSchemas>;
  /** The scripts of the documentation page. */
  rapidoc: () => Asset;
  pageScript: () => Asset;
};

/** Everything a client can look up about the API, by API Gateway's name of the route. */
export function createApiDocsRoutes({ schemas, rapidoc, pageScript }: ApiDocsRouteDeps) {
  return {
    "GET /schemas": async () => answer("application/json", JSON.stringify(schemas.types())),

    "GET /schemas/{type}": async ({ parameters, query }: HttpRequest) => {
      const { type } = parameters;
      if (type === undefined || type === "") throw new RequestError("bad_parameter", "The path has no type.");
      return answer("application/schema+json", JSON.stringify(schemas.schema(type, query["dataschema"])));
    },

    "GET /openapi.json": async () => answer("application/json", JSON.stringify(openApi())),

    "GET /docs": async ({ path }: HttpRequest): Promise<HttpResponse> => {
      // Below /docs/ the page's relative addresses would be others.
      if (path.endsWith("/")) return { status: 308, headers: { location: "../docs" }, body: "" };
      return answer("text/html; charset=utf-8", docsPage({ rapidoc: rapidoc(), page: pageScript() }), {
        "content-security-policy": CONTENT_SECURITY_POLICY,
        "referrer-policy": "no-referrer",
        "cache-control": "no-cache",
      });
    },

    "GET /docs/rapidoc-min.js": async () => script(rapidoc()),
    "GET /docs/page.js": async () => script(pageScript()),
  };
}

function answer(contentType: string, body: string, headers: Record<string, string> = {}): HttpResponse {
  return { status: 200, headers: { "content-type": contentType, ...headers }, body };
}

/** The page asks for a script with its version, so that what a browser keeps is never old. */
function script({ text }: Asset): HttpResponse {
  return answer("text/javascript; charset=utf-8", text, { "cache-control": "public, max-age=31536000, immutable" });
}
