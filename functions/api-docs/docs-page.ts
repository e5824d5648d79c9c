import type { Asset } from "../core/ports.ts";

/**
 * Writes the page that shows the OpenAPI document with RapiDoc. Its addresses are relative to `/docs`, so it works at the
 * root of a domain and below the name of a stage; they carry a version, so that browsers can keep the files.
 */
export function docsPage(scripts: { rapidoc: Asset; page: Asset }): string {
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Sluice HTTP API</title>
    <link rel="icon" href="data:,">
    <style>
      body { margin: 0; }
      /* On a phone the buttons are wider than the row, which would hide TRY. */
      rapi-doc::part(wrap-request-btn) { flex-wrap: wrap; gap: 8px; }
    </style>
    <script type="module" src="docs/page.js?v=${scripts.page.version}"></script>
    <script type="module" src="docs/rapidoc-min.js?v=${scripts.rapidoc.version}"></script>
  </head>
  <body>
    <noscript>This page needs JavaScript; <a href="openapi.json">openapi.json</a> is the same as data.</noscript>
    <rapi-doc
      spec-url="openapi.json"
      render-style="read"
      theme="light"
      primary-color="#0b6bcb"
      nav-bg-color="#f5f7fa"
      nav-text-color="#2b3440"
      regular-font="system-ui, sans-serif"
      mono-font="ui-monospace, monospace"
      font-size="large"
      load-fonts="false"
      schema-style="table"
      schema-description-expanded="true"
      default-schema-tab="example"
      show-header="false"
      allow-advanced-search="false"
      allow-authentication="true"
      persist-auth="false"
      allow-server-selection="false"
      allow-spec-file-load="false"
      allow-spec-url-load="false"
    ></rapi-doc>
  </body>
</html>
`;
}

/** Sets the server to the folder of the document: RapiDoc takes a relative server as relative to the origin. */
export const PAGE_SCRIPT = `document.querySelector("rapi-doc").addEventListener("before-render", ({ detail }) => {
  const url = new URL(".", location.href).href.replace(/\\/$/, "");
  detail.spec.servers = [{ url }];
});
`;

/**
 * Allows nothing from other origins, no inline script and no frame around the page. RapiDoc needs inline styles.
 * @see https://www.w3.org/TR/CSP3/
 */
export const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");
